from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from teamops.model.usage import Tokens, Usage
from teamops.usage.claude import ClaudeReader

SAMPLE = Path(__file__).parents[2] / "files" / "clients" / "claude_transcript.jsonl"
SECOND = "2026-11-22T12:00:00.000Z"


def line(
    message: str | None = "m1",
    request: str | None = "r1",
    *,
    output: int = 10,
    usage: dict[str, Any] | None = None,
    model: str | None = "claude-x",
    at: str = SECOND,
    **fields: Any,
) -> bytes:
    row = {
        "type": "assistant",
        "timestamp": at,
        "requestId": request,
        "sessionId": "s",
        "message": {
            "id": message,
            "model": model,
            "usage": {"input_tokens": 1, "output_tokens": output, **(usage or {})},
        },
        **fields,
    }
    return json.dumps(row).encode()


def total(usages: tuple[Usage, ...]) -> Tokens:
    return sum((usage.tokens for usage in usages), Tokens())


def test_the_real_client_s_transcript_gives_its_own_sum() -> None:
    lines = SAMPLE.read_bytes().splitlines()
    told = json.loads(lines[-1])["modelUsage"]["claude-opus-5-5"]
    reading = ClaudeReader().read(lines)
    assert reading.bad_lines == 0
    assert total(reading.usages) == Tokens(
        input=told["inputTokens"],
        output=told["outputTokens"],
        cache_write=told["cacheCreationInputTokens"],
        cache_read=told["cacheReadInputTokens"],
    )
    first = reading.usages[0]
    assert (first.model, first.client, first.speed) == ("claude-opus-5-5", "claude", "")
    assert first.session == "cfc3a065-5646-4bd7-a431-d3d5b3b54c3e"
    assert first.wall == pytest.approx(1795350419.211)
    assert reading.newest_wall == reading.usages[-1].wall


@pytest.mark.parametrize(
    ("lines", "output"),
    [
        pytest.param([line(), line()], 10, id="one response, two blocks"),
        pytest.param([line(output=3), line(output=10)], 10, id="the larger comes later"),
        pytest.param([line(output=10), line(output=3)], 10, id="the larger comes first"),
        pytest.param(
            [line(output=8, usage={"input_tokens": 3}), line(output=10), line(output=9, usage={"input_tokens": 2})],
            10,
            id="of two as large the dearer",
        ),
        pytest.param([line(), line(request="r2")], 20, id="another request"),
        pytest.param([line(), line("m2")], 20, id="another response"),
        pytest.param([line(), line(sessionId="fork")], 10, id="copied by a fork"),
        pytest.param([line(output=30, isSidechain=True), line(output=10)], 10, id="not the side chain's larger one"),
        pytest.param([line(output=10), line(output=30, isSidechain=True)], 10, id="nor when it comes later"),
        pytest.param([line("m1", isSidechain=True), line("m2")], 20, id="side chains count"),
        pytest.param([line(), line(request="r2", isSidechain=True)], 10, id="a side chain's copy under a new request"),
        pytest.param([line(request="r2", isSidechain=True), line(), line()], 10, id="the same, and the copy first"),
        pytest.param(
            [line(request="r2", isSidechain=True), line(output=4), line("m2"), line(output=6)],
            16,
            id="the original stands, and grows",
        ),
        pytest.param([line(isSidechain=True), line(request="r2", isSidechain=True)], 10, id="two side chains' copies"),
        pytest.param([line(request=None), line(request=None)], 10, id="no request, same time"),
        pytest.param([line(request=None), line(request=None, at="2026-11-22T12:00:01Z")], 20, id="no request, later"),
        pytest.param([line(request=None), line(request=None, sessionId="t")], 20, id="no request, another session"),
        pytest.param(
            [line(request=None), line(request=None, at="2026-11-22T12:00:01Z", isSidechain=True)],
            10,
            id="no request, a side chain's copy",
        ),
        pytest.param([line(), line(request="r2", isSidechain=True, sessionId="t")], 20, id="another's side chain"),
        pytest.param(
            [line(), line(sessionId="t"), line(request="r2", isSidechain=True, sessionId="t")],
            10,
            id="a fork's side chain",
        ),
        pytest.param([line(None), line(None)], 20, id="no identity: no two are the same"),
    ],
)
def test_each_response_counts_once(lines: list[bytes], output: int) -> None:
    assert total(ClaudeReader().read(lines).usages).output == output


def test_a_next_life_knows_a_side_chain_s_copy() -> None:
    first = ClaudeReader()
    told = first.read([line()]).usages
    for known in (told, first.counted()):
        reader = ClaudeReader()
        reader.learn(known)
        assert reader.read([line(request="r2", isSidechain=True)]).usages == ()


@pytest.mark.parametrize(
    ("path", "session"),
    [("/h/projects/p/own.jsonl", "own"), ("/h/projects/p/own/subagents/agent-1.jsonl", "own"), ("", "")],
)
def test_a_line_without_a_session_is_of_its_file_s(path: str, session: str) -> None:
    (usage,) = ClaudeReader().read([line(sessionId=None)], path).usages
    assert usage.session == session


def progress(inner: bytes, **fields: Any) -> bytes:
    return json.dumps(
        {"type": "progress", "data": {"type": "agent_progress", "message": json.loads(inner)}, **fields}
    ).encode()


def test_a_subagent_s_line_inside_its_progress_counts_once() -> None:
    inner = line(sessionId=None, isSidechain=True)
    outer = {"sessionId": "outer", "cwd": "/shop", "timestamp": SECOND}
    usages = ClaudeReader().read([progress(inner, **outer), progress(inner, **outer), inner]).usages
    assert [(usage.tokens.output, usage.session, usage.cwd, usage.side) for usage in usages] == [
        (10, "outer", "/shop", True)
    ]


def test_progress_of_another_kind_is_no_usage() -> None:
    hooks = b'{"type":"progress","data":{"type":"hook_progress","command":"count \\"usage\\""}}'
    reading = ClaudeReader().read([hooks, progress(line())[:-4]])
    assert (reading.usages, reading.bad_lines) == ((), 1)


def test_the_one_that_names_its_speed_wins_without_adding_tokens() -> None:
    reading = ClaudeReader().read([line(), line(usage={"speed": "fast"}), line()])
    assert total(reading.usages).output == 10


def test_what_comes_later_of_a_response_is_priced_by_the_whole_of_it() -> None:
    usage = {"cache_read_input_tokens": 300_000}
    first, second = ClaudeReader().read([line(output=1, usage=usage), line(output=5, usage=usage)]).usages
    assert (first.context, second.context) == (0, 300_001)
    assert second.tokens == Tokens(output=4)


@pytest.mark.parametrize(
    ("usage", "write", "hour"),
    [
        pytest.param({"cache_creation_input_tokens": 100}, 100, 0, id="no split"),
        pytest.param(
            {
                "cache_creation_input_tokens": 100,
                "cache_creation": {"ephemeral_5m_input_tokens": 60, "ephemeral_1h_input_tokens": 40},
            },
            100,
            40,
            id="split",
        ),
        pytest.param(
            {
                "cache_creation_input_tokens": 100,
                "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
            },
            100,
            0,
            id="zeros for the split",
        ),
        pytest.param(
            {"cache_creation_input_tokens": 0, "cache_creation": {"ephemeral_1h_input_tokens": 40}},
            40,
            40,
            id="zero for the sum",
        ),
        pytest.param({"cache_creation_input_tokens": None, "cache_creation": None}, 0, 0, id="nulls"),
    ],
)
def test_cache_writes_are_never_lost(usage: dict[str, Any], write: int, hour: int) -> None:
    (found,) = ClaudeReader().read([line(usage=usage)]).usages
    assert (found.tokens.cache_write, found.tokens.cache_write_1h) == (write, hour)


@pytest.mark.parametrize(
    "harmless",
    [
        pytest.param(line(model="<synthetic>"), id="synthetic"),
        pytest.param(line(isApiErrorMessage=True), id="API error"),
        pytest.param(line(model=None), id="no model"),
        pytest.param(line(type="user"), id="a person"),
        pytest.param(
            b'{"type":"user","toolUseResult":{"usage":{"input_tokens":9}},"message":"x"}', id="a tool's result"
        ),
        pytest.param(b'{"type":"cost-state","modelUsage":{}}', id="cost state"),
        pytest.param(b"", id="empty"),
    ],
)
def test_what_costs_nothing_is_neither_counted_nor_bad(harmless: bytes) -> None:
    reading = ClaudeReader().read([harmless])
    assert (reading.usages, reading.bad_lines) == ((), 0)


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(line()[:-5], id="cut"),
        pytest.param(b'{"type":"ass', id="cut early"),
        pytest.param(line(output=-1), id="negative"),
        pytest.param(line(usage={"input_tokens": True}), id="bool"),
        pytest.param(line(usage={"input_tokens": 10**15}), id="absurd"),
        pytest.param(line(at="yesterday"), id="no time"),
        pytest.param(b"\xff\xfe" + line(), id="no text"),
    ],
)
def test_malformed_lines_are_counted_and_the_rest_is_read(bad: bytes) -> None:
    reading = ClaudeReader().read([bad, line("other")])
    assert reading.bad_lines == 1
    assert total(reading.usages).output == 10


def test_a_cost_that_the_log_names_is_exact() -> None:
    lines = [line(output=1, costUSD=0.1), line(output=2, costUSD=0.3), line("m2", costUSD=-5)]
    costs = [usage.cost_usd for usage in ClaudeReader().read(lines).usages]
    assert costs == [Decimal("0.1"), Decimal("0.2"), None]


@given(st.lists(st.binary(max_size=120)))
def test_no_bytes_raise(lines: list[bytes]) -> None:
    ClaudeReader().read(lines)


def responses() -> Iterator[bytes]:
    for message, output, side in itertools.product("ab", (1, 5, 9), (False, True)):
        yield line(message, output=output, isSidechain=side)


@given(st.lists(st.sampled_from(list(responses())), max_size=20), st.integers(0, 20))
def test_in_pieces_or_at_once_the_sum_is_the_best_of_each_response(lines: list[bytes], cut: int) -> None:
    reader = ClaudeReader()
    usages = reader.read(lines[:cut]).usages + reader.read(lines[cut:]).usages
    best: dict[str, tuple[bool, int]] = {}
    for raw in lines:
        row = json.loads(raw)
        rank = (not row["isSidechain"], row["message"]["usage"]["output_tokens"])
        best[row["message"]["id"]] = max(best.get(row["message"]["id"], rank), rank)
    assert total(usages).output == sum(output for _, output in best.values())
    assert total(usages).input == len(best)


@pytest.mark.parametrize("cost", ["1e999999", "1000001", "-1", "1e-999999999"])
def test_a_cost_that_nobody_pays_is_told_by_the_tokens(cost: str) -> None:
    raw = json.dumps(
        {
            "type": "assistant",
            "timestamp": "2026-03-28T14:30:00Z",
            "message": {"id": "m", "model": "claude-sonnet-4-5", "usage": {"output_tokens": 7}},
        }
    )
    line = f'{raw[:-1]},"costUSD":{cost}}}'.encode()
    told = [(usage.tokens.output, usage.cost_usd) for usage in ClaudeReader().read([line]).usages]
    assert told in ([], [(7, None)], [(7, Decimal(cost))])
    assert all(price is None or price < 1 for _, price in told)
