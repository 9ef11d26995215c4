"""What a project's ledger knows of the protocol: neither made nor changed by asking."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import click

from teamops.model.errors import TeamopsError

if TYPE_CHECKING:
    from teamops.config.settings import Settings
    from teamops.domain.proof import Proof


@dataclass(frozen=True, slots=True)
class Record:
    """What is known."""

    proof: Proof | None = None
    """``None``: there is no ledger, or it can't be read."""
    seen: Mapping[str, float] = field(default_factory=dict)
    """When teamops saw each block first, by digest."""


def recorded(settings: Settings, state_dir: Path | None, *, must: bool = False) -> Record:
    """Return what the project's ledger knows. One that can't be read is said, and with ``must`` raises its error."""
    from teamops.ledger.peek import peek
    from teamops.supervisor.lease import state_dir_of

    try:
        with peek(state_dir_of(settings, state_dir) / "ledger.sqlite3") as audit:
            if audit is None:
                return Record()
            from teamops.domain.proof import Proof

            proof = Proof(
                approved=frozenset(approval.digest for approval in audit.approvals()),
                tampers=tuple(audit.tampers()),
                runs=tuple(audit.last_gate_runs()),
                forced=audit.forced(),
            )
            return Record(proof, audit.walls())
    except TeamopsError as error:
        if must:
            raise
        click.echo(f"teamops: judged without the ledger: {error}", err=True)
        return Record()
