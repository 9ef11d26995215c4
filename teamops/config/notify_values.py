"""Values of the table [notify] as TOML gives them → as they are used, or refused in words."""

from __future__ import annotations

import re

from teamops.config.channels import Signal
from teamops.config.settings import CHANNELS
from teamops.config.values import VARIABLE, Wrong, shown

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s\x00-\x1f]+")


def channels(value: object) -> tuple[str, ...]:
    """Read an order of CHANNELS."""
    if not isinstance(value, list) or not value:
        raise Wrong(f'is a list such as ["{CHANNELS[0]}", "{CHANNELS[1]}"], not {shown(value)}')
    for name in value:
        if name not in CHANNELS:
            raise Wrong(f"names some of {', '.join(CHANNELS)}; not {shown(name)}")
        if value.count(name) > 1:
            raise Wrong(f"names {name} twice")
    return tuple(value)


def signal(value: object) -> Signal:
    """Read what a terminal understands."""
    try:
        return Signal(value)  # type: ignore[arg-type]  # whatever else it is, it is refused
    except ValueError:
        raise Wrong(f"is one of {', '.join(Signal)}; not {shown(value)}") from None


def addresses(value: object) -> tuple[str, ...]:
    """Read a list of apprise's addresses. What is refused is never quoted: an address is a secret."""
    if not isinstance(value, list) or not value:
        raise Wrong('is a list of addresses such as ["ntfy://TOPIC"]')
    for place, each in enumerate(value, 1):
        if not isinstance(each, str) or not _ADDRESS.fullmatch(each):
            raise Wrong(f"is a list of addresses such as ntfy://TOPIC; number {place} is none")
    return tuple(value)


def variable(value: object) -> str:
    """Read the name of an environment variable."""
    if not isinstance(value, str) or not VARIABLE.fullmatch(value):
        raise Wrong(f"is the name of an environment variable, not {shown(value)}")
    return value
