"""Every client's logs through the worker into the ledger: at once, line by line, in whatever order files come."""

from __future__ import annotations

import os
import sys
from contextlib import closing
from pathlib import Path

import pytest

from teamops.ledger.usage_groups import Split
from teamops.ledger.usage_store import UsageStore
from teamops.model.errors import TeamopsError
from teamops.model.usage import Tokens
from teamops.sources import usage_worker
from teamops.sources.usage_scan import UsageScan
from teamops.sources.usage_worker import Worker
from teamops.usage.clients import CLIENTS
from tests.claude_tree import grow
from tests.usage_logs import Row, complete_lines, day_of, files_of, home_of, line_clients, read_home, sums

Told = dict[Row, tuple[Tokens, int]]


def scan(ledger: Path, home: Path) -> None:
    Worker(ledger, os.getppid(), {"HOME": str(home)}).run()


def told(ledger: Path) -> Told:
    """Return what is in the ledger by day, model and session; Claude's sessions are named by their paths there."""
    found: Told = {}
    with closing(UsageStore(ledger)) as store:
        for group in store.groups(since=-1.0, until=1e12, split=Split.SESSIONS):
            place = (day_of(group.wall), group.model, "" if group.client == "claude" else group.session)
            tokens, entries = found.get(place, (Tokens(), 0))
            found[place] = (tokens + group.tokens, entries + group.entries)
    return found


def expected(client: str, home: Path) -> Told:
    found: Told = {}
    for (day, model, session), row in sums(read_home(CLIENTS[client], home)[0]).items():
        place = (day, model, "" if client == "claude" else session)
        tokens, entries = found.get(place, (Tokens(), 0))
        found[place] = (tokens + row.tokens, entries + row.entries)
    return found


@pytest.mark.parametrize("name", CLIENTS)
def test_the_ledger_has_what_the_readers_tell(name: str, tmp_path: Path) -> None:
    home = home_of(CLIENTS[name], tmp_path)
    ledger = tmp_path / "usage.sqlite3"
    scan(ledger, home)
    assert told(ledger) == expected(name, home) != {}
    with closing(UsageStore(ledger)) as store:
        assert store.skipped_lines() == read_home(CLIENTS[name], home)[1]
        assert set(store.files()) == {str(path) for path in files_of(CLIENTS[name], home)}


@pytest.mark.parametrize("name", CLIENTS)
def test_a_scan_without_news_changes_nothing(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = home_of(CLIENTS[name], tmp_path)
    ledger = tmp_path / "usage.sqlite3"
    scan(ledger, home)
    before = told(ledger)
    capsys.readouterr()
    scan(ledger, home)
    assert '"files": 0' in capsys.readouterr().out.splitlines()[0]
    assert told(ledger) == before


@pytest.mark.parametrize("name", list(line_clients()))
def test_lines_that_come_in_parts_count_as_at_once(name: str, tmp_path: Path) -> None:
    home = home_of(CLIENTS[name], tmp_path)
    whole = expected(name, home)
    ledger = tmp_path / "usage.sqlite3"
    logs = {path: path.read_bytes() for path in files_of(CLIENTS[name], home) if CLIENTS[name].is_lines(path)}
    parts = 4
    for part in range(1, parts + 1):
        for path, content in logs.items():
            lines = complete_lines(content)
            kept = b"".join(line + b"\n" for line in lines[: len(lines) * part // parts])
            # Appended, and never written anew; what is cut off is a line that has begun.
            cut = content[len(kept) :][:9] if part < parts else content[len(kept) :]
            now = path.stat().st_size if part > 1 else 0
            with path.open("r+b" if part > 1 else "wb") as file:
                file.seek(now)
                file.write((kept + cut)[now:])
        scan(ledger, home)
    assert told(ledger) == whole


@pytest.mark.parametrize("name", CLIENTS)
def test_files_that_come_one_after_the_other_count_as_at_once(name: str, tmp_path: Path) -> None:
    home = home_of(CLIENTS[name], tmp_path)
    whole = expected(name, home)
    ledger = tmp_path / "usage.sqlite3"
    logs = files_of(CLIENTS[name], home)
    for path in logs:
        path.rename(path.with_name(path.name + ".later"))
    for path in logs:
        path.with_name(path.name + ".later").rename(path)
        scan(ledger, home)
    assert told(ledger) == whole


def test_what_a_reader_that_was_killed_did_not_send_is_read_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = home_of(CLIENTS["claude"], tmp_path)
    monkeypatch.setattr(usage_worker, "SPLIT", 0)
    scan(tmp_path / "whole.sqlite3", home)
    monkeypatch.setattr(usage_worker, "_send_all", lambda *_: os._exit(9))
    scan(tmp_path / "alone.sqlite3", home)
    assert told(tmp_path / "whole.sqlite3") == told(tmp_path / "alone.sqlite3") == expected("claude", home)


def test_two_readers_tell_what_one_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    grow([tmp_path / ".claude"], 3, 30)
    scan(tmp_path / "one.sqlite3", tmp_path)
    for name, value in (("SPLIT", 0), ("PIECE", 1), ("ENOUGH", 1)):
        monkeypatch.setattr(usage_worker, name, value)
    scan(tmp_path / "two.sqlite3", tmp_path)
    assert told(tmp_path / "one.sqlite3") == told(tmp_path / "two.sqlite3") != {}


def test_a_scan_for_a_parent_that_has_gone_stores_nothing(tmp_path: Path) -> None:
    home = home_of(CLIENTS["codex"], tmp_path)
    assert usage_worker.main([str(tmp_path / "u.sqlite3"), "1"]) == 0
    with pytest.raises(Exception, match=r"^$"):
        Worker(tmp_path / "u.sqlite3", 1, {"HOME": str(home)}).run()
    assert told(tmp_path / "u.sqlite3") == {}


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("raise SystemExit('out of luck')", "out of luck"),
        ("import os; os.kill(os.getpid(), 9)", "the process was ended"),
        ("import json; print(json.dumps({'error': 'no room', 'hint': 'make some'}))", "no room"),
    ],
)
def test_why_a_scan_failed_is_said(tmp_path: Path, program: str, said: str) -> None:
    worker = (sys.executable, "-c", program)
    with UsageScan(tmp_path / "u", worker) as scan_, pytest.raises(TeamopsError, match=said):
        list(scan_.progress())
