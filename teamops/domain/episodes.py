"""What was amiss, from when to when, and who mended it: alerts' edges as episodes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from teamops.model.alert import AlertState
from teamops.model.day_facts import AlertEdge, Done
from teamops.model.day_report import Ending, Episode

ONLY_A_PERSON = frozenset({
    "human-turn", "agent-needs-you", "forged-sign-off", "agent-given-up", "budget-hard", "budget-unchecked",
})  # fmt: skip
"""What nobody but a person can end."""
_MENDS = frozenset({"poke", "restart", "start", "stop", "approval", "lift"})


def episodes(
    edges: Iterable[AlertEdge], done: Sequence[Done], remedies: Mapping[tuple[str, str], str], until: float
) -> tuple[Episode, ...]:
    """Return each time that an alert fired, oldest first. ``edges``: oldest first, ``done``: what may have mended it.

    One that lasts at ``until`` needs a person; what came after that is not looked at.
    """
    open_: dict[tuple[str, str], AlertEdge] = {}
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
    lasting = [_episode(begun, None, Ending.OPEN, remedies.get(key, "")) for key, begun in open_.items()]
    return tuple(sorted((*found, *lasting), key=lambda one: one.since_wall))


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
