"""A demo's folder goes when its owner does, and nothing else ever goes with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from teamops.demo import folder as rooms
from teamops.demo.folder import LOCK, clear, make, owner_gone, parent_folder, sweep, wait_for_owner
from teamops.demo.transcript import process_start
from teamops.model.errors import TeamopsError

OWNER = """
import sys, time
from pathlib import Path
from teamops.demo.folder import make
folder, lock = make(Path(sys.argv[1]))
print(folder, flush=True)
time.sleep(600)
"""


def wait_until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.01)


@pytest.fixture
def short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A temporary folder with a path short enough for a socket; the machine's real one is out of reach.

    ``tmp_path`` is asked for first: pytest puts its own folders where the temporary folder is at that moment.
    """
    with tempfile.TemporaryDirectory(prefix="d", dir="/tmp") as name:
        monkeypatch.setattr(tempfile, "tempdir", name)
        monkeypatch.setattr(rooms, "SHORT", Path(name) / "short")
        yield Path(name)


@pytest.fixture
def parent(short: Path) -> Path:
    return parent_folder()


@pytest.fixture
def other(parent: Path) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """A demo whose owner is another process."""
    with subprocess.Popen([sys.executable, "-c", OWNER, str(parent)], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        yield owner, Path(owner.stdout.readline().strip())
        owner.kill()


def killed(owner: subprocess.Popen[str]) -> None:
    owner.kill()
    owner.wait()


def test_a_living_demo_is_left_alone(parent: Path, other: tuple[subprocess.Popen[str], Path]) -> None:
    _, folder = other
    assert not owner_gone(folder)
    assert sweep(parent) == []
    assert (folder / LOCK).exists()


def test_a_killed_demo_is_swept(parent: Path, other: tuple[subprocess.Popen[str], Path]) -> None:
    owner, folder = other
    killed(owner)
    assert owner_gone(folder)
    assert sweep(parent) == [folder]
    assert not folder.exists()


def test_the_own_demo_is_not_swept(parent: Path) -> None:
    folder, lock = make(parent)
    assert sweep(parent) == []
    os.close(lock)
    assert sweep(parent) == [folder]


def test_only_folders_with_our_mark_are_swept(parent: Path, tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / LOCK).touch()
    (parent / "team-link").symlink_to(theirs)
    (parent / "team-file").touch()
    (parent / "team-unmarked").mkdir()
    (parent / "notes").mkdir()
    (parent / "notes" / LOCK).touch()
    assert sweep(parent) == []
    assert (theirs / LOCK).exists()
    assert {path.name for path in parent.iterdir()} >= {"team-link", "team-file", "team-unmarked", "notes"}


def test_a_link_inside_is_not_followed(parent: Path, tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "kept").touch()
    folder, lock = make(parent)
    (folder / "away").symlink_to(theirs)
    clear(folder)
    os.close(lock)
    assert not folder.exists()
    assert (theirs / "kept").exists()


def test_a_parent_that_is_a_link_is_refused(short: Path) -> None:
    (short / "elsewhere").mkdir(mode=0o700)
    (short / f"teamops-demo-{os.getuid()}").symlink_to(short / "elsewhere")
    with pytest.raises(TeamopsError, match="not a folder of your own"):
        parent_folder()


def test_a_parent_that_is_open_to_others_is_refused(parent: Path) -> None:
    parent.chmod(0o770)
    with pytest.raises(TeamopsError, match="closed to others"):
        parent_folder()


def test_a_parent_of_somebody_else_is_refused(parent: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    uid = os.getuid()
    parent.rename(parent.with_name(f"teamops-demo-{uid + 1}"))
    monkeypatch.setattr(os, "getuid", lambda: uid + 1)
    with pytest.raises(TeamopsError, match="not a folder of your own"):
        parent_folder()


def test_a_long_temporary_folder_is_not_used_for_a_socket(short: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = short / ("x" * 90)
    for folder in (deep, rooms.SHORT):
        folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    assert parent_folder().parent == rooms.SHORT


def test_who_waits_for_the_owner_clears_away(other: tuple[subprocess.Popen[str], Path]) -> None:
    owner, folder = other
    with subprocess.Popen([sys.executable, "-m", "teamops.demo.reaper", str(folder)]) as reaper:
        killed(owner)
        assert reaper.wait(timeout=10) == 0
    assert not folder.exists()


def test_waiting_for_a_demo_that_is_gone_returns(tmp_path: Path) -> None:
    wait_for_owner(tmp_path / "gone")
    assert owner_gone(tmp_path / "gone")


STUBBORN = """
import json, os, signal, sys
from pathlib import Path
from teamops.demo.transcript import process_start
signal.signal(signal.SIGTERM, signal.SIG_IGN)
signal.signal(signal.SIGHUP, signal.SIG_IGN)
row = {"pid": os.getpid(), "procStart": process_start(os.getpid())}
Path(sys.argv[1]).write_text(json.dumps(row))
print("ready", flush=True)
signal.pause()
"""


def test_an_agent_that_will_not_end_is_killed(parent: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rooms, "GRACE_S", 0.1)
    folder, lock = make(parent)
    sessions = folder / "claude" / "sessions"
    sessions.mkdir(parents=True)
    with subprocess.Popen(
        [sys.executable, "-c", STUBBORN, str(sessions / "1.json")], stdout=subprocess.PIPE, text=True
    ) as agent:
        assert agent.stdout is not None
        agent.stdout.readline()
        clear(folder)
        assert agent.wait(timeout=10) == -signal.SIGKILL
    os.close(lock)
    assert not folder.exists()


def test_a_process_that_only_has_an_agents_old_number_is_spared(parent: Path) -> None:
    folder, lock = make(parent)
    sessions = folder / "claude" / "sessions"
    sessions.mkdir(parents=True)
    with subprocess.Popen(["sleep", "600"]) as stranger:
        try:
            earlier = int(process_start(stranger.pid)) - 1
            (sessions / "1.json").write_text(f'{{"pid": {stranger.pid}, "procStart": "{earlier}"}}')
            (sessions / "2.json").write_text("not json")
            (sessions / "3.json").write_text("[]")
            clear(folder)
            assert stranger.poll() is None
        finally:
            stranger.kill()
    os.close(lock)
    assert not folder.exists()
