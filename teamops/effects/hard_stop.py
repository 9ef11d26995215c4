"""The steps of a hard stop that come before its end: the gate, no pokes, the interrupt. Each says only what was seen.

Source of the keys: Claude Code 2.1.330, Codex 0.171, Gemini CLI 0.61, opencode 1.18, by their own screens.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from teamops.config.settings import RoleSettings
from teamops.effects.recipe import HOOK_TIMEOUT_S, entry_words
from teamops.guard import holds, hook
from teamops.model.actions import Outcome, StopSpending
from teamops.model.pane import Pane, Screen
from teamops.tmux.deliver import Refused, pane_lock
from teamops.tmux.ending import is_alive
from teamops.tmux.screen import KNOWN_CLIENTS, read_screen
from teamops.tmux.server import Server, ServerDown

KEYS = {"claude": ("Escape",), "codex": ("Escape",), "gemini": ("Escape",), "opencode": ("Escape", "Escape")}
"""What interrupts each client while it works, and only then: at a prompt or in a dialog the same key means others."""
QUIET_S = 2.0
"""So long an interrupted client may show that it works before the key is pressed again."""
TRIES = 3
BETWEEN_S = 0.3
_WORKS = frozenset({Screen.BUSY, Screen.RETRYING})
_UNSETTLED = _WORKS | {Screen.UNKNOWN}
_POLL_S = 0.05


async def gate(folder: Path, role: RoleSettings | None, action: StopSpending) -> Outcome:
    """Hold the agent, and see that its hook entry refuses."""
    path = holds.path_of(str(folder), action.role)
    try:
        await asyncio.to_thread(holds.hold, str(folder), action.role, f"held: {action.text}", action.since)
    except OSError as error:
        return Outcome(
            ok=False,
            message=f"{path} can't be written: {error.strerror or error}",
            hint="free disk space or mend the state directory's rights",
        )
    if role is None or role.client not in KNOWN_CLIENTS:
        return Outcome(ok=True, message="shut; no hook of its client asks for it", evidence=path)
    status = await _ask(path, role.client)
    if status != hook.REFUSED:
        return Outcome(
            ok=False,
            message=f"shut, but the hook entry did not refuse (status {status})",
            hint="does the Python that runs teamops still stand where it was?",
        )
    return Outcome(ok=True, message="shut: the hook entry refuses tool calls and prompts", evidence=f"asked of {path}")


async def _ask(path: str, client: str) -> int | None:
    """Run the hook entry as a client does, for nobody; return its status, or ``None`` where it had none in time."""
    event = "UserPromptSubmit"  # refused at once; a tool call takes its time where that matters
    process = await asyncio.create_subprocess_exec(
        *entry_words(event, path, client),
        cwd="/",
        env={"PATH": os.environ.get("PATH", os.defpath)},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(HOOK_TIMEOUT_S):
            return await process.wait()
    except TimeoutError:
        return None
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()


async def no_pokes(server: Server, role: RoleSettings, held: Callable[[], str]) -> Outcome:
    """Wait for the end of a line that is being typed, and see that the next one would be refused."""
    now = await _pane(server, role)
    if now is not None:
        try:
            async with pane_lock(server, now):  # every teamops that types holds it, and asks for the hold under it
                why = held()
        except Refused as refusal:
            return Outcome(ok=False, message=refusal.message, hint=refusal.hint)
    else:
        why = held()
    if not why:
        return Outcome(ok=False, message="other processes of teamops know of no hold", hint="see the step before")
    return Outcome(ok=True, message="pokes, starts and restarts are refused", evidence=why)


async def interrupt(server: Server, role: RoleSettings) -> Outcome:
    """Press the client's own key as long as its screen says that it works; see that it stops. Never into a dialog."""
    now = await _pane(server, role)
    if now is None or now.dead or not is_alive(now.pid):
        return Outcome(ok=True, message="is not running")
    if role.client not in KNOWN_CLIENTS:
        return Outcome(ok=False, message=f"teamops knows no key that interrupts a {role.client}")
    try:
        async with pane_lock(server, now):
            return await _interrupt(server, role.client, now)
    except Refused as refusal:
        return Outcome(ok=False, message=refusal.message, hint=refusal.hint)


async def _interrupt(server: Server, client: str, pane: Pane) -> Outcome:
    pressed = 0
    while True:
        # What can't be told may be half drawn; what works is not waited for before the first key.
        screen, now = await _look(server, client, pane, _UNSETTLED if pressed else frozenset({Screen.UNKNOWN}))
        if now.dead or now.pid != pane.pid:
            return Outcome(ok=True, message="its process has ended")
        if screen is Screen.DIALOG:
            return Outcome(ok=False, message="a dialog is open, and no key is pressed into one")
        if screen is Screen.UNKNOWN:
            return Outcome(ok=False, message="its screen shows nothing that teamops knows, so no key is pressed")
        if screen not in _WORKS:
            said = f"interrupted ({' '.join(KEYS[client])})" if pressed else "at its prompt: nothing to interrupt"
            return Outcome(ok=True, message=said, evidence=f"screen: {screen.value}")
        if now.in_mode:
            await server.send(pane.pane_id, "-X", "cancel")  # else the key would end somebody's scrolling, no more
        elif pressed == TRIES:
            return Outcome(ok=False, message=f"works on after {TRIES} interrupts")
        else:
            pressed += 1
            for number, key in enumerate(KEYS[client]):
                await asyncio.sleep(BETWEEN_S if number else 0.0)  # two at once would be one key with Alt
                await server.send(pane.pane_id, key)


async def _look(server: Server, client: str, pane: Pane, unwanted: frozenset[Screen]) -> tuple[Screen, Pane]:
    """Return what the screen shows, waiting for a while for something else than ``unwanted``."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + QUIET_S
    while True:
        now = await server.pane(pane.pane_id)
        screen = read_screen(client, "" if now.dead else await server.capture(pane.pane_id), now.title)
        if screen not in unwanted or now.dead or loop.time() >= deadline:
            return screen, now
        await asyncio.sleep(_POLL_S)


async def _pane(server: Server, role: RoleSettings) -> Pane | None:
    try:
        panes = await server.panes()
    except ServerDown:
        return None
    return next((seen for seen in panes if seen.session == role.session), None)
