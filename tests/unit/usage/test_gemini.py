from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from teamops.model.usage import Tokens, Usage
from teamops.usage.clients import CLIENTS
from teamops.usage.gemini import GeminiFiles, GeminiLines, project_hash, project_root


def response(key: str | None = "g", **tokens: int) -> dict[str, Any]:
    counts = {"input": 0, "output": 0, "cached": 0, "thoughts": 0, "tool": 0, **tokens}
    row: dict[str, Any] = {"timestamp": "2026-11-20T09:00:00Z", "type": "gemini", "model": "gemini-2.5-pro"}
    return {**row, **({"id": key} if key else {}), "tokens": counts}


def lines(*rows: Any) -> list[bytes]:
    return [json.dumps(row).encode() for row in rows]


def total(usages: tuple[Usage, ...]) -> Tokens:
    return sum((usage.tokens for usage in usages), Tokens())


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        pytest.param({"input": 100, "output": 5, "cached": 40, "total": 105}, (60, 5, 40), id="cached is inside"),
        pytest.param({"input": 100, "output": 5, "cached": 40, "total": 145}, (100, 5, 40), id="cached is beside"),
        pytest.param({"input": 100, "output": 5, "cached": 40}, (100, 5, 40), id="no total says that it is inside"),
        pytest.param({"input": 9, "output": 5, "thoughts": 7, "total": 21}, (9, 12, 0), id="thoughts are output"),
        pytest.param({"input": 9, "output": 5, "tool": 7, "total": 21}, (16, 5, 0), id="tools are input"),
        pytest.param({"input": 9, "output": 5, "total": 20}, (9, 11, 0), id="what is not named is output"),
        pytest.param({"input": 9, "output": 5, "total": 3}, (9, 5, 0), id="a total that is too small"),
        pytest.param({"input": 3, "cached": 9, "total": 3}, (0, 0, 9), id="more cached than there is"),
    ],
)
def test_each_kind_is_billed_as_what_it_is(counts: dict[str, int], expected: tuple[int, int, int]) -> None:
    found = total(GeminiLines().read(lines(response("g", **counts))).usages)
    assert (found.input, found.output, found.cache_read) == expected


def test_the_last_record_of_a_response_stands() -> None:
    reader = GeminiLines()
    usages = reader.read(lines(response(output=40), response(output=50))).usages
    usages += reader.read(lines(response(output=45))).usages
    assert total(usages) == Tokens(output=45)


def test_a_resumed_session_writes_its_conversation_once_more() -> None:
    history = {"$set": {"messages": [response("a", output=7), {"type": "user", "content": "x"}]}}
    usages = GeminiLines().read(lines(response("a", output=7), {"sessionId": "s"}, history, response("b", output=1)))
    assert total(usages.usages) == Tokens(output=8)


def test_a_history_alone_counts() -> None:
    history = {"$set": {"sessionId": "s", "messages": [response("a", output=7)]}}
    (usage,) = GeminiLines().read(lines(history), "/x/chats/session-1.jsonl").usages
    assert (usage.tokens.output, usage.session) == (7, "s")


def test_the_session_is_that_of_the_head() -> None:
    head = {"sessionId": "s", "projectHash": "x", "kind": "subagent"}
    (usage,) = GeminiLines().read(lines(head, response(output=1))).usages
    assert (usage.session, usage.side) == ("s", True)
    (usage,) = GeminiLines().read(lines(response(output=1)), "/x/chats/session-9.jsonl").usages
    assert (usage.session, usage.side) == ("session-9", False)


def test_a_chat_that_was_moved_to_the_new_format_counts_once(tmp_path: Path) -> None:
    readers = CLIENTS["gemini"].readers()
    assert readers.lines is not None
    assert readers.whole is not None
    old = tmp_path / "session-1.json"
    old.write_text(json.dumps({"sessionId": "s", "messages": [response("a", output=7)]}))
    assert total(readers.whole.read(old).usages) == Tokens(output=7)
    moved = readers.lines.read(lines({"sessionId": "s"}, response("a", output=7)), "/x/chats/session-1.jsonl")
    assert moved.usages == ()


def test_records_without_an_id_count_once_however_often_their_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "session-1.json"
    path.write_text(json.dumps({"sessionId": "s", "messages": [response(None, output=7), response(None, output=8)]}))
    reader = GeminiFiles()
    assert total(reader.read(path).usages) == Tokens(output=15)
    assert reader.read(path).usages == ()


def test_a_bad_message_leaves_the_others(tmp_path: Path) -> None:
    path = tmp_path / "session-1.json"
    path.write_text(json.dumps({"messages": [{**response(output=3), "timestamp": None}, 7, response("b", output=7)]}))
    reading = GeminiFiles().read(path)
    assert (reading.bad_lines, total(reading.usages)) == (2, Tokens(output=7))


def test_the_project_is_told_by_its_folder(tmp_path: Path) -> None:
    chats = tmp_path / "tmp" / "shop" / "chats"
    (chats / "sub").mkdir(parents=True)
    assert project_root(chats / "s.jsonl") == ""
    (chats.parent / ".project_root").write_text("/home/ana/shop")
    assert project_root(chats / "s.jsonl") == "/home/ana/shop"
    assert project_root(chats / "sub" / "s.jsonl") == "/home/ana/shop"
    assert project_hash("/home/ana/site").startswith("4264b5c0")


def test_a_time_beyond_all_days_is_the_last_one() -> None:
    late = {**response(output=1), "timestamp": "9999-12-31T23:59:59-23:59"}
    (usage,) = GeminiLines().read(lines(late)).usages
    assert usage.wall == 253_370_764_800
