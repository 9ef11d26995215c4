"""What a shell's line is read as is what bash makes of it, and what a grammar of bash sees in it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from teamops.guard.shell import read
from teamops.guard.words import NotUnderstood, Word
from tests.unit.guard.test_commands import BYPASSES, READ_ONLY

NAMES = ("aa", "bb", "cc")
BASH = shutil.which("bash") or ""
SHOW = """#!{python} -IS
import json, os, sys
os.write(9, (json.dumps([os.path.basename(sys.argv[0]), *sys.argv[1:]]) + "\\n").encode())
"""
pytestmark = pytest.mark.skipif(not BASH, reason="compares with bash")


class Bash:
    """A bash that has three programs, which tell their words, and runs in an empty folder."""

    def __init__(self, folder: Path) -> None:
        self.bin, self.room = folder / "bin", folder / "room"
        self.bin.mkdir()
        for name in NAMES:
            (self.bin / name).write_text(SHOW.format(python=sys.executable))
            (self.bin / name).chmod(0o755)
        self.told = folder / "told"

    def runs(self, line: str) -> list[list[str]]:
        """Return the words of each program that ran, in no order."""
        shutil.rmtree(self.room, ignore_errors=True)
        self.room.mkdir()
        handle = os.open(self.told, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_APPEND)
        try:
            subprocess.run(
                [BASH, "--norc", "-c", f"exec 9>&{handle}\n{line}\nwait"],
                env={"PATH": str(self.bin), "HOME": str(self.room), "x": "1 2"},
                cwd=self.room,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=20,
                pass_fds=(handle,),
                check=False,
            )
        finally:
            os.close(handle)
        return [json.loads(row) for row in self.told.read_text().splitlines()]


@pytest.fixture(scope="module")
def bash(tmp_path_factory: pytest.TempPathFactory) -> Bash:
    return Bash(tmp_path_factory.mktemp("bash"))


_PIECES = """aa bb cc w 'q' "d" \\' ' " \\ -o -- = x=1 ~ # ; && || | & ( ) { } $x "$x" ${x} $( ` $ ! > >> < 2> 2>&1 >&2
    &> f1 /dev/null <<E <<'E' * ? [a] {a,b} , .. $(( )) <( $' if then fi time é <<< % ^ @"""
_BLANKS = ["'a b'", '"e f"', "\\ ", "\n", "\nE\n", "\t", "\\\n", *[" "] * 12]
PIECES = st.sampled_from([*_PIECES.split(), *_BLANKS])
_WORDS = """w $x "$x" ${x} -o a{b}c -- ~ '' "" 2>&1 >>f1 2>/dev/null &>f1 <f1 <<'E' <<E x=1 a=b * é 'a'"b"'c' \\;
    \\$x "\\$x" "\\"" a#b 2 $? @ {} !x <<<w"""
_LONGER = [
    "'q r'",
    '"d e"',
    "e\\ f",
    "$(bb y)",
    '"$(cc; bb)"',
    "> f1",
    "# c\n",
    "\\\n",
    "\nE\n",
    "'\n'",
    "$(aa <<'E'\nx\nE\n)",
]
WORDS = st.sampled_from([*_WORDS.split(), *_LONGER])
SEPARATORS = st.sampled_from([";", "&&", "||", "|", "\n", "&", "|&", " ", "\n\n", "&& \n"])
COMMANDS = st.lists(
    st.tuples(st.sampled_from(NAMES), st.lists(WORDS, max_size=4), SEPARATORS), min_size=1, max_size=4
).map(lambda rows: "".join(" ".join([name, *words]) + f" {separator} " for name, words, separator in rows) + "aa")


def is_open(word: Word) -> bool:
    """Return whether a word may become another one, or many."""
    return word.unknown or word.glob or word.text[:1] == "~"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(PIECES, min_size=1, max_size=9).map("".join) | COMMANDS)
@example("aa 'a b' \"c d\" e\\ f; bb && cc | aa > f1")
@example("aa $(bb 'x y') \"$(cc)\"")
@example("aa <<'E'\n$(bb)\nE\nbb")
@example("aa <<E\nx\nE\nbb")
@example("aa #x\nbb")
@example("aa&bb")
@example("aa '\\' bb '")
@example("aa 2>&1 bb")
@example("aa a{b}c")
@example("aa \\\nbb")
def test_what_is_understood_runs_what_it_was_read_as(bash: Bash, line: str) -> None:
    try:
        commands = read(line)
    except NotUnderstood:
        return
    could = [
        (command.words[0].text, [None if is_open(word) else word.text for word in command.words[1:]])
        for command in commands
    ]
    for name, *words in bash.runs(line):
        fits = [wanted for each, wanted in could if each == name and (None in wanted or wanted == words)]
        assert fits, (line, name, words, could)
    made = {path.name for path in bash.room.iterdir()}
    assert made <= {word.text for command in commands for word in command.writes}, (line, made)


tree_sitter = pytest.importorskip("tree_sitter")


@pytest.mark.parametrize("line", [*READ_ONLY, *BYPASSES])
def test_a_grammar_of_bash_sees_the_same_commands(line: str) -> None:
    """Every command that the grammar sees, in whatever depth, was read; or the line was not understood."""
    import tree_sitter_bash

    try:
        commands = read(line)
    except NotUnderstood:
        return
    if "<>" in line:
        return  # the grammar doesn't know it
    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_bash.language()))
    raw = line.encode()
    waiting, seen = [parser.parse(raw).root_node], 0
    while waiting:
        node = waiting.pop()
        assert not node.is_error, line
        seen += node.type in {"command", "test_command", "declaration_command", "unset_command"}
        waiting += node.children
    assert seen == len(commands), line
