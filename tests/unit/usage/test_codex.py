from __future__ import annotations

import json
from typing import Any

import pytest

from teamops.model.usage import Tokens, Usage
from teamops.usage.codex import CodexReader, session_of

PARENT, FORK, OTHER = (f"01a20000-000{n}-7000-8000-000000000000" for n in range(3))


def at(seconds: float, hour: int = 9) -> str:
    return f"2026-11-20T{hour:02}:{int(seconds) // 60:02}:{seconds % 60:06.3f}Z"


def row(kind: str, when: str, payload: Any) -> bytes:
    return json.dumps({"timestamp": when, "type": kind, "payload": payload}).encode()


def meta(when: str, session: str, **fields: Any) -> bytes:
    return row("session_meta", when, {"id": session, "cwd": "/shop", **fields})


def context(when: str, model: str = "gpt-5") -> bytes:
    return row("turn_context", when, {"model": model, "cwd": "/shop"})


def used(tokens: int, cached: int = 0, output: int = 0, reasoning: int = 0) -> dict[str, int]:
    return {
        "input_tokens": tokens,
        "cached_input_tokens": cached,
        "output_tokens": output,
        "reasoning_output_tokens": reasoning,
    }


def count(when: str, total: dict[str, int] | None, last: dict[str, int] | None = None) -> bytes:
    return row(
        "event_msg", when, {"type": "token_count", "info": {"total_token_usage": total, "last_token_usage": last}}
    )


def record(when: str, response: str, usage: dict[str, int], total: dict[str, int]) -> bytes:
    return row("token_usage_record", when, {"response_id": response, "usage": usage, "thread_token_usage": total})


def path(session: str) -> str:
    return f"/home/.codex/sessions/2026/11/20/rollout-2026-11-20T09-00-00-{session}.jsonl"


def total(*readings: tuple[Usage, ...]) -> Tokens:
    return sum((usage.tokens for usages in readings for usage in usages), Tokens())


def read(*lines: bytes) -> tuple[Usage, ...]:
    reading = CodexReader().read([meta(at(0), PARENT), context(at(0)), *lines], path(PARENT))
    assert reading.bad_lines == 0
    return reading.usages


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        pytest.param([count(at(1), used(100, 40, 7, 3), used(100, 40, 7, 3))], Tokens(60, 7, 0, 0, 40), id="kinds"),
        pytest.param([count(at(1), used(10, 40), used(10, 40))], Tokens(cache_read=10), id="more cached than there is"),
        pytest.param(
            [count(at(1), used(100)), count(at(2), used(150, 20))], Tokens(130, cache_read=20), id="totals alone"
        ),
        pytest.param(
            [count(at(1), used(100), used(100)), count(at(5), used(100), used(100))], Tokens(100), id="written again"
        ),
        pytest.param(
            [count(at(1), used(100), used(100)), count(at(5), used(200), used(100))], Tokens(200), id="as much again"
        ),
        pytest.param([count(at(1), used(500)), count(at(2), used(30))], Tokens(530), id="a counter that began anew"),
        pytest.param([count(at(1), None, used(5)), count(at(2), None, used(5))], Tokens(10), id="no totals"),
        pytest.param([row("event_msg", at(1), {"type": "token_count", "info": None})], Tokens(), id="limits alone"),
        pytest.param([count(at(1), used(0), used(0))], Tokens(), id="nothing"),
        pytest.param(
            [record(at(1), "r1", used(9), used(9)), count(at(1.5), used(9), used(9))], Tokens(9), id="record and count"
        ),
        pytest.param(
            [count(at(1), used(9), used(9)), record(at(1.5), "r1", used(9), used(9))], Tokens(9), id="count and record"
        ),
        pytest.param(
            [
                record(at(1), "r1", used(9), used(9)),
                record(at(2), "r2", used(9), used(18)),
                count(at(2.5), used(18), used(9)),
            ],
            Tokens(18),
            id="two records, one count",
        ),
    ],
)
def test_counters_are_read_by_what_they_add(lines: list[bytes], expected: Tokens) -> None:
    assert total(read(*lines)) == expected


def test_the_model_is_that_of_the_turn() -> None:
    usages = read(count(at(1), used(1), used(1)), context(at(2), "gpt-5-mini"), count(at(3), used(3), used(2)))
    assert [(usage.model, usage.tokens.input) for usage in usages] == [("gpt-5", 1), ("gpt-5-mini", 2)]
    assert {(usage.session, usage.cwd, usage.side) for usage in usages} == {(PARENT, "/shop", False)}


def test_a_rollout_that_was_archived_is_counted_once() -> None:
    reader = CodexReader()
    lines = [meta(at(0), PARENT), context(at(0)), count(at(1), used(100), used(100))]
    first = reader.read(lines, f"/home/.codex/archived_sessions/rollout-{PARENT}.jsonl").usages
    again = reader.read(lines, path(PARENT)).usages
    assert total(first) == Tokens(100)
    assert again == ()


PARENT_LINES = [
    meta(at(0), PARENT),
    context(at(0)),
    count(at(10), used(100), used(100)),
    count(at(20), used(300), used(200)),
]
SPAWNED = {"source": {"subagent": {"thread_spawn": {"parent_thread_id": PARENT}}}}


@pytest.mark.parametrize("how", [{"forked_from_id": PARENT}, SPAWNED], ids=["fork", "subagent"])
@pytest.mark.parametrize("known", [True, False], ids=["parent read", "parent gone"])
def test_the_lines_that_a_fork_begins_with_are_its_parent_s(how: dict[str, Any], known: bool) -> None:
    reader = CodexReader()
    if known:
        reader.read(PARENT_LINES, path(PARENT))
    began = [
        meta(at(0, 10), FORK, **how),
        meta(at(0.001, 10), PARENT),
        context(at(0.002, 10)),
        count(at(0.003, 10), used(100), used(100)),
        count(at(0.9, 10), used(300), used(200)),
    ]
    usages = reader.read(began, path(FORK)).usages
    usages += reader.read([count(at(5, 10), used(350), used(50))], path(FORK)).usages
    assert total(usages) == Tokens(50)
    assert {usage.session for usage in usages} == {FORK}
    assert {usage.side for usage in usages} == {how == SPAWNED}


def test_a_fork_s_own_first_answer_counts_however_soon_it_comes() -> None:
    reader = CodexReader()
    reader.read(PARENT_LINES, path(PARENT))
    lines = [meta(at(0, 10), FORK, forked_from_id=PARENT), count(at(0.1, 10), used(300), used(200))]
    lines.append(count(at(0.2, 10), used(340), used(40)))
    assert total(reader.read(lines, path(FORK)).usages) == Tokens(40)


def test_what_the_parent_did_after_the_fork_makes_no_copy_of_the_fork_s() -> None:
    reader = CodexReader()
    reader.read([*PARENT_LINES, count(at(0, 11), used(340), used(40))], path(PARENT))
    lines = [meta(at(0, 10), FORK, forked_from_id=PARENT), count(at(5, 10), used(340), used(40))]
    assert total(reader.read(lines, path(FORK)).usages) == Tokens(40)


def test_a_fork_that_only_names_its_parent_s_lines_has_no_copies() -> None:
    """Codex 0.171; its total goes on with its parent's."""
    base = {"thread_id": PARENT, "end_ordinal_exclusive": 34}
    lines = [
        meta(at(0, 10), FORK, forked_from_id=PARENT, history_base=base),
        context(at(0, 10)),
        record(at(0.1, 10), "r9", used(70), used(70)),
        count(at(0.2, 10), used(370), used(70)),
    ]
    assert total(CodexReader().read(lines, path(FORK)).usages) == Tokens(70)


def test_two_sessions_at_one_moment_are_two_unless_all_is_the_same() -> None:
    reader = CodexReader()
    for session in (PARENT, OTHER):
        reader.read([meta(at(0), session), context(at(0))], path(session))
    first = reader.read([count(at(1), used(5), used(5))], path(PARENT)).usages
    second = reader.read([count(at(1), used(6), used(6))], path(OTHER)).usages
    assert total(first, second) == Tokens(11)


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(count(at(1), used(-1), used(-1)), id="negative"),
        pytest.param(count("yesterday", used(1), used(1)), id="no time"),
        pytest.param(count(at(1), used(1), used(1))[:-3], id="cut"),
        pytest.param(b'{"type":"event_msg","payload":{"type":"token_count","info":7}}', id="no info"),
        pytest.param(b'"token_count"', id="a word"),
    ],
)
def test_malformed_lines_are_counted_and_the_rest_is_read(bad: bytes) -> None:
    lines = [context(at(0)), bad, count(at(2), used(4), used(4))]
    reading = CodexReader().read(lines, path(PARENT))
    assert (reading.bad_lines, total(reading.usages)) == (1, Tokens(4))


def test_what_speaks_of_tokens_is_no_usage() -> None:
    said = row("response_item", at(1), {"type": "message", "text": 'grep "token_count" "turn_context"'})
    assert read(said) == ()


def test_the_session_is_in_the_name_of_the_file() -> None:
    assert session_of(path(PARENT)) == PARENT
    assert session_of("/x/rollout-old.jsonl") == "rollout-old"
