"""The tables [roles.ROLE.write] and [roles.ROLE.commands] → what stands in place of the profile's boundary."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

KeyPath = tuple[str, ...]
_LISTS = ("allow", "deny")


def read(values: Mapping[KeyPath, object], table: KeyPath) -> Mapping[str, object]:
    """Return what ``table``, a role's, sets of its boundary, by the names of its policy's fields."""
    given: dict[str, object] = {}
    for path, value in values.items():
        if path[:-2] == table and path[-2] in ("write", "commands"):
            given[f"{path[-2]}_{path[-1]}" if path[-1] in _LISTS else path[-1]] = value
    return MappingProxyType(given)
