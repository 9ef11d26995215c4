"""The program's entry: the screen by the shortest way, everything else by the command line's root.

Errors are shown here, in one place. Exit codes: 0 fine, 1 a finding or failed act, 2 wrong use.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence

from teamops.model.errors import EXIT_OK, TeamopsError

EXIT_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = _run(words)
    except TeamopsError as error:
        sys.stderr.write(f"teamops: {error.message}\n")
        if error.hint:
            sys.stderr.write(f"  → {error.hint}\n")
        code = error.exit_code
    except KeyboardInterrupt:
        sys.stderr.write("teamops: interrupted\n")
        code = EXIT_INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()
        code = EXIT_OK
    sys.exit(code)


def _run(words: list[str]) -> int:
    if words[:1] == ["hook"]:  # at every tool call of every agent: no command line's library
        from teamops.guard.hook import main as hook

        return hook(words[1:])
    if words[:1] == ["beat"]:
        from teamops.sdk.shell import main as beat

        return beat(words[1:])
    if words[:1] == ["status"] and any(word.startswith("--format") for word in words):  # every few seconds
        from teamops.cli.segment import main as segment

        return segment(words)
    if words:
        from teamops.cli.root import run

        return run(words)
    # The main job: the first frame comes sooner without the command line's library, and without collecting garbage
    # among what the imports make; the screen turns the collector on again when it stands.
    gc.disable()
    from teamops.cli.screen import open_screen

    open_screen()
    return EXIT_OK
