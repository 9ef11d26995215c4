"""Puts a day's report into the folder of reports: each file as a whole, and none in place of one that stands there."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from teamops.model.actions import Outcome, WriteReport

IGNORE = ".gitignore"
_IGNORED = b"# Reports that teamops writes. Delete this file to have them in git.\n*\n"


def write_report(action: WriteReport, root: Path) -> Outcome:
    """Write the files that are not there yet. Blocks; raises nothing: the outcome says why not.

    A folder that is made gets a ``.gitignore``: what teamops writes by itself is no change of the project's work tree.
    """
    folder = root / action.folder
    if (root / action.folder).is_relative_to(root) and not folder.resolve().is_relative_to(root.resolve()):
        # A link that an agent may have put there: what it can't write itself, nobody writes for it.
        return Outcome(
            ok=False,
            message=f"the report of {action.day} was not written: {action.folder} leads out of the project",
            hint="name the folder itself in teamops.toml, [report] folder",
        )
    try:
        if not folder.is_dir():
            folder.mkdir(parents=True)
            _put(folder / IGNORE, _IGNORED)
        kept = [name for name, text in action.files if not _put(folder / name, text.encode("utf-8", "replace"))]
    except OSError as error:
        return Outcome(
            ok=False,
            message=f"the report of {action.day} can't be written to {folder}: {error.strerror or error}",
            hint="mend the folder, or name another in teamops.toml, [report] folder",
        )
    new = [name for name, _ in action.files if name not in kept]
    stays = f"; kept as it was: {', '.join(kept)}" if kept else ""
    told = f"{', '.join(new)} written" if new else "nothing to write"
    return Outcome(ok=True, message=f"{told}{stays}", evidence=str(folder))


def _put(path: Path, data: bytes) -> bool:
    """Make a file with all its content at once; return false where something stands there."""
    if os.path.lexists(path):
        return False
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).chmod(0o644)
        try:
            os.link(name, path)  # never in place of a file that came meanwhile
        except FileExistsError:
            return False
        except OSError:  # a file system without links
            Path(name).rename(path)
    finally:
        with suppress(FileNotFoundError):
            Path(name).unlink()
    return True
