"""Standard output that takes nothing, such as a file on a full disk: what was to be said is lost, and that is said."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, TextIO

from teamops.model.errors import EXIT_FINDING

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

EXIT_UNKNOWN = 3
"""Of ``teamops check``: to a monitor 1 would be a warning that it can read."""


class Output(io.FileIO):
    """Standard output's file. It keeps why it took nothing, whatever becomes of the error on its way."""

    trouble: OSError | None = None

    def write(self, data: ReadableBuffer, /) -> int:
        """Write ``data``. Raises ``OSError``."""
        try:
            return super().write(data)
        except (BrokenPipeError, BlockingIOError):  # nobody reads any more, which is no trouble; it takes more later
            raise
        except OSError as error:
            self.trouble = error
            raise


def watched() -> Output | None:
    """Write standard output by an ``Output`` from now on; ``None`` where there is none, or it is no file."""
    before = sys.stdout
    if not isinstance(before, io.TextIOWrapper):
        return None
    try:
        output = Output(before.fileno(), "w", closefd=False)
    except (OSError, ValueError):
        return None
    sys.stdout = io.TextIOWrapper(
        io.BufferedWriter(output),
        encoding=before.encoding,
        errors=before.errors,
        line_buffering=before.line_buffering,
    )
    return output


def exit_code(words: Sequence[str], output: Output | None, code: int | str | None) -> int | str | None:
    """Return ``code``; another one where not all that was said has arrived, which is said on standard error.

    Nothing is left to be written at the end of the process, where its failure would be a trace and an exit code of
    Python's own.
    """
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        _drop(sys.stdout)
    except (OSError, ValueError):
        pass  # a stream that was closed, or what ``output`` knows
    if output is not None and output.trouble is not None:
        _drop(sys.stdout)
        with contextlib.suppress(OSError, ValueError, AttributeError):
            sys.stderr.write(
                f"teamops: standard output can't be written: {output.trouble.strerror or output.trouble}\n"
            )
        code = EXIT_UNKNOWN if words[:1] == ["check"] else EXIT_FINDING
    try:
        if sys.stderr is not None:
            sys.stderr.flush()
    except (OSError, ValueError):
        _drop(sys.stderr)
    return code


def _drop(stream: TextIO) -> None:
    """Let what ``stream`` still holds go nowhere."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
        stream.flush()
