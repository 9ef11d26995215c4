"""What the agents' process trees use: one pass over the process table every 5 s."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from teamops.model.events import ProcessesSeen, ProcessRow
from teamops.model.role import Role
from teamops.sources.clock import Clock
from teamops.sources.keeping import keep
from teamops.sources.pace import until_next
from teamops.sources.port import Emit

PASS_S = 5.0
SOON_S = 0.3
"""New processes are looked at so soon."""


SHELLS = frozenset({"sh", "bash", "zsh", "fish", "dash", "ash", "ksh", "mksh", "csh", "tcsh", "nu", "xonsh"})
"""Programs that run a client and go on when it ends."""

WRAPPERS = SHELLS | {"bwrap", "env", "nice", "timeout"}
"""Programs that run a client as their only child and wait for it."""
RUNTIMES = frozenset({("node", "codex"), ("node", "node")})
"""Programs that begin the client proper as another process: (parent, child)."""
STOPPED = frozenset({"T", "t"})
"""By a signal, or by a debugger."""


class Use(Struct, frozen=True):
    """One process."""

    parent: int
    rss_bytes: int
    """From ``stat``: kernels since 6.2 count it in batches, so it may be some MB behind."""
    cpu_s: float
    name: str = ""
    """Of its program."""
    state: str = ""
    """One letter, as the kernel names it: R, S, D, T, Z; empty = not known."""


def read_table() -> dict[int, Use]:
    """Return every process by its pid. What ends during the pass is left out."""
    return read_proc() if Path("/proc/self/stat").exists() else read_psutil()


def read_proc(proc: str = "/proc") -> dict[int, Use]:
    """Return every process by its pid, from ``/proc/PID/stat``. What ends during the pass is left out."""
    page = os.sysconf("SC_PAGE_SIZE")
    tick = os.sysconf("SC_CLK_TCK")
    table = {}
    for name in os.listdir(proc):  # noqa: PTH208 - a Path for each of a thousand names would cost more than the pass
        if not name.isdigit():
            continue
        try:
            handle = os.open(f"{proc}/{name}/stat", os.O_RDONLY)
        except OSError:
            continue
        try:
            raw = os.read(handle, 2048)
        except OSError:
            continue
        finally:
            os.close(handle)
        # The name may hold spaces and brackets: fields count from its last bracket. Numbers as in proc(5), less 3.
        opened, closed = raw.find(b"("), raw.rfind(b")")
        fields = raw[closed + 2 :].split(None, 22)
        if len(fields) > 21:
            table[int(name)] = Use(
                int(fields[1]),
                int(fields[21]) * page,
                (int(fields[11]) + int(fields[12])) / tick,
                raw[opened + 1 : closed].decode(errors="replace"),
                fields[0].decode(errors="replace"),
            )
    return table


def read_psutil() -> dict[int, Use]:
    """Return the same where there is no ``/proc``."""
    import psutil

    table = {}
    stopped = {psutil.STATUS_STOPPED, psutil.STATUS_TRACING_STOP}
    for process in psutil.process_iter(["ppid", "memory_info", "cpu_times", "name", "status"]):
        facts = process.info
        memory, cpu = facts["memory_info"], facts["cpu_times"]
        table[process.pid] = Use(
            facts["ppid"] or 0,
            memory.rss if memory else 0,
            (cpu.user + cpu.system) if cpu else 0.0,
            facts["name"] or "",
            "T" if facts["status"] in stopped else "",
        )
    return table


def rows_of(table: Mapping[int, Use], pids: Mapping[Role, int]) -> tuple[ProcessRow, ...]:
    """Return one row for each role whose process is in the table, with all of its descendants added up."""
    children: dict[int, list[int]] = {}
    for pid, use in table.items():
        children.setdefault(use.parent, []).append(pid)
    rows = []
    for role, root in pids.items():
        if root not in table:
            continue
        tree, seen = [root], {root}
        for pid in tree:  # grows while it is walked
            for child in children.get(pid, ()):
                if child not in seen:  # a reused pid can close a circle for a moment
                    seen.add(child)
                    tree.append(child)
        rows.append(
            ProcessRow(
                role,
                root,
                sum(table[pid].rss_bytes for pid in tree),
                round(sum(table[pid].cpu_s for pid in tree), 2),
                len(tree),
                bare_shell=len(tree) == 1 and table[root].name.removeprefix("-") in SHELLS,
                stopped=_stopped(table, children, root),
            )
        )
    return tuple(rows)


def _stopped(table: Mapping[int, Use], children: Mapping[int, list[int]], root: int) -> bool:
    """Return whether the client is stopped, the first process or the one that it only wraps.

    A wrapped one matters most: tmux lets its own children go on at once, and a client beneath a shell can be put aside
    with Ctrl-Z. A client's tools are not looked at: they stop when they ask for the terminal.
    """
    pid, depth = root, 0
    while table[pid].state not in STOPPED:
        below = children.get(pid, [])
        if len(below) != 1 or depth > 8:
            return False
        name, child = table[pid].name.removeprefix("-"), table[below[0]].name
        if name not in WRAPPERS and (name, child) not in RUNTIMES:
            return False
        pid, depth = below[0], depth + 1
    return True


class Processes:
    """Emits ``ProcessesSeen`` every 5 s, at once for the first processes to watch, and soon after others come."""

    name = "processes"

    def __init__(self, clock: Clock, pass_s: float = PASS_S) -> None:
        self._clock = clock
        self._pass_s = pass_s
        self._pids: dict[Role, int] = {}
        self._changed = asyncio.Event()
        self._emit: Emit | None = None
        self._task: asyncio.Task[None] | None = None

    def watch(self, pids: Mapping[Role, int]) -> None:
        """Say whose trees to add up from now on. Call it in the loop."""
        if self._pids != pids:
            first = not self._pids
            self._pids = dict(pids)
            if first and self._emit is not None:  # a single look at a team is to show what it uses
                self._look(self._emit)
            else:
                self._changed.set()

    async def start(self, emit: Emit) -> None:
        """Look once and go on every 5 s."""
        self._emit = emit
        self._look(emit)
        self._task = asyncio.create_task(keep(self.name, lambda: self._run(emit), emit, self._clock), name="processes")

    async def stop(self) -> None:
        """End."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        self._emit = None

    async def _run(self, emit: Emit) -> None:
        while True:
            try:
                async with asyncio.timeout(until_next(self._pass_s, least=0.1)):
                    await self._changed.wait()
                await asyncio.sleep(SOON_S)  # several agents tend to start together
            except TimeoutError:
                pass
            self._changed.clear()
            self._look(emit)

    def _look(self, emit: Emit) -> None:
        rows = rows_of(read_table(), self._pids) if self._pids else ()
        emit(ProcessesSeen(self._clock.stamp(), rows))
