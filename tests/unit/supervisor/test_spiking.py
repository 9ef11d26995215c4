"""Agents that run away, on a real ledger: what is seen, said, shown and remembered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from decimal import Decimal

import pytest

from teamops.domain.limits import SpikeRule
from teamops.model.agent import AgentState, AgentView, Beat, BeatKind
from teamops.model.events import BeatsSeen, Ticked, UsageSeen
from teamops.model.handoff import Severity
from teamops.model.role import CODER, DIRECTOR, REVIEWER, Role
from teamops.model.tail import Position
from teamops.model.usage import Tokens, Usage
from teamops.report.status import status_json
from tests.unit.supervisor.life import Life

Begin = Callable[..., Awaitable[Life]]
CACHE = 90_000
"""What each call carries along; no work of its own."""


def respond(life: Life, *tokens: int, role: Role = CODER, age: float = 0.0, live: bool = True, key: str = "") -> None:
    """Let an agent's transcript tell of responses."""
    life.place = getattr(life, "place", 0) + 1  # type: ignore[attr-defined]  # how far the file was read
    usages = tuple(
        Usage(
            wall=life.wall - age,
            model="m",
            tokens=Tokens(size // 4, size - size // 4, CACHE // 3, 0, CACHE),
            client="claude",
            cost_usd=Decimal("0.01"),
            key=key,
        )
        for size in tokens
    )
    position = Position("t", 1, 1, life.place)  # type: ignore[attr-defined]
    life.core.emit(UsageSeen(life.clock.stamp(), role, usages, position, grew=True, live=live))


def beat(life: Life, tokens: int = 0, *, kind: BeatKind = BeatKind.BEAT, role: Role = CODER, **more: object) -> None:
    life.place = getattr(life, "place", 0) + 1  # type: ignore[attr-defined]
    line = Beat(role=role, wall=life.wall, kind=kind, tokens=tokens, **more)  # type: ignore[arg-type]
    life.core.emit(BeatsSeen(life.clock.stamp(), (line,), Position("b", 1, 1, life.place)))  # type: ignore[attr-defined]


async def work(life: Life, minutes: int = 20) -> None:
    """Let CODER use 200 tokens a minute, one response in 20 s."""
    for _ in range(minutes):
        for tokens in (67, 67, 66):
            respond(life, tokens)
            await life.ticks(20)


async def run_away(life: Life, cycles: int = 4) -> float | None:
    """Let CODER use 40,000 tokens a minute; return after how many seconds it was called."""
    for cycle in range(cycles):
        for second in range(1, 11):
            respond(life, 667)
            await life.ticks(1)
            if life.alerts("agent-runaway"):
                return 10.0 * cycle + second
    return None


def coder(life: Life) -> AgentView:
    return next(agent for agent in life.core.snapshot().agents if agent.role == CODER)


def notices(life: Life) -> list[str]:
    return [page.body for page in life.told("agent-runaway")]


async def test_a_runaway_is_called_once_with_figures_and_shown(begin: Begin) -> None:
    life = await begin(*(DIRECTOR, CODER, REVIEWER))
    await work(life)
    assert not life.alerts("agent-runaway")
    delay = await run_away(life)
    assert delay is not None
    assert delay <= 40.0
    (alert,) = life.alerts("agent-runaway")
    assert (alert.severity, alert.agent) == (Severity.CRITICAL, CODER)
    assert alert.message.startswith("CODER uses ")
    assert " tokens/min, " in alert.message
    assert alert.message.endswith(" times its usual 200")
    assert await run_away(life, 1) is not None
    for _ in range(50):
        respond(life, 667)
        await life.ticks(1)
    seen = coder(life)
    assert seen.state is AgentState.RUNAWAY
    assert seen.spike is not None
    assert seen.evidence.detail == seen.spike.why
    assert (seen.spike.usual, seen.spike.limit) == (200, 5_000)
    (alert,) = life.alerts("agent-runaway")
    assert int(alert.message.split()[2].replace(",", "")) > 20_000, "the figure follows, by doublings"
    assert 38_000 <= seen.spike.rate <= seen.spike.peak <= 41_000
    assert len(notices(life)) == 1
    told = next(row for row in status_json(life.core.snapshot())["agents"] if row["role"] == CODER)
    assert (told["state"], told["spike"]["usual_tokens_per_min"], told["badges"]) == ("runaway", 200, list(seen.badges))
    assert life.core.spiking.firing_since(CODER) is not None
    assert life.core.spiking.firing_since(DIRECTOR) is None


async def test_its_end_resolves_the_alert_and_the_ledger_has_all_of_it(begin: Begin) -> None:
    life = await begin(CODER)
    await work(life)
    await run_away(life)
    (record,) = life.ledger.spikes.open_ones()
    assert record.ended_wall is None
    await life.ticks(150)
    assert not life.alerts("agent-runaway")
    assert coder(life).spike is None
    assert coder(life).state is not AgentState.RUNAWAY
    (record,) = life.ledger.spikes.of(CODER, 9)
    assert record.ended_wall is not None
    assert 60 <= record.ended_wall - record.began_wall <= 150
    assert (record.usual, record.threshold) == (200, 5_000)
    assert 5_000 < record.peak <= record.tokens
    assert record.cost_usd > 0
    assert sum(tokens for _, tokens in record.trace) > record.tokens  # ten minutes before it belong to its trace
    assert record.trace[0][0] < record.began_wall - 400
    assert list(record.trace) == sorted(record.trace)
    report = await life.core.agent_report(CODER)
    assert report.spikes == (record,)


async def test_the_next_life_goes_on_where_a_killed_one_stopped(begin: Begin) -> None:
    life = await begin(CODER)
    await work(life)
    await run_away(life)
    for _ in range(3):
        respond(life, 667)
        await life.ticks(1)
    await life.until(lambda: len(notices(life)) == 1, "the person is told")
    since = coder(life).spike
    (alert,) = life.alerts("agent-runaway")
    await life.end()
    life = await begin(CODER)
    assert [one.since_wall for one in life.alerts("agent-runaway")] == [alert.since_wall]
    assert since is not None
    now = coder(life).spike
    for _ in range(10):
        respond(life, 667)
        await life.ticks(1)
    now = coder(life).spike
    assert now is not None
    assert now.since_wall == pytest.approx(since.since_wall)
    assert (now.usual, coder(life).state) == (200, AgentState.RUNAWAY)
    assert notices(life) == []
    await life.ticks(150)
    (record,) = life.ledger.spikes.of(CODER, 9)
    assert record.ended_wall is not None
    assert not life.alerts("agent-runaway")
    assert await run_away(life, 8) is not None, "what is usual was read back"
    assert life.alerts("agent-runaway")[0].message.endswith(" times its usual 200")


async def test_a_spike_that_nobody_remembers_is_over_in_the_next_life(begin: Begin) -> None:
    life = await begin(CODER)
    await work(life)
    await run_away(life)
    (open_one,) = life.ledger.spikes.open_ones()
    await life.end()
    life = Life(life.folder, start=life.wall + 10)
    life.ledger._connection.execute("DELETE FROM usual")
    life.ledger.close()
    life = await begin(CODER)
    assert life.ledger.spikes.open_ones() == []
    (record,) = life.ledger.spikes.of(CODER, 9)
    assert (record.began_wall, record.trace) == (open_one.began_wall, open_one.trace)


async def test_what_was_used_while_nobody_looked_neither_alarms_nor_teaches(begin: Begin) -> None:
    life = await begin(CODER)
    respond(life, *(8_000,) * 30, age=60.0)  # of before this life
    respond(life, *(8_000,) * 30, live=False)
    await life.ticks(3)
    assert not life.alerts("agent-runaway")
    await work(life)
    usual = life.core.spiking._pages[CODER].state.usual.by_cycles
    assert usual is not None
    assert usual <= 200
    life.now += 3600.0
    life.wall += 3600.0
    life.core.emit(Ticked(life.clock.stamp(), gap_s=3600.0))
    await life.core.next_round()
    respond(life, *(8_000,) * 30, age=1800.0)
    await life.ticks(30)
    assert not life.alerts("agent-runaway")
    assert life.core.spiking._pages[CODER].state.usual.by_cycles == usual
    assert await run_away(life, 8) is not None


async def test_the_history_of_a_session_that_is_resumed_is_no_spike(begin: Begin) -> None:
    life = await begin(CODER)
    await work(life, minutes=30)
    respond(life, *(8_000,) * 30, age=1_000.0)  # news to us, and not of now
    await life.ticks(3)
    assert not life.alerts("agent-runaway")
    respond(life, *(8_000,) * 30, age=60.0)
    await life.ticks(3)
    assert life.alerts("agent-runaway")


async def test_a_burst_at_a_declared_end_is_expected(begin: Begin) -> None:
    life = await begin(CODER)
    await work(life)
    usual = life.core.spiking._pages[CODER].state.usual
    beat(life, kind=BeatKind.SHUTDOWN, grace_s=60.0)
    assert await run_away(life, 5) is None
    assert life.core.spiking._pages[CODER].state.usual.by_day == usual.by_day
    await life.ticks(60)
    assert await run_away(life, 8) is not None


async def test_beats_tell_of_tokens_where_no_transcript_does(begin: Begin) -> None:
    life = await begin(CODER)
    for _ in range(15):
        beat(life, 200)
        await life.ticks(60)
    for _ in range(2):
        assert not life.alerts("agent-runaway")
        beat(life, 15_000)
        await life.ticks(2)
        await life.ticks(58)
    assert life.alerts("agent-runaway")
    respond(life, 10, role=DIRECTOR)
    beat(life, 90_000, role=DIRECTOR)
    await life.ticks(5)
    assert life.core.spiking.firing_since(DIRECTOR) is None


async def test_tracked_calls_count_as_their_beats_tell_them(begin: Begin) -> None:
    """What a bot counts itself and what its tracked calls used is the same use, whatever it took from the cache."""
    life = await begin(CODER)

    def call(tokens: int) -> None:
        used = Tokens(tokens // 4, tokens - tokens // 4, CACHE // 3, 0, CACHE)
        usage = Usage(wall=life.wall, model="m", tokens=used, client="sdk", key=str(life.wall))
        beat(life, used.total, usages=(usage,))

    for _ in range(60):
        call(67)
        await life.ticks(20)
    assert not life.alerts("agent-runaway")
    for _ in range(40):
        call(667)
        await life.ticks(1)
    (alert,) = life.alerts("agent-runaway")
    assert alert.message.endswith(" times its usual 201")


async def test_bare_beats_beside_a_transcript_don_t_slow_the_rule(begin: Begin) -> None:
    life = await begin(CODER)
    await work(life)
    beat(life)
    await life.ticks(57)
    for _ in range(3):
        respond(life, 2_000)
        await life.ticks(1)
    assert not life.alerts("agent-runaway")
    beat(life, 700)
    respond(life, 2_000)
    await life.ticks(2)
    assert life.alerts("agent-runaway"), "6,000 of one minute beside the largest, not 3,000 of two"


async def test_what_a_response_has_counted_before_belongs_to_the_same_response(begin: Begin) -> None:
    life = await begin(CODER)
    await work(life)
    respond(life, 4_000, 4_000, 4_000, key="r")
    await life.ticks(5)
    assert not life.alerts("agent-runaway")
    respond(life, 4_000, 4_000, 4_000)
    await life.ticks(1)
    assert life.alerts("agent-runaway")


async def test_a_response_that_is_told_anew_elsewhere_counts_once(begin: Begin) -> None:
    life = await begin(CODER)
    await work(life)
    for number in range(30):
        respond(life, 700, -700, 700, key=f"r{number}")
        await life.ticks(10)
        assert not life.alerts("agent-runaway"), "4,200 tokens a minute, and not twice that"


async def test_tool_calls_show_as_a_badge_and_call_where_that_is_wanted(begin: Begin) -> None:
    for rule, called in ((SpikeRule(), 0), (SpikeRule(page_literal=True), 1)):
        life = await begin(CODER, spike=rule)
        for _ in range(15):
            beat(life, kind=BeatKind.HOOK, hook="PreToolUse", detail="Bash")
            beat(life, kind=BeatKind.HOOK, hook="PostToolUse", detail="Bash")
            await life.ticks(15)
        assert coder(life).badges == ()
        for _ in range(8):
            beat(life, kind=BeatKind.HOOK, hook="PreToolUse", detail="Bash")
        await life.ticks(15)
        assert coder(life).badges == ("5\u00d7tools",)
        assert len(life.alerts("agent-runaway")) == called
        await life.ticks(4)
        await life.until(lambda life=life, called=called: len(notices(life)) == called, "the person is told")  # type: ignore[misc]
        await life.ticks(130)
        assert coder(life).badges == ()
        assert not life.alerts("agent-runaway")
        await life.end()


async def test_a_viewer_shows_and_neither_calls_nor_stores(begin: Begin) -> None:
    life = await begin(CODER, acting=False)
    await work(life)
    await run_away(life)
    assert coder(life).state is AgentState.RUNAWAY
    assert not life.alerts("agent-runaway")
    assert (life.ledger.spikes.kept(), life.ledger.spikes.of(CODER, 9)) == ({}, [])
