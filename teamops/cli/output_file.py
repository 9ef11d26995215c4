"""Where what a command tells is written: the standard output, or a file that is there as a whole or as it was."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from teamops.model.errors import TeamopsError, UsageError
from teamops.model.text import clean_line

DASH = Path("-")
"""The standard output, by its usual name."""


@contextmanager
def writing(output: Path | None, *, private: bool = True) -> Iterator[TextIO]:
    """Give what to write to; a file takes its place when all is written.

    ``private``: for its owner's eyes alone, else as the person's umask has it. What is no file (a device, a pipe) is
    never replaced. Raises ``UsageError`` for such a one and for a folder that takes no file, ``TeamopsError`` where the
    writing fails.
    """
    if output is None or output == DASH:
        yield sys.stdout
        return
    said = clean_line(str(output))
    if output.exists() and not output.is_file():
        raise UsageError(f"{said} is no file", "name a file, or leave -o out")
    target = output.resolve()
    try:
        fd, name = tempfile.mkstemp(prefix=f".{target.name[:100]}.", dir=target.parent)
    except OSError as error:
        raise UsageError(f"{said}: {error.strerror}", "name a folder that can be written") from error
    try:
        with open(fd, "w", encoding="utf-8", newline="") as stream:  # noqa: PTH123 - a descriptor
            if not private:
                mask = os.umask(0)
                os.umask(mask)
                os.fchmod(fd, 0o666 & ~mask)
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).replace(target)
    except OSError as error:
        raise TeamopsError(f"{said}: {error.strerror or error}", "free disk space, and try again") from error
    finally:
        Path(name).unlink(missing_ok=True)
