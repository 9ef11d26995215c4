"""Starts: an agent's session made, or what runs there adopted as it is."""

from __future__ import annotations

import asyncio
from pathlib import Path

from teamops.config.settings import RoleSettings, Settings
from teamops.effects.restart import (
    NotResumed,
    create_session,
    ended,
    is_of,
    recipe_inside,
    respawn_pane,
    unresumed,
)
from teamops.model.actions import Outcome
from teamops.model.agent_report import Launch
from teamops.model.boundary import Held
from teamops.tmux.deliver import Refused, pane_lock
from teamops.tmux.lifecycle import mark_of
from teamops.tmux.server import Server, ServerDown

RUNS, ADOPTED = "runs already: ", " adopted"
_ADOPTED = Held(unheld="teamops did not start it, and does not know what holds it")
_FORGOTTEN = Held(unheld="teamops was ended as it started it, and does not know what holds it")


def how(outcome: Outcome) -> str:
    """Return in one word how a start ended: started, adopted, running or failed."""
    if not outcome.ok:
        return "failed"
    if outcome.evidence.startswith(RUNS):
        return "running"
    return "adopted" if outcome.evidence.endswith(ADOPTED) else "started"


async def start(
    server: Server,
    role: RoleSettings,
    root: Path,
    folder: Path,
    launch: Launch | None,
    settings: Settings | None = None,
) -> Outcome:
    """Make the role's session, begin its command again in a dead pane, or leave alone what runs there.

    A session that can't be resumed is left for a new one, which is said. What teamops did not start is adopted: never
    ended by rule. Raises ``TeamopsError`` when tmux fails.
    """
    try:
        panes = await server.panes()
    except ServerDown:
        panes = ()
    now = next((seen for seen in panes if seen.session == role.session), None)
    try:
        if now is None:
            return await create_session(server, role, await recipe_inside(role, root, folder, launch, settings))
        where = f"pane {now.pane_id} pid {now.pid}"
        if now.dead or ended(now.pid):
            async with pane_lock(server, now):
                return await respawn_pane(
                    server, role, now, await recipe_inside(role, root, folder, launch, settings), tree=False
                )
    except NotResumed as lost:
        return lost.before(await start(server, role, root, folder, unresumed(launch), settings))
    except Refused as refusal:
        return Outcome(ok=False, message=refusal.message, hint=refusal.hint)
    if launch is not None and is_of(launch, now.pid):
        return Outcome(ok=True, message="runs already", evidence=RUNS + where)
    mark = await asyncio.to_thread(mark_of, server.socket, now.pane_id)
    if mark.pid == now.pid:  # started by a teamops that was killed before it could remember it
        session = f" session {mark.client_session}" if mark.client_session else ""
        return Outcome(
            ok=True, message="runs already, started by teamops before", evidence=where + session, held=_FORGOTTEN
        )
    if launch is not None and launch.adopted and launch.pid == now.pid:
        return Outcome(ok=True, message="runs already, not started by teamops", evidence=RUNS + where)
    said = "adopted: it ran already; teamops never ends it by itself"
    return Outcome(ok=True, message=said, evidence=where + ADOPTED, held=_ADOPTED)
