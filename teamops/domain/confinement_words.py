"""What a boundary comes to: who holds a path, and all of it in words, for a person."""

from __future__ import annotations

from collections.abc import Sequence

from teamops.domain.confinement import Boundary, Cover, Layer
from teamops.domain.on_disk import is_in


def layer_of(boundary: Boundary, path: str) -> Layer:
    """Return who holds that ``path``, which the rules forbid, is not written: the kernel, or only the other layers."""
    inner = Layer.HOOKS if any(is_in(path, known) for known in boundary.writable) else Layer.KERNEL
    for mount in boundary.mounts:
        if is_in(path, mount.path):
            if mount.cover is Cover.READ_ONLY:
                inner = Layer.KERNEL
            elif mount.path in boundary.writable:
                inner = Layer.HOOKS
    return inner


def words(boundary: Boundary) -> Sequence[str]:
    """Return for a person what can be written, which layer holds which rule, and the holes."""
    lines = [f"writable: {path}" for path in boundary.writable]
    lines += [
        f"{mount.cover}: {mount.path}"
        for mount in boundary.mounts
        if mount.cover in (Cover.READ_ONLY, Cover.EMPTY, Cover.NO_SOCKET)
    ]
    lines += [f"{rule.rule}: {rule.layer} ({rule.why})" for rule in boundary.rules]
    lines += [f"hole: {hole}" for hole in boundary.holes]
    return lines
