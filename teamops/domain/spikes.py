"""Whether an agent runs away: tokens many times faster than it usually uses them.

The rate is the sum of a sliding minute. What is usual is known twice: from the last 50 cycles in which it used any, and
from the active minutes of a day. A spike must not teach what is usual: what is learnt is capped, and nothing is learnt
while it lasts. One long answer is no spike: the largest response is left out, up to a ceiling.

Times are observed seconds; a gap, in which teamops did not look, neither alarms nor teaches. What outlives teamops is
``spike_memory.Kept``. Source of the rule: trials of four detectors on simulated agents, replayed in tests/props.
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from msgspec import Struct, field
from msgspec.structs import replace

from teamops.domain import spike_badges
from teamops.domain.limits import SpikeRule
from teamops.domain.spike_badges import Badge
from teamops.domain.usual import CYCLE_S, MINUTE_S, Usual, learn_cycle, learn_minute

END_S = 60.0
"""A spike is over when the rate has been well below for so long."""
END_SHARE = 0.5
"""… of what it had to pass to begin."""
MOST_SPAN_S = 3600.0
NOTHING_USED = Decimal(0)


class Used(NamedTuple):
    """What was used at one moment."""

    at: float
    tokens: int
    largest: int
    """The largest single response of it, as far as known."""
    cost: Decimal


class Sample(Struct, frozen=True, kw_only=True):
    """What an agent used since the sample before."""

    tokens: int = 0
    """Input and output. What its cache holds is carried along from call to call and says nothing of its work."""
    largest: int = 0
    """The largest single response among them."""
    cost: Decimal = NOTHING_USED
    tool_calls: int = 0
    span_s: float = 0.0
    """The time that it tells of, where an agent counts by itself from beat to beat; 0 = one moment."""
    shutting_down: bool = False
    """The agent has said that it ends: bursts are expected, and say nothing of what is usual."""
    gap: bool = False
    """It was used while nobody looked."""


class Spike(Struct, frozen=True, kw_only=True):
    """A spike that lasts."""

    began: float
    peak: int
    """Tokens a minute."""
    usual: int | None
    """Tokens a minute, when it began; ``None`` = not known then."""
    limit: int
    """Tokens a minute that it passed."""
    tokens: int
    """Used since, the minute before included."""
    cost: Decimal
    quiet: float | None = None
    """Since when the rate is well below."""
    plain: str = ""
    """The plain rule that called it, where those do."""


class State(Struct, frozen=True, kw_only=True):
    """All that the rule remembers of one agent."""

    used: tuple[Used, ...] = ()
    """Of the last minute, or two cycles where those are longer; oldest first."""
    span_s: float = 0.0
    """The time that its last sample told of."""
    cycle_began: float | None = None
    """The cycle that runs; ``None`` = nothing was used since the last one."""
    cycle_tokens: int = 0
    cycle_tools: int = 0
    minute_began: float | None = None
    minute_tokens: int = 0
    usual: Usual = field(default_factory=Usual)
    badges: tuple[Badge, ...] = ()
    spike: Spike | None = None


class Verdict(Struct, frozen=True, kw_only=True):
    """What the rule says now, with the figures that led to it. Rates are tokens a minute."""

    firing: bool
    rate: int
    largest: int
    """The largest single response of it."""
    cycles: int | None
    """Usual, by the last cycles; ``None`` = not known yet."""
    day: int | None
    """Usual, by the last 24 h."""
    limit: int
    """What the rate without its largest response must pass; the ceiling until something is usual."""
    ceiling: int
    """What the whole rate must pass."""
    badges: tuple[Badge, ...]

    @property
    def usual(self) -> int | None:
        """Return what it is measured by: the smaller one."""
        return min((known for known in (self.cycles, self.day) if known is not None), default=None)


def step(state: State, sample: Sample, now: float, rule: SpikeRule) -> tuple[State, Verdict]:
    """Return what is known after ``sample``, which ends ``now``, and what is to be said.

    An empty sample is only needed to see that a spike has ended. ``now`` never goes back.
    """
    if sample.gap or (sample.shutting_down and state.spike is None):
        state = forget_minute(state)
        return state, _verdict(state, rule)
    state = _close_what_is_over(state, now, rule)
    if sample.tokens or sample.tool_calls:
        state = _take(state, sample, now)
        if sample.span_s >= CYCLE_S:
            state = _close_cycle(state, now, rule)
    since = now - _window(state.span_s)
    if state.used and state.used[0].at <= since:
        state = replace(state, used=tuple(used for used in state.used if used.at > since))
    return _judge(state, sample, now, rule)


def forget_minute(state: State) -> State:
    """Return ``state`` without what was used lately, which is neither a spike nor usual."""
    return replace(state, used=(), cycle_began=None, cycle_tokens=0, cycle_tools=0, minute_began=None, minute_tokens=0)


def _take(state: State, sample: Sample, now: float) -> State:
    span = min(max(0.0, sample.span_s), MOST_SPAN_S)
    used = state.used
    if sample.tokens:
        used = (*used, Used(now, sample.tokens, min(sample.largest, sample.tokens), sample.cost))
    spike = state.spike
    if spike is not None:
        spike = replace(spike, tokens=spike.tokens + sample.tokens, cost=spike.cost + sample.cost)
    return replace(
        state,
        used=used,
        span_s=span if sample.tokens else state.span_s,
        cycle_began=now - span if state.cycle_began is None else state.cycle_began,
        cycle_tokens=state.cycle_tokens + sample.tokens,
        cycle_tools=state.cycle_tools + sample.tool_calls,
        minute_began=now if state.minute_began is None else state.minute_began,
        minute_tokens=state.minute_tokens + sample.tokens,
        spike=spike,
    )


def _window(span_s: float) -> float:
    """Return the time in which one response is left out: two cycles at least, for what one beat tells may be one."""
    return max(MINUTE_S, 2 * span_s)


def _close_what_is_over(state: State, now: float, rule: SpikeRule) -> State:
    if state.cycle_began is not None and now - state.cycle_began >= CYCLE_S:
        state = _close_cycle(state, state.cycle_began + CYCLE_S, rule)
    if state.minute_began is not None and now - state.minute_began >= MINUTE_S:
        usual = state.usual
        if state.spike is None:
            usual = learn_minute(usual, state.minute_tokens, state.minute_began, rule)
        state = replace(state, usual=usual, minute_began=None, minute_tokens=0)
    return state


def _close_cycle(state: State, end: float, rule: SpikeRule) -> State:
    """End the cycle that runs: the plain rules judge it, and it teaches what is usual."""
    tokens, tools = state.cycle_tokens, state.cycle_tools
    rate = _rate(state, end)
    badges = spike_badges.after_cycle(state.badges, state.usual, tokens, tools, rate, end, rule)
    usual = learn_cycle(state.usual, tokens, tools, rate, rule, capped_only=state.spike is not None)
    return replace(state, cycle_began=None, cycle_tokens=0, cycle_tools=0, usual=usual, badges=badges)


def _rate(state: State, now: float) -> int:
    """Return the tokens of the last minute. What a longer cycle tells counts for its share."""
    total = sum(used.tokens for used in state.used if used.at > now - MINUTE_S)
    return total if state.span_s <= MINUTE_S else int(total * MINUTE_S / state.span_s)


def _sustained(state: State, now: float) -> tuple[int, int]:
    """Return the rate without its largest response, and that response."""
    window = _window(state.span_s)
    recent = [used for used in state.used if used.at > now - window]
    largest = max((used.largest for used in recent), default=0)
    total = sum(used.tokens for used in recent)
    return int((total - largest) * MINUTE_S / window), largest


def _verdict(state: State, rule: SpikeRule, rate: int = 0, largest: int = 0) -> Verdict:
    cycles, day = state.usual.by_cycles, state.usual.by_day
    known = [usual for usual in (cycles, day) if usual is not None]
    ceiling = max(rule.ceiling, int(rule.factor * min(known)) if known else 0)
    return Verdict(
        firing=state.spike is not None,
        rate=rate,
        largest=largest,
        cycles=cycles,
        day=day,
        limit=max(rule.floor, int(rule.factor * min(known))) if known else ceiling,
        ceiling=ceiling,
        badges=state.badges,
    )


def _judge(state: State, sample: Sample, now: float, rule: SpikeRule) -> tuple[State, Verdict]:
    badges = state.badges
    if any(badge.until <= now for badge in badges):
        badges = tuple(badge for badge in badges if badge.until > now)
        state = replace(state, badges=badges)
    rate = _rate(state, now)
    sustained, largest = _sustained(state, now)
    seen = _verdict(state, rule, rate, largest)
    over = (seen.usual is not None and sustained > seen.limit) or rate > seen.ceiling
    plain = badges[0].word if badges and rule.page_literal and not sample.shutting_down else ""
    spike = state.spike
    if spike is None:
        if not (over or plain):
            return state, seen
        state = _begin(state, seen, now, plain="" if over else plain)
    else:
        well = sustained <= seen.limit * END_SHARE and rate <= seen.ceiling * END_SHARE and not plain
        quiet = None if not well else now if spike.quiet is None else spike.quiet
        if quiet is not None and now - quiet >= END_S:
            state = replace(state, spike=None, minute_began=None, minute_tokens=0)
        else:
            state = replace(state, spike=replace(spike, peak=max(spike.peak, rate), quiet=quiet))
    return state, replace(seen, firing=state.spike is not None)


def _begin(state: State, seen: Verdict, now: float, *, plain: str) -> State:
    """A spike begins: what runs now teaches nothing."""
    spike = Spike(
        began=now,
        peak=seen.rate,
        usual=seen.usual,
        limit=seen.limit,
        tokens=sum(used.tokens for used in state.used),
        cost=sum((used.cost for used in state.used), NOTHING_USED),
        plain=plain,
    )
    return replace(state, spike=spike, cycle_began=None, cycle_tokens=0, cycle_tools=0, minute_tokens=0)
