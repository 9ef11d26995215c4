"""A team in one short segment: for tmux' status line, a shell's prompt, a bar.

It is read many times a minute, each time by a new process, so the supervisor that acts keeps what it needs in a small
file beside the ledger, and this module loads next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from teamops.model.snapshot import LightView, Snapshot
    from teamops.model.unrecorded import Unrecorded

FILE = "segment.json"
WIDTH = 40
OLD_S = 90.0
"""The supervisor writes at least three times as often: what is older says nothing of now, though rounds are told."""
NOBODY = "○ no supervisor"
SIGNS = {"working": "●", "waiting": "◔", "stale": "▲", "human": "◆"}
_WORST = ("stale", "human", "waiting", "working")

Facts = dict[str, Any]


def facts_of(snapshot: Snapshot) -> Facts:
    """Return what a segment says of ``snapshot``, without what changes by the second."""
    from teamops.model.alert import AlertState

    wall = snapshot.stamp.wall
    firing = [alert for alert in snapshot.alerts if alert.state is AlertState.FIRING and not alert.hidden_by]
    light = min(snapshot.lights, key=_rank, default=None)
    return {
        "light": None if light is None else [light.role, light.state.value, light.since_wall],
        "more": max(0, len(snapshot.lights) - 1),
        "alerts": sum(not alert.silenced(wall) for alert in firing),
        "cost": f"{snapshot.cost_today_usd:.2f}" if snapshot.cost_today_usd else "",
        "unpriced": bool(snapshot.unpriced_tokens),
    }


def _rank(light: LightView) -> tuple[int, float]:
    return (_WORST.index(light.state.value), light.since_wall)


def segment(facts: Facts, wall: float, width: int = WIDTH) -> str:
    """Return the segment of ``facts`` as of ``wall``, at most ``width`` characters: "● DEVELOPER 4m ⚠2 $3.10".

    Where it is too long, the money goes first, then the age, then the role's end. Raises ``KeyError``, ``ValueError``
    or ``TypeError`` for what are no facts.
    """
    age = wall - float(facts["at"])
    if age > OLD_S:
        return no_news(age, width)
    light, alerts = facts["light"], int(facts["alerts"])
    who, since = "○ no turn", ""
    if light is not None:
        role, state, began = light
        who = f"{SIGNS[state]} {role}"
        since = age_words(wall - float(began)) + (f" +{int(facts['more'])}" if facts["more"] else "")
    badge = f"⚠{alerts}" if alerts else ""
    cost = f"${facts['cost']}" if facts["cost"] else ""
    cost += ("+?" if cost else "$?") if facts["unpriced"] else ""
    for parts in ((who, since, badge, cost), (who, since, badge), (who, badge)):
        text = " ".join(part for part in parts if part)
        if len(text) <= width:
            return text
    return f"{fitted(who, width - len(badge) - 1)} {badge}" if badge and width > len(badge) + 2 else fitted(who, width)


def no_news(silent_s: float, width: int = WIDTH) -> str:
    """Return the segment of a supervisor that has said nothing for ``silent_s`` seconds."""
    return fitted(f"○ no news {age_words(silent_s)}", width)


def not_written(unrecorded: Unrecorded, wall: float, width: int = WIDTH) -> str:
    """Return the segment of a team whose ledger can't be written: whose turn it is was kept there, too."""
    calling = sum(alert.calling and not alert.silenced(wall) for alert in unrecorded.alerts or ()) + unrecorded.more
    badge = f" ⚠{calling}" if calling else ""
    whole = f"✗ ledger can't be written{badge}"
    return whole if len(whole) <= width else fitted(f"✗ ledger{badge}", width)


def fitted(text: str, width: int) -> str:
    """Return ``text``, at most ``width`` characters of it."""
    return text if len(text) <= width else f"{text[: max(0, width - 1)]}…"[:width]


def age_words(seconds: float) -> str:
    """Return a span in at most four characters or so: "45s", "4m", "3h12", "2d"."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m"
    return f"{whole // 3600}h{whole % 3600 // 60:02d}" if whole < 86400 else f"{whole // 86400}d"


def for_tmux(text: str) -> str:
    """Return ``text`` as tmux' status line shows it: nothing in it is a format or a style."""
    return text.replace("#", "##")
