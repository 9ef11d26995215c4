"""Budgets in values: what was spent of them, and what is held because of one."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType

from msgspec import Struct, field

TEAM = "team"
"""The scope of the whole team. Every other scope is a role, whose name is in upper case."""

_NO_MODELS: Mapping[str, int] = MappingProxyType({})


class Level(StrEnum):
    """How much of its day's budget a scope has spent."""

    FINE = "fine"
    SOFT = "soft"
    """The soft part is spent: an alert."""
    HARD = "hard"
    """All of it is spent: a stop."""


class Cause(StrEnum):
    """Why an agent's spending is stopped."""

    BUDGET = "budget"
    UNCHECKED = "unchecked"
    """What it spent could not be stored or checked."""
    RUNAWAY = "runaway"
    PERSON = "person"


class Step(StrEnum):
    """The steps of a hard stop, in order."""

    GATE = "gate"
    """Its hooks refuse every tool call and every new prompt."""
    POKES = "pokes"
    """No line is typed for it any more."""
    INTERRUPT = "interrupt"
    """Its client is interrupted by its own key."""
    END = "end"
    """Its process is ended, and its session closed."""


class BudgetHold(Struct, frozen=True, kw_only=True):
    """Spending is stopped until a person lifts that. ``scope`` and ``wall`` are its identity."""

    scope: str
    """A role, or ``TEAM``."""
    wall: float
    """When it began, Unix seconds."""
    cause: Cause
    why: str
    """One line: "$5.02 of $5.00 spent on 2026-03-28 (Europe/Berlin)"."""
    day: str
    """ISO date of the day on which it began, in the budgets' timezone."""
    limit_usd: Decimal | None = None
    """The day's limit then."""
    spent_usd: Decimal | None = None
    """What the check saw that made the hold."""
    lifted_wall: float | None = None
    lifted_by: str = ""
    new_limit_usd: Decimal | None = None

    @property
    def key(self) -> tuple[str, float]:
        """Its identity."""
        return self.scope, self.wall


class StepDone(Struct, frozen=True, kw_only=True):
    """How one step of a hard stop ended."""

    step: Step
    ok: bool
    """It was seen to be done."""
    wall: float
    """When it ended, Unix seconds."""
    message: str


class Spent(Struct, frozen=True):
    """What was spent. The two spans overlap, and neither holds the other."""

    hour: Decimal = Decimal(0)
    """USD of the last 60 minutes."""
    day: Decimal = Decimal(0)
    """USD since the day began."""
    unpriced: Mapping[str, int] = _NO_MODELS
    """Model → tokens of today that have no known price: in neither sum."""

    def __add__(self, other: Spent) -> Spent:
        models = dict(self.unpriced)
        for model, tokens in other.unpriced.items():
            models[model] = models.get(model, 0) + tokens
        return Spent(self.hour + other.hour, self.day + other.day, models)


class BudgetLine(Struct, frozen=True, kw_only=True):
    """One budget as a person sees it."""

    scope: str
    spent: Spent
    hour_limit_usd: Decimal | None
    day_limit_usd: Decimal | None
    """As in force today: a limit that a person has lifted stands for the configured one."""
    lifted: bool
    percent: int | None
    """Of the day's limit, rounded down; ``None`` without one."""
    level: Level
    over_hour: bool
    hold: BudgetHold | None = None
    steps: Mapping[str, tuple[StepDone, ...]] = field(default_factory=lambda: MappingProxyType({}))
    """Role → the steps of its stop that were done under this hold."""
