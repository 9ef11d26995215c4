"""One life of a supervisor on a real file and a real ledger, whose clock and panes are the test's."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from teamops.config.settings import NotifySettings, RoleSettings, Settings
from teamops.domain.budget import BudgetRule
from teamops.domain.limits import Limits, RestartPolicy, SpikeRule
from teamops.domain.paging import PagingPolicy
from teamops.effects.append import append_block
from teamops.guard import holds
from teamops.handoff import ROLES, Document
from teamops.handoff.appending import append
from teamops.handoff.write import render_block
from teamops.ledger.store import Ledger, open_ledger
from teamops.model.actions import Action, Append, Outcome, Poke
from teamops.model.alert import Alert
from teamops.model.errors import TeamopsError
from teamops.model.events import HandoffChanged, HandoffLost, PanesSeen, Ticked
from teamops.model.page import Answer, Page, Receipt
from teamops.model.pane import Pane
from teamops.model.role import CODER, DIRECTOR, NONE, REVIEWER, Role
from teamops.model.snapshot import Snapshot, SupervisorView
from teamops.sources.clock import Clock
from teamops.supervisor.core import Core
from teamops.supervisor.memory import Memory
from teamops.usage.pricing import Pricer

START = 1_775_000_000.0
GATES = "runs=pass (pytest: 9 passed); correct=pass (read it); complete=pass (docs, tests)"
TEAM = (DIRECTOR, CODER, REVIEWER)


def block(
    role: Role,
    turn: Role,
    *,
    task: str | None = "login",
    status: str = "in progress",
    tier: int = 2,
    text: str = "Did it.",
    gates: str | None = None,
    minute: int = 0,
) -> str:
    """Return a block as an agent writes it."""
    return render_block(
        role,
        datetime(2026, 3, 28, 14, minute),  # noqa: DTZ001 - naive by the protocol
        status,
        turn,
        tier,
        task=task,
        gates=gates,
        sections=[("What I Did", text), (f"For {turn.capitalize()}", "Go on.")],
    )


def long_file(count: int) -> str:
    """Return a file of so many blocks, each of a task of its own that is closed."""
    one = block(DIRECTOR, NONE, task="TASK", tier=1)
    return "\n".join(one.replace("TASK", f"t{number}") for number in range(count))


def rewrite(life: Life, old: str, new: str) -> None:
    """Change the file in its middle."""
    text = life.handoff.read_text(encoding="utf-8")
    assert old in text
    life.handoff.write_text(text.replace(old, new), encoding="utf-8")


def unsent(ledger: Ledger) -> list[tuple[str, str]]:
    """Return the title of each page that was given up, and why."""
    return ledger._connection.execute(
        "SELECT title, over FROM page WHERE over NOT IN ('', 'delivered', 'tried') ORDER BY over_wall, id"
    ).fetchall()


class Hands:
    """Takes the place of tmux: notes what would be typed. Appends are real."""

    def __init__(self, handoff: Path) -> None:
        self.handoff = handoff
        self.done: list[Action] = []
        self.answer = Outcome(ok=True, message="typed and submitted")
        self.before: Callable[[Action], None] = lambda _: None
        self.in_the_way = ""
        self.looks: list[Role] = []

    async def run(self, action: Action, check: Callable[[bytes], None] | None = None) -> Outcome:
        """Note ``action``."""
        self.before(action)
        self.done.append(action)
        if isinstance(action, Append):
            try:
                return await append_block(self.handoff, action, check)
            except TeamopsError as error:
                return Outcome(ok=False, message=error.message, hint=error.hint)
        return self.answer

    async def hindrance(self, role: Role) -> str:
        """Say what is in the way of a line."""
        self.looks.append(role)
        return self.in_the_way

    @property
    def pokes(self) -> list[Poke]:
        return [action for action in self.done if isinstance(action, Poke)]


class Ear:
    """Takes the place of a channel to the person: notes what they are told."""

    limit_s = 5.0

    def __init__(self, name: str, heard: list[tuple[str, Page]]) -> None:
        self.name = name
        self.heard = heard
        self.tries: list[Page] = []
        self.answer = Receipt(ok=True, message="shown")
        self.hear: Callable[[Answer], None] = lambda _: None
        self.before: Callable[[Page], None] = lambda _: None

    async def start(self, hear: Callable[[Answer], None]) -> str:
        """Be well."""
        self.hear = hear
        return ""

    async def deliver(self, page: Page) -> Receipt:
        """Note ``page`` as heard where the answer is that it was."""
        self.before(page)
        self.tries.append(page)
        if self.answer.ok:
            self.heard.append((self.name, page))
        return self.answer

    async def close(self) -> None:
        """Leave nothing."""


class Life:
    """See the module. Not begun before ``begin``."""

    def __init__(
        self,
        folder: Path,
        *,
        acting: bool = True,
        followed: bool = False,
        auto_poke: bool = True,
        off: Role | None = None,
        team: tuple[Role, ...] = TEAM,
        start: float = START,
        limits: Limits | None = None,
        client: str = "sdk",
        restart: RestartPolicy | None = None,
        spike: SpikeRule | None = None,
        budget: BudgetRule | None = None,
        team_budget: BudgetRule | None = None,
        notify: NotifySettings | None = None,
        paging: PagingPolicy | None = None,
    ) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.handoff = folder / "current.md"
        self.now, self.wall = 100.0, start
        self.clock = Clock(lambda: self.now, lambda: self.wall)
        self.ledger: Ledger = open_ledger(folder / "state" / "ledger.sqlite3")
        self.settings = Settings(
            root=folder,
            project="shop",
            handoff=self.handoff,
            roles=tuple(
                RoleSettings(
                    role=role,
                    name="",
                    profile=None,
                    session=f"shop-{role.lower()}",
                    client=client,
                    command=("cat",),
                    cwd=folder,
                    auto_poke=role != off,
                    budget=budget if budget is not None and role == CODER else BudgetRule(),
                )
                for role in team
            ),
            source=folder / "teamops.toml",
            auto_poke=auto_poke,
            limits=limits or Limits(),
            restart=restart or RestartPolicy(),
            spike=spike or SpikeRule(),
            budget=team_budget or BudgetRule(),
            notify=notify or NotifySettings(),
            paging=paging or PagingPolicy(group_wait_s=2.0),
            timezone="UTC",
        )
        view = SupervisorView(pid=1, acting=acting, since_wall=None)
        self.snapshots: list[Snapshot] = []
        memory = Memory(self.ledger, Pricer({}), acting=acting, followed=followed)
        self.core = Core(self.settings, self.clock, memory, view, self.snapshots.append, itertools.count(1))
        self.hands = Hands(self.handoff)
        self.core.budgeting.folder = folder / "state"
        holds.prepare(str(folder / "state"))
        self.core.acts.effects = self.hands  # type: ignore[assignment]  # all that the core uses of it
        self.heard: list[tuple[str, Page]] = []
        """By which channel the person was told of what."""
        self.ears = {name: Ear(name, self.heard) for name in self.settings.notify.order}
        self._document = Document({*ROLES})
        self._read = False

    async def begin(self, *with_session: Role) -> Life:
        """Read file and panes once, and let the first judgements be made."""
        self.core.begin_running()
        if self.core.book.supervisor.acting:
            self.core.spawn(self.core.paging.run(list(self.ears.values())), "paging")
        self.panes(*with_session)
        self.read()
        self.core.say_ready()
        await self.ticks(3)
        return self

    async def end(self) -> None:
        """End as if killed: nothing is tidied."""
        self.core.running.cancel()
        await asyncio.gather(self.core.running, return_exceptions=True)
        self.ledger.close()

    def panes(self, *roles: Role) -> None:
        """Say that these roles have sessions."""
        panes = tuple((role, self.pane(role)) for role in roles)
        self.core.emit(PanesSeen(self.clock.stamp(), panes, server_up=True))

    def pane(self, role: Role) -> Pane:
        return Pane(
            pane_id=f"%{TEAM.index(role)}",
            session=f"shop-{role.lower()}",
            pid=4_000_000 + TEAM.index(role),
            tty="/dev/null",
        )

    def read(self, age: float = 0.0) -> None:
        """Tell the file as it is now, last changed ``age`` seconds ago."""
        try:
            data = self.handoff.read_bytes()
        except FileNotFoundError:
            self.core.emit(HandoffLost(self.clock.stamp(), "there is no current.md", "the first block makes it"))
            return
        appended = self._document.update(len(data), lambda start, end: data[start:end]) and self._read
        self._read = True
        mtime = self.wall - age
        os.utime(self.handoff, (mtime, mtime))
        self.core.emit(HandoffChanged(self.clock.stamp(), self._document.handoff, mtime, appended=appended))

    async def append(self, *blocks: str) -> Snapshot:
        """Append blocks, and let the supervisor see them."""
        for text in blocks:
            append(self.handoff, text)
        return await self.seen()

    async def write(self, text: str) -> Snapshot:
        """Write the whole file anew, and let the supervisor see it."""
        self.handoff.write_text(text, encoding="utf-8")
        return await self.seen()

    async def seen(self) -> Snapshot:
        """Let the supervisor see the file as it is, and go through two rounds of the clock."""
        self.read()
        return await self.ticks(2)

    async def ticks(self, count: int) -> Snapshot:
        """Let so many seconds go by."""
        for _ in range(count):
            self.now += 1.0
            self.wall += 1.0
            self.core.emit(Ticked(self.clock.stamp()))
            if count <= 5:
                await self.core.next_round()
        await self.core.next_round()
        await self.core.next_round()
        return self.snapshots[-1]

    async def until(self, condition: Callable[[], bool], what: str) -> None:
        """Let rounds go by until ``condition`` holds."""
        async with asyncio.timeout(20):
            while not condition():
                await self.core.next_round()
        assert condition(), what

    def alerts(self, code: str) -> list[Alert]:
        """Return the open alerts of that code."""
        return [alert for alert in self.core.book.alerts.values() if alert.code == code and alert.open]

    def told(self, code: str) -> list[Page]:
        """Return the pages that told the person of alerts of that code."""
        return [page for _, page in self.heard if any(key[0] == code for key in page.keys)]

    def codes(self) -> list[str]:
        """Return the codes of the findings now."""
        return [finding.code for finding in self.core.book.protocol.findings]
