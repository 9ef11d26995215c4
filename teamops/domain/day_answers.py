"""The five questions about an agent's day, and their answers in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import tzinfo
from decimal import Decimal

from teamops.domain.days import local
from teamops.domain.span import span_words
from teamops.model.actions import By
from teamops.model.day_report import AgentDay, Answer, Course, CycleDrift, Ending, Episode, Presence, Stay

ALIVE = "Alive the whole time?"
RESTARTS = "Restarts, and why?"
COST = "Cost per cycle as usual?"
EVENTS = "Loops or cooldowns?"
MENDED = "What recovered, what needs you?"
LEAST_S = 1.0
"""A shorter time in which it was not there, or nobody looked, is between two looks: not worth a word."""
_NAMED = 3
"""So many of a kind are named, the rest is counted."""
_OFF = (Course.DEARER, Course.CHEAPER)


def answered(day: AgentDay, zone: tzinfo | None, *, whole: float) -> AgentDay:
    """Return an agent's part with its answers. ``whole``: seconds of the report's time; ``zone``: see ``days``."""
    answers = (alive(day, zone, whole), restarts(day), cost(day.cycle), events(day), mended(day.episodes))
    return replace(day, answers=answers)


def alive(day: AgentDay, zone: tzinfo | None, whole: float) -> Answer:
    """Return whether it lived the whole time, and which gaps there were."""
    lived, unseen = day.seconds(Presence.ALIVE), day.seconds(Presence.UNSEEN)
    if whole <= 0 or unseen >= whole:
        return Answer(ALIVE, None, "nobody knows: teamops was not running, or its record is cleared away")
    if day.seconds(Presence.OFF) + unseen >= whole:
        return Answer(ALIVE, None, "it was not there")
    gaps = [_gap(day, presence, zone) for presence in (Presence.DOWN, Presence.UNWELL, Presence.HELD)]
    rest = [f"{presence} {span_words(day.seconds(presence))}" for presence in (Presence.OFF, Presence.UNSEEN)
            if day.seconds(presence) >= LEAST_S]  # fmt: skip
    amiss = [gap for gap in gaps if gap]
    if not amiss and not rest:
        return Answer(ALIVE, good=True, words=f"yes, all {span_words(whole)}")
    lead = "no: " if amiss else "as far as is known: " if unseen >= LEAST_S else "while it was there: "
    said = "; ".join((f"alive {span_words(lived)} of {span_words(whole)}", *amiss, *rest))
    return Answer(ALIVE, good=not amiss, words=lead + said)


def _gap(day: AgentDay, presence: Presence, zone: tzinfo | None) -> str:
    found = [stay for stay in day.stays if stay.presence is presence]
    if not found:
        return ""
    longest = max(found, key=lambda stay: stay.seconds)
    seconds = day.seconds(presence)
    said = f"{presence} {span_words(seconds) if seconds >= LEAST_S else 'less than 1 s'}"
    if len(found) > 1:
        said += f" in {len(found)} gaps, the longest"
    return f"{said} from {_clock(longest, zone)}"


def _clock(stay: Stay, zone: tzinfo | None) -> str:
    begun, ended = local(stay.since_wall, zone), local(stay.until_wall, zone)
    day = f"{begun:%m-%d} " if begun.date() != ended.date() else ""
    return f"{day}{begun:%H:%M} to {ended:%H:%M}"


def restarts(day: AgentDay) -> Answer:
    """Return how often it was restarted, by whom and why."""
    records = day.restarts
    if not records:
        return Answer(RESTARTS, good=True, words="none")
    by_rule = sum(record.by is By.RULE for record in records)
    who = [f"{count} by {whose}" for count, whose in ((by_rule, "teamops"), (len(records) - by_rule, "you")) if count]
    failed = sum(record.ok is not True for record in records)
    ill = f"; {failed} failed or cut off" if failed else ""
    # Which attempt of how many it was is counted by itself.
    causes = _named(Counter(record.cause.partition("; ")[0] for record in records))
    return Answer(RESTARTS, good=not by_rule and not failed, words=f"{', '.join(who)}: {causes}{ill}")


def cost(cycle: CycleDrift) -> Answer:
    """Return whether a cycle costs what it usually does."""
    if cycle.median_usd is None:
        told = "no cycle with a price" + (f", {cycle.unpriced} without" if cycle.unpriced else "")
        return Answer(COST, None, told)
    said = [f"{_money(cycle.median_usd)} a cycle (median of {cycle.count})"]
    if cycle.course is Course.UNKNOWN or cycle.usual_usd is None:
        said.append("not enough data for a baseline")
    else:
        times = cycle.median_usd / cycle.usual_usd
        said.append(f"{cycle.course}, {times:.1f} times the usual {_money(cycle.usual_usd)}" if cycle.course in _OFF
                    else f"usual is {_money(cycle.usual_usd)}")  # fmt: skip
    if cycle.days_off > 1:
        said.append(f"{cycle.days_off} days off the baseline")
    if cycle.week_ratio is None:
        said.append("not enough data for a drift over 7 days")
    else:
        change = round((cycle.week_ratio - 1) * 100)
        said.append(f"{'drifts ' if cycle.week in _OFF else 'no drift: '}{change:+d} % over 7 days")
    known = cycle.course is not Course.UNKNOWN or cycle.week is not Course.UNKNOWN
    off = cycle.course in _OFF or cycle.week in _OFF or bool(cycle.days_off)
    return Answer(COST, good=not off if known else None, words="; ".join(said))


def events(day: AgentDay) -> Answer:
    """Return what loops and cooldowns there were."""
    counts = (
        (len(day.spikes), "runaway", "runaways"),
        (day.cooldowns, "cooldown", "cooldowns"),
        (day.given_up, "give-up", "give-ups"),
        (day.holds, "stop of its spending", "stops of its spending"),
    )
    told = [f"{count} {one if count == 1 else many}" for count, one, many in counts if count]
    if day.spikes:
        worst = max(day.spikes, key=lambda record: record.peak)
        told.append(f"the worst: {worst.why}, {_money(worst.cost_usd)} in it")
    return Answer(EVENTS, good=not told, words="; ".join(told) or "none")


def mended(found: Sequence[Episode]) -> Answer:
    """Return what recovered by itself, and what needs a person."""
    if not found:
        return Answer(MENDED, good=True, words="nothing was amiss")
    said = [
        f"{ending}: {_named(Counter(one.code for one in found if one.ending is ending))}"
        for ending in (Ending.BY_ITSELF, Ending.BY_TEAMOPS, Ending.BY_PERSON)
        if any(one.ending is ending for one in found)
    ]
    lasting = [one for one in found if one.ending is Ending.OPEN]
    said += [f"needs you: {one.message}{f' → {one.do}' if one.do else ''}" for one in lasting[:_NAMED]]
    if len(lasting) > _NAMED:
        said.append(f"and {len(lasting) - _NAMED} more")
    if hidden := Counter(one.code for one in found if one.ending is Ending.HIDDEN):
        said.append(f"the consequence of something else: {_named(hidden)}")
    return Answer(MENDED, good=not lasting and not hidden, words="; ".join(said))


def _named(counts: Counter[str]) -> str:
    """Return the most frequent of some, each with its count."""
    common = counts.most_common(_NAMED)
    left = sum(counts.values()) - sum(count for _, count in common)
    return ", ".join(_times(common)) + (f" and {left} more" if left else "")


def _times(common: Iterable[tuple[str, int]]) -> list[str]:
    return [what + (f" ({count} times)" if count > 1 else "") for what, count in common]


def _money(usd: Decimal) -> str:
    return f"${usd:,.2f}" if usd >= 1 else f"${usd:.4f}" if usd >= Decimal("0.0001") else f"${usd:.2g}"
