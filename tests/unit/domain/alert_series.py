"""Time series of what the rules see, and what must come of it: as ``promtool test rules`` does, as data.

A series is a word for each second: ``x`` the cause is seen, ``.`` it is not; ``x*30`` is thirty of them. At the seconds
named in ``acts`` a person does something, before that second's round.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from teamops.domain import alerts as life
from teamops.domain import paging
from teamops.domain.alert_rules import RULES
from teamops.domain.paging import Lately, Moment, PagingPolicy
from teamops.model.alert import Alert, AlertRule, Finding
from teamops.model.handoff import Severity
from teamops.model.page import Page
from teamops.model.role import Role

Key = tuple[str, str]
WALL = 1_775_000_000.0


def seconds(series: str) -> str:
    """Return a series written out: "x*3 .*2" → "xxx.."."""
    out = ""
    for part in series.split():
        word, _, times = part.partition("*")
        out += word * int(times or 1)
    return out


def key_of(name: str) -> Key:
    """Return "agent-dead CODER" as a key."""
    code, _, subject = name.partition(" ")
    return code, subject


@dataclass
class Play:
    """One run. ``pages`` are decided after each round, as the supervisor does."""

    series: Mapping[str, str]
    acts: Mapping[int, Sequence[str]] = field(default_factory=dict)
    """Second → "ack agent-dead CODER", "silence 900 …", "silence …" (until resolved), "speak …", "gap 3600",
    "taken 1 …" (the last page, by the channel at place 1)."""
    rules: Mapping[str, AlertRule] = field(default_factory=lambda: RULES)
    policy: PagingPolicy = field(default_factory=lambda: PagingPolicy(group_wait_s=2.0))
    channels: int = 2
    delivered: bool = True
    """Each page is taken at once by the channel that it was decided for."""
    minute: int = 12 * 60
    """Of the day at which it begins."""
    notify: Mapping[str, bool] = field(default_factory=dict)
    severity: Mapping[str, Severity] = field(default_factory=dict)
    alerts: dict[Key, Alert] = field(default_factory=dict)
    lately: Lately = field(default_factory=Lately)
    pages: list[tuple[int, Page, int]] = field(default_factory=list)
    """(second, page, place of its first channel)"""
    fired: list[tuple[int, str]] = field(default_factory=list)
    resolved: list[tuple[int, str]] = field(default_factory=list)
    states: dict[str, str] = field(default_factory=dict)
    """Name → first letter of its state in each second, ``-`` for none; in upper case while it is hidden."""

    def run(self) -> Play:
        """Play all of it."""
        written = {name: seconds(series) for name, series in self.series.items()}
        self.states = dict.fromkeys(written, "")
        self.lost = 0.0
        for second in range(max(map(len, written.values()))):
            gap = self._act(second)
            self.round(second, [name for name, said in written.items() if said[second : second + 1] == "x"], gap=gap)
            for name in written:
                alert = self.alerts.get(key_of(name))
                letter = "-" if alert is None else alert.state[0]
                self.states[name] += letter.upper() if alert is not None and alert.hidden_by else letter
        return self

    def round(self, second: int, seen: Sequence[str], *, gap: bool = False) -> None:
        """Play one round."""
        now, wall = float(second), WALL + second + self.lost
        step = life.step(self.alerts, map(self.finding, seen), now, wall, gap=gap, rules=self.rules)
        self.alerts = dict(step.alerts)
        self.fired += [(second, f"{alert.code} {alert.subject}") for alert in step.fired]
        self.resolved += [(second, f"{alert.code} {alert.subject}") for alert in step.resolved]
        if gap:
            return
        minute = (self.minute + int(second + self.lost) // 60) % paging.DAY_MIN
        moment = Moment(now, wall, minute)
        decided = paging.decide(
            self.alerts.values(), self.lately, moment, self.policy,
            project="shop", channels=self.channels, rules=self.rules,
        )  # fmt: skip
        self.lately = decided.lately
        self.alerts |= {alert.key: alert for alert in decided.alerts}
        self.pages += [(second, page, rank) for page, rank in decided.pages]
        for page, rank in decided.pages if self.delivered else ():
            self.alerts |= {one.key: one for one in paging.taken(self.alerts.values(), page, rank, moment)}

    def finding(self, name: str) -> Finding:
        """Return what a rule says of ``name``; an agent's code is about the agent that the subject names."""
        code, subject = key_of(name)
        agent = Role(subject.split("#")[0]) if subject.isupper() or "#" in subject else None
        return Finding(
            code=code, subject=subject, message=f"{subject} is {code}", do="look", agent=agent,
            notify=self.notify.get(name), severity=self.severity.get(name),
        )  # fmt: skip

    def _act(self, second: int) -> bool:
        gap = False
        for act in self.acts.get(second, ()):
            verb, _, rest = act.partition(" ")
            wall = WALL + second + self.lost
            if verb == "gap":
                self.lost += float(rest)
                gap = True
                continue
            first, _, name = rest.partition(" ")
            length = float(first) if first.isdigit() else None
            key = key_of(name if length is not None else rest)
            alert = self.alerts[key]
            if verb == "ack":
                self.alerts[key] = life.acknowledge(alert, wall)
            elif verb == "speak":
                self.alerts[key] = life.speak(alert)
            elif verb == "taken":
                moment = Moment(float(second), wall, 0)
                self.alerts |= {one.key: one for one in paging.taken([alert], self.pages[-1][1], int(first), moment)}
            else:
                self.alerts[key] = life.silence(alert, wall, length)
        return gap

    def told(self) -> Iterator[tuple[int, str, str, int]]:
        """Yield (second, transition, first code and how many, place of the channel) of each page."""
        for second, page, rank in self.pages:
            code, subject = page.keys[0]
            more = f" +{len(page.keys) - 1}" if len(page.keys) > 1 else ""
            yield second, page.transition.value, f"{code} {subject}{more}", rank


def rule(code: str, **changed: object) -> AlertRule:
    """Return a plain rule."""
    return replace(AlertRule(code=code, meaning="m", evidence="e", do="d"), **changed)  # type: ignore[arg-type]
