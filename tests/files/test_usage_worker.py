"""Every client's logs through the worker into the ledger: at once, line by line, in whatever order files come."""

from __future__ import annotations

import json
import os
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

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


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # of pytest's own threads; the worker has none
def test_what_a_reader_that_was_killed_did_not_send_is_read_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = home_of(CLIENTS["claude"], tmp_path)
    monkeypatch.setattr(usage_worker, "SPLIT", 0)
    scan(tmp_path / "whole.sqlite3", home)
    monkeypatch.setattr(usage_worker, "_send_all", lambda *_: os._exit(9))
    scan(tmp_path / "alone.sqlite3", home)
    assert told(tmp_path / "whole.sqlite3") == told(tmp_path / "alone.sqlite3") == expected("claude", home)


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # of pytest's own threads; the worker has none
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


def jsonl(path: Path, *rows: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def codex_count(at: str, total: int, last: int) -> dict[str, Any]:
    info = {"total_token_usage": {"input_tokens": total}, "last_token_usage": {"input_tokens": last}}
    return {"timestamp": f"2026-11-20T{at}Z", "type": "event_msg", "payload": {"type": "token_count", "info": info}}


def test_a_fork_is_known_by_its_parent_that_was_read_long_ago(tmp_path: Path) -> None:
    parent, fork = (f"01a20000-000{number}-7000-8000-000000000000" for number in range(2))
    folder = tmp_path / ".codex" / "sessions" / "2026" / "11" / "20"
    ledger = tmp_path / "usage.sqlite3"

    def meta(at: str, session: str, **more: str) -> dict[str, Any]:
        return {
            "timestamp": f"2026-11-20T{at}Z",
            "type": "session_meta",
            "payload": {"id": session, "cwd": "/p", **more},
        }

    model = {"timestamp": "2026-11-20T09:00:00Z", "type": "turn_context", "payload": {"model": "gpt-5", "cwd": "/p"}}
    jsonl(
        folder / f"rollout-2026-11-20T09-00-00-{parent}.jsonl",
        meta("09:00:00", parent), model, codex_count("09:00:05", 100, 100),
    )  # fmt: skip
    scan(ledger, tmp_path)
    # A copy of its parent's answer, stamped with the fork's moment; and at once an answer of its own.
    jsonl(
        folder / f"rollout-2026-11-20T10-00-00-{fork}.jsonl",
        meta("10:00:00", fork, forked_from_id=parent), model, codex_count("10:00:00.1", 100, 100),
        codex_count("10:00:00.5", 130, 30),
    )  # fmt: skip
    scan(ledger, tmp_path)
    assert told(ledger) == {
        ("2026-11-20", "gpt-5", parent): (Tokens(input=100), 1),
        ("2026-11-20", "gpt-5", fork): (Tokens(input=30), 1),
    }


def test_whose_response_a_copy_is_depends_on_the_client(tmp_path: Path) -> None:
    ledger = tmp_path / "usage.sqlite3"

    def pi(session: str) -> None:
        message = {"role": "assistant", "model": "m", "usage": {"input": 5, "output": 1}}
        jsonl(
            tmp_path / ".pi" / "agent" / "sessions" / "-p" / f"1_{session}.jsonl",
            {"type": "session", "id": session, "cwd": "/p"},
            {"type": "message", "id": "e", "timestamp": "2026-11-20T09:00:00Z", "message": message},
        )

    def gemini(session: str, tokens: int) -> None:
        used = {"input": tokens, "output": 1, "total": tokens + 1}
        response = {"type": "gemini", "id": "r", "timestamp": "2026-11-20T09:00:00Z", "model": "g", "tokens": used}
        jsonl(tmp_path / ".gemini" / "tmp" / "p" / "chats" / f"{session}.jsonl", {"sessionId": session}, response)

    pi("a")
    gemini("a", 9)
    scan(ledger, tmp_path)
    pi("b")  # a fork: what it copied is its parent's
    gemini("b", 7)  # resumed: what was written last stands
    scan(ledger, tmp_path)
    assert told(ledger) == {
        ("2026-11-20", "m", "a"): (Tokens(5, 1), 1),
        ("2026-11-20", "g", "b"): (Tokens(7, 1), 1),
    }
