"""The table [guard] → how strictly the roles' boundaries are kept."""

from __future__ import annotations

from collections.abc import Mapping

from teamops.config.settings import GuardSettings

KeyPath = tuple[str, ...]


def read(values: Mapping[KeyPath, object]) -> GuardSettings:
    """Return what the table says."""
    return GuardSettings(strict=values.get(("guard", "strict")) is True)
