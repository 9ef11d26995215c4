"""What lights and cycles cost, for a snapshot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from teamops.model.role import Role
from teamops.model.spend import CycleCost, Spend


@dataclass(slots=True)
class Costs:
    """What a snapshot shows of it."""

    lights: dict[str, Spend] = field(default_factory=dict)
    """Of each open light since it came to its holder, by task, lower case."""
    blocks: Mapping[int, Spend] = field(default_factory=lambda: MappingProxyType({}))
    """What was used under the light that each block ended, by its index."""
    cycles: dict[Role, CycleCost] = field(default_factory=dict)
