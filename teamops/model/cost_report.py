"""What a project's agents cost, summed up: by day and hour, agent, model and task; how fast, and where that leads."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from teamops.model.agent_report import SpikeRecord
from teamops.model.spend import Spend


class Verdict(StrEnum):
    """How the forecast stands to the day's budget."""

    NO_BUDGET = "no budget"
    UNKNOWN = "unknown"
    """There is a budget, and too little history for a forecast."""
    WITHIN = "within"
    OVER = "over"
    """It will be spent before the day ends."""
    SPENT = "spent"
    """It is spent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Burn:
    """How fast dollars go, and where that leads by the end of the day. The rule is in ``domain.burn``."""

    hour_usd: Decimal | None
    """$ per hour, over the last hour; ``None``: too little is on record."""
    day_usd: Decimal | None
    """$ per hour, since the day began; ``None`` as above."""
    forecast_usd: Decimal | None
    """What the whole day costs if it goes on as in the last hour; ``None`` as above."""
    limit_usd: Decimal | None
    """The day's budget; ``None``: there is none."""
    verdict: Verdict
    spent_by_wall: float | None = None
    """When the budget will be spent, Unix seconds; ``None``: not today."""

    @property
    def rate_words(self) -> str:
        """Return the rates: "$3.40/h in the last hour, $1.31/h today"."""
        if self.hour_usd is None:
            return "not known: less than 10 minutes are on record"
        today = "" if self.day_usd is None else f", ${self.day_usd:,.2f}/h today"
        return f"${self.hour_usd:,.2f}/h in the last hour{today}"

    @property
    def forecast_words(self) -> str:
        """Return where that leads, without the moment at which a budget will be spent."""
        lead = "no forecast" if self.forecast_usd is None else f"${self.forecast_usd:,.2f} by the day's end"
        limit = "" if self.limit_usd is None else f"the day's budget of ${self.limit_usd:,.2f}"
        match self.verdict:
            case Verdict.NO_BUDGET:
                return f"{lead}; the team has no budget for a day"
            case Verdict.UNKNOWN:
                return f"{lead} against {limit} yet"
            case Verdict.SPENT:
                return f"{lead}; {limit} is spent"
            case _:
                return f"{lead}, {self.verdict} {limit}"


@dataclass(frozen=True, slots=True)
class Share:
    """What one agent, model or task cost."""

    name: str | None
    """Of a model: empty where an agent counted for itself. Of a task: empty where its blocks name none, ``None`` for
    what was used without a light."""
    today: Spend
    week: Spend
    """Of seven days: today and the six before it."""
    month: Spend
    """Of thirty days."""


@dataclass(frozen=True, slots=True)
class Period:
    """What an hour or a day cost."""

    since_wall: float
    """Unix seconds."""
    until_wall: float
    spend: Spend


@dataclass(frozen=True, slots=True, kw_only=True)
class CostReport:
    """Everything that is told of what the project's agents cost."""

    wall: float
    """When it was asked for, Unix seconds."""
    timezone: str
    """IANA name of the zone whose days these are; empty = the system's."""
    day_since_wall: float
    day_until_wall: float
    today: Spend = field(default_factory=Spend)
    week: Spend = field(default_factory=Spend)
    month: Spend = field(default_factory=Spend)
    burn: Burn
    agents: tuple[Share, ...] = ()
    """The dearest first, of thirty days; so are models and tasks."""
    models: tuple[Share, ...] = ()
    tasks: tuple[Share, ...] = ()
    hours: tuple[Period, ...] = ()
    """The day's hours up to now, oldest first."""
    days: tuple[Period, ...] = ()
    """Thirty days, oldest first, the last one is today."""
    spikes: tuple[SpikeRecord, ...] = ()
    """The last runaways of all agents, newest first."""

    @property
    def zone_words(self) -> str:
        """Return whose days these are."""
        return self.timezone or "local time"

    def local(self, wall: float) -> datetime:
        """Return a moment in the timezone of these days."""
        if not self.timezone:
            return datetime.fromtimestamp(wall).astimezone()
        from zoneinfo import ZoneInfo

        return datetime.fromtimestamp(wall, ZoneInfo(self.timezone))
