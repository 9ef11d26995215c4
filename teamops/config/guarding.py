"""The table [guard] → how strictly the roles' boundaries are kept."""

from __future__ import annotations

from collections.abc import Mapping

from teamops.config.settings import AuditMode, GuardSettings

KeyPath = tuple[str, ...]


def read(values: Mapping[KeyPath, object]) -> GuardSettings:
    """Return what the table says."""
    audit = values.get(("guard", "audit"))
    return GuardSettings(
        strict=values.get(("guard", "strict")) is True,
        audit=audit if isinstance(audit, AuditMode) else AuditMode.ALERT,
    )
