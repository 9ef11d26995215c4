"""Makes a supervisor from its parts, and runs it: for ever, or for one look."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import traceback
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

from msgspec.structs import replace

from teamops.config.settings import Settings
from teamops.effects.channels.port import Channel
from teamops.effects.channels.registry import Around, channels
from teamops.effects.run import Effects
from teamops.guard import holds
from teamops.ledger.store import open_ledger
from teamops.model.alert import Alert
from teamops.model.errors import TeamopsError
from teamops.model.events import SourceTroubled
from teamops.model.role import Role
from teamops.model.snapshot import LogLine, Snapshot, SupervisorView
from teamops.sources.beats import Beats
from teamops.sources.clock import Clock, ClockSource
from teamops.sources.growth import Growth
from teamops.sources.handoff_file import HandoffFile
from teamops.sources.logs import Before, Logs
from teamops.sources.pace import until_next
from teamops.sources.panes import Panes
from teamops.sources.port import Source
from teamops.sources.processes import Processes
from teamops.sources.prompts import Prompts
from teamops.sources.transcripts import Transcripts
from teamops.sources.watch import Watch
from teamops.sources.work_tree import WorkTree
from teamops.supervisor.answering import Answering
from teamops.supervisor.book import Book
from teamops.supervisor.core import START_S, Core
from teamops.supervisor.guarding import Guarding
from teamops.supervisor.lease import Lease, state_dir_of, supervisor_view, tell_rounds, watchdog_of
from teamops.supervisor.memory import Memory
from teamops.supervisor.segment_file import also_kept
from teamops.supervisor.trees import watched_trees
from teamops.supervisor.who import at_an_agent_s_hands
from teamops.tmux.server import Server
from teamops.tmux.socket import Socket
from teamops.usage.pricing import Pricer

LEASE_RETRY_S = 2.0
WATCH_AFTER_S = 0.4
FIRST_FRAME_S = 1.0
"""What the first frame does not need begins after it; at the latest then."""
LATE = "has not reported yet"
CALL_AGAIN_S = 10.0
"""After a defect in what calls the person, it is begun again so much later."""
FIRST_LOOK_S = 0.2
"""So long a supervisor waits, before it says that it is ready, for what the agents' clients say of themselves."""
LOOK_S = 5.0
"""A single look takes no longer than this, whatever hangs."""

Publish = Callable[[Snapshot], None]


@asynccontextmanager
async def living(
    settings: Settings,
    folder: Path,
    clock: Clock,
    supervisor: SupervisorView,
    publish: Publish,
    *,
    followed: bool,
    revisions: Iterator[int],
    ring: Callable[[str], bool] | None = None,
    env: Mapping[str, str] = os.environ,
    inherited: Sequence[Alert] = (),
    drawn: asyncio.Event | None = None,
) -> AsyncIterator[Core]:
    """Run one life of a supervisor: all sources, rules and effects, torn down at the end.

    ``inherited``: alerts of the life before, for a ledger that has lost them. ``drawn``: set once the screen beside it,
    if there is one, has its first frame.
    """
    async with AsyncExitStack() as stack:
        ledger = open_ledger(folder / "ledger.sqlite3")
        stack.callback(ledger.close)
        if inherited:
            ledger.save_alerts(inherited)
        pricer = Pricer(ledger.rates(), own=settings.prices)
        memory = Memory(ledger, pricer, acting=supervisor.acting, followed=followed)
        core = Core(settings, clock, memory, supervisor, publish, revisions)
        core.budgeting.folder = folder
        core.around = partial(at_an_agent_s_hands, settings)
        with contextlib.suppress(OSError):  # without it the gates are shut, and the first hold says why
            holds.prepare(str(folder))
        watch = Watch()
        loop = asyncio.get_running_loop()
        # The first reading needs no watch; what changes between the two is told when the watch stands.
        loop.call_later(WATCH_AFTER_S, watch.start, loop)
        stack.callback(watch.stop)
        positions = ledger.positions()
        roles = frozenset(role.role for role in settings.roles)
        prompts = Prompts(settings, clock)
        core.expect = prompts.expect
        before = Before(positions, ledger.logs.known(), ledger.logs.counted())
        logs = Logs(clock, before, prompts.lines, roles)
        transcripts = Transcripts(settings, watch, clock, logs, env)
        growth = Growth(settings, watch, clock, env, logs, lambda role: core.book.agent(role).client_session)
        sources: list[Source] = [
            ClockSource(clock),
            HandoffFile(settings.handoff, watch, clock, roles),
            Beats(settings.spool, roles, watch, clock, positions),
            prompts,
            logs,
            transcripts,
            growth,
            Answering(settings, folder.parent, watch, clock, lambda: core.book.supervisor.acting),
        ]
        trees = watched_trees(core, settings, folder, clock)
        sources += [trees] if trees is not None else []
        server: Server | None = None
        if not settings.watch_only:
            server = Server(
                Socket(settings.tmux.socket_name, settings.tmux.socket_path),
                [role.session for role in settings.roles],
                known={launch.session: launch.pane_id for launch in ledger.launches.all().values()},
            )
            stack.push_async_callback(server.close)
            core.server = server
            processes = Processes(clock)
            sources += [Panes(settings, server, clock), processes]
            core.on_panes = lambda book: _follow(book, processes, transcripts, growth, trees)
        ways: list[Channel] = []
        stack.push_async_callback(_close, ways)
        core.acts.effects = Effects(
            settings,
            server,
            lambda role: core.book.agent(role).pane,
            core.restarter.facts.launch_of,
            folder,
        )
        if supervisor.acting and not supervisor.watch_only:
            guarding = Guarding(core, folder)
            core.on_handoff = guarding.see
            core.spawn(guarding.run(), "guard")
        core.spawn(core.retaining.run(), "retention")
        core.spawn(_read_boundaries(core, drawn), "boundaries")
        if supervisor.acting:
            core.spawn(_call(core, ways, Around(ring=ring)), "paging")
            core.spawn(_keep_note(core), "notifications")
        core.acts.recover()

        stack.callback(core.watching.end, core.book)
        stack.push_async_callback(_end, core.begin_running())
        core.caught_up = lambda: _caught_up(core, transcripts, growth, logs, boundaries=drawn is None)
        start = asyncio.create_task(_start(sources, core), name="start of sources")
        stack.push_async_callback(_stop, sources)
        stack.push_async_callback(_end, start)
        core.spawn(_keep_prices(core), "prices")
        yield core


def _follow(book: Book, processes: Processes, transcripts: Transcripts, growth: Growth, trees: WorkTree | None) -> None:
    pids: dict[Role, int] = {}
    for role, page in book.agents.items():
        pid = page.pane.pid if page.pane is not None and not page.dead else None
        if pid is not None:
            pids[role] = pid
        transcripts.follow(role, pid)
        growth.follow(role, pid)
    processes.watch(pids)
    if trees is not None:
        trees.watch(pids)


async def _caught_up(core: Core, transcripts: Transcripts, growth: Growth, logs: Logs, *, boundaries: bool) -> None:
    """Return when all is known of the agents in the panes: they are followed from the round that took the panes.

    A screen does not wait for ``boundaries``: it shows them when they are there.
    """
    await core.next_round()
    if boundaries:
        await core.bounding.known.wait()
    await transcripts.caught_up()
    await growth.caught_up()
    await logs.caught_up()
    await core.next_round()


async def _start(sources: list[Source], core: Core) -> None:
    """Start all sources beside each other; the core is ready when all have reported, or waited for long enough."""
    starts = {asyncio.create_task(_start_one(source, core), name=source.name): source for source in sources}
    try:
        _, late = await asyncio.wait(starts, timeout=START_S)
        for start in late:
            core.emit(SourceTroubled(core.stamp(), starts[start].name, LATE, "teamops goes on without it"))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FIRST_LOOK_S):
                await core.caught_up()
        core.say_ready()
        await asyncio.gather(*starts)
        for start in late:
            core.emit(SourceTroubled(core.stamp(), starts[start].name, "", ""))
    finally:
        for start in starts:
            start.cancel()
        await asyncio.gather(*starts, return_exceptions=True)


async def _start_one(source: Source, core: Core) -> None:
    try:
        await source.start(core.emit)
    except Exception as error:  # noqa: BLE001 - a source's port: the others go on, and a person sees it
        core.emit(
            SourceTroubled(core.stamp(), source.name, f"could not start: {error}", "start teamops again; report it")
        )


async def _stop(sources: list[Source]) -> None:
    for source in reversed(sources):
        await source.stop()


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def _read_boundaries(core: Core, drawn: asyncio.Event | None) -> None:
    if drawn is not None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FIRST_FRAME_S):
                await drawn.wait()
    await core.bounding.read()


async def _call(core: Core, ways: list[Channel], around: Around) -> None:
    await asyncio.sleep(FIRST_FRAME_S)
    ways += channels(core.book.settings.notify, around)
    while True:
        try:
            await core.paging.run(ways)
        except Exception as error:  # noqa: BLE001 - without it nobody would be called any more, not even of this
            said = f"a page was not sent for a defect: {type(error).__name__}: {error}"
            core.emit(SourceTroubled(core.stamp(), "paging", said, "please report it"))
        await asyncio.sleep(CALL_AGAIN_S)


async def _close(ways: Sequence[Channel]) -> None:
    for way in reversed(ways):
        await way.close()


async def _keep_note(core: Core) -> None:
    while True:
        if core.paging.note:
            core.book.notes["notifications"] = core.paging.note
        else:
            core.book.notes.pop("notifications", None)
        await core.round_over()


async def _keep_prices(core: Core) -> None:
    await asyncio.sleep(FIRST_FRAME_S)
    while True:
        while core.memory.wants_rates:
            await core.memory.fetch_rates(core.book)
        await core.round_over()  # what lacks a price came with it


async def supervise_forever(
    settings: Settings,
    publish: Publish,
    *,
    state_dir: Path | None = None,
    ring: Callable[[str], bool] | None = None,
    on_core: Callable[[Core | None], None] = lambda _: None,
    clock: Clock | None = None,
    on_round: Publish = lambda _: None,
    drawn: asyncio.Event | None = None,
) -> None:
    """Supervise until cancelled. ``on_round`` is called after each second's round, in the loop.

    ``drawn`` is set when the screen beside it has its first frame; without one, nothing waits for that.

    Acts if nobody else does; otherwise views, and takes over when the other ends. A life that ends by a defect is begun
    again, with the defect on the screen and its trace in the state folder; so is one whose state folder was taken away.
    Raises ``TeamopsError`` where the first life can't begin; a later one waits until it can.
    """
    folder = state_dir_of(settings, state_dir)
    publish = also_kept(folder, publish)
    clock = clock or Clock()
    watchdog = watchdog_of(settings)
    lease = Lease(folder)
    revisions = itertools.count(1)
    defects = 0
    trouble = ""
    inherited: tuple[Alert, ...] = ()
    latest: Snapshot | None = None

    def tell(snapshot: Snapshot) -> None:
        nonlocal latest
        latest = snapshot
        publish(snapshot)

    try:
        while True:
            try:
                acting = lease.acquire(clock.stamp().wall, clock.machine())
                view = supervisor_view(settings, lease, clock.machine(), acting=acting)
                async with living(
                    settings,
                    folder,
                    clock,
                    view,
                    tell,
                    followed=not acting,
                    revisions=revisions,
                    ring=ring,
                    inherited=inherited if acting else (),
                    drawn=drawn,
                ) as core:
                    if trouble:
                        core.book.troubles["supervisor"] = (trouble, f"see {folder / 'defects.log'}; please report it")
                    tell_rounds(core, lease, clock.machine, watchdog, on_round)
                    on_core(core)
                    try:
                        inherited = await _until_over(settings, core, lease, clock, acting=acting)
                        trouble = ""
                    except Exception as error:  # noqa: BLE001 - the port of last resort: seen, logged, begun again
                        defects += 1
                        trouble = f"a round failed and was begun again: {type(error).__name__}: {error}"
                        _log_defect(folder, error)
                    finally:
                        on_core(None)
            except TeamopsError as error:
                if latest is None:
                    raise
                words = f"teamops can't supervise now and tries again: {error}"
                log = latest.log
                if latest.troubles != (words,):
                    log = (LogLine(clock.stamp().wall, "source", words, ok=False), *log)
                tell(replace(latest, revision=next(revisions), troubles=(words,), log=log))
                await asyncio.sleep(LEASE_RETRY_S)
                continue
            if trouble:
                await asyncio.sleep(min(60.0, 2.0**defects))
    except Exception as error:
        watchdog.fail(f"teamops ended: {type(error).__name__}")
        raise
    finally:
        lease.release()
        watchdog.stop()


async def _until_over(settings: Settings, core: Core, lease: Lease, clock: Clock, *, acting: bool) -> tuple[Alert, ...]:
    """Return when a viewer got the lease, or when the state folder was taken from the one that acts.

    Gives the alerts that the next life would not find in the ledger. Raises what ended the loop.
    """
    while True:
        done, _ = await asyncio.wait({core.running}, timeout=until_next(LEASE_RETRY_S))
        for task in done:
            task.result()
        if acting and not (lease.stands() and core.memory.in_place):
            # Whoever starts now would get a lease and a ledger of their own: two would act.
            lease.release()
            return tuple(alert for alert in core.book.alerts.values() if alert.open)
        if not acting:
            if lease.acquire(clock.stamp().wall, clock.machine()):
                return ()
            core.book.supervisor = supervisor_view(settings, lease, clock.machine(), acting=False)


def _log_defect(folder: Path, error: Exception) -> None:
    with contextlib.suppress(OSError), (folder / "defects.log").open("a", encoding="utf-8") as log:
        log.write("".join(traceback.format_exception(error)) + "\n")


async def supervise(settings: Settings, *, state_dir: Path | None = None, seconds: float) -> Snapshot:
    """Supervise for ``seconds`` and return the last snapshot."""
    latest: list[Snapshot] = []

    def publish(snapshot: Snapshot) -> None:
        latest[:] = [snapshot]

    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await supervise_forever(settings, publish, state_dir=state_dir)
    return latest[0]
