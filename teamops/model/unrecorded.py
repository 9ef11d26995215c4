"""What the acting supervisor knows and can't write to the ledger."""

from __future__ import annotations

from msgspec import Struct

from teamops.model.alert import Alert


class Unrecorded(Struct, frozen=True):
    """The ledger can't be written now: who reads it finds what was so before."""

    why: str
    alerts: tuple[Alert, ...] | None = None
    """Open ones as the supervisor itself knows them, the worst first; ``None`` = it has said none, the ledger's are the
    newest there are."""
    more: int = 0
    """So many more are open and found no room here."""

    @property
    def words(self) -> str:
        """What is to be said to whoever reads."""
        said = f"the ledger can't be written: {self.why}"
        if self.alerts is None:
            return f"{said}; alerts, events and costs may be old"
        said += "; the alerts are the supervisor's own, events and costs may be old"
        return f"{said}; {self.more} more alerts are open" if self.more else said
