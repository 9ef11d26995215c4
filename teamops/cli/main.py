"""The program's entry: the screen by the shortest way, everything else by the command line's root.

Errors are shown here, in one place. Exit codes: 0 fine, 1 a finding or failed act, 2 wrong use;
``check`` has its own.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence

from teamops.model.errors import EXIT_FINDING, EXIT_OK, TeamopsError

EXIT_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit code."""
    from teamops.sdk.bytecode import keep_whole

    keep_whole()
    words = list(sys.argv[1:] if arguments is None else arguments)
    # Hooks and beats answer for their own words; the screen has a terminal. None of them has time for more.
    plain = arguments is not None or not words or words[0] in {"hook", "beat"}
    sys.exit(_code_of(words) if plain else _by_a_watched_output(words))


def _by_a_watched_output(words: list[str]) -> int | str | None:
    """Run the command, and see to it that what it says arrives."""
    from teamops.cli.output import exit_code, watched

    output = watched()
    try:
        code = _code_of(words)
    except OSError:
        if output is None or output.trouble is None:
            raise
        code = EXIT_FINDING
    return exit_code(words, output, code)


def _code_of(words: list[str]) -> int | str | None:
    try:
        return _run(words)
    except TeamopsError as error:
        _complain(f"teamops: {error.message}\n" + (f"  → {error.hint}\n" if error.hint else ""))
        return error.exit_code
    except KeyboardInterrupt:
        _complain("teamops: interrupted\n")
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()
        return EXIT_OK
    except SystemExit as leaving:
        return leaving.code


def _complain(text: str) -> None:
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except (OSError, AttributeError):  # it takes nothing, or is closed: the exit code has to do
        return


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
