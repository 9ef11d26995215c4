"""The supervisor under faults of its own files: said, healed, nothing forgotten."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from teamops.config.load import load
from teamops.model.alert import AlertState
from teamops.model.snapshot import AckAlert, Snapshot, SupervisorPort
from teamops.supervisor import run
from teamops.supervisor.thread import SupervisorThread

DEADLINE_S = 20.0
BLOCK = "### [DIRECTOR] 2026-03-28 14:30\n\n**Status**: done\n**Turn**: CODER\n**Tier**: 2\n**Task**: login\n"


def wait(port: SupervisorPort, wanted: Callable[[Snapshot], bool], what: str) -> Snapshot:
    """Return the first snapshot for which ``wanted`` holds."""
    seen: list[Snapshot] = []
    there = threading.Event()

    def take(snapshot: Snapshot) -> None:
        if wanted(snapshot) and not seen:
            seen.append(snapshot)
            there.set()

    end = port.subscribe(take)
    try:
        take(port.snapshot())
        if not there.wait(DEADLINE_S):
            pytest.fail(f"not seen: {what}\n{port.snapshot()}")
    finally:
        end()
    return seen[0]


class Watched:
    """A watch-only project, and its state folder."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "p"
        self.state = folder / "state"
        self.root.mkdir()
        self.handoff = self.root / "current.md"
        self.handoff.write_text(BLOCK, encoding="utf-8")

    def supervisor(self) -> SupervisorThread:
        return SupervisorThread(load(self.root), state_dir=self.state, ring=lambda _: True)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Watched:
    monkeypatch.setattr(run, "LEASE_RETRY_S", 0.2)
    return Watched(tmp_path)


@pytest.fixture
def thread(project: Watched) -> Iterator[SupervisorThread]:
    thread = project.supervisor()
    thread.start()
    try:
        yield thread
    finally:
        thread.stop()
        assert thread.failed == ""


def acts(snapshot: Snapshot) -> bool:
    return snapshot.ready and snapshot.supervisor.acting


def alert_is(state: AlertState) -> Callable[[Snapshot], bool]:
    return lambda snapshot: [alert.state for alert in snapshot.alerts if alert.code == "handoff-lost"] == [state]


def test_a_state_folder_that_is_deleted_is_made_again_with_its_alerts_and_nobody_else_acts(
    project: Watched, thread: SupervisorThread
) -> None:
    wait(thread, acts, "acting")
    project.handoff.unlink()
    (alert,) = wait(thread, alert_is(AlertState.FIRING), "the alert").alerts
    assert thread.act(AckAlert(alert.code, alert.subject)).ok
    shutil.rmtree(project.state)
    before = thread.snapshot().revision
    wait(
        thread,
        lambda seen: seen.revision > before and acts(seen) and bool(list(project.state.glob("*/ledger.sqlite3"))),
        "a new state folder",
    )
    other = project.supervisor()
    other.start()
    try:
        seen = wait(other, lambda snapshot: snapshot.ready and alert_is(AlertState.ACKED)(snapshot), "a viewer")
        assert not seen.supervisor.acting
    finally:
        other.stop()
    assert alert_is(AlertState.ACKED)(thread.snapshot())


def put_in_the_way(folder: Path) -> None:
    """A file where the folder was. The supervisor works in it meanwhile, and may make it again at any time."""
    for number in itertools.count():
        gone = folder.with_name(f"gone-{number}")
        folder.rename(gone)
        shutil.rmtree(gone)
        try:
            with folder.open("x", encoding="utf-8") as file:
                file.write("in the way")
        except FileExistsError:
            continue
        return


def test_a_state_folder_that_cannot_be_made_is_said_and_waited_for(project: Watched, thread: SupervisorThread) -> None:
    wait(thread, acts, "acting")
    put_in_the_way(project.state)
    wait(thread, lambda seen: any("can't supervise now" in trouble for trouble in seen.troubles), "the trouble")
    project.state.unlink()
    wait(thread, lambda seen: acts(seen) and not seen.troubles, "healed")


def test_watch_ends_when_nobody_reads_what_it_prints_and_takes_it_for_no_defect(project: Watched) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "teamops", "watch", "-C", str(project.root), "--state-dir", str(project.state)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as watch:
        try:
            assert watch.stdout is not None
            assert b"acting" in watch.stdout.readline()
            watch.stdout.close()
            # The first may still go into a pipe that is just being closed.
            deadline = time.monotonic() + DEADLINE_S
            turns = itertools.cycle(("HUMAN", "CODER"))
            while watch.poll() is None and time.monotonic() < deadline:
                with project.handoff.open("a", encoding="utf-8") as file:
                    file.write("\n" + BLOCK.replace("CODER", next(turns)))
                with contextlib.suppress(subprocess.TimeoutExpired):
                    watch.wait(0.5)
            assert watch.returncode is not None
        finally:
            watch.kill()
    assert list(project.state.glob("*/defects.log")) == []


def test_a_terminal_that_was_stopped_stops_no_supervisor(project: Watched) -> None:
    project.handoff.with_name("teamops.toml").write_text('[notify]\nchannels = ["terminal"]\n', encoding="utf-8")
    ours, theirs = os.openpty()
    termios.tcflow(theirs, termios.TCOOFF)
    command = [sys.executable, "-m", "teamops", "watch", "-C", str(project.root), "--state-dir", str(project.state)]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs) as watch:
        try:
            deadline = time.monotonic() + DEADLINE_S

            def failures() -> list[str]:
                found = []
                for path in project.state.glob("*/ledger.sqlite3"):
                    with contextlib.closing(sqlite3.connect(path)) as ledger, contextlib.suppress(sqlite3.Error):
                        found += [row[0] for row in ledger.execute("SELECT message FROM page_attempt WHERE ok = 0")]
                return found

            turns = itertools.cycle(("HUMAN", "CODER"))
            with project.handoff.open("a", encoding="utf-8") as file:
                file.write("\n" + BLOCK.replace("CODER", next(turns)))
            while "the terminal takes nothing" not in failures():
                assert watch.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.1)
            watch.send_signal(signal.SIGTERM)
            assert watch.wait(15.0) == 0
        finally:
            watch.kill()
            termios.tcflow(theirs, termios.TCOON)
            os.close(ours)
            os.close(theirs)
    assert list(project.state.glob("*/defects.log")) == []
