"""What a believable team cost in thirty days: weekdays dear, weekends cheap, a day that leads over its budget."""

from __future__ import annotations

from decimal import Decimal

from teamops.model.cost_report import Burn, CostReport, Period, Share, Verdict
from teamops.model.snapshot import Snapshot
from teamops.model.spend import Spend
from teamops.model.usage import Tokens
from teamops.tui.believable_agent import believable_agent_report

DAY_S, HOUR_S = 86_400.0, 3600.0
LIMIT_USD = Decimal(40)
_DAYS = (
    0, 0, 0, 4, 9, 14, 12, 8, 3, 0, 11, 17, 16, 21, 19, 2, 0, 14, 22, 25, 18, 24, 5, 1, 16, 29, 31, 24, 27, 19,
)  # fmt: skip
_HOURS = (0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 2, 1, 3, 4, 3)


def spend(usd: str | float, share: Decimal = Decimal(1), unpriced: int = 0) -> Spend:
    """Return a sum that cost so much."""
    cost = (Decimal(str(usd)) * share).quantize(Decimal("0.0001"))
    many = int(cost * 1000)
    tokens = Tokens(many * 3 + unpriced, many * 2, many * 4, many, many * 90)
    return Spend(int(cost * 9) + bool(unpriced), tokens, cost, unpriced)


def believable_cost_report(snapshot: Snapshot) -> CostReport:
    """Return what the team of ``snapshot`` cost."""
    wall = snapshot.stamp.wall
    began = wall - (len(_HOURS) - 1) * HOUR_S - 1800
    today, week, month = (spend(sum(_DAYS[-number:])) for number in (1, 7, 30))
    roles = [agent.role for agent in snapshot.agents]
    tasks = [*(task.task for task in snapshot.tasks if task.task), None]

    def share(name: str | None, part: Decimal, unpriced: int = 0) -> Share:
        return Share(name, *(spend(str(one.cost_usd), part, unpriced) for one in (today, week, month)))

    spikes = [one for role in roles for one in believable_agent_report(snapshot, role).spikes]
    return CostReport(
        wall=wall,
        timezone="Europe/Berlin",
        day_since_wall=began,
        day_until_wall=began + DAY_S,
        today=today,
        week=week,
        month=month,
        burn=Burn(
            hour_usd=Decimal("3.40"),
            day_usd=Decimal("1.31"),
            forecast_usd=Decimal("51.30"),
            limit_usd=LIMIT_USD,
            verdict=Verdict.OVER,
            spent_by_wall=wall + 6.18 * HOUR_S,
        ),
        agents=tuple(share(role, _part(place, len(roles))) for place, role in enumerate(roles)),
        models=(
            share("claude-opus-4-5-20251101", Decimal("0.7")),
            share("gpt-5.2-codex", Decimal("0.3")),
            share("house-model", Decimal(0), unpriced=48_000),
        ),
        tasks=tuple(share(name, _part(place, len(tasks))) for place, name in enumerate(tasks)),
        hours=tuple(
            Period(began + HOUR_S * place, began + HOUR_S * (place + 1), spend(usd)) for place, usd in enumerate(_HOURS)
        ),
        days=tuple(
            Period(began - DAY_S * (29 - place), began - DAY_S * (28 - place), spend(usd))
            for place, usd in enumerate(_DAYS)
        ),
        spikes=tuple(sorted(spikes, key=lambda one: -one.began_wall)),
    )


def _part(place: int, of: int) -> Decimal:
    """Return the part of one of many: each smaller than the one before, together all."""
    return Decimal(2 * (of - place)) / Decimal(of * (of + 1))
