"""Reads the facts of a day. See ``recorded``."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

from teamops.domain.replay import EVER, GRAIN_S, Span, Spans, Use, Uses, in_turn, unobserved, violation_at
from teamops.ledger.boundaries import Boundaries
from teamops.ledger.recorded import LightSeen, Money, Recorded, StateSeen
from teamops.ledger.recorded_log import read_log
from teamops.ledger.recorded_trail import read_trail
from teamops.ledger.report_facts import ReportFacts
from teamops.ledger.spent import Source, dollars
from teamops.model.alert import Alert, AlertState, Silence
from teamops.model.boundary import Decision, Verdict, Violation, ViolationState
from teamops.model.budget import BudgetHold, Cause, Step, StepDone
from teamops.model.handoff import Severity
from teamops.model.replay import Mark, MarkKind
from teamops.model.role import NONE, Role
from teamops.model.usage import Tokens

BEFORE_S = 3720.0
"""So much before the day is read of what is shown of the last hour."""
RESOLVED_SHOWN_S = 3600.0
"""A resolved alert stays on the screen for so long."""
VIOLATION_SHOWN_S = 86_400.0
"""So does a change past a boundary that is settled, from when it was made."""
NOT_KEPT = "what to do is not on record: the alert has come again since"


class Day:
    """One reading, inside one transaction."""

    def __init__(self, connection: sqlite3.Connection, path: Path, since_wall: float, until_wall: float) -> None:
        self._connection = connection
        self._path = path
        self._since = since_wall
        self._until = until_wall

    def read(self) -> Recorded:
        """Return all of it."""
        days = ReportFacts(self._connection, self._path)
        first = days.first_watched()
        lights = self._lights()
        refused = self._decisions()
        return Recorded(
            since_wall=self._since,
            until_wall=self._until,
            states=self._states(),
            lights=Spans(in_turn((one.task.lower(), one.wall, one) for one in lights)),
            lit={(one.task.lower(), one.digest, one.role): one.wall for one in lights},
            alerts=self._alerts(),
            log=read_log(self._connection, self._since, self._until),
            money=self._money(),
            beats=self._by_minute("SELECT role, minute, beats FROM beat_minute WHERE minute >= ? AND minute < ?"),
            rss=self._by_minute(
                "SELECT role, minute, max(rss) FROM rss_minute WHERE minute >= ? AND minute < ? GROUP BY role, minute"
            ),
            restarts=self._moments(
                "SELECT role, ended_wall FROM action WHERE kind = 'restart' AND ok = 1 AND ended_wall >= ?"
                " AND ended_wall < ? ORDER BY ended_wall"
            ),
            denied=self._moments(
                "SELECT role, wall FROM decision WHERE verdict = 'deny' AND wall >= ? AND wall < ? ORDER BY wall"
            ),
            refused=Spans(in_turn((one.role, one.wall, one) for one in refused)),
            violations=Spans(self._violations()),
            trail=read_trail(self._connection, self._path, self._since, self._until),
            marks=self._marks(lights),
            gaps=unobserved(sorted(days.watched(self._since - GRAIN_S, self._until)), self._since, self._until, first),
            watched_from=first,
        )

    def _states(self) -> Spans[StateSeen]:
        rows = self._connection.execute(
            "SELECT role, wall, state, evidence FROM state_edge WHERE (wall >= ? AND wall < ?)"
            " OR id IN (SELECT max(id) FROM state_edge WHERE wall < ? GROUP BY role) ORDER BY id",
            (self._since, self._until, self._since),
        )
        return Spans(in_turn((role, wall, StateSeen(Role(role), state, said)) for role, wall, state, said in rows))

    def _lights(self) -> list[LightSeen]:
        rows = self._connection.execute(
            "SELECT task, digest, role, wall FROM light WHERE wall < ? ORDER BY wall", (self._until,)
        )
        return [LightSeen(task, digest, Role(role), wall) for task, digest, role, wall in rows]

    # alerts

    def _alerts(self) -> Spans[Alert]:
        now = {
            (row[0], row[1]): row[2:]
            for row in self._connection.execute(
                "SELECT code, subject, message, do, notify, silenced_wall, silenced_until FROM alert"
            )
        }
        rows = self._connection.execute(
            "SELECT wall, code, subject, severity, state, message, agent FROM alert_edge"
            " WHERE (wall >= ?1 AND wall < ?2)"
            " OR id IN (SELECT max(id) FROM alert_edge WHERE wall < ?1 GROUP BY code, subject)"
            " OR id IN (SELECT max(id) FROM alert_edge WHERE wall < ?1 AND state = 'firing' GROUP BY code, subject)"
            " ORDER BY id",
            (self._since, self._until),
        )
        since: dict[tuple[str, str], float] = {}
        chains: list[tuple[object, float, Alert]] = []
        for wall, code, subject, severity, state, message, agent in rows:
            key = (code, subject)
            if state == AlertState.FIRING.value:
                since[key] = wall
            said, do, notify, silenced, speaks = now.get(key, ("", "", 0, None, None))
            chains.append(
                (
                    key,
                    wall,
                    Alert(
                        code=code,
                        subject=subject,
                        severity=Severity(severity),
                        state=AlertState(state),
                        message=message,
                        do=do if said == message else NOT_KEPT,
                        agent=None if agent is None else Role(agent),
                        since_wall=since.get(key, wall),
                        changed_wall=wall,
                        notify=bool(notify),
                        silence=None if silenced is None else Silence(silenced, speaks),
                    ),
                )
            )
        return Spans(_while_shown(span) for span in in_turn(chains))

    # money

    def _money(self) -> Money:
        uses: dict[str, list[Use]] = {}
        for role, wall, source, model, *counts, responses, pico, cost in self._connection.execute(
            "SELECT r.name, s.wall, s.source, m.name, s.input, s.output, s.cache_write, s.cache_write_1h, s.cache_read,"
            " s.responses, s.pico, s.cost_usd FROM spent s JOIN spent_name r ON r.id = s.role"
            " JOIN spent_name m ON m.id = s.model"
            " WHERE s.role IN (SELECT id FROM spent_name) AND s.wall >= ? AND s.wall < ?",
            (self._since - BEFORE_S, self._until),
        ):
            priced = dollars(pico) if pico is not None else None if cost is None else Decimal(cost)
            logged = source == Source.LOG
            uses.setdefault(role, []).append(Use(wall, Tokens(*counts), priced, model, responses, logged=logged))
        steps: dict[tuple[str, float], list[tuple[str, StepDone]]] = {}
        for scope, held, role, step, wall, ok, message in self._connection.execute(
            "SELECT scope, hold_wall, role, step, wall, ok, message FROM budget_step WHERE wall < ? ORDER BY wall",
            (self._until,),
        ):
            done = StepDone(step=Step(step), ok=bool(ok), wall=wall, message=message)
            steps.setdefault((scope, held), []).append((role, done))
        limits = self._connection.execute(
            "SELECT wall, scope, day, limit_usd FROM budget_limit WHERE wall < ? ORDER BY wall", (self._until,)
        )
        return Money(
            uses={Role(role): Uses(rows) for role, rows in uses.items()},
            holds=Spans(self._holds()),
            steps={key: tuple(done) for key, done in steps.items()},
            limits=Spans(Span(wall, EVER, (scope, day, Decimal(limit))) for wall, scope, day, limit in limits),
        )

    def _holds(self) -> Iterator[Span[BudgetHold]]:
        for scope, wall, cause, why, day, limit, spent, lifted in self._connection.execute(
            "SELECT scope, wall, cause, why, day, limit_usd, spent_usd, lifted_wall FROM budget_hold"
            " WHERE wall < ? AND (lifted_wall IS NULL OR lifted_wall >= ?) ORDER BY wall, scope",
            (self._until, self._since),
        ):
            hold = BudgetHold(
                scope=scope,
                wall=wall,
                cause=Cause(cause),
                why=why,
                day=day,
                limit_usd=None if limit is None else Decimal(limit),
                spent_usd=None if spent is None else Decimal(spent),
            )
            yield Span(wall, EVER if lifted is None else lifted, hold)

    # by minute, by moment

    def _by_minute(self, question: str) -> dict[Role, dict[int, int]]:
        span = (int((self._since - BEFORE_S) // 60), int(self._until // 60) + 1)
        found: dict[Role, dict[int, int]] = {}
        for role, minute, number in self._connection.execute(question, span):
            found.setdefault(Role(role), {})[minute] = number
        return found

    def _moments(self, question: str) -> dict[Role, tuple[float, ...]]:
        found: dict[Role, list[float]] = {}
        for role, wall in self._connection.execute(question, (self._since, self._until)):
            found.setdefault(Role(role), []).append(wall)
        return {role: tuple(walls) for role, walls in found.items()}

    # boundaries

    def _decisions(self) -> list[Decision]:
        """Return the refusals of the day, and the last one of each role before it, each for itself."""
        rows = self._connection.execute(
            "SELECT id, role, wall, verdict, rule, about, why FROM decision WHERE verdict <> 'allow'"
            " AND verdict = 'deny' AND wall < ?2 AND (wall >= ?1 OR id IN (SELECT max(id) FROM decision"
            " WHERE verdict <> 'allow' AND verdict = 'deny' AND wall < ?1 GROUP BY role)) ORDER BY id",
            (self._since, self._until),
        )
        return [
            Decision(
                id=row[0],
                role=Role(row[1]),
                wall=row[2],
                verdict=Verdict(row[3]),
                rule=row[4],
                about=row[5],
                why=row[6],
            )
            for row in rows
        ]

    def _violations(self) -> Iterator[Span[Violation]]:
        for one in Boundaries(self._connection, self._path).touching(self._since - VIOLATION_SHOWN_S, self._until):
            shown = EVER if one.state is ViolationState.OPEN else one.wall + VIOLATION_SHOWN_S
            if one.changed_wall is None:
                yield Span(one.wall, shown, one)
            else:
                yield Span(one.wall, one.changed_wall, violation_at(one, one.wall))
                yield Span(one.changed_wall, shown, one)

    # what is worth stopping at

    def _marks(self, lights: list[LightSeen]) -> tuple[Mark, ...]:
        span = (self._since, self._until)
        marks = [
            Mark(one.wall, MarkKind.TURN, f"has the light of {one.task}" if one.task else "has the light", one.role)
            for one in lights
            if one.role != NONE and self._since <= one.wall < self._until
        ]
        marks += [
            Mark(wall, MarkKind.ALERT, f"{severity}: {message}", None if agent is None else Role(agent))
            for wall, severity, message, agent in self._connection.execute(
                "SELECT wall, severity, message, agent FROM alert_edge"
                " WHERE wall >= ? AND wall < ? AND state = 'firing'"
                " ORDER BY id",
                span,
            )
        ]
        marks += [
            Mark(wall, MarkKind.RESTART, f"restarted: {cause}", Role(role))
            for wall, role, cause in self._connection.execute(
                "SELECT wall, role, cause FROM restart WHERE wall >= ? AND wall < ?", span
            )
        ]
        return tuple(sorted(marks, key=lambda mark: mark.wall))


def _while_shown(span: Span[Alert]) -> Span[Alert]:
    """Return an alert's state for as long as it is shown."""
    if span.value.state is not AlertState.RESOLVED:
        return span
    return Span(span.since, min(span.until, span.since + RESOLVED_SHOWN_S), span.value)
