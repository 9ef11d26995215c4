"""A replay shows at each moment what the live supervisor showed then, in all that the ledger keeps."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from teamops.model.agent import Beat
from teamops.model.alert import Alert
from teamops.model.events import BeatsSeen, UsageSeen
from teamops.model.role import CODER, DIRECTOR, HUMAN, NONE, REVIEWER, Role
from teamops.model.snapshot import LightView, Snapshot
from teamops.model.tail import Position
from teamops.model.usage import Tokens, Usage
from teamops.supervisor import core
from teamops.supervisor.replaying import ReplayPort, open_replay
from tests.unit.supervisor.life import START, Life, block

ROLES = (DIRECTOR, CODER, REVIEWER)
TASKS = ("login", "Search")
UNKEPT = ("nothing shows that its client took it", "the handoff file was rewritten")
"""When a poke was given up is not on record, nor what the supervisor's own reading came upon."""


@dataclass(frozen=True)
class Act:
    """One thing that happens; each is followed by as many seconds as it says."""

    kind: str
    role: Role
    other: Role
    number: int
    seconds: int


KINDS = (
    *("block",) * 3, *("usage",) * 2, "panes", "beat", "rewrite", "cut", "garbage", "wait", "long wait", "life",
)  # fmt: skip
ACTS = st.builds(
    Act,
    kind=st.sampled_from(KINDS),
    role=st.sampled_from(ROLES),
    other=st.sampled_from((*ROLES, HUMAN, NONE)),
    number=st.integers(0, 4000),
    seconds=st.integers(1, 5),
)


class History:
    """Lets things happen to a real supervisor on a real file and ledger, and keeps what it showed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.life = Life(folder / "p", start=START - 60_000)  # at noon: all of it is one day
        self.shown: list[Snapshot] = []
        self.lives = [self.life]
        self.read = 0
        self.with_panes: set[Role] = set(ROLES)
        self.minute = 0

    async def run(self, acts: list[Act]) -> None:
        await self.life.begin(*ROLES)
        await self._pass(2)
        for act in acts:
            await self._do(act)
            await self._pass(act.seconds)
        await self.life.ticks(70)  # what stands for a minute is handed on
        await self._pass(2)

    async def end(self) -> None:
        await self.life.end()

    async def _pass(self, seconds: int) -> None:
        """Let time go by; what is shown in the end is kept."""
        life = self.life
        await life.ticks(seconds)
        await life.until(lambda: not life.core.acts._waiting, "all acts have ended")
        await life.core.next_round()
        await life.core.next_round()
        self.shown.append(life.snapshots[-1])
        del life.snapshots[1:-1]

    async def _do(self, act: Act) -> None:  # noqa: C901 - one case each
        life = self.life
        life.now += 0.25
        life.wall += 0.25
        match act.kind:
            case "block":
                self.minute = (self.minute + 1) % 60
                task, tier, said = TASKS[act.number % 2], 1 + act.number % 3, f"No {act.number}."
                text = block(act.role, act.other, task=task, tier=tier, minute=self.minute, text=said)
                await life.append(text)
            case "rewrite":
                data = life.handoff.read_text(encoding="utf-8") if life.handoff.exists() else ""
                if "No " in data:
                    life.handoff.write_text(data.replace("No ", "Yes ", 1), encoding="utf-8")
                    await life.seen()
            case "cut":
                data = life.handoff.read_text(encoding="utf-8") if life.handoff.exists() else ""
                if data.count("### [") > 2:
                    life.handoff.write_text("### [" + data.split("### [", 2)[2], encoding="utf-8")
                    await life.seen()
                    await life.ticks(5)
            case "garbage":
                if life.handoff.exists():
                    data = life.handoff.read_text(encoding="utf-8")
                    life.handoff.write_text(data + "\n### [NOBODY] when\n\n**Turn**: x\n", encoding="utf-8")
                    await life.seen()
                    life.handoff.write_text(data, encoding="utf-8")
                    await life.seen()
            case "panes":
                self.with_panes ^= {act.role}
                life.panes(*[role for role in ROLES if role in self.with_panes])
            case "beat":
                self.read += 1
                beat = Beat(role=CODER, wall=life.wall, tokens=act.number, cost_usd=Decimal(act.number) / 1000)
                life.core.emit(BeatsSeen(life.clock.stamp(), (beat,), Position("spool", 1, 1, self.read)))
            case "usage":
                self.read += 1
                role = act.role if act.role != CODER else DIRECTOR  # whose beats count what it uses
                usage = Usage(
                    wall=life.wall, model="m" * (1 + act.number % 2), tokens=Tokens(act.number, 7), client="claude",
                    cost_usd=Decimal(act.number) / 7 if act.number % 3 else None, session="s",
                )  # fmt: skip
                life.core.emit(
                    UsageSeen(
                        life.clock.stamp(), role, (usage,), Position(f"log/{role}", 1, 1, self.read),
                        grew=True, live=True,
                    )
                )  # fmt: skip
            case "long wait":
                await life.ticks(60 + act.number % 70)
            case "life":
                await self._next_life(act)
            case _:
                pass

    async def _next_life(self, act: Act) -> None:
        """End this life as if killed; another one begins later."""
        before = self.life
        await before.end()
        self.life = Life(self.folder / "p", start=before.wall + 5 + act.number)
        self.life.now = before.now + 5
        self.lives.append(self.life)
        await self.life.begin(*[role for role in ROLES if role in self.with_panes])
        self.shown.append(self.life.snapshots[-1])


def known(alert: Alert) -> tuple[object, ...]:
    """Return what the ledger keeps of an alert: of its severity and words those with which it came."""
    return (alert.code, alert.subject, alert.state, alert.agent or "", alert.since_wall, alert.changed_wall)


def of_team(snapshot: Snapshot, *, first: bool) -> dict[str, object]:
    """Return what the ledger keeps of agents, alerts and money. ``first``: this is the first life of all."""
    return {
        "agents": [
            (
                agent.role, agent.client, agent.session, agent.state, agent.restarts, agent.cost_today_usd,
                agent.unpriced_tokens, agent.tokens, agent.beats[:-1], tuple(round(cost, 9) for cost in agent.cost),
                agent.tokens_per_min if first else None,  # a later life knows the rate of before by the minute alone
            )
            for agent in snapshot.agents
        ],
        "alerts": sorted(known(alert) for alert in snapshot.alerts if alert.open),
        "log": sorted(
            (line.wall, line.kind, line.role or "", line.ok, line.text)
            for line in snapshot.log
            if line.kind in ("turn", "state", "alert", "action") and not any(words in line.text for words in UNKEPT)
        ),
        "cost": (snapshot.cost_today_usd, snapshot.unpriced_tokens),
    }  # fmt: skip


def stays(light: LightView, *, times: bool) -> list[tuple[object, ...]]:
    return [(one.stage, one.visits, one.current, round(one.seconds, 3) if times else 0) for one in light.stages]


def of_file(snapshot: Snapshot, *, times: bool) -> dict[str, object]:
    """Return what the ledger keeps of the handoff file and its lights. ``times``: with the stages' seconds."""
    return {
        "blocks": [(block.role, block.task, block.turn, block.digest) for block in snapshot.blocks],
        "tasks": [
            (task.task, task.turn, task.tier, task.stage, task.since_digest, task.rounds, task.open, task.standing)
            for task in snapshot.tasks
        ],
        "findings": sorted((finding.code, finding.digest) for finding in snapshot.findings),
        "lights": [
            (
                light.task or "", light.role, light.name, light.tier or 0, light.stage, light.since_wall, light.rounds,
                light.standing, stays(light, times=times),
                light.cost,
            )
            for light in sorted(snapshot.lights, key=lambda one: one.task or "")
        ],
        "held": [(agent.role, sorted(agent.lights, key=str)) for agent in snapshot.agents],
        "spent": dict(snapshot.spent),
    }  # fmt: skip


async def replayed(folder: Path, acts: list[Act]) -> tuple[History, ReplayPort]:
    history = History(folder)
    try:
        await history.run(acts)
    finally:
        await history.end()
    life = history.life
    port = open_replay(life.settings, folder / "p" / "state" / "ledger.sqlite3", "2026-03-31", now=life.wall)
    return history, port


def compare(history: History, port: ReplayPort) -> int:
    """Compare each moment that was shown with its replay; return at how many the file was compared too."""
    came = {block.digest: block.came for block in port._view.facts.trail.blocks}
    lives, compared = len(history.lives), 0
    first = history.lives[1].snapshots[0].stamp.wall if lives > 1 else float("inf")
    for live in history.shown:
        wall = live.stamp.wall
        replay = port.go(wall)
        assert replay.stamp.wall == wall
        assert of_team(replay, first=wall < first) == of_team(live, first=wall < first), wall
        # One that is seen again, but not for long enough to fire, is no more shown as over; that is not on record.
        assert {known(one) for one in live.alerts} <= {known(one) for one in replay.alerts}
        # A block that was rewritten before it was handed on is not on record, nor when a change was undone. What a life
        # that was killed had not recorded yet is dated by the next one.
        kept = all(one.digest in came and (lives == 1 or came[one.digest] <= wall) for one in live.blocks)
        unknown = [note for note in replay.troubles if "the lists that of this computer" not in note]
        if kept and not unknown:
            assert of_file(replay, times=lives == 1) == of_file(live, times=lives == 1), wall
            compared += 1
    return compared


@pytest.mark.slow
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=st.lists(ACTS, max_size=10))
def test_each_moment_is_as_it_was_shown(monkeypatch: pytest.MonkeyPatch, acts: list[Act]) -> None:
    monkeypatch.setattr(core, "PUBLISH_S", 0.0)
    folder = Path(tempfile.mkdtemp())
    try:
        compare(*asyncio.run(replayed(folder, acts)))
    finally:
        shutil.rmtree(folder)


def test_a_plain_history_is_compared_in_full(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(core, "PUBLISH_S", 0.0)
    acts = [
        Act("block", DIRECTOR, CODER, 2, 2),
        Act("usage", DIRECTOR, CODER, 7, 1),
        Act("beat", CODER, CODER, 40, 3),
        Act("block", CODER, DIRECTOR, 2, 2),
        Act("panes", CODER, CODER, 0, 5),
        Act("block", DIRECTOR, NONE, 2, 2),
    ]
    history, port = asyncio.run(replayed(tmp_path, acts))
    assert compare(history, port) == len(history.shown) == len(acts) + 2
