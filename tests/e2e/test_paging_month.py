"""A month of six agents in simulated time, with faults at known moments: each pages once, in time, and nothing else.

The rules that find things out have their own tests; here a fault is what they say while it lasts, second by second
where something changes. Alerts and pages go through a real ledger, as they do in the supervisor.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from teamops.domain import alerts as life
from teamops.domain import paging
from teamops.domain.alert_rules import RULES
from teamops.domain.paging import Lately, Moment, PagingPolicy, Quiet
from teamops.ledger.store import Ledger, open_ledger
from teamops.model.alert import Alert, AlertState, Finding
from teamops.model.handoff import Severity
from teamops.model.page import Page, Transition
from teamops.model.role import CODER, DEVELOPER, DIRECTOR, OPTIMIZER, PARTNER, REVIEWER, Role

WALL = 1_775_001_600.0
DAY_S = 86_400
MONTH_S = 30 * DAY_S
TEAM = (DIRECTOR, DEVELOPER, CODER, REVIEWER, OPTIMIZER, PARTNER)
QUIET = Quiet(22 * 60, 7 * 60)
LIMIT_S = 40.0
"""From the moment a cause is there until the person is told, outside of quiet hours: its own time, its group's."""
NEXT_S = 20 * 60.0
"""A person takes so long to deal with a page."""

CALLING = (
    "handoff-stale", "handoff-rewritten", "poke-unproven", "human-turn", "agent-zombie", "agent-given-up", "agent-held",
    "budget-soft", "budget-hard", "agent-runaway", "agent-needs-you", "agent-dead", "handoff-lost",
)  # fmt: skip
SILENT = ("handoff-broken", "handoff-unannounced", "agent-silent", "agent-suspended", "source-troubled")
"""What calls nobody: sown as noise."""
CONSEQUENCES = {
    "agent-dead": ("agent-silent", "handoff-stale"),
    "agent-held": ("handoff-stale",),
    "agent-needs-you": ("handoff-stale", "agent-zombie"),
    "agent-zombie": ("agent-silent", "handoff-stale"),
    "tmux-down": ("agent-dead", "agent-silent"),
}
"""What the rules see besides, because of it."""


@dataclass(frozen=True)
class Fault:
    """A cause: what is seen of it from ``start`` to ``end``, in seconds of the month."""

    start: float
    end: float
    code: str
    role: Role | None
    pages: bool
    number: int
    flaps_s: float = 0.0
    """It is away for so long again and again."""

    @property
    def subject(self) -> str:
        return f"{self.role or 'all'} {self.number}"

    def findings(self, at: float) -> Iterator[Finding]:
        """Yield what the rules see of it."""
        if self.flaps_s and (at - self.start) % (self.flaps_s * 3) > self.flaps_s * 2:
            return
        yield Finding(
            code=self.code, subject=self.subject, message=f"{self.subject}: {self.code}", do="x", agent=self.role
        )
        agents = TEAM if self.role is None else (self.role,)
        for code in CONSEQUENCES.get(self.code, ()) if self.pages else ():
            if at > self.start + 5:
                for role in agents:
                    yield Finding(code=code, subject=f"{role} {self.number}", message="m", do="d", agent=role)

    def edges(self) -> Iterator[float]:
        """Yield the moments at which something of it changes, and those at which that is known."""
        for moment in (self.start, self.start + 6, self.end):
            yield from (moment + second for second in range(46 if self.pages else 4))
        if self.flaps_s:
            moment = self.start
            while moment < self.end:
                yield moment
                moment += self.flaps_s / 2


def sown(dice: random.Random) -> list[Fault]:
    """Return the month's faults: some a day that call, many that don't, each role's one after the other."""
    faults: list[Fault] = []
    number = 0
    for day in range(30):
        for hour in sorted(dice.sample(range(24), 5)):
            number += 1
            start = day * DAY_S + hour * 3600.0 + dice.randrange(600)
            code = "tmux-down" if number % 40 == 0 else CALLING[number % len(CALLING)]
            role = None if code in {"tmux-down", "handoff-lost"} else dice.choice(TEAM)
            faults.append(Fault(start, start + dice.randrange(1200, 2400), code, role, True, number))
        for _ in range(15):
            number += 1
            start = day * DAY_S + dice.randrange(DAY_S - 3600)
            code = dice.choice(SILENT)
            flaps = dice.choice((0.0, 6.0, 12.0)) if code == "agent-silent" else 0.0
            faults.append(Fault(start, start + dice.randrange(5, 900), code, dice.choice(TEAM), False, number, flaps))
        for _ in range(5):  # what would call, and is over at once
            number += 1
            start = day * DAY_S + dice.randrange(DAY_S)
            faults.append(Fault(start, start + 0.5, "human-turn", dice.choice(TEAM), False, number))
    return faults


@dataclass
class Month:
    """The supervisor's part of it: alerts, what was paged, and a ledger that it starts from anew now and then."""

    path: Path
    ledger: Ledger
    policy: PagingPolicy
    alerts: dict[tuple[str, str], Alert] = field(default_factory=dict)
    lately: Lately = field(default_factory=Lately)
    pages: list[tuple[float, Page]] = field(default_factory=list)
    acked: list[tuple[float, tuple[str, str]]] = field(default_factory=list)

    def round(self, at: float, findings: list[Finding]) -> None:
        """Play one round as the supervisor does."""
        step = life.step(self.alerts, findings, at, WALL + at)
        self.alerts = dict(step.alerts)
        changed = {alert.key: alert for alert in step.changed}
        moment = Moment(at, WALL + at, int(at % DAY_S) // 60)
        decided = paging.decide(self.alerts.values(), self.lately, moment, self.policy, project="shop", channels=2)
        told = {alert.key: alert for alert in decided.alerts}
        self.alerts |= told
        self.lately = decided.lately
        changed |= told
        if changed:
            self.ledger.save_alerts(list(changed.values()), decided.pages)
        for page, _ in decided.pages:
            self.pages.append((at, page))
            self.acked += [(at + NEXT_S / 2, key) for key in page.keys]

    def acknowledge(self, at: float) -> None:
        """Let the person see what was paged some minutes ago."""
        for due, key in [one for one in self.acked if one[0] <= at]:
            alert = life.acknowledge(self.alerts[key], WALL + at)
            self.alerts[key] = alert
            self.ledger.save_alerts([alert])
            self.acked.remove((due, key))

    def restart(self, at: float) -> None:
        """Die, and go on from what the ledger knows."""
        self.ledger.close()
        self.ledger = open_ledger(self.path)
        self.alerts = {alert.key: life.remember(alert, at, WALL + at) for alert in self.ledger.alerts()}
        span = (WALL + at - self.policy.cap_window_s, WALL + at)
        pages, firsts = (
            tuple(wall - WALL for wall in self.ledger.outbox.decided(*span, firsts=first)) for first in (False, True)
        )
        self.lately = Lately(pages, quiet=self.lately.quiet, firsts=firsts)


def play(month: Month, faults: list[Fault]) -> None:
    """Play the month: every second in which something may change, and a look every ten minutes besides."""
    moments = sorted({round(edge) for fault in faults for edge in fault.edges()} | set(range(0, MONTH_S, 600)))
    quiet_ends = [day * DAY_S + QUIET.end * 60 + second for day in range(31) for second in range(5)]
    moments = sorted({*moments, *quiet_ends})
    begun, live = 0, list[Fault]()
    faults = sorted(faults, key=lambda fault: fault.start)
    for at in moments:
        while begun < len(faults) and faults[begun].start <= at:
            live.append(faults[begun])
            begun += 1
        live = [fault for fault in live if fault.end > at]
        month.acknowledge(at)
        if at % 600 == 0:
            month.restart(at)
        month.round(at, [finding for fault in live for finding in fault.findings(at)])


def due_at(fault: Fault) -> float:
    """Return from when on the person may be told of a fault: at once, or when the quiet hours are over."""
    critical = RULES[fault.code].severity is Severity.CRITICAL
    minute = int(fault.start % DAY_S) // 60
    if critical or not QUIET.holds(minute):
        return fault.start
    return (fault.start // DAY_S + (1 if minute >= QUIET.start else 0)) * DAY_S + QUIET.end * 60


def test_a_month_of_faults_pages_once_for_each_in_time_and_for_nothing_else(tmp_path: Path) -> None:
    faults = sown(random.Random(7))  # noqa: S311 - a play, no secret
    path = tmp_path / "ledger.sqlite3"
    month = Month(path, open_ledger(path), PagingPolicy(quiet=QUIET))
    play(month, faults)
    first = [(at, key) for at, page in month.pages if page.transition is Transition.FIRED for key in page.keys]
    told = Counter(key for _, key in first)
    when = {key: at for at, key in first}
    wanted = {(fault.code, fault.subject): fault for fault in faults if fault.pages and due_at(fault) + 5 < fault.end}
    assert len(wanted) > 80
    assert set(told) == set(wanted), "every fault that needs a person, and nothing else"
    assert set(told.values()) == {1}
    late = {key: when[key] - due_at(fault) for key, fault in wanted.items() if when[key] > due_at(fault) + LIMIT_S}
    assert late == {}
    assert [page.transition for _, page in month.pages if page.transition is not Transition.FIRED] == []
    assert max(Counter(int(at // 600) for at, _ in month.pages).values()) <= 6
    with closing(month.ledger) as ledger:
        assert len(ledger.outbox.decided(0.0, float("inf"))) == len(month.pages)
        assert not [alert for alert in ledger.alerts() if alert.state is AlertState.FIRING and alert.notify]


def test_two_hundred_agents_that_die_at_once_are_three_pages_at_most(tmp_path: Path) -> None:
    dice = random.Random(3)  # noqa: S311 - a play, no secret
    roles = [Role(f"A{number}") for number in range(200)]
    dies = {role: dice.randrange(4) for role in roles}
    path = tmp_path / "ledger.sqlite3"
    month = Month(path, open_ledger(path), PagingPolicy())
    for at in (*range(60), *range(60, 1800, 5)):
        findings = []
        for role in roles:
            if at >= dies[role]:
                findings.append(
                    Finding(
                        code="agent-dead", subject=role, message=f"{role} is dead", do="r", agent=role,
                        severity=Severity.CRITICAL,
                    )
                )  # fmt: skip
            if at >= 120:
                findings.append(Finding(code="agent-silent", subject=role, message="m", do="d", agent=role))
            if at >= 780:
                findings.append(Finding(code="handoff-stale", subject=f"{role}#x", message="m", do="d", agent=role))
        month.round(float(at), findings)
    month.ledger.close()
    pages = [page for _, page in month.pages]
    assert len(pages) <= 3
    assert {code for page in pages for code, _ in page.keys} == {"agent-dead"}
    assert {subject for _, subject in pages[0].keys} == set(roles), "nobody is left out"
    assert pages[0].title == "shop: agent-dead (200)"
