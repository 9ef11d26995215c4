"""A boundary in the words of macOS' sandbox-exec: best effort, for a kernel that has neither mounts nor Landlock.

Of two rules the later wins. Source: the profiles in /System/Library/Sandbox and sandbox-exec(1), which Apple calls
deprecated and keeps.
"""

from __future__ import annotations

from collections.abc import Iterable

from teamops.domain.confinement import Boundary, Cover
from teamops.domain.on_disk import is_in

UNTRIED = "sandbox-exec is best effort: sockets in shared folders and signals are in reach"


def seatbelt(drawn: Boundary) -> str:
    """Return the profile that ``sandbox-exec -p`` takes."""
    held = [mount.path for mount in drawn.mounts if mount.cover is Cover.READ_ONLY]
    doors = [mount.path for mount in drawn.mounts if mount.cover is Cover.NO_SOCKET]
    inner = [path for path in drawn.writable if any(is_in(path, folder) and path != folder for folder in held)]
    lines = ["(version 1)", "(allow default)", "(deny file-write*)"]
    lines.append(f'(allow file-write* {_paths(drawn.writable)} (regex #"^/dev/tty"))')
    if held:
        # What only has to be seen lies around what may be written, and is listed here, too: the inner ones come last.
        lines.append(f"(deny file-write* {_paths(_within(held, drawn.writable))})")
        lines.append(f"(allow file-write* {_paths(inner)})")
    if doors:
        lines.append(f"(deny network-outbound {_paths(doors)})")
    return "\n".join(line for line in lines if not line.endswith("* )"))


def _within(paths: Iterable[str], writable: Iterable[str]) -> list[str]:
    known = list(writable)
    return [path for path in paths if any(is_in(path, folder) for folder in known)]


def _paths(paths: Iterable[str]) -> str:
    return " ".join(f"(subpath {_quoted(path)})" for path in paths)


def _quoted(path: str) -> str:
    return '"' + path.replace("\\", "\\\\").replace('"', '\\"') + '"'
