"""The tables [spike] and [roles.ROLE.spike] → the spike rule."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from teamops.domain.limits import SpikeRule

KeyPath = tuple[str, ...]


def read(values: Mapping[KeyPath, object], table: KeyPath, rest: SpikeRule) -> SpikeRule:
    """Return the rule that ``table`` says; ``rest`` is what it leaves out."""
    given = {path[-1]: value for path, value in values.items() if path[:-1] == table}
    return replace(rest, **given)  # type: ignore[arg-type]  # the schema gives each its type


def conflict(values: Mapping[KeyPath, object], table: KeyPath, rule: SpikeRule) -> tuple[KeyPath, str] | None:
    """Return the key that contradicts another, and how; ``None`` = all is well."""
    written = next(((*table, key) for key in ("floor", "ceiling") if (*table, key) in values), None)
    if written is None or rule.floor <= rule.ceiling:
        return None
    name = ".".join(table)
    return written, f"{name}.floor ({rule.floor}) is more than its ceiling ({rule.ceiling}): nothing between is judged"
