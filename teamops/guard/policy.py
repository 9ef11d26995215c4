"""A role's policy as it lies in the person's state directory, ready for the hook: plain values, nothing to be parsed.

`domain/boundary.py` makes it. It stands beside the role's hold, out of the agents' reach; one that is missing or can't
be read allows nothing.
"""

# ruff: noqa: PTH118, PTH119, PTH120, PTH123 - importing pathlib costs more than all of this
from __future__ import annotations

import json
import os

FOLDER = "policy"
VERSION = 1
MAX_BYTES = 1 << 20

TYPE_CHECKING = False  # what `typing` says, without its cost
if TYPE_CHECKING:
    from typing import Any

    Policy = dict[str, Any]
    """As `domain/boundary.py` makes it."""
else:
    Policy = dict


class NoPolicy(Exception):  # noqa: N818 - it is an answer: nothing is allowed
    """A policy that can't be had, and why."""


def path_of(folder: str, role: str) -> str:
    """Return where the policy of ``role`` stands; ``folder``: the project's in the person's state directory."""
    return os.path.join(folder, FOLDER, f"{role}.json")


def beside(gate: str) -> str:
    """Return where the policy stands of whose hold would stand at ``gate``."""
    return path_of(os.path.dirname(os.path.dirname(gate)), os.path.basename(gate))


def read(path: str) -> Policy:
    """Return the policy in ``path``. Raises ``NoPolicy``."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except (OSError, ValueError) as error:
        raise NoPolicy(f"{path} can't be opened ({getattr(error, 'strerror', None) or error})") from error
    try:
        with open(handle, "rb") as file:
            raw = file.read(MAX_BYTES + 1)
        told = json.loads(raw)
    except (OSError, ValueError, RecursionError) as error:
        raise NoPolicy(f"{path} can't be read ({error})") from error
    if not isinstance(told, dict) or told.get("v") != VERSION:
        raise NoPolicy(f"{path} is none that this teamops knows")
    return told
