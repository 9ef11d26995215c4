"""Traces of agents' use of tokens, made from fixed seeds, and what must be called in each.

A trace is a list of moments: when, the responses' tokens, tool calls, what the agent had declared. The clock is
observed seconds; a suspended machine is a jump that carries ``gap``.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from teamops.domain.limits import SpikeRule
from teamops.domain.spikes import Sample, State, step

CYCLE = 10.0
DAY = 86400.0
MINUTE = 60.0
WRITES = 100
"""Tokens a second that a model writes, at most: a long answer takes its time, and is told when it is whole."""

Moment = tuple[float, Sample]


@dataclass(frozen=True, slots=True)
class Trace:
    """A case as promtool has them: a series, and what must fire when."""

    name: str
    moments: Sequence[Moment]
    fires: tuple[tuple[float, float], ...] = ()
    """(from, within seconds) of each page that must come; no other may."""


@dataclass(slots=True)
class Replay:
    """What the rule said of a trace."""

    pages: list[float] = field(default_factory=list)
    badges: dict[str, int] = field(default_factory=dict)
    """How often each plain rule began to say something."""
    state: State = field(default_factory=State)


def replay(moments: Sequence[Moment], rule: SpikeRule | None = None, state: State | None = None) -> Replay:
    """Ask the rule of each moment in turn."""
    rule, told = rule or SpikeRule(), Replay(state=state or State())
    fired, shown = told.state.spike is not None, frozenset[str]()
    for now, sample in moments:
        told.state, verdict = step(told.state, sample, now, rule)
        if verdict.firing and not fired:
            told.pages.append(now)
        fired = verdict.firing
        words = frozenset(badge.word for badge in verdict.badges)
        for word in words - shown:
            told.badges[word] = told.badges.get(word, 0) + 1
        shown = words
    return told


def answers(*tokens: int, tools: int = 0) -> Sample:
    """Return a sample of so many responses."""
    return Sample(tokens=sum(tokens), largest=max(tokens, default=0), tool_calls=tools)


def honest(seed: int, start: float, end: float, *, rate: float = 200.0, long: float = 1 / 120) -> Iterator[Moment]:
    """Yield an agent that works in lumps: some minutes of work, some of rest; a long answer now and then.

    ``rate``: tokens a minute while it works. ``long``: the share of answers that are of 3,000 to 9,000 tokens.
    """
    chance = random.Random(seed)  # noqa: S311 - a trace must repeat
    now = start + CYCLE * int(chance.uniform(0, 6))
    while now < end:
        works = now + chance.uniform(3, 25) * MINUTE
        mood = chance.lognormvariate(0.0, 0.4)
        while now < min(works, end):
            if chance.random() < 0.5:
                size = int(rate / 3 * mood * chance.lognormvariate(-0.25, 0.7)) + 1
                if chance.random() < long:
                    size = chance.randint(3_000, 9_000)
                    now += CYCLE * (size // (CYCLE * WRITES))
                yield now, answers(size, tools=chance.choice((0, 0, 1, 1, 1, 2)))
            now += CYCLE
        now += CYCLE * int(chance.expovariate(1 / 90.0))


def runaway(seed: int, start: float, end: float, *, rate: float = 40_000.0) -> Iterator[Moment]:
    """Yield an agent that calls its model again and again; the first sample tells of its first cycle."""
    chance = random.Random(seed)  # noqa: S311 - a trace must repeat
    now = start + CYCLE
    while now <= end:
        total = rate / 6 * chance.uniform(0.8, 1.2)
        yield now, answers(*(int(total / 4),) * 4, tools=4) if chance.random() < 0.5 else answers(int(total), tools=1)
        now += CYCLE


def ramp(seed: int, start: float, minutes: float, *, low: float = 200.0, high: float = 40_000.0) -> Iterator[Moment]:
    """Yield an agent whose use grows, slower than any window of minutes would notice."""
    chance = random.Random(seed)  # noqa: S311 - a trace must repeat
    for cycle in range(int(minutes * 6)):
        level = low * (high / low) ** (cycle / (minutes * 6))
        yield start + cycle * CYCLE, answers(*(int(level / 12 * chance.uniform(0.7, 1.3)) for _ in range(2)))


def silence(start: float, end: float) -> Iterator[Moment]:
    """Yield empty samples: the clock goes on."""
    now = start
    while now < end:
        yield now, Sample()
        now += CYCLE


def starting_history(seed: int) -> list[Moment]:
    """Return an honest day."""
    return list(honest(seed, 0.0, DAY / 2, long=0.0))


def _declared(moments: Iterator[Moment]) -> list[Moment]:
    return [
        (now, Sample(tokens=used.tokens, largest=used.largest, tool_calls=used.tool_calls, shutting_down=True))
        for now, used in moments
    ]


def traces() -> list[Trace]:
    """Return the named cases."""
    history = starting_history(5)
    end = history[-1][0] + 5 * MINUTE
    long = [(end + 20 * CYCLE * at, answers(size)) for at, size in enumerate((9_000, 3_000, 8_500, 6_000, 9_000))]
    two = [
        *runaway(6, end, end + 2 * MINUTE),
        *silence(end + 2 * MINUTE, end + 7 * MINUTE),
        *runaway(7, end + 7 * MINUTE, end + 9 * MINUTE),
    ]
    burst = [(end + 1.0, Sample(tokens=300_000, largest=9_000, tool_calls=40, gap=True))]
    beats = [(MINUTE * at, Sample(tokens=200, largest=200, span_s=60.0)) for at in range(1, 40)]
    fast = [(MINUTE * at, Sample(tokens=15_000, largest=15_000, span_s=60.0)) for at in range(40, 45)]
    return [
        Trace("normal", list(honest(1, 0.0, DAY, long=0.0))),
        Trace("lumpy", list(honest(2, 0.0, DAY, rate=400.0))),
        Trace("long honest answers", [*history, *long]),
        Trace("runaway", [*history, *runaway(6, end, end + 5 * MINUTE)], ((end, 40.0),)),
        Trace("second spike 5 min later", [*history, *two], ((end, 40.0), (end + 7 * MINUTE, 40.0))),
        Trace("no history", list(runaway(6, 0.0, 5 * MINUTE)), ((0.0, 60.0),)),
        Trace("slow ramp", [*history, *ramp(8, end, 90.0)], ((end, 90 * MINUTE),)),
        Trace("burst at a declared shutdown", [*history, *_declared(runaway(9, end, end + 3 * MINUTE))]),
        Trace("suspended laptop", [*history, *burst, *honest(10, end + 2.0, end + 3600, long=0.0)]),
        Trace("beats of a minute, one long answer", [*beats, fast[0]]),
        Trace("beats of a minute, runaway", [*beats, *fast], ((40 * MINUTE, MINUTE),)),
    ]
