"""``teamops notify test``, as people and scripts call it: every channel, its proof, and what to do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from teamops.config.load import load
from teamops.effects.desktop import ADDRESS
from teamops.ledger.store import open_ledger
from teamops.supervisor.lease import state_dir_of
from tests.dbus_daemon import Desktop
from tests.http_service import Reply, Service

pytestmark = pytest.mark.dbus

SECRET = "hunter22-very-secret"  # noqa: S105 - none at all


@pytest.fixture
def desktop(short_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desktop]:
    with Desktop(short_dir) as bus:
        monkeypatch.setenv(ADDRESS, bus.address)
        yield bus


def command(folder: Path, *arguments: str, terminal: int = subprocess.PIPE) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "teamops", "notify", "test", "-C", str(folder), *arguments],
        env=dict(os.environ),
        stdout=subprocess.PIPE,
        stderr=terminal,
        text=True,
        timeout=60,
        check=False,
    )


def test_what_is_not_there_is_no_failure_where_another_delivers(desktop: Desktop, tmp_path: Path) -> None:
    with desktop.daemon() as daemon:
        done = command(tmp_path)
        shown = daemon.wait_for(lambda shown: "teamops can reach you" in shown.summary)
    assert (done.returncode, done.stderr) == (0, "")
    head, first, second, hint = done.stdout.splitlines()
    assert head.split() == ["channel", "result", "evidence"]
    assert first.split(maxsplit=2) == ["desktop", "delivered", "taken by test daemon 1"]
    assert second.split(maxsplit=2) == ["terminal", "absent", "no terminal to ring"]
    assert hint == "  → terminal: run teamops in a terminal"
    assert shown.body.endswith("\nnot red, <b>not bold</b>, password=[secret]")


def test_an_agent_calls_nobody_by_it(desktop: Desktop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEAMOPS_ROLE", "CODER")
    with desktop.daemon():
        done = command(tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "teamops notify test is the person's" in done.stderr


def test_what_is_named_must_be_there(desktop: Desktop, tmp_path: Path) -> None:
    (tmp_path / "teamops.toml").write_text('[notify]\nchannels = ["desktop", "terminal"]\n')
    with desktop.daemon():
        assert command(tmp_path).returncode == 1
        assert command(tmp_path, "--channel", "terminal").returncode == 1
        assert command(tmp_path, "--channel", "desktop").returncode == 0


def test_nobody_told_is_a_failure(tmp_path: Path) -> None:
    done = command(tmp_path, "--json")
    assert (done.returncode, done.stderr) == (1, "")
    answer = json.loads(done.stdout)
    assert (answer["schema"], answer["ok"]) == ("teamops.notify/1", False)
    assert [(row["channel"], row["result"]) for row in answer["channels"]] == [
        ("desktop", "absent"),
        ("terminal", "absent"),
    ]
    assert "nobody was notified" in command(tmp_path).stdout


def test_every_channel_is_tried_and_no_secret_is_shown(desktop: Desktop, tmp_path: Path) -> None:
    state = tmp_path / "state"
    with desktop.daemon(), Service(Reply(401)) as service:
        urls = tmp_path / "urls"
        urls.write_text(f"json://ada:{SECRET}@127.0.0.1:{service.port}/{SECRET}\n")
        urls.chmod(0o600)
        (tmp_path / "teamops.toml").write_text(
            f'[notify.remote]\nurls_file = "urls"\n[notify.command]\ncommand = ["{sys.executable}", "-c", "pass"]\n'
        )
        open_ledger(state_dir_of(load(tmp_path), state) / "ledger.sqlite3").close()
        done = command(tmp_path, "--state-dir", str(state))
        as_json = command(tmp_path, "--state-dir", str(state), "--json")
        assert len(service.got) == 2
    assert (done.returncode, done.stderr) == (1, "")
    lines = [line.split() for line in done.stdout.splitlines()]
    assert [line[:2] for line in lines[1:5]] == [
        ["desktop", "delivered"],
        ["terminal", "absent"],
        ["remote", "failed"],
        ["command", "delivered"],
    ]
    assert "json://127.0.0.1: HTTP 401" in done.stdout
    assert "→ remote: its token or password is refused: write a new one" in done.stdout
    stored = b"".join(path.read_bytes() for path in state.rglob("*") if path.is_file())
    assert SECRET not in done.stdout + as_json.stdout
    assert SECRET.encode() not in stored
    checked = subprocess.run(
        [sys.executable, "-m", "teamops", "config", "check", "-C", str(tmp_path), "--json"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert SECRET not in checked.stdout + checked.stderr


def test_what_was_tried_is_known_to_the_ledger(desktop: Desktop, tmp_path: Path) -> None:
    state = tmp_path / "state"
    command(tmp_path, "--state-dir", str(state))
    assert not state.exists(), "nobody makes a ledger by trying a bell"
    path = state_dir_of(load(tmp_path), state) / "ledger.sqlite3"
    open_ledger(path).close()
    with desktop.daemon():
        command(tmp_path, "--state-dir", str(state))
    ledger = open_ledger(path)
    tries = {last.channel: last.receipt.ok for last in ledger.outbox.last_tries()}
    assert tries == {"desktop": True, "terminal": False}
    assert ledger.outbox.waiting() == []
    ledger.close()


@pytest.mark.parametrize(
    ("name", "said"),
    [("phone", "channels: desktop, terminal, remote, command"), ("remote", "in use: desktop, terminal")],
)
def test_a_channel_that_is_not_in_use_is_refused(tmp_path: Path, name: str, said: str) -> None:
    done = command(tmp_path, "--channel", name)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


def test_the_terminal_it_runs_in_is_rung(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM_PROGRAM", "WezTerm")
    ours, theirs = os.openpty()
    try:
        done = command(tmp_path, terminal=theirs)
        seen = os.read(ours, 4096)
    finally:
        os.close(ours)
        os.close(theirs)
    assert done.returncode == 0
    assert "bell and OSC 9" in done.stdout
    assert seen.startswith(b"\x1b]9;teamops: ")
    assert seen.endswith(b"\x1b\\\a")
    assert seen.count(b"\x1b") == 2
