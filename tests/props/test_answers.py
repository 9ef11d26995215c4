"""Whatever a server answers, a tracked call is counted once, and teamops can read what is written of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from teamops.model.role import CODER
from teamops.sdk.answers import CHAT, COMPACT, MESSAGES, RESPONSES, Reader
from teamops.sdk.calls import Call, Calls
from teamops.sdk.watching import Meter
from teamops.sources.beats import beat_of

WALL = 1_800_000_000.0
NAMES = (
    "type", "model", "service_tier", "speed", "usage", "id", "status", "message", "response", "content", "choices",
    "delta", "tool_calls", "output", "item", "index", "content_block", "input_tokens", "output_tokens", "prompt_tokens",
    "completion_tokens", "prompt_tokens_details", "input_tokens_details", "cached_tokens", "cache_write_tokens",
    "cache_creation", "ephemeral_1h_input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens",
)  # fmt: skip
WORDS = (
    "message_start", "message_delta", "content_block_start", "response.completed", "response.output_item.done",
    "tool_use", "function_call", "queued", "fast", "standard",
)  # fmt: skip
ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=6),
    max_leaves=25,
)


@pytest.mark.parametrize("path", [CHAT, RESPONSES, COMPACT, MESSAGES])
@given(events=st.lists(ANY, max_size=4), whole=ANY)
def test_no_answer_raises_and_each_is_counted_once(path: str, events: list[Any], whole: Any) -> None:
    counted: list[Call] = []
    meter = Meter(Reader(path, "asked-for"), lambda meter: counted.append(meter.reader.call))
    for event in events:
        meter.event(event)
    meter.whole(whole)
    meter.end()
    (call,) = counted
    call.known = True
    usage, message, tokens, tool_calls = Calls.told([call], "", 0, 0)
    line = f'{{"t":{WALL},"kind":"usage","tokens":{tokens},"tool_calls":{tool_calls}{usage}}}'
    assert json.loads(line)["usage"][0]["model"] == call.model[:100]
    beat = beat_of(line.encode(), CODER, WALL)
    assert beat is not None
    assert message == ""
    assert beat.usages[0].tokens.total == call.tokens
    assert beat.usages[0].tokens.cache_write_1h == call.cache_write_1h
    assert beat.tool_calls == call.tool_calls


@pytest.mark.parametrize(
    ("known", "message", "text"),
    [
        ([False], "", "1 model call of unknown usage"),
        ([False, True, False], "builds", "(2 model calls of unknown usage) builds"),
        ([True], "builds", "builds"),
    ],
)
def test_calls_of_unknown_usage_are_said_beside_the_message(known: list[bool], message: str, text: str) -> None:
    calls = [Call("m") for _ in known]
    for call, is_known in zip(calls, known, strict=True):
        call.known = is_known
    usage, said, _, _ = Calls.told(calls, message, 0, 0)
    assert said == text
    assert usage.count('"model"') == sum(known)
