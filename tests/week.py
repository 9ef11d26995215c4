"""A simulated week of six agents, told to a real ledger; what was told is kept beside it, to be counted one by one."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

from msgspec import structs

from teamops.domain.spend_by_light import Held, Lights
from teamops.handoff.write import render_block
from teamops.ledger import boundaries
from teamops.ledger.audit import NewBlock
from teamops.ledger.connection import writing
from teamops.ledger.store import Ledger, open_ledger
from teamops.model.actions import Action, By, Outcome, Poke, Restart
from teamops.model.agent import Beat
from teamops.model.agent_report import RestartRecord, SpikeRecord
from teamops.model.alert import Alert, AlertState
from teamops.model.boundary import ChangeKind, Decision, Verdict, Violation
from teamops.model.budget import BudgetHold, Cause
from teamops.model.clock import Stamp
from teamops.model.events import BeatsSeen
from teamops.model.handoff import Severity
from teamops.model.role import AGENT_ROLES, CODER, DIRECTOR, HUMAN, NONE, REVIEWER, Role
from teamops.model.tail import Position
from teamops.model.usage import Tokens, Usage
from teamops.supervisor.costing import Known

ZONE = ZoneInfo("Europe/Berlin")
LAST = date(2026, 3, 29)
"""The clocks are put forward on it: it has 23 hours."""
DAYS = tuple(LAST - timedelta(days=back) for back in range(6, -1, -1))
BEFORE = tuple(DAYS[0] - timedelta(days=back) for back in range(7, 0, -1))
STEP = 5
"""All that has a length begins and ends at such seconds: so it can be counted step by step."""
GATES = "runs=pass (pytest: 9 passed); correct=pass (read it); complete=pass (docs, tests)"
_STATES = ("working", "idle", "working", "waiting", "errored", "runaway")
_ILL = ("dead", "silent", "zombie", "given up", "backing off", "held", "suspended", "unknown")

TIER_2 = ((DIRECTOR, CODER, "implement"), (CODER, DIRECTOR, "verify"), (DIRECTOR, NONE, "closed"))
TIER_3 = (
    (DIRECTOR, REVIEWER, "design-review"), (REVIEWER, DIRECTOR, "design"), (DIRECTOR, REVIEWER, "design-review"),
    (REVIEWER, CODER, "implement"), (CODER, REVIEWER, "code-review"), (REVIEWER, CODER, "implement"),
    (CODER, REVIEWER, "code-review"), (REVIEWER, DIRECTOR, "confirm"), (DIRECTOR, HUMAN, "sign-off"),
    (HUMAN, NONE, "closed"),
)  # fmt: skip
POINTS = {1: 2, 3: 1, 5: 3}
"""How many challenges the blocks of ``TIER_3`` raise, by their place."""
BACK = (1, 5)
"""Those of them that send the work back."""
ANSWERS = {2: 2, 8: 4}


def midnight(day: date) -> float:
    """Return when a day begins."""
    return datetime(day.year, day.month, day.day, tzinfo=ZONE).timestamp()


@dataclass(frozen=True)
class Written:
    """One block, as it was written."""

    wall: float
    task: str
    tier: int
    place: int
    role: Role
    turn: Role
    stage: str
    """To which it brings its task."""


@dataclass
class Week:
    """What was told, in plain lists."""

    path: Path
    seed: int
    dice: Random = field(init=False)
    watched: list[tuple[float, float]] = field(default_factory=list)
    states: list[tuple[float, Role, str]] = field(default_factory=list)
    beats: list[tuple[float, Role]] = field(default_factory=list)
    used: list[tuple[float, Role, Decimal | None, Tokens]] = field(default_factory=list)
    restarts: list[tuple[float, Role, By, bool]] = field(default_factory=list)
    spikes: list[tuple[float, Role, Decimal]] = field(default_factory=list)
    holds: list[tuple[float, str]] = field(default_factory=list)
    alerts: list[tuple[float, float | None, str, Role, str]] = field(default_factory=list)
    """From, until, code, agent, how it ended."""
    calls: list[tuple[float, Role, Verdict]] = field(default_factory=list)
    violations: list[float] = field(default_factory=list)
    blocks: list[Written] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.dice = Random(self.seed)  # noqa: S311 - a simulation
        self.since, self.until = midnight(DAYS[0]), midnight(LAST + timedelta(days=1))
        ledger = open_ledger(self.path)
        try:
            self._tell(ledger)
        finally:
            ledger.close()

    @property
    def known(self) -> Known:
        """Who held which light."""
        return Known(Lights(self.held), {}, (0, 0))

    def _moment(self, since: float | None = None, until: float | None = None) -> float:
        first = int((self.since if since is None else since) // STEP)
        last = int((self.until if until is None else until) // STEP) - 1
        return float(self.dice.randint(first, max(first, last)) * STEP)

    def _tell(self, ledger: Ledger) -> None:
        self._watch(ledger)
        for number, role in enumerate(AGENT_ROLES):
            self._live(ledger, role)
            self._beat(ledger, role)
            self._use(ledger, role, drifts=number == 0, leaps=number == 1)
        for _ in range(14):
            self._restart(ledger)
        for _ in range(9):
            self._run_away(ledger)
            self._block_calls(ledger)
        for _ in range(40):
            self._alert(ledger)
        for place in range(4):
            wall = self._moment()
            self.holds.append((wall, AGENT_ROLES[place]))
            ledger.budgets.hold(
                BudgetHold(scope=AGENT_ROLES[place], wall=wall, cause=Cause.BUDGET, why="spent", day="")
            )
        self._work(ledger)

    def _watch(self, ledger: Ledger) -> None:
        """A supervisor at work, but for some hours of some nights and a whole day."""
        wall = self.since - 3600.0
        while wall < self.until:
            ended = wall + self.dice.randint(3, 40) * 3600 + STEP
            self.watched.append((wall, ended))
            span = ledger.watched.mark(None, wall, wall + 60.0)
            assert ledger.watched.mark(span, wall, ended) == span
            wall = ended + self.dice.choice((0, 600, 7200, 20_000))

    def _live(self, ledger: Ledger, role: Role) -> None:
        wall = self.since - self.dice.randint(0, 9) * 600.0
        while wall < self.until:
            state = self.dice.choice(_ILL if self.dice.random() < 0.12 else _STATES)
            self.states.append((wall, role, state))
            ledger.state_edge(role, state, f"evidence of {state}", wall)
            wall += self.dice.choice((STEP, 60, 600, 1800, 7200, 20_000))

    def _beat(self, ledger: Ledger, role: Role) -> None:
        found = []
        for _ in range(12):
            wall = self._moment()
            for _ in range(self.dice.randint(1, 200)):
                found.append(wall)
                wall += self.dice.choice((5, 55, 60, 60, 60, 180, 240, 300))
        found = [wall for wall in found if wall < self.until]
        self.beats += [(wall, role) for wall in found]
        beats = tuple(Beat(role=role, wall=wall) for wall in found)
        seen = BeatsSeen(Stamp(0.0, self.until), beats, Position(f"/spool/{role}", 1, 1, 100))
        ledger.add_beats(seen)

    def _use(self, ledger: Ledger, role: Role, *, drifts: bool, leaps: bool) -> None:
        rows = []
        for place, day in enumerate((*BEFORE, *DAYS)):
            dearer = 1.1**place if drifts else 3.0 if leaps and day == LAST else 1.0
            for _ in range(self.dice.randint(25, 40)):
                wall = self._moment(midnight(day), midnight(day + timedelta(days=1))) + self.dice.random() * 4
                cost: Decimal | None = Decimal(int(self.dice.lognormvariate(0, 0.2) * dearer * 1e6)) / 10**8
                odd = self.dice.random()
                cost = None if odd < 0.04 else Decimal("12.3456789") if odd < 0.05 else cost
                tokens = Tokens(*(self.dice.randint(0, 900) for _ in range(5)))
                tokens = structs.replace(tokens, cache_write_1h=min(tokens.cache_write, tokens.cache_write_1h))
                self.used.append((wall, role, cost, tokens))
                rows.append((Usage(wall=wall, model=self.dice.choice("mn"), tokens=tokens, client="claude"), cost))
        ledger.add_usage(role, rows, Position(f"/log/{role}", 1, 1, 100))

    def _act(self, ledger: Ledger, action: Action, wall: float, *, ok: bool = True) -> int:
        number = ledger.begin_action(action, wall)
        ledger.finish_action(number, Outcome(ok=ok, message="done" if ok else "refused"), wall + 2)
        return number

    def _restart(self, ledger: Ledger) -> None:
        wall, role, by = self._moment(), self.dice.choice(AGENT_ROLES), self.dice.choice((By.RULE, By.PERSON))
        ok = self.dice.random() < 0.8
        number = self._act(ledger, Restart(role=role, by=by, reason="dead"), wall, ok=ok)
        record = RestartRecord(
            action_id=number, role=role, wall=wall, by=by, cause="dead: exit status 37; 1 of 2", ending="exit 37",
            attempt=1, screen="a screen",
        )  # fmt: skip
        ledger.keeping.add_restart(record)
        self.restarts.append((wall, role, by, ok))

    def _run_away(self, ledger: Ledger) -> None:
        wall, role, cost = self._moment(), self.dice.choice(AGENT_ROLES), Decimal(self.dice.randint(1, 900)) / 100
        ledger.spikes.save(
            SpikeRecord(
                id=0, role=role, began_wall=wall, ended_wall=wall + 60, peak=self.dice.randint(9, 99) * 1000, usual=200,
                threshold=5000, tokens=9, cost_usd=cost, why="too fast", trace=((wall, 9),),
            )
        )  # fmt: skip
        self.spikes.append((wall, role, cost))

    def _block_calls(self, ledger: Ledger) -> None:
        role = self.dice.choice(AGENT_ROLES)
        some = [(self._moment(), self.dice.choice(tuple(Verdict))) for _ in range(5)]
        with writing(ledger._connection, self.path):
            boundaries.add_decisions(
                ledger._connection,
                [
                    Decision(role=role, wall=wall, verdict=verdict, rule="write.deny", about="a.py", why="no")
                    for wall, verdict in some
                ],
            )
        self.calls += [(wall, role, verdict) for wall, verdict in some]
        wall = self._moment()
        ledger.boundaries.add(
            Violation(id=0, wall=wall, path="a.py", change=ChangeKind.CHANGED, roles=(role,), rule="r", why="w")
        )
        self.violations.append(wall)

    def _alert(self, ledger: Ledger) -> None:
        """An alert that fires, and is over by itself, after a rule's act, after a person's, or never."""
        wall, role = self._moment(), self.dice.choice(AGENT_ROLES)
        code = self.dice.choice(("agent-silent", "agent-dead", "handoff-stale", "human-turn"))
        ended = self.dice.choice((None, wall + 300.0, wall + 90_000.0))
        subject = f"{role}#{len(self.alerts)}"
        alert = Alert(
            code=code, subject=subject, severity=Severity.ERROR, state=AlertState.FIRING, message=f"{role} {code}",
            do=f"look at {role}", agent=role, since_wall=wall, changed_wall=wall,
        )  # fmt: skip
        ledger.save_alerts([alert])
        if self.dice.random() < 0.3:
            alert = replace(alert, state=AlertState.ACKED, changed_wall=wall + 60)
            ledger.save_alerts([alert])
        if ended is not None:
            ledger.save_alerts([replace(alert, state=AlertState.RESOLVED, changed_wall=ended)])
        if self.dice.random() < 0.4:
            by = self.dice.choice((By.RULE, By.PERSON))
            self._act(ledger, Poke(role=role, text="go on", by=by), wall + 120, ok=self.dice.random() < 0.8)
        self.alerts.append((wall, ended, code, role, subject))

    # tasks

    def _work(self, ledger: Ledger) -> None:
        for number in range(9):
            tier = self.dice.choice((2, 3))
            wall = self._moment(self.since - 40_000, self.until)
            script = TIER_2 if tier == 2 else TIER_3
            count = self.dice.randint(1, len(script))
            archived = []
            for place, (role, turn, stage) in enumerate(script[:count]):
                written = Written(wall, f"Task-{number}", tier, place, role, turn, stage)
                archived.append(self._write(ledger, written))
                wall += self.dice.choice((300, 3600, 20_000))
                if wall >= self.until:
                    break
            if archived and script[len(archived) - 1][1] == NONE and self.dice.random() < 0.5:
                ledger.audit.archive(archived, min(wall, self.until))

    def _write(self, ledger: Ledger, one: Written) -> str:
        digest = f"{one.task}-{one.place}"
        text = text_of(one)
        ledger.audit.add_blocks(
            [NewBlock(digest=digest, role=one.role, task=one.task, heading=f"[{one.role}]", text=text)], one.wall
        )
        ledger.light_seen(one.task, digest, one.turn, one.wall)
        if self.held and self.held[-1].task == one.task and self.held[-1].until_wall is None:
            self.held[-1] = structs.replace(self.held[-1], until_wall=one.wall)
        if one.turn not in (HUMAN, NONE):
            self.held.append(Held(one.turn, one.wall, None, one.task, digest, len(self.blocks)))
        self.blocks.append(one)
        return digest


def text_of(one: Written) -> str:
    """Return a block as its author wrote it."""
    verdict, sections = None, [("What I Did", "Did it.")]
    review = one.role == REVIEWER
    if one.tier == 3 and review:
        verdict = "changes-requested" if one.place in BACK else "approved"
        points = "\n".join(f"{number}. Why {one.place}-{number}?" for number in range(1, POINTS.get(one.place, 0) + 1))
        sections.append(("Challenges", points or "None: looked for races, found none."))
    if one.place in ANSWERS and one.tier == 3:
        answers = "\n".join(f"{number}. Because." for number in range(1, ANSWERS[one.place] + 1))
        sections.append(("Responses", answers))
    claims = one.role == DIRECTOR and one.turn in (NONE, HUMAN)
    return render_block(
        one.role,
        datetime(2026, 3, 28, 14, one.place),  # noqa: DTZ001 - naive by the protocol
        "signed off" if one.role == HUMAN else "done",
        one.turn,
        one.tier,
        task=one.task,
        gates=GATES if claims else None,
        verdict=verdict,
        sections=[*sections, (f"For {one.turn.capitalize()}", "Go on.")],
    )
