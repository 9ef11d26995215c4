"""Whatever happens in whatever order: nobody's alert is lost, and none is told twice of the same thing."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from msgspec.structs import replace

from teamops.domain import alerts as life
from teamops.domain import paging
from teamops.domain.paging import Lately, Moment, PagingPolicy, Quiet
from teamops.model.alert import Alert, AlertRule, AlertState, Finding
from teamops.model.handoff import Severity
from teamops.model.page import Page, Transition
from teamops.model.role import Role

ROLES = (Role("A"), Role("B"), Role("C"))
WALL = 1_775_000_000.0
SPAN = st.sampled_from([1.0, 1.0, 1.0, 3.0, 7.0, 20.0, 60.0, 200.0])


def plain(code: str, **changed: object) -> AlertRule:
    return replace(AlertRule(code=code, meaning="m", evidence="e", do="d", repeat_s=300.0), **changed)  # type: ignore[arg-type]


RULES = {
    row.code: row
    for row in (
        plain("dead", severity=Severity.CRITICAL, for_s=2.0, inhibits=frozenset({"silent", "stale"})),
        plain("silent", keep_firing_s=5.0),
        plain("stale", escalates=True),
        plain("hint", page=False),
        plain("down", severity=Severity.CRITICAL, for_s=0.0, inhibits=frozenset({"dead", "silent"})),
    )
}
Key = tuple[str, str]
CAUSES = [(code, str(role)) for code in ("dead", "silent", "stale", "hint") for role in ROLES] + [("down", "server")]


class Paging(RuleBasedStateMachine):
    """A team's causes come and go, a person acknowledges and silences, teamops sleeps and dies."""

    @initialize(cap=st.integers(1, 4), quiet=st.sampled_from([None, Quiet(0, 60), Quiet(1380, 60)]), over=st.booleans())
    def begin(self, cap: int, quiet: Quiet | None, over: bool) -> None:
        self.policy = PagingPolicy(cap=cap, cap_window_s=100.0, escalate_s=60.0, quiet=quiet, resolved=over)
        self.now, self.wall = 0.0, WALL
        self.causes: set[Key] = set()
        self.alerts: dict[Key, Alert] = {}
        self.lately = Lately()
        self.times: dict[bool, list[float]] = {True: [], False: []}
        """When pages were decided: the first words of something critical, and others."""
        self.fired: set[tuple[Key, float]] = set()
        self.ids: set[str] = set()
        self.told_at: dict[Key, float] = {}
        self.wanted_since: dict[Key, float] = {}
        self.outage = False
        self.unsent: list[tuple[Page, int]] = []

    def look(self, *, gap: bool = False) -> None:
        findings = [
            Finding(code=code, subject=subject, message="m", do="d", agent=None if code == "down" else Role(subject))
            for code, subject in sorted(self.causes)
        ]
        step = life.step(self.alerts, findings, self.now, self.wall, gap=gap, rules=RULES)
        self.alerts = dict(step.alerts)
        if gap:
            return
        decided = paging.decide(
            self.alerts.values(), self.lately, self.moment(), self.policy, project="p", channels=2, rules=RULES
        )
        before = dict(self.alerts)
        self.alerts |= {alert.key: alert for alert in decided.alerts}
        self.lately = decided.lately
        for page, rank in decided.pages:
            self.check(page, rank, before)
        self.unsent += decided.pages
        self.deliver()
        self.note_wanted()

    def deliver(self) -> None:
        """Let the channels take what they were given, if they work."""
        for page, rank in () if self.outage else self.unsent:
            told = paging.taken(self.alerts.values(), page, rank, self.moment())
            self.alerts |= {alert.key: alert for alert in told}
        self.unsent = self.unsent if self.outage else []

    def moment(self) -> Moment:
        return Moment(self.now, self.wall, int((self.wall - WALL) // 60) % paging.DAY_MIN)

    def check(self, page: Page, rank: int, before: dict[Key, Alert]) -> None:
        assert page.id not in self.ids
        self.ids.add(page.id)
        first = any(before[key].severity is Severity.CRITICAL and before[key].paged_wall is None for key in page.keys)
        self.times[first].append(self.now)
        assert rank in {0, 1}
        for key in page.keys:
            alert = before[key]
            assert RULES[key[0]].page, "what calls nobody calls nobody"
            assert not alert.hidden_by
            assert not alert.silenced(self.wall)
            if alert.state is AlertState.RESOLVED:
                assert self.policy.resolved
                continue
            assert alert.state is AlertState.FIRING, "an acknowledged one is not told again"
            if alert.paged_wall is None:
                episode = (key, alert.since_wall)
                assert episode not in self.fired, "told twice"
                self.fired.add(episode)
            else:
                assert page.transition is not Transition.RESOLVED
                told = alert.asked_wall is not None or alert.silence is not None
                assert told or page.transition is Transition.FIRED, "nobody has heard of it yet"
                assert alert.silence is not None or self.now - self.told_at[key] >= 59.9 - 30.0
            self.told_at[key] = self.now

    def note_wanted(self) -> None:
        """Note since when each alert ought to be told and isn't."""
        quiet = self.policy.quiet is not None and self.policy.quiet.holds(self.moment().minute)
        waits = {
            key
            for key, alert in self.alerts.items()
            if alert.state is AlertState.FIRING and alert.notify and alert.paged_wall is None
            and not alert.hidden_by and not alert.silenced(self.wall)
            and (not quiet or alert.severity is Severity.CRITICAL)
        }  # fmt: skip
        self.wanted_since = {key: self.wanted_since.get(key, self.now) for key in waits}

    @rule(span=SPAN)
    def time_goes_by(self, span: float) -> None:
        for _ in range(int(min(span, 10.0))):
            self.now += span / int(min(span, 10.0))
            self.wall += span / int(min(span, 10.0))
            self.look()

    @rule(cause=st.sampled_from(CAUSES))
    def a_cause_comes_or_goes(self, cause: Key) -> None:
        self.causes ^= {cause}
        self.look()

    @rule()
    def a_storm_breaks_loose(self) -> None:
        self.causes = set(CAUSES)
        self.look()

    @rule(cause=st.sampled_from(CAUSES))
    def a_person_acknowledges(self, cause: Key) -> None:
        if cause in self.alerts:
            self.alerts[cause] = life.acknowledge(self.alerts[cause], self.wall)
        self.note_wanted()

    @rule(cause=st.sampled_from(CAUSES), seconds=st.sampled_from([30.0, 900.0, None]))
    def a_person_silences(self, cause: Key, seconds: float | None) -> None:
        if cause in self.alerts and self.alerts[cause].open:
            self.alerts[cause] = life.silence(self.alerts[cause], self.wall, seconds)
        self.note_wanted()

    @rule(seconds=st.sampled_from([60.0, 28_800.0]))
    def the_machine_sleeps(self, seconds: float) -> None:
        self.wall += seconds
        fired = {key for key, alert in self.alerts.items() if alert.open}
        self.look(gap=True)
        slow = {key for key in CAUSES if RULES[key[0]].for_s}
        assert {key for key, alert in self.alerts.items() if alert.open} & slow <= fired, "sleep makes nothing fire"

    @rule()
    def the_channels_break_or_work_again(self) -> None:
        self.outage = not self.outage
        self.deliver()

    @rule()
    def teamops_dies(self) -> None:
        kept = {key: alert for key, alert in self.alerts.items() if alert.state is not AlertState.PENDING}
        self.now += 1.0
        self.wall += 1.0
        self.alerts = {key: life.remember(alert, self.now, self.wall) for key, alert in kept.items()}
        self.told_at = {key: min(self.told_at.get(key, self.now), alert.paged) for key, alert in self.alerts.items()}
        self.lately = Lately(self.lately.pages, firsts=self.lately.firsts)
        self.wanted_since = {}
        self.look()

    @invariant()
    def the_cap_holds(self) -> None:
        for times in getattr(self, "times", {}).values():
            for start in times:
                assert sum(start <= one < start + self.policy.cap_window_s for one in times) <= self.policy.cap

    @invariant()
    def nothing_waits_for_ever(self) -> None:
        longest = self.policy_wait() if hasattr(self, "policy") else 0.0
        for key, since in getattr(self, "wanted_since", {}).items():
            assert self.now - since <= longest, (key, self.now - since)

    def policy_wait(self) -> float:
        """Return the longest wait that is right: for its group, and until the cap has room."""
        room = 2 if self.policy.cap > 1 else 1
        return self.policy.group_interval_s + self.policy.cap_window_s * room + 40.0


Paging.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestPaging = Paging.TestCase
