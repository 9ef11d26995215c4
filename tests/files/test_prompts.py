"""Prompts in the logs of real clients, and the expectations that they meet."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from teamops.config.settings import RoleSettings, Settings
from teamops.model.clock import Stamp
from teamops.model.events import Event, PromptSeen
from teamops.model.role import CODER, DIRECTOR, REVIEWER, Role
from teamops.sources.clock import Clock
from teamops.sources.prompts import EXPECTED_S, Prompts
from teamops.usage.prompts import Prompt, claude_prompt, codex_prompt

SAMPLES = Path(__file__).with_name("clients")


def lines(name: str) -> list[bytes]:
    return (SAMPLES / name).read_bytes().splitlines()


def told(name: str, read: Callable[[bytes], Prompt | None]) -> list[tuple[str, str]]:
    found = (read(line) for line in lines(name))
    return [(prompt.text, prompt.evidence) for prompt in found if prompt is not None]


def test_what_claude_took_and_what_it_queued() -> None:
    assert told("claude_prompts.jsonl", claude_prompt) == [
        ("FAKE:slow:6", "transcript"),
        ("a second line queued", "queued in transcript"),
        ("a second line queued", "transcript"),
    ]
    assert told("claude_transcript.jsonl", claude_prompt) == [
        ("FAKE:write:src/x.py:print(1)", "queued in transcript"),
        ("FAKE:write:src/x.py:print(1)", "transcript"),
    ]


def test_what_codex_took() -> None:
    assert told("codex_prompts.jsonl", codex_prompt) == [("FAKE:text:hi", "transcript")] * 2
    assert told("codex_rollout.jsonl", codex_prompt) == [("FAKE:bash:echo x > src/x.py", "transcript")]


AT = "2026-11-26T23:00:00Z"
CLAUDE_ROWS: list[tuple[str, dict[str, object], str | None]] = [
    ("parts", {"type": "user", "message": {"content": [{"type": "text", "text": "a"}]}}, "a"),
    ("a subagent's", {"type": "user", "isSidechain": True, "message": {"content": "a"}}, None),
    ("its own words", {"type": "user", "isMeta": True, "message": {"content": "a"}}, None),
    ("a result", {"type": "user", "message": {"content": [{"type": "tool_result", "content": "a"}]}}, None),
    ("a message of another form", {"type": "user", "message": "a"}, None),
    ("a content of another form", {"type": "user", "message": {"content": 5}}, None),
    ("an answer", {"type": "assistant", "message": {"role": "user"}}, None),
    ("taken out", {"type": "queue-operation", "operation": "remove", "content": "a"}, None),
    ("from the queue", {"type": "attachment", "attachment": {"type": "queued_command", "prompt": "a"}}, "a"),
    ("a file", {"type": "attachment", "attachment": {"type": "file", "x": "queue"}}, None),
]
CODEX_ROWS: list[tuple[str, dict[str, object], str | None]] = [
    ("an older event", {"type": "event_msg", "payload": {"type": "user_message", "message": "a"}}, "a"),
    ("an answer", {"type": "event_msg", "payload": {"type": "agent_message", "message": "user"}}, None),
    (
        "an item of its own",
        {"type": "response_item", "payload": {"type": "message", "role": "assistant", "content": "user"}},
        None,
    ),
    ("a payload of another form", {"type": "response_item", "payload": "user"}, None),
]
ROWS = [
    *(pytest.param(claude_prompt, row, text, id=f"claude: {name}") for name, row, text in CLAUDE_ROWS),
    *(pytest.param(codex_prompt, row, text, id=f"codex: {name}") for name, row, text in CODEX_ROWS),
]


@pytest.mark.parametrize(("read", "row", "expected"), ROWS)
def test_a_line_is_read(read: Callable[[bytes], Prompt | None], row: dict[str, object], expected: str | None) -> None:
    prompt = read(json.dumps({**row, "timestamp": AT}).encode())
    assert (prompt and prompt.text) == expected
    if prompt is not None:
        assert prompt.wall == datetime(2026, 11, 26, 23, tzinfo=UTC).timestamp()


@given(
    st.binary() | st.text().map(str.encode) | st.just(b'{"type":"user"') | st.just(b'{"type":"user","timestamp":"x"}')
)
def test_any_line_can_be_read(line: bytes) -> None:
    for read in (claude_prompt, codex_prompt):
        assert read(line) is None


class Time(Clock):
    now = 100.0

    def stamp(self) -> Stamp:
        return Stamp(self.now, self.now + 1_000_000)


def line(text: str, at: float | None = None) -> bytes:
    row: dict[str, object] = {"type": "user", "message": {"content": text}}
    if at is not None:
        row["timestamp"] = datetime.fromtimestamp(at + 1_000_000, UTC).isoformat()
    return json.dumps(row).encode()


class Looked:
    def __init__(self) -> None:
        self.clock = Time()
        roles = tuple(
            RoleSettings(role=role, name="", profile=None, session=role, client=client, command=(), cwd=Path("/"))
            for role, client in ((CODER, "claude"), (REVIEWER, "claude"), (DIRECTOR, "gemini"))
        )
        settings = Settings(root=Path("/"), project="p", handoff=Path("/c"), roles=roles)
        self.prompts = Prompts(settings, self.clock)
        self.events: list[Event] = []

    def told(self) -> list[tuple[Role, str]]:
        return [(event.role, event.text) for event in self.events if isinstance(event, PromptSeen)]


@pytest.fixture
async def looked() -> Looked:
    made = Looked()
    await made.prompts.start(made.events.append)
    return made


async def test_an_expectation_is_met_once_by_that_very_text(looked: Looked) -> None:
    looked.prompts.expect(CODER, "Your turn:\tread  current.md")
    looked.prompts.lines(REVIEWER, [line("Your turn: read current.md")])
    looked.prompts.lines(CODER, [line("Your turn"), line("Your turn: read current.md, now")])
    assert looked.told() == []
    assert looked.prompts.waits(CODER)
    looked.prompts.lines(CODER, [b"{", line(" Your turn: read\ncurrent.md "), line("Your turn: read current.md")])
    assert looked.told() == [(CODER, "Your turn:\tread  current.md")]
    assert not looked.prompts.waits(CODER)


async def test_the_same_text_of_before_is_not_it(looked: Looked) -> None:
    looked.prompts.expect(CODER, "go on")
    looked.prompts.lines(CODER, [line("go on", at=98.0)])
    assert looked.told() == []
    looked.prompts.lines(CODER, [line("go on", at=99.5)])
    assert looked.told() == [(CODER, "go on")]


async def test_two_texts_are_looked_for_at_once_and_one_twice_only_once(looked: Looked) -> None:
    for text in ("one", "two", "one"):
        looked.prompts.expect(CODER, text)
    looked.prompts.lines(CODER, [line("two"), line("one"), line("one")])
    assert looked.told() == [(CODER, "two"), (CODER, "one")]


async def test_an_expectation_ends_after_its_time(looked: Looked) -> None:
    looked.prompts.expect(CODER, "go on")
    looked.clock.now += EXPECTED_S - 0.1
    assert looked.prompts.waits(CODER)
    looked.clock.now += 0.1
    looked.prompts.lines(CODER, [line("go on")])
    assert looked.told() == []


async def test_nothing_is_expected_of_a_client_whose_log_is_not_read(looked: Looked) -> None:
    looked.prompts.expect(DIRECTOR, "go on")
    looked.prompts.expect(CODER, "  ")
    assert not looked.prompts.waits(DIRECTOR)
    assert not looked.prompts.waits(CODER)
    looked.prompts.expect(CODER, "go on")
    await looked.prompts.stop()
    looked.prompts.lines(CODER, [line("go on")])
    assert looked.told() == []
