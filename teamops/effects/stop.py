"""Stops: an agent ended in good order, and its session closed where teamops made it."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress

from teamops.config.settings import RoleSettings
from teamops.effects.restart import is_of
from teamops.model.actions import By, Outcome, Stop
from teamops.model.agent_report import Launch
from teamops.model.pane import Pane, Screen
from teamops.tmux.deliver import Refused, pane_lock
from teamops.tmux.ending import GRACE_S, born_of, end_named, end_session, is_alive, tree_of
from teamops.tmux.lifecycle import kill_session, mark_of, pane_count
from teamops.tmux.screen import read_screen
from teamops.tmux.server import Server, ServerDown

OWN_EXIT_S = 5.0
"""So long a client that was told to leave in its own way may take before it gets TERM, of a grace that is longer."""
_OWN_EXIT = frozenset({"claude", "codex"})
"""Clients that two Ctrl-C end at their prompt."""
BETWEEN_S = 0.3
_POLL_S = 0.05


async def stop(server: Server, role: RoleSettings, action: Stop, launch: Launch | None) -> Outcome:
    """End the role's agent: its own exit or TERM, then KILL after the grace, of all that descends from it.

    By rule only what teamops started, but ``whoever`` spends and may not. Raises ``TeamopsError`` when tmux fails.
    """
    try:
        panes = await server.panes()
    except ServerDown:
        panes = ()
    now = next((seen for seen in panes if seen.session == role.session), None)
    if now is None:
        return Outcome(ok=True, message="was not running")
    mark = await asyncio.to_thread(mark_of, server.socket, now.pane_id)
    ours = mark.pid == now.pid or (launch is not None and is_of(launch, now.pid))
    if now.dead or not is_alive(now.pid):
        return await _closed(server, now, "had ended already", made=mark.made)
    if action.by is By.RULE and not ours and not action.whoever:
        return Outcome(
            ok=False,
            message=f"pid {now.pid} runs in its pane, and teamops did not start it: by rule it is not ended",
            hint=f"teamops stop {role.role}",
        )
    try:
        async with pane_lock(server, now):
            said, left = await _end(server, role, now, action.grace_s)
    except Refused as refusal:
        return Outcome(ok=False, message=refusal.message, hint=refusal.hint)
    if left:
        pids = ", ".join(map(str, left))
        return Outcome(ok=False, message=f"{said}; still there: pid {pids}", hint=f"see what holds it: ps -fp {pids}")
    return await _closed(server, now, f"{said} (pid {now.pid})", made=mark.made)


async def is_started(server: Server, pane: Pane, launch: Launch | None) -> bool:
    """Return whether teamops started what the pane runs, or ran."""
    if launch is not None and is_of(launch, pane.pid):
        return True
    return (await asyncio.to_thread(mark_of, server.socket, pane.pane_id)).pid == pane.pid


async def _end(server: Server, role: RoleSettings, pane: Pane, grace_s: float) -> tuple[str, list[int]]:
    """End the pane's process and all that descends from it; return how, and what lives on."""
    loop = asyncio.get_running_loop()
    born, begun = born_of(pane.pid), loop.time()
    names = await asyncio.to_thread(tree_of, pane.pid)  # afterwards they are nobody's children
    said = ""
    told = role.client in _OWN_EXIT and await _leaves_itself(server, role, pane)
    if told and await _gone(pane.pid, born, min(OWN_EXIT_S, grace_s / 2)):
        said = "left by its client's own exit"
    if not said:
        _signal(pane.pid, signal.SIGTERM)
        in_time = await _gone(pane.pid, born, max(0.0, grace_s - (loop.time() - begun)))
        said = "ended by TERM" if in_time else f"killed: it did not end within {grace_s:g} s"
    names += [name for name in await asyncio.to_thread(tree_of, pane.pid) if name not in names]
    left = await asyncio.to_thread(end_session, pane.pid, 0.0 if said.startswith("killed") else GRACE_S)
    return said, sorted({*left, *await asyncio.to_thread(end_named, names)})


async def _leaves_itself(server: Server, role: RoleSettings, pane: Pane) -> bool:
    """Type the client's own exit, at its prompt only: in a dialog it would answer."""
    for _ in range(2):
        now = await server.pane(pane.pane_id)
        if now.dead or now.pid != pane.pid:
            return True
        text = await server.capture(pane.pane_id)
        if now.in_mode or read_screen(role.client, text, now.title) is not Screen.PROMPT:
            return False
        await server.send(pane.pane_id, "C-c")
        await asyncio.sleep(BETWEEN_S)
    return True


async def _gone(pid: int, born: str, seconds: float) -> bool:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while is_alive(pid) and born_of(pid) == born:
        if loop.time() >= deadline:
            return False
        await asyncio.sleep(_POLL_S)
    return True


def _signal(pid: int, number: signal.Signals) -> None:
    """Signal the pane's process group; a stopped one goes on so that it can hear."""
    with suppress(ProcessLookupError, PermissionError):
        group = os.getpgid(pid)
        for each in (number, signal.SIGCONT):
            if group == pid:
                os.killpg(group, each)
            else:
                os.kill(pid, each)


async def _closed(server: Server, pane: Pane, said: str, *, made: bool) -> Outcome:
    """Close the session where teamops made it and a person opened nothing else in it."""
    where = f'session "{pane.session}"'
    if not made:
        return Outcome(ok=True, message=said, evidence=f"{where} left as it is")
    if await asyncio.to_thread(pane_count, server.socket, pane.session) > 1:
        return Outcome(ok=True, message=said, evidence=f"{where} left: it has other panes")
    await asyncio.to_thread(kill_session, server.socket, pane.session)
    return Outcome(ok=True, message=said, evidence=f"{where} closed")
