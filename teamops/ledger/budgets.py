"""Budgets in the ledger: checked in the transaction that adds to what was spent; holds, lifted limits, steps of stops.

A check that fails holds: whose spending can't be judged must not go on with it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

from teamops.domain import budget
from teamops.domain.budget import Budgets
from teamops.ledger import spend
from teamops.ledger.connection import reading, writing
from teamops.model.agent import Beat
from teamops.model.budget import BudgetHold, BudgetLine, Cause, Level, Step, StepDone
from teamops.model.errors import TeamopsError
from teamops.model.role import Role
from teamops.model.text import clean_line

_HOLDS = (
    "SELECT scope, wall, cause, why, day, limit_usd, spent_usd, lifted_wall, lifted_by, new_limit_usd FROM budget_hold"
)
LATER_S = 1e-6
"""Two holds of one scope are no closer than this: the moment tells them apart."""


def spends(beat: Beat) -> bool:
    """Return whether a beat tells of money or of calls that cost some."""
    return bool(beat.usages or beat.own_cost_usd)


class BudgetBook:
    """The part of the ledger that keeps budgets. See ``store.Ledger`` for threads, errors and durability."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path
        self._version = 0
        self.rules = Budgets()
        """What is checked; without limits nothing is."""
        self.fresh = False
        """A check has made a hold since this was last set to false."""

    def changed(self) -> bool:
        """Return whether another process wrote to the ledger since the last call; true at the first one."""
        with reading(self._path):
            version = int(self._connection.execute("PRAGMA data_version").fetchone()[0])
        before, self._version = self._version, version
        return before != version

    # the check, inside a transaction

    def check_or_hold(self, roles: Collection[Role], wall: float | None) -> None:
        """Check all budgets as of ``wall`` after ``roles`` spent; where that fails, hold them. ``None``: no check.

        Belongs into the transaction that stored what they spent. Raises what makes that one fail as a whole.
        """
        if wall is None or not roles or not self.rules.limits:
            return
        try:
            self._check(wall)
        except Exception as error:  # noqa: BLE001 - whatever it is: what can't be judged is stopped, and seen
            why = clean_line(f"its budget can't be checked: {type(error).__name__}: {error}", 300)
            for role in sorted(roles):
                if self.rules.stops(role):
                    # Not the day's name: to find it may be what has failed.
                    self._hold(BudgetHold(scope=role, wall=wall, cause=Cause.UNCHECKED, why=why, day=""))

    def _check(self, wall: float) -> None:
        day = self.rules.day_of(wall)
        for line in self._lines(wall):
            if line.level is Level.HARD:
                self._hold(
                    BudgetHold(
                        scope=line.scope,
                        wall=wall,
                        cause=Cause.BUDGET,
                        why=budget.hold_words(line, day, self.rules.zone_name),
                        day=day,
                        limit_usd=line.day_limit_usd,
                        spent_usd=line.spent.day,
                    )
                )

    def _lines(self, wall: float) -> tuple[BudgetLine, ...]:
        rules = self.rules
        spent = spend.spent_since(self._connection, rules.day_begins(wall), wall - budget.HOUR_S)
        return budget.lines(rules, spent, self._lifted(rules.day_of(wall)))

    def _lifted(self, day: str) -> dict[str, Decimal]:
        rows = self._connection.execute("SELECT scope, limit_usd FROM budget_limit WHERE day = ?", (day,))
        return {scope: Decimal(limit) for scope, limit in rows}

    def _hold(self, hold: BudgetHold) -> None:
        """Store a hold, unless its scope is held already."""
        known = self._connection.execute(
            "SELECT max(wall), total(lifted_wall IS NULL) FROM budget_hold WHERE scope = ?", (hold.scope,)
        ).fetchone()
        if known[1]:
            return
        wall = hold.wall if known[0] is None else max(hold.wall, known[0] + LATER_S)
        self._connection.execute(
            "INSERT INTO budget_hold(scope, wall, cause, why, day, limit_usd, spent_usd) VALUES(?, ?, ?, ?, ?, ?, ?)",
            (hold.scope, wall, hold.cause.value, hold.why, hold.day, _text(hold.limit_usd), _text(hold.spent_usd)),
        )
        self.fresh = True

    # how things stand

    def lines(self, wall: float) -> tuple[BudgetLine, ...]:
        """Return how each budget stands at ``wall``, the team's first; without holds and steps."""
        with reading(self._path):
            return self._lines(wall)

    def open_holds(self) -> list[BudgetHold]:
        """Return the holds that nobody has lifted, oldest first."""
        with reading(self._path):
            rows = self._connection.execute(f"{_HOLDS} WHERE lifted_wall IS NULL ORDER BY wall, scope").fetchall()
        return [_hold_of(row) for row in rows]

    def last_holds(self, limit: int) -> list[BudgetHold]:
        """Return the last holds, lifted ones too, newest first."""
        with reading(self._path):
            rows = self._connection.execute(f"{_HOLDS} ORDER BY wall DESC, scope LIMIT ?", (limit,)).fetchall()
        return [_hold_of(row) for row in rows]

    def lifted_after(self, scopes: Collection[str], wall: float) -> bool:
        """Return whether a person lifted a hold of one of ``scopes`` that began at ``wall`` or before, since then."""
        with reading(self._path):
            rows = self._connection.execute(
                "SELECT scope FROM budget_hold WHERE lifted_wall >= ? AND wall <= ?", (wall, wall + LATER_S)
            ).fetchall()
        return any(row[0] in scopes for row in rows)

    def steps(self, hold: BudgetHold) -> dict[str, dict[Step, StepDone]]:
        """Return the steps that were done under a hold, by role."""
        with reading(self._path):
            rows = self._connection.execute(
                "SELECT role, step, wall, ok, message FROM budget_step WHERE scope = ? AND hold_wall = ? ORDER BY wall",
                hold.key,
            ).fetchall()
        found: dict[str, dict[Step, StepDone]] = {}
        for role, step, wall, ok, message in rows:
            found.setdefault(role, {})[Step(step)] = StepDone(step=Step(step), ok=bool(ok), wall=wall, message=message)
        return found

    # writing

    def check_now(self, wall: float) -> None:
        """Check all budgets although nobody spent just now: limits may be new, or the day's sums of an earlier life."""
        with writing(self._connection, self._path):
            self.check_or_hold([Role(role) for role in self.rules.roles], wall)

    def hold(self, hold: BudgetHold) -> None:
        """Store a hold that no check made; one that is open already stands."""
        with writing(self._connection, self._path, durable=True):
            self._hold(hold)

    def step_done(self, hold: BudgetHold, role: Role, done: StepDone) -> None:
        """Store how a step ended; done again, the newer word stands."""
        with writing(self._connection, self._path, durable=True):
            self._connection.execute(
                "INSERT OR REPLACE INTO budget_step(scope, hold_wall, role, step, wall, ok, message)"
                " VALUES(?, ?, ?, ?, ?, ?, ?)",
                (*hold.key, str(role), done.step.value, done.wall, int(done.ok), done.message),
            )

    def lift(self, scope: str, limit: Decimal | None, who: str, wall: float) -> list[BudgetHold]:
        """Lift the holds of a scope and give it a new limit for the day of ``wall``; return the holds.

        Raises ``TeamopsError``, and changes nothing, where ``limit`` is not more than what is spent, or is missing
        where a budget is what holds.
        """
        with writing(self._connection, self._path, durable=True):
            rows = self._connection.execute(f"{_HOLDS} WHERE lifted_wall IS NULL AND scope = ?", (scope,)).fetchall()
            holds = [_hold_of(row) for row in rows]
            self._must_allow(scope, limit, holds, wall)
            if limit is not None:
                self._connection.execute(
                    "INSERT OR REPLACE INTO budget_limit(scope, day, limit_usd, wall, decided_by)"
                    " VALUES(?, ?, ?, ?, ?)",
                    (scope, self.rules.day_of(wall), str(limit), wall, who),
                )
            for hold in holds:
                self._connection.execute(
                    "UPDATE budget_hold SET lifted_wall = ?, lifted_by = ?, new_limit_usd = ?"
                    " WHERE scope = ? AND wall = ?",
                    (max(wall, hold.wall), who, _text(limit), *hold.key),
                )
        self.fresh = True
        return holds

    def _must_allow(self, scope: str, limit: Decimal | None, holds: list[BudgetHold], wall: float) -> None:
        line = next((line for line in self._lines(wall) if line.scope == scope), None)
        in_force = line.day_limit_usd if line is not None else None
        spent = line.spent.day if line is not None else Decimal(0)
        if limit is None:
            if in_force is not None and spent >= in_force:
                raise TeamopsError(
                    f"{scope} has spent {budget.usd(spent)} of {budget.usd(in_force)} today",
                    f"give it a new limit: teamops budget lift {scope} --day-usd N",
                )
            if not holds:
                raise TeamopsError(f"{scope} is not held", "see: teamops budget show")
        elif limit <= spent:
            raise TeamopsError(
                f"{scope} has spent {budget.usd(spent)} today: {budget.usd(limit)} would stop it at once",
                "give it a limit above that",
            )
        elif in_force is None:
            raise TeamopsError(f"{scope} has no budget for a day", "set day_usd in teamops.toml")
        elif limit < in_force and not holds:
            raise TeamopsError(f"{scope} may spend {budget.usd(in_force)} today already", "give it a higher limit")


def _hold_of(row: tuple[object, ...]) -> BudgetHold:
    scope, wall, cause, why, day, limit, spent, lifted, by, new = row
    known = Cause.UNCHECKED  # a cause that only a newer teamops knows holds all the same
    with suppress(ValueError):
        known = Cause(str(cause))
    return BudgetHold(
        scope=str(scope),
        wall=float(str(wall)),
        cause=known,
        why=str(why),
        day=str(day),
        limit_usd=_money(limit),
        spent_usd=_money(spent),
        lifted_wall=None if lifted is None else float(str(lifted)),
        lifted_by=str(by),
        new_limit_usd=_money(new),
    )


def _money(text: object) -> Decimal | None:
    return None if text is None else Decimal(str(text))


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else str(amount)
