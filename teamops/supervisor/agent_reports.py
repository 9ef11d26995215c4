"""What is asked of the supervisor of one agent: all that is remembered of it, and what runs in its pane."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from teamops.domain import memory_growth, restart
from teamops.model.agent_report import AgentReport, ProcessNode
from teamops.model.errors import UsageError
from teamops.model.role import Role
from teamops.model.text import clean_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from teamops.sources.processes import Use
    from teamops.supervisor.core import Core

LAST = 50
"""So many pokes and restarts are told; the ledger has all."""
REFUSED = 20
MOST_PROCESSES = 500
"""More of a tree is not told: an agent that forks without end is seen by then."""

LONGEST_NAME = 60
"""Of a process: any program may name itself as it likes."""


async def agent_report(core: Core, role: Role) -> AgentReport:
    """Return all that is remembered of an agent. Raises ``UsageError`` for one that is not of the team.

    What the ledger can't tell now is left out, and the snapshot's notes say why.
    """
    book, memory = core.book, core.memory
    page = book.agents.get(role)
    if page is None:
        known = ", ".join(book.agents) or "none: name the team in teamops.toml"
        raise UsageError(f"{role} is no role of this team", f"roles: {known}")
    pid = page.pane.pid if page.pane is not None and not page.dead else None
    since = book.stamp.wall - memory_growth.WINDOW_S
    samples = tuple(memory.ask(book, lambda: memory.rss.samples(role, pid, since)) or ())
    grows = memory_growth.growth(samples, book.settings.limits.memory_bytes)
    nodes, left_out = ((), 0) if pid is None else await asyncio.to_thread(process_tree, pid)
    return AgentReport(
        role=role,
        deliveries=tuple(memory.ask(book, lambda: memory.deliveries.of(role, LAST)) or ()),
        restarts=tuple(memory.ask(book, lambda: memory.keeping.restarts(role, LAST)) or ()),
        processes=nodes,
        spikes=tuple(memory.ask(book, lambda: memory.spikes.of(role, LAST)) or ()),
        refused=tuple(memory.ask(book, lambda: core.bounding.refused(role, REFUSED)) or ()),
        launch=memory.ask(book, lambda: memory.launches.get(role)),
        keeping=restart.words(page.keeping, book.stamp),
        memory=samples,
        memory_note=memory_growth.note(grows, book.settings.limits) if pid is not None else "",
        attempts_allowed=book.settings.restart_of(role).attempts,
        processes_left_out=left_out,
    )


Tree = tuple[tuple[ProcessNode, ...], int]
"""The processes that are told, and how many more there are."""


def process_tree(pid: int) -> Tree:
    """Return the process ``pid`` and all that came of it, parents before children. Blocks: reads the process table."""
    from teamops.sources.processes import read_table

    return tree_of(read_table(), pid)


def tree_of(table: Mapping[int, Use], root: int) -> Tree:
    """Return the tree below ``root``, children by their pid; nothing where the root has ended."""
    children: dict[int, list[int]] = {}
    for pid, use in table.items():
        children.setdefault(use.parent, []).append(pid)
    nodes: list[ProcessNode] = []
    seen = {root}
    waiting = [(root, 0)] if root in table else []
    left_out = 0
    while waiting:
        pid, depth = waiting.pop()
        use = table[pid]
        if len(nodes) < MOST_PROCESSES:
            name = clean_line(use.name, LONGEST_NAME)
            nodes.append(ProcessNode(pid, use.parent, depth, name, use.rss_bytes, use.cpu_s, use.state))
        else:
            left_out += 1
        for child in sorted(children.get(pid, ()), reverse=True):
            if child not in seen:  # a reused pid can close a circle for a moment
                seen.add(child)
                waiting.append((child, depth + 1))
    return tuple(nodes), left_out
