"""The person's word: signing a task off, sending it back, accepting a rewrite."""

from __future__ import annotations

from typing import TYPE_CHECKING

from teamops.model.actions import Outcome
from teamops.model.snapshot import AcceptTamper, SignOff

if TYPE_CHECKING:
    from teamops.supervisor.core import Core


async def sign_off(core: Core, intent: SignOff) -> Outcome:
    """Write the person's block, with its record in the ledger before it."""
    raise NotImplementedError


def accept(core: Core, intent: AcceptTamper) -> Outcome:
    """Store that the person accepts a rewrite."""
    raise NotImplementedError
