"""Pokes: one line for an agent's client."""

from __future__ import annotations

from collections.abc import Callable

from teamops.config.settings import RoleSettings
from teamops.model.actions import Outcome, Poke
from teamops.model.pane import Pane
from teamops.tmux import deliver as typing
from teamops.tmux.server import Server, ServerDown


async def poke(
    server: Server, role: RoleSettings, pane: Pane | None, action: Poke, refusal: Callable[[], str] = lambda: ""
) -> Outcome:
    """Type the poke's line into the role's client and submit it, if that can be done safely.

    ``refusal`` says why its agent may not be poked at all; empty = it may.

    ``pane`` is what was known of the role's pane; what is typed into is what tmux says now. Raises ``TeamopsError``
    when tmux fails.
    """
    try:
        panes = await server.panes()
    except ServerDown as error:
        return Outcome(ok=False, message=error.message, hint=error.hint)
    now = next((seen for seen in panes if seen.session == role.session), None)
    if now is None:
        return Outcome(
            ok=False,
            message=f'{role.role} has no session "{role.session}"',
            hint="start it with r" if role.command else "start it yourself, or set command in teamops.toml",
        )
    if pane is not None and (pane.pane_id, pane.pid) != (now.pane_id, now.pid) and not pane.dead:
        return Outcome(ok=False, message=f"{role.role} was started again in the meantime", hint="look again, then poke")
    return await typing.deliver(server, now, role.client, action.text, refusal)


async def hindrance(server: Server, role: RoleSettings) -> str:
    """Return why no line can be typed for the role now; empty = one can. Raises ``TeamopsError`` when tmux fails."""
    now = next((seen for seen in await server.panes() if seen.session == role.session), None)
    return (
        f'{role.role} has no session "{role.session}"'
        if now is None
        else await typing.hindrance(server, now, role.client)
    )
