"""Whose hands a process is at, asked by real processes of a real pane that went far away from it."""

from __future__ import annotations

import json
import os
import pty
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from teamops.supervisor.lineage import origins
from tests.tmux.private import PrivateTmux, private_tmux

pytestmark = [
    pytest.mark.tmux,
    pytest.mark.skipif(sys.platform != "linux", reason="where a process comes from is read from /proc"),
]
DEADLINE_S = 30.0
ASK = """
import json, os, sys
from pathlib import Path
from teamops.cli.person import is_own_terminal
from teamops.config.load import load
from teamops.supervisor.who import at_an_agent_s_hands
here = Path({here!r})
try:
    own = is_own_terminal()
except OSError:
    own = False
said = {{"around": at_an_agent_s_hands(load(here)), "own": own, "parent": os.getppid()}}
(here / "said.new").write_text(json.dumps(said))
(here / "said.new").rename(here / "said")
"""
FAR = """
import os, sys
# A terminal whose one end this process keeps, and whose other end is an orphan's own: it was begun by nobody.
master, slave = os.openpty()
name = os.ttyname(slave)
if not os.fork():
    if os.fork():
        os._exit(0)
    os.setsid()
    handle = os.open(name, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(handle, number)
    os.closerange(3, 64)
    os.execve(sys.executable, [sys.executable, {ask!r}], {{"PATH": os.environ["PATH"], "PYTHONPATH": {path!r}}})
os.wait()
while True:
    os.read(master, 1000)
"""


class Yard:
    """A project with an agent's pane in it, in which lines are run."""

    def __init__(self, folder: Path, tmux: PrivateTmux) -> None:
        self.root = folder / "p"
        self.root.mkdir()
        text = f'project = "shop"\n[tmux]\nsocket_path = "{tmux.socket.path}"\n[roles.CODER]\n'
        (self.root / "teamops.toml").write_text(text)
        self.ask = self.root / "ask.py"
        self.ask.write_text(ASK.format(here=str(self.root)))
        self.words = f"env PYTHONPATH={shlex.quote(os.pathsep.join(sys.path))} {sys.executable} {self.ask}"
        self._tmux = tmux

    def pane(self, session: str, line: str) -> dict[str, object]:
        """Let a pane of ``session`` run a line; return what the question in it was told."""
        self._tmux.new(session, f"{line}; exec sleep 60")
        return self.said()

    def said(self) -> dict[str, object]:
        told, end = self.root / "said", time.monotonic() + DEADLINE_S
        while not told.exists():
            assert time.monotonic() < end, "nothing was said"
            time.sleep(0.02)
        found: dict[str, object] = json.loads(told.read_text())
        told.unlink()
        return found


@pytest.fixture
def yard(short_dir: Path) -> Iterator[Yard]:
    with private_tmux(short_dir) as tmux:
        yield Yard(short_dir, tmux)


def test_a_pane_of_the_person_s_own_in_the_same_server_is_the_person_s(yard: Yard) -> None:
    yard._tmux.new("shop-coder")
    said = yard.pane("mine", yard.words)
    assert (said["around"], said["own"]) == ("", True)


@pytest.mark.parametrize(
    ("line", "around"),
    [
        ("{ask}", "session"),
        # Each by one mark alone; what it would be known by beside is taken away.
        ("setsid -f env -u TMUX -u TMUX_PANE {ask}", "session"),
        ("setsid -f {ask} < /dev/null > /dev/null 2>&1", "session"),
        (
            "TEAMOPS_ROLE=CODER setsid -f sh -c 'env -u TEAMOPS_ROLE -u TMUX {ask}; true' <&- >&- 2>&-",
            "CODER's process",
        ),
        ("env -u TMUX setsid -f script -qc '{ask}; true' /dev/null < /dev/null > /dev/null 2>&1", ""),
    ],
    ids=["in it", "by its terminal", "by tmux's variables", "by the role of its parent", "by no mark that is left"],
)
def test_an_agent_s_process_that_left_its_pane_s_tree(yard: Yard, line: str, around: str) -> None:
    said = yard.pane("shop-coder", line.format(ask=yard.words))
    if around:
        assert around in str(said["around"])
    else:
        # What stays (the documentation names it): who takes every mark away, and makes itself a terminal.
        assert (said["around"], said["own"]) == ("", True)


def test_who_holds_the_other_end_of_its_terminal(yard: Yard) -> None:
    far = yard.root / "far.py"
    far.write_text(FAR.format(ask=str(yard.ask), path=os.pathsep.join(sys.path)))
    said = yard.pane("shop-coder", f"env -u TMUX -u TMUX_PANE {sys.executable} {far}")
    assert said["own"] is True
    assert 'the agents\' session "shop-coder"' in str(said["around"])


def test_a_terminal_that_is_another_process_s_is_not_its_own(yard: Yard) -> None:
    """Anybody of the same user may open it."""
    master, slave = pty.openpty()
    try:
        name = os.ttyname(slave)
        line = f"exec < {name} > {name} 2>&1; {yard.words}"
        subprocess.run(["sh", "-c", line], start_new_session=True, check=True, timeout=DEADLINE_S)
        # A shell that leads a session takes the first terminal it opens for its own: it must be another's already.
        assert yard.said()["own"] is True
        subprocess.run(["setsid", "sh", "-c", f"sh -c {shlex.quote(line)}; true"], check=True, timeout=DEADLINE_S)
        assert yard.said()["own"] is False
    finally:
        os.close(master)
        os.close(slave)


def test_what_a_process_comes_from_ends_where_nothing_can_be_read(tmp_path: Path) -> None:
    assert next(iter(origins(os.getpid()))) == os.getpid()
    assert os.getppid() in set(origins(os.getpid()))
    (tmp_path / "self").mkdir()
    (tmp_path / "self" / "stat").write_text("")
    assert list(origins(os.getpid(), tmp_path)) == []
    # A name may hold what divides the others.
    (tmp_path / "5").mkdir()
    (tmp_path / "5" / "stat").write_text("5 (a) 1 (b) S 7 5 5 0 -1")
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "stat").write_text("7 (c) S 0 5 5 0 -1")
    assert list(origins(5, tmp_path)) == [5, 7]
    assert os.getppid() in set(origins(os.getpid(), tmp_path / "none"))
