"""What was amiss, from when to when, and who mended it: alerts' edges as episodes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from teamops.domain.alert_rules import RULES, rule_of
from teamops.domain.alerts import hide
from teamops.model.alert import Alert, AlertRule, AlertState
from teamops.model.day_facts import AlertEdge, Done, LastWord
from teamops.model.day_report import Ending, Episode

Key = tuple[str, str]
"""Code and subject: the identity of an alert's cause."""
ONLY_A_PERSON = frozenset({
    "human-turn", "agent-needs-you", "forged-sign-off", "agent-given-up", "budget-hard", "budget-unchecked",
})  # fmt: skip
"""What nobody but a person can end."""
_MENDS = frozenset({"poke", "restart", "start", "stop", "approval", "lift"})


def episodes(
    edges: Iterable[AlertEdge],
    done: Sequence[Done],
    last_words: Mapping[Key, LastWord],
    until: float,
    rules: Mapping[str, AlertRule] = RULES,
) -> tuple[Episode, ...]:
    """Return each time that an alert fired, oldest first. ``edges``: oldest first, ``done``: what may have mended it.

    One that lasts at ``until`` needs a person, unless it is hidden behind another one by then, as everywhere; what came
    after that is not looked at.
    """
    open_: dict[Key, AlertEdge] = {}
    found: list[Episode] = []
    for edge in edges:
        key = (edge.code, edge.subject)
        if edge.wall >= until:
            continue
        if edge.state is not AlertState.RESOLVED:
            open_.setdefault(key, edge)
        elif key in open_:
            begun = open_.pop(key)
            found.append(_episode(begun, edge.wall, _ending(begun, edge.wall, done)))
    lasting = [
        _episode(open_[alert.key], None, Ending.HIDDEN if alert.hidden_by else Ending.OPEN, alert.do)
        for alert in _standing(open_, last_words, rules)
    ]
    return tuple(sorted((*found, *lasting), key=lambda one: one.since_wall))


def _standing(
    open_: Mapping[Key, AlertEdge], last_words: Mapping[Key, LastWord], rules: Mapping[str, AlertRule]
) -> Iterable[Alert]:
    """Return the alerts that stand, each of them hidden or not."""
    standing = {}
    for key, edge in open_.items():
        said = last_words.get(key, LastWord("", edge.severity, rule_of(edge.code, rules).page))
        standing[key] = Alert(
            code=edge.code,
            subject=edge.subject,
            severity=said.severity,
            state=AlertState.FIRING,
            message=edge.message,
            do=said.do,
            agent=edge.agent,
            since_wall=edge.wall,
            changed_wall=edge.wall,
            notify=said.notify,
        )
    hide(standing, rules)
    return standing.values()


def _ending(begun: AlertEdge, ended: float, done: Sequence[Done]) -> Ending:
    """Return who ended it: whoever acted on its agent while it lasted, a person before a rule."""
    if begun.code in ONLY_A_PERSON:
        return Ending.BY_PERSON
    mends = [one for one in done if one.kind in _MENDS and one.role is not None and one.role == begun.agent]
    near = [one for one in mends if begun.wall <= one.wall <= ended]
    if any(one.by_person for one in near):
        return Ending.BY_PERSON
    return Ending.BY_TEAMOPS if near else Ending.BY_ITSELF


def _episode(begun: AlertEdge, ended: float | None, ending: Ending, do: str = "") -> Episode:
    return Episode(
        code=begun.code,
        subject=begun.subject,
        agent=begun.agent,
        severity=begun.severity,
        message=begun.message,
        since_wall=begun.wall,
        until_wall=ended,
        ending=ending,
        do=do,
    )
