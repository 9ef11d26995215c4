"""What the kernel is to hold of a role's boundary: the ground it is drawn on, and what comes of it (``drawing``)."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from teamops.domain.client_boundary import ClientGround


class Cover(StrEnum):
    """How a path is mounted for the agent; of two at one path the later in this list wins."""

    EMPTY = "empty"
    """A folder of the agent's own in memory: what stands there is hidden."""
    WRITABLE = "writable"
    """As it is; what may be written there is Landlock's."""
    READ_ONLY = "read-only"
    NO_SOCKET = "no socket"
    """A file that nothing can be sent to."""


class Layer(StrEnum):
    """Who holds a rule."""

    KERNEL = "kernel"
    HOOKS = "hooks and audit"


@dataclass(frozen=True, slots=True)
class Mount:
    """One path as the agent sees it."""

    cover: Cover
    path: str
    source: str = ""
    """What stands there for the agent, where it is another file."""


@dataclass(frozen=True, slots=True)
class HeldRule:
    """Which layer holds a rule of the profile."""

    rule: str
    """As it stands in the profile: "deny /docs/design/"."""
    layer: Layer
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Where an agent is started, and what is around it. All paths are absolute, and no links lead over them."""

    root: str
    """The project's folder."""
    tree: str
    """What the globs are relative to: the project's folder, or the work tree of the agent's own."""
    cwd: str
    handoff: str
    lock: str
    """The handoff file's lock."""
    spool: str
    """The agent's own."""
    state: str
    """Where the ledgers of all projects lie."""
    allow: tuple[str, ...]
    deny: tuple[str, ...]
    commits: bool
    """It writes code: git's own folder is its to write."""
    git: tuple[str, ...] = ()
    """git's own folders for this tree: the tree's and the shared one."""
    git_inner: tuple[str, ...] = ()
    """More of them: other work trees' and submodules'."""
    git_held: tuple[str, ...] = ()
    """Files and folders that git's settings take more settings or hooks from, and submodules' ``.git`` files."""
    git_unasked: str = ""
    """Why nobody knows what these settings name; empty = it is known."""
    client: ClientGround = field(default_factory=ClientGround)
    project_folders: tuple[str, ...] = ()
    """What in the project says how clients behave, of all clients: folders."""
    project_files: tuple[tuple[str, str], ...] = ()
    """The same: files, with the text that they begin with."""
    team_folders: tuple[str, ...] = ()
    """Folders that another role's profile names as its own."""
    hidden: tuple[str, ...] = ()
    """Folders in which sockets are made; the agent gets empty ones of its own."""
    sockets: tuple[str, ...] = ()
    """Sockets, wherever they are."""
    shown: tuple[str, ...] = ()
    """What the agent needs to see, although it may lie in a hidden folder."""
    temp: tuple[str, ...] = ()
    """Folders for what is not kept."""
    devices: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    """More folders that a person lets agents write."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Boundary:
    """What the kernel holds for one agent."""

    writable: tuple[str, ...]
    """Folders and files; nothing else can be written."""
    mounts: tuple[Mount, ...]
    """Outer before inner."""
    temp: tuple[str, ...]
    """For what is not kept; the first is TMPDIR."""
    make_folders: tuple[str, ...]
    """Made before the start, so that they can be allowed or held."""
    make_files: tuple[tuple[str, str], ...] = ()
    """The same: path and text, where nothing stands."""
    emptied: tuple[str, ...] = ()
    """Folders in which a file that can't be written can be emptied, if it was made after the start."""
    rules: tuple[HeldRule, ...]
    holes: tuple[str, ...]
    """What is not held, for a person."""
    project: tuple[str, ...] = ()
    """What of the project says how clients behave, and is held: folders and files, made ones among them."""
    planted: tuple[str, ...] = ()
    """What of that, or of teamops' own, it could make, or put elsewhere: in words, among the holes, too.

    Where it is the machine that can hold none of it, they stand among the holes alone."""
    settings: tuple[str, ...] = ()
    """Its client's at home that are there and held: folders and files."""
    links: tuple[str, ...] = ()
    """Those of them that are links, and can be put elsewhere: among the holes, too."""
