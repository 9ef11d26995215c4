"""From alerts to pages: who must be told of what, now, and of what in one word.

Everything is a function of the alerts, of what was paged lately and of this moment. An alert that ought to be told and
isn't, for the hour is quiet or the cap is reached, stays as it is, and is told as soon as it may be.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from teamops.domain.alert_rules import RULES, rule_of
from teamops.domain.page_cap import ORDER, WEIGHT, Word, capped, fold, gravest_first, held, room_at
from teamops.domain.secrets import without_secrets
from teamops.model.alert import ANSWERS, Alert, AlertRule, AlertState
from teamops.model.handoff import Severity
from teamops.model.page import Page, Transition

DAY_MIN = 24 * 60
NAMED = 3
"""So many of the alerts of one page are told in full; of the rest, how many there are."""
RESOLVED_S = 600.0
"""What was over for longer is no news."""


@dataclass(frozen=True, slots=True)
class Quiet:
    """The hours of each day in which only what is critical may call. Minutes since midnight; it may span midnight."""

    start: int
    end: int

    def holds(self, minute: int) -> bool:
        """Return whether it is quiet in that minute of the day; the same minute twice is the whole day."""
        if self.start < self.end:
            return self.start <= minute < self.end
        return minute >= self.start or minute < self.end

    def left(self, minute: int) -> int:
        """Return for how many minutes more it is quiet; 0 where it isn't."""
        return ((self.end - minute - 1) % 1440) + 1 if self.holds(minute) else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PagingPolicy:
    """How a person wants to be called. Times in observed seconds."""

    group_wait_s: float = 5.0
    """So long the first page of a group waits for others that belong to it."""
    group_interval_s: float = 30.0
    """… and so long the next page of the same group."""
    escalate_s: float = 600.0
    """Unacknowledged for so long after its first page, or after the last escalation, the next channel is told, too."""
    cap: int = 6
    """At most so many pages within ``cap_window_s``; the last of them is kept for what is critical. What is
    critical and was never told has as many places of its own: what is told again and again takes none of these."""
    cap_window_s: float = 600.0
    quiet: Quiet | None = None
    resolved: bool = False
    """The person is told, too, when a cause they were told of is gone."""


@dataclass(frozen=True, slots=True)
class Moment:
    """Now, in all that counts for paging."""

    now: float
    """Observed seconds."""
    wall: float
    """Unix seconds."""
    minute: int
    """Of the person's day, since midnight."""


@dataclass(frozen=True, slots=True)
class Lately:
    """What was paged before this moment."""

    pages: tuple[float, ...] = ()
    """Observed seconds of each page within the cap's window, oldest first."""
    groups: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    """When each group was last paged."""
    quiet: bool = False
    """It was quiet when last looked."""
    firsts: tuple[float, ...] = ()
    """Those of ``pages`` that were the first word of something critical."""


def unsent(lately: Lately, page: Page, at: Moment) -> Lately:
    """Return what was paged lately, without a page that nobody was sent: it has taken no place of the cap."""
    when = at.now - (at.wall - page.wall)
    nearest = min(lately.pages, key=lambda one: abs(one - when), default=None)
    if nearest is None or abs(nearest - when) >= 1.0:
        return lately
    first = page.transition is Transition.FIRED and page.critical
    firsts = _without(lately.firsts, nearest) if first else lately.firsts
    return replace(lately, pages=_without(lately.pages, nearest), firsts=firsts)


def _without(times: tuple[float, ...], one: float) -> tuple[float, ...]:
    place = times.index(one) if one in times else len(times)
    return times[:place] + times[place + 1 :]


@dataclass(frozen=True, slots=True)
class Decided:
    """What is to be told now."""

    pages: tuple[tuple[Page, int], ...]
    """Each with the place, in the order of channels, from which on it is tried."""
    alerts: tuple[Alert, ...]
    """Those that are told by them, with that noted, and those that the cap holds back now, or does no more: to be
    stored together with the pages."""
    lately: Lately


def decide(
    alerts: Iterable[Alert],
    lately: Lately,
    at: Moment,
    policy: PagingPolicy,
    *,
    project: str,
    channels: int,
    rules: Mapping[str, AlertRule] = RULES,
) -> Decided:
    """Return what the person is to be told at this moment. ``channels``: how many ways to them there are."""
    quiet = policy.quiet is not None and policy.quiet.holds(at.minute)
    if not channels:
        return Decided((), (), replace(lately, quiet=quiet))
    alerts = tuple(alerts)
    tellable = [
        alert
        for alert in alerts
        if alert.notify
        and not alert.hidden_by
        and not alert.silenced(at.wall)
        and (not quiet or alert.severity is Severity.CRITICAL)
    ]
    words = _words(tellable, lately, at, policy, channels, rules)
    over = [word for word in words if word.transition is Transition.RESOLVED]
    words = [word for word in words if word.transition is not Transition.RESOLVED]
    if lately.quiet and not quiet and words:
        words = [fold(words)]
    recent = tuple(one for one in lately.pages if one > at.now - policy.cap_window_s)
    firsts = tuple(one for one in lately.firsts if one > at.now - policy.cap_window_s)
    let_through = capped(words, over, recent, firsts, policy.cap)
    until = None if let_through or not words else room_at(words, recent, firsts, policy.cap, policy.cap_window_s)
    pages, told, groups = [], [], dict(lately.groups)
    for word in let_through:
        page = _page(word, at.wall, project, rules)
        pages.append((page, word.rank))
        told += [_noted(alert, word, page.thread, at) for alert in word.alerts]
        if word.transition is Transition.FIRED:
            groups |= {_group(alert, rules): at.now for alert in word.alerts}
    recent += (at.now,) * len(pages)
    firsts += (at.now,) * sum(word.first for word in let_through)
    done = {alert.key for alert in told}
    waits = set() if until is None else {alert.key for word in words for alert in word.alerts}
    told += held((alert for alert in alerts if alert.key not in done), waits, at.wall - at.now + (until or 0.0))
    return Decided(tuple(pages), tuple(told), Lately(recent, groups, quiet, firsts))


def taken(alerts: Iterable[Alert], page: Page, place: int, at: Moment, *, whole: bool = True) -> tuple[Alert, ...]:
    """Return what becomes of the alerts of ``page``, which the channel at ``place`` of the order has taken.

    From now on an answer is waited for. What went there because those before it failed is told by the next one after
    it, and not by this one twice. ``whole``: all places took it that the channel reaches; else the page goes on to the
    others, and all the same somebody was told, and is told again and by further channels as they would be.
    """
    found = []
    for alert in alerts:
        if is_told_by(alert, page):
            told = replace(alert, escalated=max(place, alert.escalated))
            if alert.asked_wall is None:
                told = replace(told, asked_wall=at.wall, asked=at.now)
                told = replace(told, paged_wall=at.wall, paged=at.now) if whole else told
            found += [told] if told != alert else []
    return tuple(found)


def is_told_by(alert: Alert, page: Page) -> bool:
    """Return whether ``page`` tells of this firing of the alert, and not of an earlier one."""
    return (
        alert.key in page.keys
        and alert.open
        and alert.paged_wall is not None
        and (page.wall >= alert.since_wall or page.wall == alert.paged_wall)  # the clock may have been set back
    )


def _group(alert: Alert, rules: Mapping[str, AlertRule]) -> str:
    return rule_of(alert.code, rules).group or alert.code


def _words(
    alerts: Sequence[Alert],
    lately: Lately,
    at: Moment,
    policy: PagingPolicy,
    channels: int,
    rules: Mapping[str, AlertRule],
) -> list[Word]:
    """Return all that is due, the most urgent first."""
    due: dict[tuple[Transition, str, int], list[Alert]] = {}
    early: list[Alert] = []
    for alert in alerts:
        found = _due(alert, at, policy, channels, rule_of(alert.code, rules))
        if found is None:
            early.append(alert)
        else:
            transition, rank = found
            due.setdefault((transition, _group(alert, rules), rank), []).append(alert)
    soon = replace(at, now=at.now + policy.group_interval_s)
    for alert in early if due else ():
        # What was told a little later than others of its group is told again together with them.
        found = _due(alert, soon, policy, channels, rule_of(alert.code, rules))
        key = ("", "", 0) if found is None else (found[0], _group(alert, rules), found[1])
        if key in due:
            due[key].append(alert)
    words = []
    for (transition, group, rank), members in due.items():
        if transition is Transition.FIRED:
            waited = at.now - min(alert.since for alert in members)
            since = at.now - lately.groups.get(group, -policy.group_interval_s + at.now)
            if waited < policy.group_wait_s or since < policy.group_interval_s:
                continue
        words.append(Word(transition, gravest_first(members), group, rank))
    return sorted(words, key=_urgency)


def _due(
    alert: Alert, at: Moment, policy: PagingPolicy, channels: int, rule: AlertRule
) -> tuple[Transition, int] | None:
    """Return what is to be told of one alert, and from which channel on."""
    if alert.state is AlertState.RESOLVED:
        news = policy.resolved and alert.paged_wall is not None and at.wall - alert.changed_wall < RESOLVED_S
        return (Transition.RESOLVED, 0) if news else None
    if alert.state is not AlertState.FIRING:
        return None
    if alert.paged_wall is None:
        return (Transition.FIRED, 0)
    told = alert.asked_wall is not None  # else its page is still on its way, and goes through all channels anyway
    urgent = told and (rule.escalates or alert.severity is Severity.CRITICAL)
    unsilenced = alert.silence is not None  # one that is here at all is over: they have seen it, and are asked anew
    if urgent and not unsilenced and alert.escalated < channels - 1 and at.now - alert.asked >= policy.escalate_s:
        return (Transition.ESCALATED, alert.escalated + 1)
    repeats = told and rule.repeat_s is not None and at.now - alert.paged >= rule.repeat_s
    if unsilenced or alert.owed or repeats:
        return (Transition.REPEATED, min(alert.escalated, channels - 1))
    return None


def _urgency(word: Word) -> tuple[bool, int, int, float]:
    first = word.alerts[0]
    return (not word.critical, ORDER.index(word.transition), -WEIGHT[first.severity], first.since)


def _noted(alert: Alert, word: Word, thread: str, at: Moment) -> Alert:
    """Return an alert that is told by ``word``. Its wait for an answer begins when a channel has taken that."""
    over = alert.state is AlertState.RESOLVED
    anew = over or alert.silence is not None
    goes_on = alert.asked_wall is None or word.rank <= alert.escalated
    return replace(
        alert,
        paged_wall=None if over else at.wall,
        paged=at.now,
        asked_wall=None if anew else alert.asked_wall if goes_on else at.wall,
        asked=alert.asked if goes_on else at.now,
        thread=thread,
        escalated=max(alert.escalated, word.rank),
        silence=None,
        owed=False,
        held_wall=None,
    )


def _page(word: Word, wall: float, project: str, rules: Mapping[str, AlertRule]) -> Page:
    first = word.alerts[0]
    threads = {alert.thread for alert in word.alerts}
    thread = threads.pop() if len(threads) == 1 else ""
    agents = {alert.agent for alert in word.alerts}
    alone = len(word.alerts) == 1
    buttons = rule_of(first.code, rules).buttons if alone else ANSWERS
    return Page(
        id=_identity(word, wall),
        transition=word.transition,
        keys=tuple(alert.key for alert in word.alerts),
        thread=thread or f"{first.code} {first.subject}",
        severity=first.severity,
        project=project,
        title=without_secrets(_title(word, project)),  # stored and shown in many places
        body=without_secrets(_body(word)),
        do="" if word.transition is Transition.RESOLVED else without_secrets(first.do),
        role=agents.pop() if len(agents) == 1 else None,
        buttons=() if word.transition is Transition.RESOLVED else buttons,
        wall=wall,
    )


def _identity(word: Word, wall: float) -> str:
    told = "\n".join(f"{alert.code} {alert.subject} {alert.since_wall!r} {alert.escalated}" for alert in word.alerts)
    return hashlib.sha256(f"{wall!r} {word.transition} {word.rank}\n{told}".encode(errors="replace")).hexdigest()[:16]


_SAID = {
    Transition.FIRED: "",
    Transition.ESCALATED: "nobody has acknowledged: ",
    Transition.REPEATED: "still: ",
    Transition.RESOLVED: "over: ",
}


def _title(word: Word, project: str) -> str:
    codes = list(dict.fromkeys(alert.code for alert in word.alerts))
    count = len(word.alerts)
    if count == 1:
        what = codes[0]
    elif len(codes) == 1:
        what = f"{codes[0]} ({count})"
    else:
        what = f"{codes[0]} and {count - 1} more"
    return f"{project}: {_SAID[word.transition]}{what}"


def _body(word: Word) -> str:
    lines = [f"{alert.message}." for alert in word.alerts[:NAMED]]
    more = len(word.alerts) - len(lines)
    if more:
        lines.append(f"and {more} more")
    return "\n".join(lines)
