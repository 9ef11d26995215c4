"""Files of this user alone, exchanged in one step."""

from __future__ import annotations

import tempfile
from pathlib import Path

from teamops.model.errors import TeamopsError


def write_private(path: Path, text: str) -> None:
    """Put ``text`` in the place of ``path``, readable for this user alone. Raises ``TeamopsError``."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # made 0600
        with open(handle, "w", encoding="utf-8") as file:  # noqa: PTH123 - a descriptor, not a path
            file.write(text)
        Path(name).replace(path)
    except OSError as error:
        raise TeamopsError(
            f"can't write {path}: {error.strerror or error}", "mend the folder's rights or free disk space"
        ) from error
