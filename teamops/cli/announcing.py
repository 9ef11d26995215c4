"""Who holds the light after a block, and whether that one is told: by the supervisor that acts, or by us."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from teamops.model.errors import TeamopsError
from teamops.model.role import HUMAN, NONE
from teamops.model.text import clean_line

if TYPE_CHECKING:
    from teamops.config.settings import RoleSettings, Settings
    from teamops.report.append import Judgement

POKE_S = 30.0
"""A poke that takes longer hangs."""


@dataclass(frozen=True, slots=True)
class Told:
    """What becomes of the light that a block gave."""

    how: str
    """unmoved, kept, closed, human, no session, off, supervisor, poked, announced, failed."""
    message: str
    """One or two lines for a person."""


def announce(settings: Settings, state_dir: Path | None, judgement: Judgement) -> Told:
    """Say who holds the light; poke them if nobody acts who does. Never raises: the block stands whatever comes."""
    block, task = judgement.block, judgement.task
    holder = task.turn
    if holder is None:
        return Told("unmoved", "nobody holds the light: the Turn names nobody")
    name = clean_line(holder, 40)
    if holder == NONE:
        return Told("closed", "the task is closed")
    if task.since_digest != block.digest:
        return Told("kept" if holder == block.role else "unmoved", f"{name} has the light, as before")
    if holder == block.role:
        return Told("kept", f"{name} has the light")
    from teamops.supervisor.lease import Lease, state_dir_of

    try:
        supervisor = Lease(state_dir_of(settings, state_dir)).holder()
    except OSError:
        supervisor = None
    if holder == HUMAN:
        if supervisor is not None:
            return Told("human", f"it is the person's turn: teamops (pid {supervisor.pid}) tells them")
        return Told("human", "it is the person's turn; no teamops runs that would tell them")
    known = settings.role(holder)
    if settings.watch_only or known is None:
        source = settings.source
        why = f"{source.name} names no {name}" if source else "there is no teamops.toml that names its session"
        return Told("no session", f"{name} has the light; not poked: {why}")
    if not (settings.auto_poke and known.auto_poke):
        switch = f"auto_poke of {name}" if settings.auto_poke else "poke.auto"
        return Told("off", f"{name} has the light; not poked: {switch} is off")
    if supervisor is not None:
        when = "" if _runs(settings, known) else f" when it runs: there is no agent in its session {known.session} now"
        return Told("supervisor", f"{name} has the light; teamops (pid {supervisor.pid}) pokes it{when}")
    if os.environ.get("TEAMOPS_CONFINED"):
        why = "tmux is out of reach from inside the boundary, and no teamops runs that would"
        return Told("failed", f"{name} has the light; not poked: {why}")
    return _poke(settings, state_dir, judgement, name)


def _runs(settings: Settings, role: RoleSettings) -> bool:
    """Return whether a process runs in the role's session; also where tmux does not answer: then nobody knows."""
    if os.environ.get("TEAMOPS_CONFINED"):
        return True
    from teamops.tmux.around import pane_processes
    from teamops.tmux.socket import Socket

    try:
        found = pane_processes(Socket(settings.tmux.socket_name, settings.tmux.socket_path), {role.session})
    except (TeamopsError, OSError):
        return True
    return bool(found)


def _poke(settings: Settings, state_dir: Path | None, judgement: Judgement, name: str) -> Told:
    import asyncio

    from teamops.model.actions import Outcome

    async def visit_and_poke() -> Outcome | None:
        from teamops.supervisor.visiting import visit

        async with visit(settings, state_dir=state_dir) as (core, _):
            return await asyncio.wait_for(core.announce(judgement.block.task), POKE_S)

    try:
        outcome = asyncio.run(visit_and_poke())
    except TimeoutError:
        return Told("failed", f"{name} has the light; not poked: no outcome within {POKE_S:.0f} s")
    except (TeamopsError, OSError) as error:
        said = error.message if isinstance(error, TeamopsError) else str(error)
        return Told("failed", f"{name} has the light; not poked: {clean_line(said)}")
    if outcome is None:
        return Told("announced", f"{name} has the light, and was told before")
    proof = f" ({outcome.evidence})" if outcome.evidence else ""
    if outcome.ok:
        return Told("poked", f"{name} has the light and is poked: {outcome.message}{proof}")
    hint = f"\n  → {outcome.hint}" if outcome.hint else ""
    return Told("failed", f"{name} has the light; {outcome.message}{proof}{hint}")
