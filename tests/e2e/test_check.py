"""``teamops check`` as a monitor runs it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from teamops.config.load import load
from teamops.ledger.store import open_ledger
from teamops.model.alert import Alert, AlertState
from teamops.model.handoff import Severity
from teamops.model.role import CODER
from teamops.supervisor.lease import Lease, state_dir_of


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "current.md").write_text("", encoding="utf-8")
    return folder


def folder_of(root: Path) -> Path:
    return state_dir_of(load(root), root.parent / "state")


def run(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    place = ["-C", str(root), "--state-dir", str(root.parent / "state")]
    return subprocess.run(
        [sys.executable, "-m", "teamops", "check", *place, *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


def test_nobody_supervises_and_a_look_makes_nothing(root: Path) -> None:
    done = run(root)
    assert (done.returncode, done.stderr) == (2, "")
    assert done.stdout.startswith("TEAMOPS CRITICAL - shop: no supervisor runs | ")
    assert done.stdout.count("\n") == 1
    assert run(root, "--warn", "no-supervisor").returncode == 1
    assert not (root.parent / "state").exists()


def test_alerts_of_the_ledger_and_a_supervisor_that_lives_or_hangs(root: Path) -> None:
    folder = folder_of(root)
    lease = Lease(folder)
    assert lease.acquire(time.time())
    lease.say_round(time.monotonic())
    assert run(root).returncode == 0
    with closing(open_ledger(folder / "ledger.sqlite3")) as ledger:
        alert = Alert(
            code="agent-dead",
            subject="CODER",
            severity=Severity.ERROR,
            state=AlertState.FIRING,
            message="CODER | is\ndead \x1b[31m",
            do="restart it",
            agent=CODER,
            since_wall=1.7e9,
            changed_wall=1.7e9,
        )
        ledger.save_alerts([alert])
    before = (folder / "ledger.sqlite3").read_bytes()
    done = run(root)
    assert done.returncode == 2
    assert "CODER / is dead" in done.stdout
    assert run(root, "--warn", "agent-dead").returncode == 1
    told = json.loads(run(root, "--json").stdout)
    assert (told["schema"], told["state"], told["causes"][0]["do"]) == ("teamops.check/1", "CRITICAL", "restart it")
    assert told["supervisor"]["round_age_s"] >= 0
    lease.say_round(time.monotonic() - 60)
    assert "hangs: no round for 6" in run(root).stdout
    assert (folder / "ledger.sqlite3").read_bytes() == before
    lease.release()


def test_what_is_hidden_behind_something_else_is_not_counted(root: Path) -> None:
    folder = folder_of(root)
    lease = Lease(folder)
    assert lease.acquire(time.time())
    lease.say_round(time.monotonic())
    with closing(open_ledger(folder / "ledger.sqlite3")) as ledger:
        seen = Alert(
            code="tmux-down", subject="server", severity=Severity.CRITICAL, state=AlertState.ACKED, message="it is out",
            do="start it", agent=None, since_wall=1.7e9, changed_wall=1.7e9,
        )  # fmt: skip
        ledger.save_alerts(
            [seen, replace(seen, code="agent-dead", subject="CODER", agent=CODER, hidden_by="tmux-down")]
        )
    done = run(root, "--acked")
    assert "critical=1;;0 warning=0;0 acked=1 " in done.stdout
    assert "1 open alert |" in run(root).stdout
    lease.release()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--nosuch"], "nosuch"),
        (["--warn", "nosuch"], "nosuch"),
        (["--warn"], "warn"),
        (["-C", "/nosuch"], "/nosuch"),
        (["word"], "word"),
    ],
)
def test_wrong_use_is_unknown_on_one_line(root: Path, words: list[str], said: str) -> None:
    done = run(root, *words)
    assert done.returncode == 3
    assert done.stdout.startswith("TEAMOPS UNKNOWN - ")
    assert said in done.stdout
    assert (done.stdout.count("\n"), done.stderr) == (1, "")


def test_what_can_t_be_read_is_unknown(root: Path, tmp_path: Path) -> None:
    assert run(tmp_path / "shop", "-C", str(tmp_path)).returncode == 3
    (root / "teamops.toml").write_text("nonsense = [", encoding="utf-8")
    done = run(root)
    assert (done.returncode, done.stdout.count("\n")) == (3, 1)
    (root / "teamops.toml").unlink()
    folder = folder_of(root)
    lease = Lease(folder)
    assert lease.acquire(time.time())
    lease.say_round(time.monotonic())
    (folder / "ledger.sqlite3").write_bytes(b"no ledger" * 1000)
    done = run(root)
    assert done.returncode == 3
    assert "no ledger" in done.stdout
    (folder / "lease").write_bytes(b"\xff{")
    assert run(root).returncode in {2, 3}
    lease.release()


def test_a_lease_that_can_t_be_read_is_not_taken_for_none(root: Path) -> None:
    (folder_of(root) / "lease").mkdir(parents=True)
    done = run(root)
    assert (done.returncode, done.stdout.count("\n")) == (3, 1)
    assert "can't be read" in done.stdout


def test_it_is_quick(root: Path) -> None:
    code = (
        "import resource, sys; from teamops.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "used = resource.getrusage(resource.RUSAGE_SELF)\n"
        "print(used.ru_utime + used.ru_stime)"
    )
    times = []
    for _ in range(3):
        done = subprocess.run(
            [sys.executable, "-c", code, "check", "-C", str(root)], capture_output=True, text=True, check=True
        )
        times.append(float(done.stdout.split()[-1]))
    assert min(times) < 0.5
