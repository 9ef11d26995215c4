from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from teamops.model.usage import Tokens, Usage
from teamops.usage.amp import AmpReader

TIME = "2026-11-20T09:00:00Z"
MODEL = "claude-sonnet-4-5"


def message(key: int, given: int = 0, output: int = 0, **fields: Any) -> dict[str, Any]:
    usage = {"model": MODEL, "timestamp": TIME, "inputTokens": given, "outputTokens": output, **fields}
    return {"role": "assistant", "messageId": key, "usage": usage}


def event(key: str, given: int = 0, output: int = 0, **fields: Any) -> dict[str, Any]:
    return {"id": key, "timestamp": TIME, "model": MODEL, "tokens": {"input": given, "output": output}, **fields}


def thread(folder: Path, messages: list[Any], events: list[Any] | None = None, **fields: Any) -> Path:
    path = folder / "T-1.json"
    ledger = {} if events is None else {"usageLedger": {"events": events}}
    path.write_text(json.dumps({"id": "T-1", "messages": messages, **ledger, **fields}))
    return path


def total(usages: tuple[Usage, ...]) -> Tokens:
    return sum((usage.tokens for usage in usages), Tokens())


CACHED = {"cacheCreationInputTokens": 30, "cacheReadInputTokens": 40}


@pytest.mark.parametrize(
    ("messages", "events", "expected"),
    [
        pytest.param([message(1, 5, 7, **CACHED)], None, Tokens(5, 7, 30, 0, 40), id="messages alone"),
        pytest.param([], [event("e", 5, 7)], Tokens(5, 7), id="ledger alone"),
        pytest.param(
            [message(1, 5, 7, **CACHED)], [event("e", 5, 7, toMessageId=1)], Tokens(5, 7, 30, 0, 40), id="both"
        ),
        pytest.param(
            [message(1, 5, 7)],
            [{**event("e", toMessageId=1), "tokens": {"input": 5, "output": 7, "total": 20}}],
            Tokens(5, 15),
            id="the ledger's word stands",
        ),
        pytest.param([message(1, 5, 7, **CACHED)], [event("e", 5, 7)], Tokens(5, 7, 30, 0, 40), id="unnamed message"),
        pytest.param([message(1, 5, 7)], [event("e", 1, 2)], Tokens(6, 9), id="each has its own"),
        pytest.param(
            [message(1, 5, 7, **CACHED)],
            [event("e", 5, 7, toMessageId=1), event("f", 2, 3, toMessageId=1)],
            Tokens(7, 10, 30, 0, 40),
            id="two entries of one message",
        ),
        pytest.param([message(1, 5, 7, totalTokens=20)], None, Tokens(5, 15), id="what is not named is output"),
        pytest.param([{**message(1, 5, 7), "role": "user"}], None, Tokens(), id="a person's"),
    ],
)
def test_ledger_and_messages_are_one_account(
    tmp_path: Path, messages: list[Any], events: list[Any] | None, expected: Tokens
) -> None:
    reading = AmpReader().read(thread(tmp_path, messages, events))
    assert (total(reading.usages), reading.bad_lines) == (expected, 0)


def test_an_entry_whose_message_comes_later_counts_once(tmp_path: Path) -> None:
    reader = AmpReader()
    entry = event("e", 5, 7, toMessageId=1)
    usages = reader.read(thread(tmp_path, [], [entry])).usages
    usages += reader.read(thread(tmp_path, [message(1, 5, 7, **CACHED)], [entry])).usages
    assert total(usages) == Tokens(5, 7, 30, 0, 40)


def test_the_time_is_that_of_the_message_or_of_the_thread(tmp_path: Path) -> None:
    late = {"role": "assistant", "messageId": 1, "timestamp": TIME, "usage": {"model": MODEL, "outputTokens": 1}}
    bare = {"role": "assistant", "messageId": 2, "usage": {"model": MODEL, "outputTokens": 1}}
    first, second = AmpReader().read(thread(tmp_path, [late, bare], created=1_000_000)).usages
    assert [first.wall, second.wall] == [1795165200.0, 1000.0]
    assert AmpReader().read(thread(tmp_path, [bare])).bad_lines == 1


@pytest.mark.parametrize(
    ("uri", "cwd"),
    [
        ("file:///home/ana/my%20shop", "/home/ana/my shop"),
        ("https://example.org/shop", ""),
        ("file://[", ""),
        ("", ""),
    ],
)
def test_a_thread_says_where_it_began(tmp_path: Path, uri: str, cwd: str) -> None:
    path = thread(tmp_path, [message(1, 1)], env={"initial": {"trees": [{"uri": uri}]}})
    (usage,) = AmpReader().read(path).usages
    assert usage.cwd == cwd


def test_bad_records_leave_the_others(tmp_path: Path) -> None:
    messages = [message(1, -1), 7, message(2, 5)]
    events = [{"id": "e", "tokens": {"input": 1}}, event("f", output=10**15), {"id": "no tokens"}]
    reading = AmpReader().read(thread(tmp_path, messages, events))
    assert (total(reading.usages), reading.bad_lines) == (Tokens(5), 4)
