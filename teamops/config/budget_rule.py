"""The tables [budget] and [roles.ROLE.budget] → the limits of the team, or of one agent."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from teamops.domain.budget import BudgetRule

KeyPath = tuple[str, ...]
_TEAM = ("budget",)


def read(values: Mapping[KeyPath, object], table: KeyPath) -> BudgetRule:
    """Return the limits that ``table`` sets; an agent has none of the team's but the part that is soft."""
    given = {path[-1]: value for path, value in values.items() if path[:-1] == table and path != (*_TEAM, "timezone")}
    rest = BudgetRule() if table == _TEAM else BudgetRule(soft_percent=read(values, _TEAM).soft_percent)
    return replace(rest, **given)  # type: ignore[arg-type]  # the schema gives each its type
