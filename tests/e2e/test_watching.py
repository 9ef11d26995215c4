"""Who watches the watcher, on real processes: a viewer beside one that hangs, a page that is told, a ledger."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from decimal import Decimal
from pathlib import Path

import pytest

from teamops.config.load import load
from teamops.ledger.store import open_ledger
from teamops.model import snapshot as snapshots
from teamops.model.errors import TeamopsError
from teamops.model.role import CODER
from teamops.model.tail import Position
from teamops.model.usage import Tokens, Usage
from teamops.supervisor import thread as threads
from teamops.supervisor.lease import state_dir_of
from teamops.supervisor.thread import SupervisorThread
from tests.files.test_watchdog import SECRET, Listener

DEADLINE_S = 40.0


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "current.md").write_text("", encoding="utf-8")
    return folder


def state_of(root: Path) -> Path:
    return root.parent / "state"


@contextmanager
def watching(root: Path, code: str = "") -> Iterator[subprocess.Popen[str]]:
    """Run a real ``teamops watch``; ``code`` goes before it."""
    start = f"{code}\nimport sys\nfrom teamops.cli.main import main\nmain(sys.argv[1:])"
    words = [sys.executable, "-c", start, "watch", "-C", str(root), "--state-dir", str(state_of(root))]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            assert "acting" in process.stdout.readline()
            yield process
        finally:
            process.kill()
            process.wait(DEADLINE_S)


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def test_a_viewer_sees_that_the_supervisor_hangs_goes_on_and_is_killed(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshots, "HUNG_S", 3.0)
    with watching(root) as process:
        viewer = SupervisorThread(load(root), state_dir=state_of(root), ring=lambda _: True)
        viewer.start()
        try:
            until(lambda: viewer.snapshot().ready, "ready")
            view = viewer.snapshot().supervisor
            assert (view.pid, view.acting, view.hangs) == (process.pid, False, False)
            process.send_signal(signal.SIGSTOP)
            until(lambda: viewer.snapshot().supervisor.hangs, "it hangs")
            assert viewer.snapshot().supervisor.pid == process.pid
            process.send_signal(signal.SIGCONT)
            until(lambda: not viewer.snapshot().supervisor.hangs, "it goes on")
            process.kill()
            until(lambda: viewer.snapshot().supervisor.acting, "taken over")
            assert not viewer.snapshot().supervisor.hangs
            assert viewer.snapshot().supervisor.pid == os.getpid()
        finally:
            viewer.stop()


def test_a_screen_whose_own_supervisor_has_ended_is_told(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def ends(*_: object, **__: object) -> None:
        raise TeamopsError("the disk is gone", "mend it")

    monkeypatch.setattr(threads, "supervise_forever", ends)
    thread = SupervisorThread(load(root), state_dir=state_of(root))
    thread.start()
    until(lambda: bool(thread.failed), "it ended")
    view = thread.snapshot().supervisor
    assert "the disk is gone" in view.ended
    assert (view.pid, view.acting) == (None, False)


QUICK = """
from teamops.effects import watchdog
watchdog.EVERY_S, watchdog.HUNG_S = 0.3, 2.0
init = watchdog.Watchdog.__init__
watchdog.Watchdog.__init__ = lambda self, url: init(self, url, every_s=0.3, hung_s=2.0)
"""
HANG = """
import time
from teamops.supervisor import core
judge, rounds = core.Core._judge, 0
def hang(self):
    global rounds
    rounds += 1
    if rounds > 12: time.sleep(3600)
    judge(self)
core.Core._judge = hang
"""


@pytest.fixture
def listener() -> Iterator[Listener]:
    one = Listener()
    yield one
    one.stop()


def test_a_page_is_told_of_rounds_and_of_a_hang_and_the_address_is_printed_nowhere(
    root: Path, listener: Listener
) -> None:
    (root / "teamops.toml").write_text(
        f'[watchdog]\nurl = "{listener.url}"\n[tmux]\nsocket_path = "{root}/s"\n[notify]\ndesktop = false\n',
        encoding="utf-8",
    )
    with watching(root, QUICK) as process:
        until(lambda: len(listener.told) > 4, "beats")
        assert listener.paths()[:2] == ["/start", ""]
        listener.answer = lambda _path: (503, "")
        folder = state_dir_of(load(root), state_of(root))

        def alerts() -> list[str]:
            with closing(sqlite3.connect(folder / "ledger.sqlite3")) as ledger:
                return [row[0] for row in ledger.execute("SELECT message FROM alert WHERE state = 'firing'")]

        until(lambda: any("503" in text for text in alerts()), "an alert of the misses")
        listener.answer = lambda _path: (200, "")
        until(lambda: not alerts(), "it is over")
        process.send_signal(signal.SIGTERM)
        said = "".join(process.communicate(timeout=DEADLINE_S))
        assert "503" in said
        assert SECRET not in said
    for path in state_of(root).rglob("*"):
        if path.is_file():
            assert SECRET.encode() not in path.read_bytes()
    listener.told.clear()
    with watching(root, QUICK + HANG) as process:
        until(lambda: "/fail" in listener.paths(), "the hang")
        assert process.poll() is None
        told = len(listener.told)
        deadline = time.monotonic() + 1.5
        until(lambda: time.monotonic() > deadline, "silence")
        assert len(listener.told) == told


SOON = """
from teamops.supervisor import retaining
retaining.QUIET_S, retaining.COUNTED_S = 3.0, 1.0
"""


def test_a_running_supervisor_clears_away_what_is_old(root: Path) -> None:
    path = state_dir_of(load(root), state_of(root)) / "ledger.sqlite3"
    now = time.time()
    with closing(open_ledger(path)) as ledger:
        for day in range(100):
            rows: list[tuple[Usage, Decimal | None]] = [
                (Usage(wall=now - day * 86_400 - nth, model="m", tokens=Tokens(output=1), client="claude"), Decimal(1))
                for nth in range(30)
            ]
            ledger.add_usage(CODER, rows, Position("/nowhere", 1, 1, day + 1))
        before = ledger.spent.sum(CODER, 0, now)
    beats = root / ".teamops" / "spool" / "CODER"
    beats.mkdir(parents=True)
    old = beats / "1-1.jsonl"
    old.write_text('{"t": 1700000000}\n', encoding="utf-8")
    os.utime(old, (1.7e9, 1.7e9))

    def swept() -> bool:
        with closing(sqlite3.connect(path)) as connection:
            return bool(connection.execute("SELECT count(*) FROM sweep").fetchone()[0])

    with watching(root, SOON):
        until(lambda: swept() and not old.exists(), "swept")
    with closing(open_ledger(path)) as ledger:
        assert ledger.spent.sum(CODER, 0, now) == before
        assert ledger.minutes(CODER, 0)[0].wall > now - 92 * 86_400
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM spent").fetchone()[0] < 1000
