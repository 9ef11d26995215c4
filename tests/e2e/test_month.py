"""A month of six agents: every fault that was sown as raw facts calls once, within its limit, and nothing else calls.

See ``tests/month`` for what is real in it and at what pace the clock goes.
"""

from __future__ import annotations

import asyncio
import itertools
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from teamops.domain import sending
from teamops.domain.paging import Quiet
from teamops.ledger.store import open_ledger
from teamops.model.alert import AlertState
from teamops.model.page import Page, Receipt, Transition
from teamops.model.pane import Screen
from teamops.model.role import CODER, DEVELOPER, DIRECTOR, HUMAN, NONE, OPTIMIZER, PARTNER, REVIEWER, Role
from tests.month import DAY_S, World
from tests.unit.supervisor.life import block
from tests.virtual_time import VirtualLoop, run

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

    @property
    def until_s(self) -> float:
        """The limit, with all that is done to the supervisor meanwhile: the person is told no later after it began."""
        killed = DEAD_S + 5.0 if self.killed_s is not None else 0.0
        return self.kind.within_s + SLACK_S + killed + (self.outage_s + sending.LAP_S[-1] if self.outage_s else 0.0)


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


def hook(event: str, detail: str = "") -> Callable[[World, Fault], None]:
    return lambda world, fault: world.hook(fault.role, event, detail)


ASKS = both(hook("Notification", "permission_prompt: May I?"), show(Screen.DIALOG))
HOLDER = (
    Kind("its process ended", "agent-dead", 2.0, lambda w, f: w.die(f.role), lambda w, f: w.start(f.role),
         critical=True),
    Kind("killed for want of memory", "agent-dead", 2.0, lambda w, f: w.die(f.role, oom=True),
         lambda w, f: w.start(f.role), critical=True),
    Kind("it hangs", "handoff-stale poke-unproven", 780.0, hang, wake),
    Kind("stopped by a signal", "handoff-stale poke-unproven", 780.0, stop, go_on),
    Kind("its model's limit is reached", "handoff-stale poke-unproven", 780.0, both(show(Screen.RETRYING), hang),
         both(show(Screen.BUSY), wake)),
    Kind("it asks for permission", "agent-needs-you", 1.0, ASKS, both(hook("PostToolUse"), show(Screen.BUSY))),
)  # fmt: skip
"""Of whoever holds the light."""
ANYONE = (
    Kind("another asks for permission", "agent-needs-you", 1.0, ASKS, both(hook("Stop"), show(Screen.PROMPT))),
    Kind("it runs away", "agent-runaway", 60.0, rate(700), rate(0), critical=True),
    Kind("it needs too much memory", "agent-memory", 1.0, grow, shrink),
)
ALL = (
    Kind("tmux is gone", "tmux-down", 1.0, lose_tmux, bring_tmux_back, critical=True),
    Kind("the handoff file is gone", "handoff-lost", 1.0, lambda w, _: w.lose_handoff(),
         lambda w, _: w.put_handoff_back()),
    Kind("the disk takes no writes", "ledger-troubled", 60.0, fill_disk, free_disk, critical=True),
    Kind("a light for the person", "human-turn", 1.0, ask_person, answered),
    Kind("most of its budget is spent", "budget-soft", 1.0, spend("85"), nothing),
    Kind("its budget is spent", "budget-hard", 1.0, spend("101"), nothing, critical=True),
)  # fmt: skip
CALLING = (*HOLDER, *ANYONE, *ALL)
NOISE = (
    Kind("one without a light ends", "", 0, lambda w, f: w.die(f.role), lambda w, f: w.start(f.role), lasts_s=900.0),
    Kind("one without a light is silent", "", 0, hang, wake, lasts_s=900.0),
    Kind("a dialog, by its screen alone", "", 0, show(Screen.DIALOG), show(Screen.PROMPT), lasts_s=300.0),
    Kind("a short trouble with its model", "", 0, show(Screen.RETRYING), show(Screen.PROMPT), lasts_s=300.0),
    Kind("a burst", "", 0, rate(250), rate(0), lasts_s=20.0),
    Kind("a block that follows no grammar", "", 0, lambda w, f: w.write(f"### [{f.role}] some day\n\n**Turn**: ?\n"),
         nothing, lasts_s=30.0),
)  # fmt: skip


def sown(dice: random.Random) -> list[Fault]:
    """Return the month's faults, one after the other; some days have none."""
    faults: list[Fault] = []
    calling = itertools.cycle(CALLING)
    for day in range(1, DAYS):
        if day % 7 == 6:
            continue
        for hour in (9, 13, 18):
            kind = dice.choice(NOISE) if hour == 13 and day % 2 else next(calling)
            fault = Fault(day * DAY_S + hour * HOUR_S + dice.randrange(3600), kind, REVIEWER, len(faults))
            fault.role = dice.choice((REVIEWER, PARTNER))
            if kind.codes not in {"ledger-troubled", "", "tmux-down"} and len(faults) % 4 == 1:
                fault.killed_s = dice.choice((0.0, 3.0, 60.0))
            elif kind.critical and len(faults) % 3 == 0:
                fault.away = True
            elif kind.within_s < 10.0 and len(faults) % 5 == 2:
                fault.outage_s = 600.0
            elif kind.codes and len(faults) % 7 == 3:
                fault.back_s = HOUR_S
            faults.append(fault)
        if day % 4 == 0:
            kind = dice.choice([kind for kind in HOLDER if kind.critical])
            faults.append(Fault((day + 1) * DAY_S + 2 * HOUR_S, kind, REVIEWER, len(faults)))
    return faults


def told_of(world: World, fault: Fault, since: int) -> list[tuple[float, str, Page]]:
    return [
        (at, name, page)
        for at, name, page in world.heard[since:]
        if any(code in fault.kind.codes.split() for code, _ in page.keys)
    ]


async def suffer(world: World, fault: Fault) -> None:
    """Let one fault happen, the person be called, and the fault be mended; note when they were called."""
    for role, agent in world.agents.items():
        if not agent.alive:
            world.start(role)
    await world.until(fault.at)
    if fault.kind in HOLDER:
        fault.role = next(iter(world.holders - {HUMAN}))
    since, begun, killed = len(world.heard), world.at, False
    if fault.outage_s:
        world.outage = dict.fromkeys(("desktop", "terminal"), DOWN)
    world.skew -= fault.back_s
    world.ill += 1
    fault.kind.begin(world, fault)
    while fault.called is None and world.at < begun + (
        fault.until_s + 900.0 if fault.kind.codes else fault.kind.lasts_s
    ):
        if fault.killed_s is not None and not killed and world.at >= begun + fault.killed_s:
            await world.kill()
            await asyncio.sleep(DEAD_S)
            await world.begin()
            killed = True
        if world.at >= begun + fault.outage_s:
            world.outage = {}
        await world.step(1.0 if world.at < begun + 20.0 else world.pace())
        fault.called = next((at - begun for at, _, _ in told_of(world, fault, since)), None)
    world.outage = {}
    if fault.called is not None:
        await world.until(begun + fault.called + (700.0 if fault.away else ACKED_S))
        keys = {key for _, _, page in world.heard[since:] for key in page.keys}
        await world.acknowledge(*keys)
        await world.until(begun + fault.called + (900.0 if fault.away else MENDED_S))
    fault.kind.end(world, fault)
    await world.until(world.at + 60.0)
    world.ill -= 1
    world.skew += fault.back_s


def test_a_month_of_faults_calls_once_for_each_in_time_and_for_nothing_else(tmp_path: Path) -> None:
    faults = sown(random.Random(11))  # noqa: S311 - a play, no secret

    async def play(loop: VirtualLoop) -> World:
        world = World(tmp_path, loop, quiet=QUIET)
        await world.begin()
        world.write(block(DIRECTOR, DEVELOPER, task="main"))
        await world.until(HOUR_S)
        for fault in faults:
            await suffer(world, fault)
            print(
                fault.at // DAY_S,
                fault.kind.name,
                fault.called,
                fault.until_s,
                fault.killed_s,
                fault.away,
                fault.outage_s,
                world.rounds,
                [(round(a - fault.at), n, p.title) for a, n, p in world.heard if a >= fault.at],
                [a.code for a in world.core.book.alerts.values() if a.open],
            )
        await world.until(DAYS * DAY_S)
        await world.kill()
        return world

    world = run(play)
    print(world.rounds, len(faults))
    assert 0
