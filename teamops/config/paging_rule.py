"""How a person wants to be called, out of the tables ``notify`` and ``alerts``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from msgspec.structs import replace

from teamops.config.channels import WAYS
from teamops.domain.alert_rules import RULES
from teamops.domain.paging import PagingPolicy
from teamops.domain.sending import PAUSES_S
from teamops.model.alert import AlertRule
from teamops.model.handoff import Severity

KeyPath = tuple[str, ...]

_SOONER = "told again by the same channel before notify.escalate_s lets the next one be told"


def policy(table: Mapping[str, Any], say: Callable[[KeyPath, str], None]) -> PagingPolicy:
    """Return when the person is told. ``table``: the values of ``notify``; the schema gives each its type.

    ``say`` is told of what can't be meant so.
    """
    made = PagingPolicy(**{name: value for name, value in table.items() if name not in WAYS})
    tried_s = sum(PAUSES_S)
    if made.escalate_s <= tried_s:
        at = ("notify", "escalate_s")
        say(at, f"{'.'.join(at)} is longer than {tried_s:g} s: for so long one channel is tried")
    return made


def rules(values: Mapping[KeyPath, object]) -> Mapping[str, AlertRule]:
    """Return the rules of all alerts, with what ``alerts.CODE`` says instead."""
    own: dict[str, dict[str, Any]] = {}
    for path, value in values.items():
        if path[0] == "alerts" and len(path) == 3:
            own.setdefault(path[1], {})[path[2]] = value
    return (
        MappingProxyType({code: replace(rule, **own.get(code, {})) for code, rule in RULES.items()}) if own else RULES
    )


def remarks(
    policy: PagingPolicy, rules: Mapping[str, AlertRule], channels: int, told: Mapping[KeyPath, object]
) -> Iterator[tuple[KeyPath, str]]:
    """Say what is unwise. ``told``: the values that somebody wrote."""
    at = ("notify", "escalate_s")
    if channels == 1 and at in told:
        yield at, "notify.escalate_s has no effect: there is one channel, and no next one"
    if channels < 2:
        return
    urgent = [rule for rule in rules.values() if rule.page and (rule.escalates or rule.severity is Severity.CRITICAL)]
    sooner = [rule for rule in urgent if rule.repeat_s is not None and rule.repeat_s <= policy.escalate_s]
    if at in told and sooner:
        codes = ", ".join(rule.code for rule in sooner[:3]) + (f" and {len(sooner) - 3} more" if sooner[3:] else "")
        yield at, f"{codes}: {_SOONER}"
        return
    for rule in sooner:
        here = ("alerts", rule.code, "repeat_s")
        yield (
            here,
            f"{'.'.join(here)}: told again by the same channel before notify.escalate_s lets the next one be told",
        )
