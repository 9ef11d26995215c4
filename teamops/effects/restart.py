"""Restarts: an agent's command begun again in its pane, or in a new session."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from pathlib import Path

from msgspec import structs

from teamops.config.settings import RoleSettings, Settings
from teamops.domain.canary import broken, hindrance
from teamops.domain.health import exit_words
from teamops.effects.launch import recipe
from teamops.effects.recipe import Recipe, short
from teamops.model.actions import By, Outcome, Restart
from teamops.model.agent_report import Launch
from teamops.model.check import Check
from teamops.model.errors import TeamopsError
from teamops.model.pane import Pane
from teamops.model.text import clean_line
from teamops.tmux.deliver import Refused, pane_lock
from teamops.tmux.server import Server, ServerDown

NOT_FOUND = 127
"""With it a shell says that there is no such program."""
STEADY_S = 0.7
"""A command that can't run ends within this."""
SEEN_S = 2.0
_POLL_S = 0.05
LAST_LINES = 3
LAST_HISTORY = 60
"""More lines than a pane of ours has."""
LAST_WORDS_S = 1.0


class NotResumed(Exception):  # noqa: N818 - what is said, not a defect
    """A client that was to go on with its session ended at once."""

    def __init__(self, outcome: Outcome) -> None:
        """``outcome``: how that start ended."""
        super().__init__(outcome.message)
        self.outcome = outcome

    def before(self, again: Outcome) -> Outcome:
        """Return how the next start ended, with a new session, and that it is not the first."""
        return structs.replace(again, message=f"{again.message}; its session was not resumed: {self.outcome.message}")


def unresumed(launch: Launch | None) -> Launch | None:
    """Return what is known of a start, without its client's session."""
    return None if launch is None else structs.replace(launch, client_session="")


async def restart(
    server: Server,
    role: RoleSettings,
    project: str,
    root: Path,
    pane: Pane | None,
    action: Restart,
    launch: Launch | None = None,
    folder: Path | None = None,
    settings: Settings | None = None,
) -> Outcome:
    """Start the role's agent (again) and look that it runs.

    Without a session: a new one with the configured command. With one: what runs there is ended, really, and the
    configured command started, or, with none configured, what the pane was made with. ``ok`` only when a new process
    was seen alive after 0.7 s. ``launch``: what teamops started for the role: its client's session is resumed, or,
    where that ends at once, a new one is begun, which is said; and by rule no other living process is ended.
    ``folder``: the project's in the person's state directory. Raises ``TeamopsError`` when tmux fails.
    """
    del pane  # what was known is not what is: tmux is asked anew
    try:
        panes = await server.panes()
    except ServerDown as error:
        if action.by is By.RULE:  # with it the whole team is gone: a person's decision, or the machine's end
            return Outcome(ok=False, message=error.message, hint=error.hint)
        panes = ()
    now = next((seen for seen in panes if seen.session == role.session), None)
    ours = now is not None and launch is not None and is_of(launch, now.pid)
    if action.by is By.RULE and now is not None and not ours and (not now.dead and not ended(now.pid)):
        return Outcome(
            ok=False,
            message=f"pid {now.pid} runs in its pane, and teamops did not start it: by rule it is not ended",
            hint=f"look at it, and restart {role.role} (r) if it hangs",
        )
    try:
        how = await recipe_inside(role, root, folder or root / ".teamops", launch, settings)
        if now is None:
            return await create_session(server, role, how)
        async with pane_lock(server, now):
            return await respawn_pane(server, role, now, how, tree=ours)
    except NotResumed as lost:
        again = restart(server, role, project, root, now, action, unresumed(launch), folder, settings)
        return lost.before(await again)
    except Refused as refusal:
        return Outcome(ok=False, message=refusal.message, hint=refusal.hint)


async def recipe_inside(
    role: RoleSettings, root: Path, folder: Path, launch: Launch | None, settings: Settings | None
) -> Recipe:
    """Return how the role's agent is started, in its boundary where ``settings`` say how that is held."""
    how = recipe(role, root, folder, launch)
    file = folder / "agents" / f"{role.role}.start.sh"
    if settings is None:
        return short(how, file)
    from teamops.effects.canary import tried
    from teamops.effects.confine import confined

    done = await asyncio.to_thread(confined, settings, role, folder, how)
    trial = partial(tried, settings, role, folder, done)
    return replace(short(done.recipe, file), trial=trial, strict=settings.guard.strict)


async def prepared(role: RoleSettings, how: Recipe) -> tuple[tuple[Check, ...], Outcome | None]:
    """Write what a start needs and try its boundary. Returns what came of it, and why it is not started at all."""
    await asyncio.to_thread(how.write)
    checks = await asyncio.to_thread(how.trial) if how.trial is not None else ()
    why = hindrance(checks) if how.strict else ""
    if not why:
        return checks, None
    hint = f"see teamops doctor --role {role.role}; mend it, or say strict = false in [guard]"
    said = f"{role.role} is not started: guard.strict is set, and {why}"
    return checks, Outcome(ok=False, message=said, hint=hint, checks=checks)


async def create_session(server: Server, role: RoleSettings, how: Recipe) -> Outcome:
    """Make the role's session and look that its agent runs."""
    from teamops.tmux.lifecycle import create

    if not role.command:
        return Outcome(
            ok=False,
            message=f'{role.role} has no session "{role.session}" and no command to start one with',
            hint=f"set command for {role.role} in teamops.toml",
        )
    checks, refused = await prepared(role, how)
    if refused is not None:
        return refused
    started = await asyncio.to_thread(
        create, server.socket, role.session, how.argv, role.cwd, how.env, client_session=how.client_session
    )
    said = f'started in a new session "{role.session}"'
    return await _judge(server, role, started.pane_id, started.pid, said, how, checks)


async def respawn_pane(server: Server, role: RoleSettings, now: Pane, how: Recipe, *, tree: bool) -> Outcome:
    """Begin the role's agent again in its pane and look that it runs. ``tree``: see ``lifecycle.respawn``."""
    from teamops.tmux.lifecycle import respawn

    was = "dead" if now.dead else f"pid {now.pid}"
    checks, refused = await prepared(role, how)
    if refused is not None:
        return refused
    started = await asyncio.to_thread(
        respawn,
        server.socket,
        now.pane_id,
        how.argv or None,
        pid=now.pid,
        cwd=role.cwd if role.command else None,
        env=how.env,
        tree=tree,
        client_session=how.client_session,
    )
    said = f"started again (was {was})"
    if started.survivors:
        said += f"; still there from before: pid {', '.join(map(str, started.survivors))}"
    return await _judge(server, role, started.pane_id, started.pid, said, how, checks)


async def _judge(
    server: Server, role: RoleSettings, pane_id: str, pid: int, said: str, how: Recipe, checks: tuple[Check, ...]
) -> Outcome:
    """Say that it runs only after it was seen to run."""
    session = f" session {how.client_session}" if how.client_session else ""
    said = "; ".join((said, *(["its session is resumed"] if how.resumed else []), *how.notes))
    wrong = [f"its boundary is BROKEN: {check.layer} {check.why}" for check in broken(checks)]
    said = "; ".join((said, *wrong))
    loop = asyncio.get_running_loop()
    begun = loop.time()
    seen: Pane | None = None
    while loop.time() - begun < SEEN_S:
        try:
            seen = next((row for row in await server.panes() if row.session == role.session), None)
        except ServerDown:
            seen = None
        if seen is not None and seen.pane_id == pane_id and seen.pid == pid:
            if seen.dead or ended(pid):
                failed = structs.replace(await _failed(server, role, seen), checks=checks)
                if how.resumed:
                    raise NotResumed(failed)
                return failed
            if loop.time() - begun >= STEADY_S:
                where = f"pane {pane_id} pid {pid}{session}"
                return Outcome(ok=True, message=said, evidence=where, held=how.held, checks=checks)
        await asyncio.sleep(_POLL_S)
    return Outcome(
        ok=False,
        message=f"{role.role} was started, but pid {pid} is not in its pane now",
        hint=f'look at the session "{role.session}" with tmux',
        checks=checks,
    )


def is_of(launch: Launch, pid: int) -> bool:
    """Return whether teamops started that process."""
    from teamops.tmux.ending import born_of

    return not launch.adopted and launch.pid == pid and launch.born == born_of(pid)


def ended(pid: int) -> bool:
    """Return whether the process has ended."""
    from teamops.tmux.ending import is_alive

    return not is_alive(pid)


def _told(pane: Pane) -> bool:
    """Whether tmux knows how it ended; that it is dead it knows a moment sooner, from the closed terminal."""
    return pane.dead and (pane.exit_status is not None or pane.exit_signal is not None)


async def _failed(server: Server, role: RoleSettings, pane: Pane) -> Outcome:
    """Say how it ended, with its last words.

    tmux has all that came, once it knows of the end. Not all comes: the kernel drops what a terminal's first process
    wrote in the instant before its end (measured, Linux 6.18 under load: 1 of 16), so silence says nothing.
    """
    from teamops.tmux.ending import ending_of, nudge

    loop = asyncio.get_running_loop()
    deadline = loop.time() + LAST_WORDS_S
    ending = ending_of(pane.pid)
    last = ""
    try:
        while not _told(pane) and loop.time() < deadline:
            await asyncio.sleep(_POLL_S)
            nudge(server.server_pid, pane.pid)
            pane = await server.pane(pane.pane_id)
        # All may be off the screen by now: who attaches to a dead pane resets it before, see ``command.calming``.
        text = await server.capture(pane.pane_id, history=LAST_HISTORY)
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        own = [line for line in lines if not line.startswith("Pane is dead")]
        last = clean_line(" / ".join(own[-LAST_LINES:]), 300)
    except TeamopsError:
        pass  # the pane went with its process: the status has to do
    status, signal = ending or (pane.exit_status, pane.exit_signal)
    hint = f"mend command for {role.role} in teamops.toml, or what it runs"
    if status == NOT_FOUND and role.command and "/" not in role.command[0]:
        hint = (
            f"install {role.command[0]}, or give its whole path as command for {role.role} in teamops.toml: "
            "the PATH of the tmux server counts"
        )
    elif not last:
        hint += f"; it left no words: run it by hand in {clean_line(str(role.cwd), 200)}"
    said = f"its command ended at once, {exit_words(status, signal)}"
    return Outcome(ok=False, message=said + (f": {last}" if last else ""), hint=hint)
