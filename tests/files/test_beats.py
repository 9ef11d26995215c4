from __future__ import annotations

import asyncio
import json
import os
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from teamops.model.agent import BeatKind
from teamops.model.boundary import Decision, Verdict
from teamops.model.events import BeatsSeen, Event, SourceTroubled
from teamops.model.role import CODER, REVIEWER, Role
from teamops.model.tail import Position
from teamops.model.usage import Tokens
from teamops.sources.beats import STEP, Beats, beat_of
from teamops.sources.clock import Clock
from teamops.sources.watch import Watch

WALL = 1_800_000_000.0


def line(**fields: object) -> bytes:
    return json.dumps({"t": WALL, **fields}).encode()


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"{", id="cut"),
        pytest.param(b"[]", id="no object"),
        pytest.param(b"\xff{}", id="no text"),
        pytest.param(b'{"status":"ok"}', id="no time"),
        pytest.param(line(t=True), id="time is a bool"),
        pytest.param(line(t=-1), id="time before all time"),
        pytest.param(line(t=1e308), id="time after all time"),
        pytest.param(b'{"t":NaN}', id="time is NaN"),
        pytest.param(line(tokens=-1), id="negative"),
        pytest.param(line(tokens=True), id="bool"),
        pytest.param(line(tokens=1.5), id="fraction"),
        pytest.param(line(tokens=10**13), id="absurd"),
        pytest.param(line(tokens="7"), id="text"),
        pytest.param(line(cost_usd="NaN"), id="cost is NaN"),
        pytest.param(line(cost_usd="Infinity"), id="cost is endless"),
        pytest.param(line(cost_usd="-0.1"), id="cost is negative"),
        pytest.param(line(cost_usd=True), id="cost is a bool"),
        pytest.param(line(cost_usd="1e308"), id="cost is absurd"),
        pytest.param(line(interval_s=0), id="no interval"),
        pytest.param(line(kind="nonsense"), id="unknown kind"),
        pytest.param(line(kind="hook", verdict="perhaps"), id="unknown verdict"),
        pytest.param(line(kind="hook", verdict=""), id="empty verdict"),
        pytest.param(line(kind="hook", verdict=["deny"]), id="list of verdicts"),
        pytest.param(line(kind="hook", verdict="deny", rule=7), id="rule of a number"),
        pytest.param(line(usage={"model": "m"}), id="usage is no list"),
        pytest.param(line(usage=[{"input": 1}]), id="usage of no model"),
        pytest.param(line(usage=[{"model": 7}]), id="usage of a number"),
        pytest.param(line(usage=[{"model": "m", "input": -1}]), id="usage is negative"),
        pytest.param(line(usage=[{"model": "m", "output": 10**13}]), id="usage is absurd"),
        pytest.param(line(usage=[{"model": "m", "t": -1}]), id="usage before all time"),
        pytest.param(line(usage=[{"model": "m"}] * 1001), id="usage without end"),
    ],
)
def test_a_bad_line_is_no_beat(bad: bytes) -> None:
    assert beat_of(bad, CODER, WALL) is None


def test_a_line_tells_all_it_knows_but_whose_it_is() -> None:
    raw = line(
        role="DIRECTOR",
        kind="shutdown",
        pid=7,
        status="wor\x1b[31mking",
        message="a\x1b]0;evil\x07b\n\u202ec",
        tokens=5,
        cost_usd="0.10",
        tool_calls=2,
        interval_s=30,
        grace_s=60,
    )
    beat = beat_of(raw, CODER, WALL)
    assert beat is not None
    assert (beat.role, beat.kind, beat.pid, beat.wall) == (CODER, BeatKind.SHUTDOWN, 7, WALL)
    assert (beat.status, beat.message) == ("working", "ab c")
    assert (beat.tokens, beat.tool_calls, beat.interval_s, beat.grace_s) == (5, 2, 30, 60)
    assert beat.cost_usd == Decimal("0.10")


def test_a_line_tells_what_its_tracked_calls_used() -> None:
    calls = [
        {"t": WALL - 5, "model": "a\x1b[31mb", "input": 1, "output": 2, "cache_write": 3, "cache_write_1h": 9},
        {"t": WALL + 1e6, "model": "m" * 200, "cache_read": 7, "speed": "fast", "tier": "flex"},
        {"model": "m"},
    ]
    beat = beat_of(line(kind="usage", tokens=20, usage=calls), CODER, WALL)
    assert beat is not None
    one, two, three = beat.usages
    assert (one.wall, one.model, one.client) == (WALL - 5, "ab", "sdk")
    assert one.tokens == Tokens(input=1, output=2, cache_write=3, cache_write_1h=3)
    assert (two.wall, len(two.model), two.tokens, two.speed) == (WALL, 100, Tokens(cache_read=7), "fast")
    assert (three.wall, three.tokens.total, three.cost_usd) == (WALL, 0, None)
    assert (beat.own_tokens, beat.own_cost_usd) == (7, Decimal(0))


def test_a_hook_s_line_tells_what_it_decided_cleaned_and_bounded() -> None:
    told = {"verdict": "deny", "rule": 'write.deny "*.py"', "about": "a\x1b[2J\n\u202eb.py", "why": "w" * 5000}
    beat = beat_of(line(kind="hook", hook="Denied", t=WALL + 60, role="DIRECTOR", **told), CODER, WALL)
    assert beat is not None
    assert beat.decision == Decision(
        role=CODER,
        wall=WALL,
        verdict=Verdict.DENY,
        rule='write.deny "*.py"',
        about="a b.py",
        why="w" * 799 + "…",
    )
    for kind, more in (("hook", {}), ("beat", told)):  # a hook that asked nothing; no hook at all
        beat = beat_of(line(kind=kind, **more), CODER, WALL)
        assert beat is not None
        assert beat.decision is None


@given(st.text(), st.text(), st.text(), st.sampled_from(Verdict))
def test_whatever_an_agent_writes_as_a_decision_can_be_stored(
    rule: str, about: str, why: str, verdict: Verdict
) -> None:
    beat = beat_of(line(kind="hook", verdict=verdict, rule=rule, about=about, why=why), CODER, WALL)
    assert beat is not None
    assert beat.decision is not None
    for text in (beat.decision.rule, beat.decision.about, beat.decision.why):
        assert text.encode() == text.encode("utf-8", "strict")
        assert len(text) <= 800
        assert not set(text) & set("\n\r\x1b\x00\u202e")


def test_what_the_agent_says_of_the_cost_wins() -> None:
    beat = beat_of(line(cost_usd="0.5", tokens=3, usage=[{"model": "m", "output": 9}, {"model": "m"}]), CODER, WALL)
    assert beat is not None
    assert [usage.cost_usd for usage in beat.usages] == [Decimal("0.5"), 0]
    assert (beat.own_tokens, beat.own_cost_usd) == (0, Decimal(0))


def test_a_beat_from_the_future_is_one_of_now() -> None:
    beat = beat_of(line(t=WALL + 1e6), CODER, WALL)
    assert beat is not None
    assert beat.wall == WALL


@given(st.binary(max_size=200))
def test_no_bytes_raise(raw: bytes) -> None:
    beat_of(raw, CODER, WALL)


class Seen:
    """Collects events, and waits for them with a deadline."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._came = asyncio.Event()

    def __call__(self, event: Event) -> None:
        self.events.append(event)
        self._came.set()

    @property
    def beats(self) -> list[BeatsSeen]:
        return [event for event in self.events if isinstance(event, BeatsSeen)]

    def messages(self) -> list[str]:
        return [beat.message for seen in self.beats for beat in seen.beats]

    async def until(self, true: Callable[[], bool]) -> float:
        began = time.monotonic()
        async with asyncio.timeout(10):
            while not true():
                self._came.clear()
                await self._came.wait()
        return time.monotonic() - began


@asynccontextmanager
async def beats(
    spool: Path, *roles: Role, positions: dict[str, Position] | None = None, seen: Seen | None = None
) -> AsyncIterator[Seen]:
    seen = seen or Seen()
    watch = Watch(check_s=0.05)
    watch.start(asyncio.get_running_loop())
    source = Beats(spool, frozenset(roles), watch, Clock(), positions or {})
    await source.start(seen)
    try:
        yield seen
    finally:
        await source.stop()
        watch.stop()


def put(path: Path, *messages: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        for message in messages:
            file.write(line(t=1.0, message=message) + b"\n")


async def test_what_was_written_before_is_there_when_start_returns_and_the_rest_follows(tmp_path: Path) -> None:
    put(tmp_path / "CODER" / "1-1.jsonl", "old")
    async with beats(tmp_path, CODER) as seen:
        assert seen.messages() == ["old"]
        put(tmp_path / "CODER" / "1-1.jsonl", "new")
        assert await seen.until(lambda: "new" in seen.messages()) < 1.0
        assert seen.beats[-1].position.path == str(tmp_path / "CODER" / "1-1.jsonl")
    assert seen.messages() == ["old", "new"]


async def test_a_spool_that_is_made_later_is_watched(tmp_path: Path) -> None:
    async with beats(tmp_path / "p" / "spool") as seen:
        assert seen.events == []
        put(tmp_path / "p" / "spool" / "CODER" / "1-1.jsonl", "first")
        await seen.until(lambda: seen.messages() == ["first"])


async def test_a_file_that_is_made_again_is_a_new_one(tmp_path: Path) -> None:
    path = tmp_path / "CODER" / "1-1.jsonl"
    put(path, "one", "two")
    async with beats(tmp_path, CODER) as seen:
        before = seen.beats[-1].position
        path.unlink()
        await asyncio.sleep(0)
        put(path, "three")
        await seen.until(lambda: "three" in seen.messages())
        after = seen.beats[-1].position
    assert seen.messages() == ["one", "two", "three"]
    assert after.generation == before.generation + 1  # so the ledger takes it, though it stands further in front


async def test_the_next_life_reads_on_from_the_ledger(tmp_path: Path) -> None:
    path = tmp_path / "CODER" / "1-1.jsonl"
    put(path, "one")
    async with beats(tmp_path, CODER) as seen:
        position = seen.beats[-1].position
    put(path, "two")
    async with beats(tmp_path, CODER, positions={position.path: position}) as later:
        assert later.messages() == ["two"]


async def test_only_the_team_s_folders_and_files_count(tmp_path: Path) -> None:
    put(tmp_path / "CODER" / "1.jsonl", "mine")
    put(tmp_path / "EVIL" / "1.jsonl", "not of the team")
    put(tmp_path / "CODER" / "deep" / "1.jsonl", "too deep")
    put(tmp_path / "CODER" / "1.txt", "no spool file")
    put(tmp_path / "1.jsonl", "nobody's")
    async with beats(tmp_path, CODER, REVIEWER) as seen:
        assert seen.messages() == ["mine"]


async def test_without_a_team_every_proper_name_is_a_role_but_not_the_person(tmp_path: Path) -> None:
    for name in ("TESTER", "HUMAN", "NONE", "a b", "\x1b[31m"):
        put(tmp_path / name / "1.jsonl", name)
    async with beats(tmp_path) as seen:
        assert [beat.role for told in seen.beats for beat in told.beats] == ["TESTER"]


async def test_bad_lines_are_counted_and_passed_for_good(tmp_path: Path) -> None:
    path = tmp_path / "CODER" / "1.jsonl"
    put(path, "good")
    with path.open("ab") as file:
        file.write(b"nonsense\n\n{\n")
    async with beats(tmp_path, CODER) as seen:
        assert sum(told.bad_lines for told in seen.beats) == 2  # the empty one ends a torn line: no harm
        assert seen.messages() == ["good"]
        assert seen.beats[-1].position.offset == path.stat().st_size


async def test_the_loop_stays_awake_while_much_is_read(tmp_path: Path) -> None:
    path = tmp_path / "CODER" / "1.jsonl"
    put(path, *["x" * 400] * 20_000)
    breaths = 0

    async def breathe() -> None:
        nonlocal breaths
        while True:
            await asyncio.sleep(0)
            breaths += 1

    task = asyncio.create_task(breathe())
    async with beats(tmp_path, CODER) as seen:
        assert len(seen.messages()) == 20_000
        assert breaths >= path.stat().st_size // STEP  # one for each step, whatever the machine's speed
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def ended_pid() -> int:
    with subprocess.Popen(["true"]) as ended:
        return ended.pid


async def told_at_start(spool: Path, positions: dict[str, Position]) -> list[Event]:
    watch, clock, events = Watch(), Clock(), list[Event]()
    watch.start(asyncio.get_running_loop())
    beats = Beats(spool, [CODER], watch, clock, positions)
    await beats.start(events.append)
    await beats.stop()
    watch.stop()
    return events


async def test_after_a_restart_the_last_beats_of_a_living_process_still_say_what_the_agent_does(
    tmp_path: Path, ended_pid: int
) -> None:
    folder = tmp_path / "CODER"
    folder.mkdir()
    now = time.time()
    files = {"older": (os.getpid(), 60.0), "ended": (ended_pid, 20.0), "living": (os.getpid(), 5.0)}
    for age, (name, (pid, old)) in enumerate(files.items()):
        path = folder / f"{name}.jsonl"
        path.write_bytes(line(t=now - old, pid=pid, tokens=7, kind="cycle-begin") + b"\n")
        os.utime(path, (now + age, now + age))
    first = await told_at_start(tmp_path, {})
    positions = {event.position.path: event.position for event in first if isinstance(event, BeatsSeen)}
    assert len(positions) == 3
    (again,) = await told_at_start(tmp_path, positions)
    assert isinstance(again, BeatsSeen)
    assert again.beats == ()
    assert [(beat.pid, beat.kind) for beat in again.known] == [(os.getpid(), BeatKind.CYCLE_BEGIN)]
    (folder / "living.jsonl").unlink()
    (past,) = await told_at_start(tmp_path, positions)  # the newest is now of a process that ended
    assert isinstance(past, BeatsSeen)
    assert (past.beats, past.known) == ((), ())
    assert [(beat.pid, beat.tokens) for beat in past.past] == [(ended_pid, 7)], "that it worked then still holds"


async def test_a_role_folder_or_file_that_is_a_link_is_not_read_and_is_said(tmp_path: Path) -> None:
    outside, spool = tmp_path / "outside", tmp_path / "spool"
    outside.mkdir()
    spool.mkdir()
    (outside / "b.jsonl").write_bytes(line() + b"\n")
    (spool / "CODER").symlink_to(outside)
    (event,) = await told_at_start(spool, {})
    assert isinstance(event, SourceTroubled)
    assert "is a link" in event.message
    (spool / "CODER").unlink()
    (spool / "CODER").mkdir()
    (spool / "CODER" / "b.jsonl").symlink_to(outside / "b.jsonl")
    (event,) = await told_at_start(spool, {})
    assert isinstance(event, SourceTroubled)
