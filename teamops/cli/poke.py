"""``teamops poke``: one line for an agent, and the proof that it was taken."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from teamops.cli.options import project_option, state_option
from teamops.cli.place import managed_role, settings_of
from teamops.model.actions import Outcome
from teamops.model.agent_report import Delivery, DeliveryStage
from teamops.model.errors import EXIT_FINDING, TeamopsError
from teamops.model.role import Role

if TYPE_CHECKING:
    from collections.abc import Callable

    from teamops.config.settings import Settings

SCHEMA = "teamops.poke/1"
OUTCOME_S = 30.0
"""Typing that takes longer hangs."""
SLACK_S = 1.0
"""A proof that is looked for once a second may be found a second late."""


@click.command()
@click.argument("role")
@click.argument("text", required=False)
@click.option("--no-wait", is_flag=True, help="Don't wait for the proof that its client took the line.")
@click.option("--json", "as_json", is_flag=True, help=f"One object, schema {SCHEMA}.")
@project_option
@state_option
def poke(
    role: str, text: str | None, root: Path | None, state_dir: Path | None, *, no_wait: bool, as_json: bool
) -> int:
    """Type one line into ROLE's client, submit it, and wait for the proof that the client took it.

    TEXT, or what its light asks of it. Longer text, or more than one line, is kept in a file that the line names. Ends
    with 1 where the line was refused, or nothing shows that it was taken.
    """
    settings = settings_of(root)
    name = managed_role(settings, role).role
    teller = _Teller(quiet=as_json)
    outcome = asyncio.run(_poke(settings, state_dir, name, text, teller.tell, wait=not no_wait))
    delivery = teller.delivery
    taken = delivery is not None and delivery.accepted_wall is not None
    ok = outcome.ok or taken if no_wait else taken
    if as_json:
        click.echo(json.dumps(_as_json(name, delivery, outcome, ok=ok), ensure_ascii=False, indent=2))
        return 0 if ok else EXIT_FINDING
    if not outcome.ok and not taken:
        raise TeamopsError(outcome.message, outcome.hint)
    if not ok:
        raise TeamopsError(
            f"{name} was typed to, and nothing shows that its client took the line",
            f"look at its pane: teamops attach {name}",
        )
    return 0


class _Teller:
    """Says each stage when it is reached, with its time."""

    def __init__(self, *, quiet: bool) -> None:
        self.delivery: Delivery | None = None
        self._quiet = quiet
        self._told: set[str] = set()

    def tell(self, delivery: Delivery) -> None:
        self.delivery = delivery
        if self._quiet:
            return
        start = delivery.decided_wall
        at = datetime.fromtimestamp(start).strftime("%H:%M:%S")  # noqa: DTZ006 - a person's own time
        self._say("decided", f"{at}  {delivery.text}")
        if delivery.typed_wall is not None and not delivery.refused:
            self._say("typed", f"+{delivery.typed_wall - start:.1f} s")
        if delivery.stage is DeliveryStage.UNPROVEN:
            self._say("unproven", "nothing shows that its client took it")
        if delivery.refused:
            self._say("refused", delivery.refused)
        if delivery.accepted_wall is not None:
            self._say("accepted", f"+{delivery.accepted_wall - start:.1f} s  {delivery.proof}")
        if delivery.working_wall is not None:
            self._say("working", f"+{delivery.working_wall - start:.1f} s")

    def _say(self, stage: str, what: str) -> None:
        if stage not in self._told:
            self._told.add(stage)
            click.echo(f"{stage:<9} {what}")


async def _poke(
    settings: Settings,
    state_dir: Path | None,
    role: Role,
    text: str | None,
    tell: Callable[[Delivery], None],
    *,
    wait: bool,
) -> Outcome:
    from teamops.model.snapshot import PokeRole
    from teamops.supervisor.pokes import poke_text
    from teamops.supervisor.visiting import visit

    async with visit(settings, state_dir=state_dir) as (core, snapshot):
        reached = asyncio.Event()

        def see(delivery: Delivery) -> None:
            if delivery.role == role:
                tell(delivery)
                if delivery.over or delivery.accepted_wall is not None:
                    reached.set()

        core.deliverer.on_stage = see
        try:
            outcome = await asyncio.wait_for(core.wish(PokeRole(role, text or poke_text(snapshot, role))), OUTCOME_S)
        except TimeoutError:
            return Outcome(ok=False, message=f"no outcome within {OUTCOME_S:.0f} s", hint="is the tmux server well?")
        if outcome.ok and wait:
            patience = core.deliverer.patience_s(role)
            try:
                await asyncio.wait_for(reached.wait(), patience + SLACK_S)
            except TimeoutError:
                return outcome
        return outcome


def _as_json(role: Role, delivery: Delivery | None, outcome: Outcome, *, ok: bool) -> dict[str, object]:
    stage = DeliveryStage.REFUSED if delivery is None else delivery.stage
    return {
        "schema": SCHEMA,
        "role": role,
        "ok": ok,
        "stage": stage.value,
        "text": "" if delivery is None else delivery.text,
        "decided": None if delivery is None else delivery.decided_wall,
        "typed": None if delivery is None else delivery.typed_wall,
        "accepted": None if delivery is None else delivery.accepted_wall,
        "working": None if delivery is None else delivery.working_wall,
        "proof": "" if delivery is None else delivery.proof,
        "message": outcome.message,
        "hint": outcome.hint,
    }
