"""How a person wants to be called, out of the tables ``notify`` and ``alerts``."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from msgspec.structs import replace

from teamops.config.channels import WAYS
from teamops.domain.alert_rules import RULES, AlertRule
from teamops.domain.paging import PagingPolicy

KeyPath = tuple[str, ...]


def policy(table: Mapping[str, Any]) -> PagingPolicy:
    """Return when the person is told. ``table``: the values of ``notify``; the schema gives each its type."""
    return PagingPolicy(**{name: value for name, value in table.items() if name not in WAYS})


def rules(values: Mapping[KeyPath, object]) -> Mapping[str, AlertRule]:
    """Return the rules of all alerts, with what ``alerts.CODE`` says instead."""
    own: dict[str, dict[str, Any]] = {}
    for path, value in values.items():
        if path[0] == "alerts" and len(path) == 3:
            own.setdefault(path[1], {})[path[2]] = value
    return (
        MappingProxyType({code: replace(rule, **own.get(code, {})) for code, rule in RULES.items()}) if own else RULES
    )
