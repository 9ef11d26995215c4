"""A task's pipeline as a stepper: what is done and how long it took, where the task stands, what is to come."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from teamops.model.handoff import Stage, Standing
from teamops.model.protocol import StageTime
from teamops.tui import words
from teamops.tui.strips import Line
from teamops.tui.theme import Palette

TIMES = "\u00d7"
"""Before how often the work came to a stage."""
BETWEEN = " ─ "
"""Between two stations."""
SHOWN_FROM_S = 1.0
"""A shorter stay in a stage is no time to speak of."""


class _Measure(Struct, frozen=True):
    """What of the stepper is drawn in so much room."""

    names: str
    """long, tight (long names close together), short, or none: only the current stage has its name."""
    times: str
    """all, current or none."""
    rounds: bool
    """How many rounds, in words."""


_FULLEST_FIRST = (
    _Measure("long", "all", rounds=True),
    _Measure("long", "all", rounds=False),
    _Measure("long", "current", rounds=False),
    _Measure("tight", "current", rounds=False),
    _Measure("long", "none", rounds=False),
    _Measure("short", "current", rounds=False),
    _Measure("short", "none", rounds=False),
    _Measure("none", "current", rounds=False),
    _Measure("none", "none", rounds=False),
)


def steppers(
    tier: int | None,
    stage: Stage,
    stages: Sequence[StageTime],
    rounds: int,
    standing: Standing,
    palette: Palette,
) -> Iterator[Line]:
    """Yield the stepper, the fullest first: times go first where there is little room, then names."""
    spent = {one.stage: one for one in stages}
    for measure in _FULLEST_FIRST:
        yield _draw(tier, stage, spent, rounds, standing, palette, measure)


def stepper(
    tier: int | None,
    stage: Stage,
    stages: Sequence[StageTime],
    rounds: int,
    standing: Standing,
    palette: Palette,
    width: int,
) -> Line:
    """Return the fullest stepper that fits into ``width`` cells, else the barest."""
    line = Line()
    for line in steppers(tier, stage, stages, rounds, standing, palette):
        if line.width <= width:
            break
    return line


def stepper_lines(
    tier: int | None,
    stage: Stage,
    stages: Sequence[StageTime],
    rounds: int,
    standing: Standing,
    palette: Palette,
    width: int,
) -> list[Line]:
    """Return the whole stepper, in as many lines of ``width`` cells as it takes."""
    spent = {one.stage: one for one in stages}
    first, *stations = _pieces(tier, stage, spent, rounds, standing, palette, _FULLEST_FIRST[0])
    lines = [Line().put(first)]
    for place, station in enumerate(stations):
        if place and lines[-1].width + len(BETWEEN) + station.width > width:
            lines[-1].add(BETWEEN.rstrip(), palette.faint)
            lines.append(Line().to(min(first.width, width // 4)))
        elif place:
            lines[-1].add(BETWEEN, palette.faint)
        lines[-1].put(station)
    return lines


def standing_words(standing: Standing, palette: Palette, *, short: bool = False) -> Line:
    """Return what "done" is worth, loud where it is claimed and not proven; nothing for an open task."""
    if standing is Standing.OPEN:
        return Line()
    symbol, style = words.STANDINGS[standing]
    told = f"{symbol} {standing.value}"
    if standing is Standing.DOUBTED and not short:
        told += " not proven"
    return Line().add(told, palette.named(style))


def _draw(
    tier: int | None,
    stage: Stage,
    spent: dict[Stage, StageTime],
    rounds: int,
    standing: Standing,
    palette: Palette,
    measure: _Measure,
) -> Line:
    line, *stations = _pieces(tier, stage, spent, rounds, standing, palette, measure)
    for place, station in enumerate(stations):
        if place:
            line.add(BETWEEN if measure.names == "long" else " ", palette.faint)
        line.put(station)
    return line


def _pieces(
    tier: int | None,
    stage: Stage,
    spent: dict[Stage, StageTime],
    rounds: int,
    standing: Standing,
    palette: Palette,
    measure: _Measure,
) -> list[Line]:
    """Return what stands before the stations, and the stations."""
    long = measure.names in ("long", "tight")
    head = standing_words(standing, palette, short=not long)
    head.add("  " if head.width else "")
    told = "no tier" if tier is None else f"tier {tier}" if long else f"T{tier}"
    head.add(told, palette.dim).add("  " if long else " ")
    pipeline = words.PIPELINES.get(tier or 0, ())
    here = pipeline.index(stage) if stage in pipeline else None
    stations = [
        _station(station, place, here, spent, palette, measure, closed=stage is Stage.CLOSED)
        for place, station in enumerate(pipeline)
    ]
    if here is None:
        # Off the pipeline: behind its last station.
        last = stations.pop().add("  ") if stations else Line()
        closed = stage is Stage.CLOSED
        mark = "◆" if stage is Stage.CONSULT else "✓" if closed else "●"
        last.add(f"{mark} {stage.value}", palette.ok if closed else palette.accent)
        if not closed:
            _spent(last, spent.get(stage), palette, measure, current=True)
        stations.append(last)
    if measure.rounds and rounds:
        stations[-1].add(f"  round {rounds + 1}", palette.warn)
    return [head, *stations]


def _station(
    station: Stage,
    place: int,
    here: int | None,
    spent: dict[Stage, StageTime],
    palette: Palette,
    measure: _Measure,
    *,
    closed: bool,
) -> Line:
    current = place == here
    stay = spent.get(station)
    done = (here is not None and place < here) or (closed and stay is not None)
    ahead = palette.faint if here is None else palette.dim
    mark, style = ("●", palette.accent) if current else ("✓", palette.ok) if done else ("○", ahead)
    name = station.value
    if not current and measure.names not in ("long", "tight"):
        name = words.SHORT_STAGES.get(station, station.value) if measure.names == "short" else ""
    line = Line().add(f"{mark} {name}".rstrip(), style)
    # Also where it is still to come: the work has been there, and was sent back.
    _spent(line, stay, palette, measure, current=current)
    return line


def _spent(line: Line, stay: StageTime | None, palette: Palette, measure: _Measure, *, current: bool) -> None:
    if stay is None or measure.times == "none" or (measure.times == "current" and not current):
        return
    if stay.seconds >= SHOWN_FROM_S:
        line.add(f" {words.age(stay.seconds)}", palette.text if current else palette.dim)
    if stay.visits > 1:
        line.add(f" {TIMES}{stay.visits}", palette.warn)
