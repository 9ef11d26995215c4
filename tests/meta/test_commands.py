"""The command line's doors: each opens, and each explains itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from teamops.cli.root import COMMANDS, LazyGroup, run, teamops
from teamops.model.errors import UsageError


def every(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Yield ``command`` and all commands below it."""
    yield path, command
    if isinstance(command, click.Group):
        for name, child in command.commands.items():
            yield from every(child, (*path, name))


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_opens_and_explains_itself(name: str) -> None:
    assert isinstance(teamops, LazyGroup)
    command = teamops.get_command(click.Context(teamops), name)
    assert command is not None
    for path, each in every(command, (name,)):
        words = " ".join(path)
        assert (each.help or "").strip(), f"teamops {words} has no help"
        assert each.name == path[-1], f"teamops {words} calls itself {each.name}"
        for option in each.params:
            if isinstance(option, click.Option):
                assert (option.help or "").strip(), f"teamops {words} {option.opts[0]} has no help"
        assert each.get_help(click.Context(each, info_name=words)).startswith(f"Usage: {words}")


def test_the_program_lists_its_commands() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "teamops", "--help"], capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    listed = [line.split()[0] for line in done.stdout.partition("Commands:")[2].splitlines() if line.startswith("  ")]
    assert [name for name in listed if name in COMMANDS] == list(COMMANDS)


@pytest.mark.parametrize(
    ("arguments", "word"), [(["nosuch"], "nosuch"), (["status", "--nosuch"], "--nosuch")], ids=["command", "option"]
)
def test_wrong_use_is_exit_2_and_names_the_wrong_word(arguments: list[str], word: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "teamops", *arguments], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 2
    assert word in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("typed", "hint"), [("statu", "did you mean status?"), ("qqqq", "commands: demo, init"), ("\x1b[31mx", '"x"')]
)
def test_an_unknown_command_says_the_nearest(typed: str, hint: str) -> None:
    with pytest.raises(UsageError) as said:
        run([typed])
    assert hint in str(said.value)
    assert "\x1b" not in str(said.value)


@pytest.mark.parametrize("encoding", ["ascii", "iso8859-1"])
def test_a_terminal_that_knows_no_unicode_is_no_crash(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "current.md"
    file.write_text("### [DIRECTOR] 2026-03-28 14:30\n\n**Status**: done → é\n**Turn**: CODER\n**Tier**: 2\n", "utf-8")
    for words in (["show"], ["show", "--json"], ["lint"]):
        done = subprocess.run(
            [sys.executable, "-m", "teamops", "handoff", *words, str(file)],
            capture_output=True,
            timeout=30,
            check=False,
            env={**os.environ, "PYTHONIOENCODING": encoding},
        )
        assert (done.returncode, b"Traceback" in done.stderr) == (0, False)
        if "--json" in words:
            shown = done.stdout.decode("iso8859-1" if encoding == "iso8859-1" else "utf-8")
            assert json.loads(shown)["blocks"][0]["status"] in {"done → é", "done ? é"}


def test_a_reader_who_leaves_is_no_failure(tmp_path: Path) -> None:
    file = tmp_path / "current.md"
    file.write_text("### [DIRECTOR] 2026-03-28 14:30\n**Turn**: CODER\n\n" * 5_000, "utf-8")
    with subprocess.Popen(
        [sys.executable, "-m", "teamops", "handoff", "show", "--json", str(file)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        assert child.stdout.readline() == b"{\n"
        child.stdout.close()
        assert child.stderr.read() == b""
        assert child.wait(30) == 0
