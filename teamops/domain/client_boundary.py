"""A client's home in an agent's boundary: what in it says how the client behaves, and what of that can be held."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Is = Callable[[str], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientGround:
    """Where a role's client keeps its files. No link leads over a folder named here; a name in it may be one."""

    writable: tuple[str, ...] = ()
    """Its own state: folders and files."""
    held: tuple[str, ...] = ()
    """What in it says how clients behave: settings, hooks, plugins; whether it is there or not."""
    private: tuple[str, ...] = ()
    """Folders in it of what the client makes and runs: the agent gets empty ones of its own."""
    copies: tuple[tuple[str, str], ...] = ()
    """A file that it writes, and of which the agent gets a copy: its path, and the copy's."""
    missing: tuple[str, ...] = ()
    """What the next start makes, beside what is held."""
    holes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    """What a person should look at, at each start."""


@dataclass(frozen=True, slots=True)
class ClientHold:
    """What of a client's settings at home the kernel holds."""

    held: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    """Settings that are links, and can be put elsewhere: among the holes, too."""
    holes: tuple[str, ...] = ()


def hold(client: ClientGround, is_link: Is, is_there: Is, *, copies: bool) -> ClientHold:
    """Return what can be held. ``copies``: the agent can get a copy in the place of a file."""
    links = tuple(path for path in client.held if is_link(path))
    shared = tuple(path for path in client.private if is_link(path))
    held = tuple(path for path in client.held if is_there(path) and path not in links)
    missing = [path for path in (*client.missing, *client.held, *client.private) if not is_there(path)]
    holes = [f"{path} is a link: what it leads to is held, but another can be put in its place" for path in links]
    holes += [
        f"{path} is a link: the agent gets none of its own, and another can be put in its place" for path in shared
    ]
    if missing:
        holes.append("not there yet, made and held by the next start: " + ", ".join(missing))
    if not copies:
        holes += [f"{path} is its client's to write, what is planted there, too" for path, _ in client.copies]
    return ClientHold(held, (*links, *shared), (*holes, *client.holes))
