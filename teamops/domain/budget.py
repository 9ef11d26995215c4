"""The budget rule: limits and sums → verdicts. Money is exact, days have the length that their timezone gives them.

A lifted limit stands for the day on which a person lifted it; from the next day on the configured one is in force.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta, tzinfo
from decimal import Decimal
from types import MappingProxyType

from msgspec import Struct, field

from teamops.domain.days import local, midnight
from teamops.model.budget import TEAM, BudgetLine, Level, Spent

HOUR_S = 3600.0
_NOTHING = Spent()


class BudgetRule(Struct, frozen=True, kw_only=True):
    """The limits of one agent, or of the team. ``None`` = there is none."""

    hour_usd: Decimal | None = None
    """More than this within 60 minutes is worth an alert."""
    day_usd: Decimal | None = None
    """All of this spent on one day: a stop."""
    soft_percent: int = 80
    """So much of ``day_usd`` spent is worth an alert."""

    @property
    def limits(self) -> bool:
        """It limits anything at all."""
        return self.hour_usd is not None or self.day_usd is not None


_NO_RULES: Mapping[str, BudgetRule] = MappingProxyType({})


class Budgets(Struct, frozen=True, kw_only=True):
    """All limits of a project."""

    team: BudgetRule = field(default_factory=BudgetRule)
    roles: Mapping[str, BudgetRule] = field(default_factory=lambda: _NO_RULES)
    timezone: str = ""
    """IANA name of the zone whose days count; empty = the system's own."""

    @property
    def limits(self) -> bool:
        """Anything is limited."""
        return self.team.limits or any(rule.limits for rule in self.roles.values())

    def of(self, scope: str) -> BudgetRule:
        """Return the rule of a role or of the team."""
        return self.team if scope == TEAM else self.roles.get(scope, _UNLIMITED)

    def stops(self, role: str) -> bool:
        """Return whether a limit could stop that role: its own, or the team's."""
        return self.team.day_usd is not None or self.of(role).day_usd is not None

    @property
    def scopes(self) -> tuple[str, ...]:
        """Return what may have a budget: the team, then each role."""
        return (TEAM, *self.roles)

    # days

    def day_of(self, wall: float) -> str:
        """Return the ISO date of the day in which ``wall`` (Unix seconds) lies."""
        return local(wall, self.zone).date().isoformat()

    def day_begins(self, wall: float) -> float:
        """Return when the day of ``wall`` began, Unix seconds."""
        return midnight(local(wall, self.zone).date(), self.zone)

    def day_ends(self, wall: float) -> float:
        """Return when the day of ``wall`` ends, Unix seconds."""
        return midnight(local(wall, self.zone).date() + timedelta(days=1), self.zone)

    @property
    def zone(self) -> tzinfo | None:
        """Return the timezone; ``None`` = the system's."""
        if not self.timezone:
            return None
        from zoneinfo import ZoneInfo

        return ZoneInfo(self.timezone)

    @property
    def zone_name(self) -> str:
        """Return the timezone for a person."""
        return self.timezone or "local time"


_UNLIMITED = BudgetRule()


# verdicts


def lines(budgets: Budgets, spent: Mapping[str, Spent], lifted: Mapping[str, Decimal]) -> tuple[BudgetLine, ...]:
    """Return how each budget stands, the team's first. ``spent``: by role; ``lifted``: today's new limits by scope."""
    known = {**dict.fromkeys(budgets.roles, _NOTHING), **spent}
    return (
        line_of(TEAM, budgets.team, total(known.values()), lifted.get(TEAM)),
        *(line_of(role, budgets.of(role), sums, lifted.get(role)) for role, sums in known.items()),
    )


def total(parts: Iterable[Spent]) -> Spent:
    """Return the sum of what several agents spent."""
    return sum(parts, start=_NOTHING)


def line_of(scope: str, rule: BudgetRule, spent: Spent, lifted: Decimal | None) -> BudgetLine:
    """Return how one budget stands. ``lifted``: the limit that a person has given for today."""
    limit = rule.day_usd
    if limit is not None and lifted is not None:
        limit = max(limit, lifted)
    level, percent = Level.FINE, None
    if limit is not None:
        percent = int(spent.day * 100 / limit)
        if spent.day >= limit:
            level = Level.HARD
        elif spent.day * 100 >= limit * rule.soft_percent:
            level = Level.SOFT
    return BudgetLine(
        scope=scope,
        spent=spent,
        hour_limit_usd=rule.hour_usd,
        day_limit_usd=limit,
        lifted=limit is not None and limit != rule.day_usd,
        percent=percent,
        level=level,
        over_hour=rule.hour_usd is not None and spent.hour > rule.hour_usd,
    )


def hold_words(line: BudgetLine, day: str, zone: str) -> str:
    """Return why a budget that is spent stops its agents."""
    whose = "the team's budget: " if line.scope == TEAM else ""
    return f"{whose}{usd(line.spent.day)} of {usd(line.day_limit_usd)} spent on {day} ({zone})"


def usd(amount: Decimal | None) -> str:
    """Return dollars for a person: cents, and as many places more as a small amount needs."""
    if amount is None:
        return "no limit"
    if amount and abs(amount) < Decimal("0.1"):
        return f"${amount.quantize(Decimal('0.0001')):f}"
    return f"${amount:.2f}"
