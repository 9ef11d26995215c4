"""The usage ledger's groups as pieces of a report: whose they are, and what they cost."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from teamops.domain.spend_by_light import Held, Lights
from teamops.ledger.usage_groups import Split, UsageGroup
from teamops.ledger.usage_store import UsageStore
from teamops.model.role import Role
from teamops.model.usage import Tokens, Usage
from teamops.report.usage import UNASSIGNED, Piece
from teamops.usage.price_list import PriceList

if TYPE_CHECKING:
    from teamops.config.settings import Settings

NO_TASK = "no task"
"""The task of blocks that name none."""


@dataclass(frozen=True, slots=True)
class Team:
    """What a project knows of its agents' sessions and lights."""

    roles: Mapping[str, Role]
    """By client session."""
    lights: tuple[Held, ...]


def team_of(settings: Settings, state_dir: Path | None) -> Team:
    """Return what the project's ledger, its handoff file and its archives know. Raises ``LedgerError``."""
    from teamops.ledger.peek import sessions_at
    from teamops.supervisor.lease import state_dir_of
    from teamops.supervisor.task_costs import project_lights

    ledger = state_dir_of(settings, state_dir) / "ledger.sqlite3"
    return Team(sessions_at(ledger), project_lights(ledger, settings))


def pieces_of(
    store: UsageStore,
    prices: PriceList,
    by: str,
    span: tuple[float, float],
    zone: tzinfo | None,
    team_of: Callable[[], Team],
) -> list[Piece]:
    """Return what was used within ``span``, in groups as ``by`` says, priced."""
    since, until = span
    tiers = prices.tiers()

    def groups(split: Split) -> list[UsageGroup]:
        return store.groups(since=since, until=until, tiers=tiers, split=split)

    match by:
        case "session":
            return _priced(groups(Split.SESSIONS_ONCE), prices, lambda one: one.session)
        case "agent":
            roles = team_of().roles
            return _priced(groups(Split.SESSIONS), prices, lambda one: roles.get(one.session, UNASSIGNED))
        case "task":
            team = team_of()
            lights = Lights(team.lights)
            own = set(team.roles)
            groups_ = [one for one in groups(Split.SESSIONS) if one.session not in own]
            groups_ += store.groups(since=since, until=until, tiers=tiers, split=Split.RESPONSES, sessions=own)
            return _priced(groups_, prices, lambda one: _task_of(one, team, lights))
        case "day":
            return _priced(groups(Split.NOTHING), prices, _Days(zone).day_of)
        case _:
            return _priced(groups(Split.NOTHING), prices, lambda _: "")


def _priced(groups: Iterable[UsageGroup], prices: PriceList, name: Callable[[UsageGroup], str]) -> list[Piece]:
    """Return the groups with what they cost; those that are priced alike and belong together are one."""
    sums: dict[tuple[str, str, str, str, int, int, bool], tuple[int, Tokens, Decimal]] = {}
    for one in groups:
        said = one.cost_usd is not None
        key = (one.client, one.model, name(one), one.speed, one.context, int(one.wall // 86_400), said)
        entries, tokens, cost = sums.get(key, (0, Tokens(), Decimal(0)))
        sums[key] = (entries + one.entries, tokens + one.tokens, cost + (one.cost_usd or 0))
    pieces = []
    for (client, model, group, speed, context, day, said), (entries, tokens, cost) in sums.items():
        price: Decimal | None = cost
        if not said:
            price = prices.price(
                Usage(wall=day * 86_400.0, model=model, tokens=tokens, client=client, speed=speed, context=context)
            )
        pieces.append(Piece(client, model, group, entries, tokens, price))
    return pieces


class _Days:
    """The day of a moment, in one timezone."""

    def __init__(self, zone: tzinfo | None) -> None:
        self._zone = zone
        self._known: dict[float, str] = {}

    def day_of(self, group: UsageGroup) -> str:
        day = self._known.get(group.wall)
        if day is None:
            day = self._known[group.wall] = datetime.fromtimestamp(group.wall, self._zone).date().isoformat()
        return day


def _task_of(group: UsageGroup, team: Team, lights: Lights) -> str:
    """Return the task under whose light something was used."""
    role = team.roles.get(group.session)
    held = lights.at(role, group.wall) if role is not None else None
    return UNASSIGNED if held is None else held.task or NO_TASK
