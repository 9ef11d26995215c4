"""A month of six agents: every fault that was sown as raw facts calls once, within its limit, and nothing else calls.

See ``tests/month`` for what is real in it and at what pace the clock goes.
"""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest

from teamops.domain import sending
from teamops.domain.paging import Quiet
from teamops.handoff.appending import append
from teamops.ledger.store import open_ledger
from teamops.model.alert import AlertState
from teamops.model.page import Page, Receipt
from teamops.model.pane import Screen
from teamops.model.role import DEVELOPER, DIRECTOR, HUMAN, NONE, OPTIMIZER, PARTNER, REVIEWER, Role
from teamops.model.snapshot import LiftBudget
from tests.month import DAY_S, World
from tests.unit.supervisor.life import block
from tests.virtual_time import VirtualLoop, elapse, run

DAYS = 30
HOUR_S = 3600.0
QUIET = Quiet(22 * 60, 7 * 60)
ACKED_S, MENDED_S = 120.0, 300.0
"""So long after the page a person has seen it, and has mended its cause."""
SLACK_S = 16.0
"""From the moment at which a rule's own time is over: to the next rounds (10 s), its second, its group's five."""
DEAD_S = 30.0
"""So long nobody supervises after a kill."""
DOWN = Receipt(ok=False, message="the network is down", retry=True)
REFUSED = Receipt(ok=False, message="no such topic", hint="name another")


@dataclass(frozen=True)
class Kind:
    """A fault, as raw facts."""

    name: str
    codes: str
    """Of the alert that must call for it, or of one of these; empty = it calls nobody."""
    within_s: float
    """The limit: its rule's own time."""
    begin: Callable[[World, Fault], None]
    end: Callable[[World, Fault], None]
    critical: bool = False
    lasts_s: float = 0.0
    """What calls nobody is over by itself after so long."""


@dataclass
class Fault:
    """One of them, at one moment."""

    at: float
    kind: Kind
    role: Role
    number: int
    away: bool = False
    """Nobody is there to acknowledge it for a while."""
    killed_s: float | None = None
    """The supervisor is killed so long after it began."""
    outage_s: float = 0.0
    """No channel works when it begins, and for so long."""
    back_s: float = 0.0
    """The wall clock is set back by so much just after it began."""
    called: float | None = None
    """Seconds after it began."""
    since: int = 0
    """So many pages were heard before it."""

    @property
    def until_s(self) -> float:
        """The limit, with all that is done to the supervisor meanwhile: the person is told no later after it began."""
        killed = DEAD_S + 5.0 if self.killed_s is not None else 0.0
        minute = int(self.at % DAY_S) // 60
        night = 0.0 if self.kind.critical else QUIET.left(minute) * 60.0
        outage = self.outage_s + sending.LAP_S[-1] if self.outage_s else 0.0
        return max(self.kind.within_s, night) + SLACK_S + killed + outage


def hang(world: World, fault: Fault) -> None:
    world.agents[fault.role].silent = True


def wake(world: World, fault: Fault) -> None:
    world.agents[fault.role].silent = False


def show(screen: Screen) -> Callable[[World, Fault], None]:
    def told(world: World, fault: Fault) -> None:
        agent = world.agents[fault.role]
        agent.screen = screen
        world.tell_screen(agent)

    return told


def both(*acts: Callable[[World, Fault], None]) -> Callable[[World, Fault], None]:
    def done(world: World, fault: Fault) -> None:
        for act in acts:
            act(world, fault)

    return done


def lose_tmux(world: World, _: Fault) -> None:
    world.server_up = False
    world.tell_panes()


def bring_tmux_back(world: World, _: Fault) -> None:
    world.server_up = True
    for role in world.agents:
        world.start(role)


def stop(world: World, fault: Fault) -> None:
    world.agents[fault.role].stopped = True
    world.tell_processes()


def go_on(world: World, fault: Fault) -> None:
    world.agents[fault.role].stopped = False
    world.tell_processes()


def grow(world: World, fault: Fault) -> None:
    world.agents[fault.role].rss = 6 << 30
    world.tell_processes()


def shrink(world: World, fault: Fault) -> None:
    world.agents[fault.role].rss = 200 << 20
    world.tell_processes()


def rate(tokens: int) -> Callable[[World, Fault], None]:
    def told(world: World, fault: Fault) -> None:
        world.agents[fault.role].rate = tokens

    return told


def fill_disk(world: World, _: Fault) -> None:
    world.forbid_writes(True)


def free_disk(world: World, _: Fault) -> None:
    world.forbid_writes(False)


def ask_person(world: World, fault: Fault) -> None:
    world.write(block(DIRECTOR, HUMAN, task=f"ask-{fault.number}", tier=1, minute=fault.number % 60))


def answered(world: World, fault: Fault) -> None:
    world.write(block(DIRECTOR, NONE, task=f"ask-{fault.number}", tier=1, status="withdrawn", minute=fault.number % 60))


def nothing(world: World, fault: Fault) -> None:
    """Time alone mends it."""


def spend(usd: str) -> Callable[[World, Fault], None]:
    return lambda world, _: world.respond(OPTIMIZER, 400, usd=usd)


def lift(world: World, _: Fault) -> None:
    world.core.wish(LiftBudget(OPTIMIZER, Decimal(500)))
    world.start(OPTIMIZER)


def hook(event: str, detail: str = "") -> Callable[[World, Fault], None]:
    return lambda world, fault: world.hook(fault.role, event, detail)


def ask(world: World, fault: Fault) -> None:
    """Ask for permission: the client's hook says so, and a moment later the screen shows it."""
    world.hook(fault.role, "Notification", "permission_prompt: May I?")
    world.loop.call_later(1.5, show(Screen.DIALOG), world, fault)


HOLDER = (
    Kind("its process ended", "agent-dead", 2.0, lambda w, f: w.die(f.role), lambda w, f: w.start(f.role),
         critical=True),
    Kind("killed for want of memory", "agent-dead", 2.0, lambda w, f: w.die(f.role, oom=True),
         lambda w, f: w.start(f.role), critical=True),
    Kind("it hangs", "handoff-stale poke-unproven", 780.0, hang, wake),
    Kind("stopped by a signal", "handoff-stale poke-unproven", 780.0, stop, go_on),
    Kind("its model's limit is reached", "handoff-stale poke-unproven", 780.0, both(show(Screen.RETRYING), hang),
         both(show(Screen.BUSY), wake)),
    Kind("it asks for permission", "agent-needs-you", 1.0, ask, both(hook("PostToolUse"), show(Screen.BUSY))),
)  # fmt: skip
"""Of whoever holds the light."""
ANYONE = (
    Kind("another asks for permission", "agent-needs-you", 1.0, ask, both(hook("Stop"), show(Screen.PROMPT))),
    Kind("it runs away", "agent-runaway", 60.0, rate(700), rate(0), critical=True),
    Kind("it needs too much memory", "agent-memory", 60.0, grow, shrink),
)
ALL = (
    Kind("tmux is gone", "tmux-down", 1.0, lose_tmux, bring_tmux_back, critical=True),
    Kind("the handoff file is gone", "handoff-lost", 1.0, lambda w, _: w.lose_handoff(),
         lambda w, _: w.put_handoff_back()),
    Kind("the disk takes no writes", "ledger-troubled", 60.0, fill_disk, free_disk, critical=True),
    Kind("a light for the person", "human-turn", 1.0, ask_person, answered),
    Kind("most of its budget is spent", "budget-soft", 1.0, spend("85"), nothing),
    Kind("its budget is spent", "budget-hard", 1.0, spend("101"), lift, critical=True),
)  # fmt: skip
CALLING = (*HOLDER, *ANYONE, *ALL)
NOISE = (
    Kind("one without a light ends", "", 0, lambda w, f: w.die(f.role), lambda w, f: w.start(f.role), lasts_s=400.0),
    Kind("one without a light is silent", "", 0, hang, wake, lasts_s=400.0),
    Kind("a dialog, by its screen alone", "", 0, show(Screen.DIALOG), show(Screen.PROMPT), lasts_s=300.0),
    Kind("a short trouble with its model", "", 0, show(Screen.RETRYING), show(Screen.PROMPT), lasts_s=300.0),
    Kind("a burst", "", 0, rate(250), rate(0), lasts_s=20.0),
    Kind("a block that follows no grammar", "", 0, lambda w, f: w.write(f"### [{f.role}] some day\n\n**Turn**: ?\n"),
         nothing, lasts_s=30.0),
)  # fmt: skip


NIGHT = Kind("it asks for permission in the night", "", 0, ask, both(hook("Stop"), show(Screen.PROMPT)), lasts_s=HOUR_S)
"""Is answered before anybody may be called."""
SUSPENDED, FINE = 6 * DAY_S + 3 * HOUR_S, 13 * DAY_S + 10 * HOUR_S
"""When the machine sleeps for three hours, and when an hour goes by in steps of ten seconds."""


def sown(dice: random.Random) -> list[Fault]:
    """Return the month's faults, one after the other; some days have none."""
    faults: list[Fault] = []
    calling, noise = itertools.cycle(CALLING), itertools.cycle(NOISE)
    for day in range(1, DAYS):
        if day % 7 == 6:
            continue
        for hour in (9, 13, 18):
            kind = next(noise) if hour == 13 and day % 2 else next(calling)
            fault = Fault(day * DAY_S + hour * HOUR_S + dice.randrange(3600), kind, REVIEWER, len(faults))
            fault.role = dice.choice((REVIEWER, PARTNER))
            if kind.codes not in {"ledger-troubled", ""} and len(faults) % 4 == 1:
                fault.killed_s = dice.choice((1.0, 3.0, 60.0))
            elif kind.critical and len(faults) % 3 == 0:
                fault.away = True
            elif kind.within_s < 10.0 and len(faults) % 5 == 2:
                fault.outage_s = 600.0
            elif kind.codes and len(faults) % 7 == 3:
                fault.back_s = HOUR_S
            faults.append(fault)
        if day % 4 == 0:
            kind = dice.choice([kind for kind in HOLDER if kind.critical] + [NIGHT])
            faults.append(Fault((day + 1) * DAY_S + 2 * HOUR_S, kind, REVIEWER, len(faults)))
        if day % 4 == 2:
            kind = CALLING[-3]  # a light for the person, which waits for the morning
            faults.append(Fault(day * DAY_S + 23 * HOUR_S, kind, REVIEWER, len(faults)))
    return faults


def when_told(world: World, fault: Fault) -> float | None:
    codes = set(fault.kind.codes.split())
    told = (at for at, _, page in world.heard[fault.since :] if codes & {code for code, _ in page.keys})
    return next(told, None)


async def suffer(world: World, fault: Fault) -> None:
    """Let one fault happen, the person be called, and the fault be mended; note when they were called."""
    for role, agent in world.agents.items():
        if not agent.alive:
            world.start(role)
    await world.until(fault.at)
    if fault.kind in HOLDER:
        fault.role = next(iter(world.holders - {HUMAN}))
    begun, killed, fault.since = world.at, False, len(world.heard)
    if fault.outage_s:
        world.outage = dict.fromkeys(("desktop", "terminal"), DOWN)
    world.skew -= fault.back_s
    world.ill += 1
    fault.kind.begin(world, fault)
    longest = fault.until_s + 900.0 if fault.kind.codes else fault.kind.lasts_s
    while fault.called is None and world.at < begun + longest:
        if fault.killed_s is not None and not killed and world.at >= begun + fault.killed_s:
            await world.kill()
            await elapse(DEAD_S)
            await world.begin()
            killed = True
        if world.at >= begun + fault.outage_s:
            world.outage = {}
        await world.step(1.0 if world.at < begun + 20.0 else world.pace())
        at = when_told(world, fault)
        fault.called = None if at is None else at - begun
    world.outage = {}
    world.ill, world.mending = world.ill - 1, True
    if fault.called is not None:
        await world.until(begun + fault.called + (700.0 if fault.away else ACKED_S))
        await world.acknowledge(*{key for _, _, page in world.heard[fault.since :] for key in page.keys})
        await world.until(begun + fault.called + (900.0 if fault.away else MENDED_S))
    fault.kind.end(world, fault)
    await world.until(world.at + 60.0)
    world.mending = False
    world.skew += fault.back_s


def wanted_of(fault: Fault) -> list[str]:
    """Return what the person must be told because of a fault, in words."""
    told = ["fired desktop"] if fault.kind.codes else []
    return told + (["escalated terminal"] if fault.away else [])


def told_of(fault: Fault, pages: list[tuple[float, str, Page]]) -> list[str]:
    """Return what they were told while it was the last that had begun, with its codes where they are not of it."""
    said = []
    for _, name, page in pages:
        codes = {code for code, _ in page.keys}
        if fault.outage_s and codes == {"notify-failed"}:
            continue  # that no channel worked is told when one does
        of_it = codes <= {*fault.kind.codes.split()}
        said.append(f"{page.transition} {name}" if of_it else f"{page.transition} {name} {sorted(codes)}")
    return said


@pytest.mark.slow
def test_a_month_of_faults_calls_once_for_each_in_time_and_for_nothing_else(tmp_path: Path) -> None:
    faults = sown(random.Random(11))  # noqa: S311 - a play, no secret

    async def play(loop: VirtualLoop) -> World:
        world = World(tmp_path, loop, quiet=QUIET)
        await world.begin()
        world.write(block(DIRECTOR, DEVELOPER, task="main"))
        await world.until(HOUR_S)
        for fault in faults:
            if fault.at > SUSPENDED > world.at:
                await world.until(SUSPENDED)
                loop.now += 3 * HOUR_S  # nobody ran
            if fault.at > FINE > world.at:
                await world.until(FINE)
                world.fine = True
                await world.until(FINE + HOUR_S)
                world.fine = False
            await suffer(world, fault)
        await world.until(DAYS * DAY_S)
        await world.kill()
        return world

    world = run(play)
    ends = [fault.since for fault in faults[1:]] + [len(world.heard)]
    assert world.heard[: faults[0].since] == []
    for fault, end in zip(faults, ends, strict=True):
        assert told_of(fault, world.heard[fault.since : end]) == wanted_of(fault), fault
    late = [fault for fault in faults if fault.called is not None and fault.called > fault.until_s]
    assert late == []
    assert {fault.kind.name for fault in faults if fault.called is not None} == {kind.name for kind in CALLING}
    assert {fault.kind.name for fault in faults} >= {kind.name for kind in NOISE}
    assert Counter(bool(sign) for fault in faults for sign in (fault.away, fault.outage_s, fault.back_s))[True] > 10
    assert len([fault for fault in faults if fault.killed_s is not None]) > 10
    with closing(open_ledger(tmp_path / "state" / "ledger.sqlite3")) as ledger:
        assert ledger.outbox.waiting() == []
        assert not [alert for alert in ledger.alerts() if alert.state is AlertState.FIRING and alert.notify]


def test_a_storm_at_midnight_is_one_call_at_once_and_one_in_the_morning(tmp_path: Path) -> None:
    async def play(loop: VirtualLoop) -> World:
        world = World(tmp_path, loop, quiet=QUIET)
        await world.begin()
        world.write(block(DIRECTOR, DEVELOPER, task="main"))
        await world.until(DAY_S)
        world.ill += 1
        for role in world.agents:
            world.die(role)
        for number in range(5):
            world.write(block(DIRECTOR, HUMAN, task=f"ask-{number}", tier=1, minute=number))
        await world.step(1.0)
        await world.kill()  # and teamops with them
        await elapse(DEAD_S)
        await world.begin()
        await world.until(DAY_S + 120.0)
        world.ill, world.mending = 0, True
        await world.acknowledge(*{key for _, _, page in world.heard for key in page.keys})
        await world.until(DAY_S + 8 * HOUR_S)
        await world.kill()
        return world

    world = run(play)
    night, morning = world.heard
    assert night[0] <= DAY_S + DEAD_S + SLACK_S + 5.0
    assert [code for code, _ in night[2].keys] == ["agent-dead"], "of the one that holds the light"
    assert DAY_S + 7 * HOUR_S <= morning[0] <= DAY_S + 7 * HOUR_S + SLACK_S + 30.0
    assert {code for code, _ in morning[2].keys} == {"human-turn"}
    assert len(morning[2].keys) == 5


@pytest.mark.slow
def test_two_hundred_agents_that_die_at_once_are_three_calls_at_most(tmp_path: Path) -> None:
    team = tuple(Role(f"A{number}") for number in range(200))

    async def play(loop: VirtualLoop) -> World:
        world = World(tmp_path, loop, team=team)
        await world.begin()
        for number, role in enumerate(team):
            append(world.handoff, block(DIRECTOR, role, task=f"t{number}", tier=1))
        world.tell_handoff()
        await world.until(60.0)
        assert world.heard == []
        assert world.holders >= {*team}
        for number, role in enumerate(team):
            if number % 50 == 0:
                await world.step(1.0)
            world.die(role)
        world.ill += 1
        for _ in range(30):
            await world.step(1.0)
        await world.until(9 * 60.0)
        await world.kill()
        return world

    world = run(play)
    pages = [page for _, _, page in world.heard]
    assert 1 <= len(pages) <= 3
    assert {code for page in pages for code, _ in page.keys} == {"agent-dead"}
    assert {subject for page in pages for _, subject in page.keys} == {str(role) for role in team}
    assert pages[0].title.startswith("shop: agent-dead (")
