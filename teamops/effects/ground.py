"""Where an agent is started and what is around it: the facts from which its boundary is drawn."""

# ruff: noqa: PTH100, PTH110, PTH112, PTH114, PTH118, PTH119, PTH120, PTH208 - texts: the kernel is told of them, not of Paths
from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from teamops.config.boundary import policy_of
from teamops.config.settings import RoleSettings, Settings
from teamops.domain.client_boundary import ClientGround
from teamops.domain.client_files import FOLDERS, MADE
from teamops.domain.confinement import Ground
from teamops.domain.on_disk import Kind
from teamops.domain.write_rules import writes_code
from teamops.effects.client_places import PASSES_OVER, own_scripts, places_of
from teamops.git.around import around
from teamops.guard import hook
from teamops.tmux.socket import Socket

UNIX = Path("/proc/net/unix")
_SINCE = ".".join(map(str, PASSES_OVER))
_LISTENS = 0x10000
DEVICES = ("null", "zero", "full", "random", "urandom", "tty", "ptmx", "pts", "shm")
_SOCKET_FOLDERS = ("/run", "/var/run", "/tmp", "/var/tmp")  # noqa: S108 - they are hidden, not used
_TEMP = ("/tmp", "/var/tmp")  # noqa: S108 - the agent gets its own
_SHOWN = ("/run/systemd/resolve", "/run/current-system", "/run/wrappers", "/run/opengl-driver", "/run/host")
"""In a folder of sockets, and needed: names of hosts, and the programs of some systems."""


def look(path: str) -> Kind:
    """Return what stands at ``path``."""
    if os.path.islink(path):
        return Kind.LINK
    if os.path.isdir(path):
        return Kind.FOLDER
    return Kind.FILE if os.path.lexists(path) else Kind.NOTHING


def names_in(folder: str) -> tuple[str, ...]:
    """Return the names in a folder; none where it can't be read, nor then by who is started as the same user."""
    try:
        return tuple(sorted(os.listdir(folder)))
    except OSError:
        return ()


def ground_of(
    settings: Settings, role: RoleSettings, folder: Path, command: tuple[str, ...], copy_to: Path | None = None
) -> Ground:
    """Return the ground of ``role``'s agent, started with ``command``.

    ``folder``: the project's in the person's state directory; ``copy_to``: what the agent's copies of its client's
    files are called. Raises ``ConfigError`` where the profile can't be used.
    """
    env = {**os.environ, **role.env}
    root, cwd = _real(settings.root), _real(role.cwd)
    tree = root if _in(cwd, root) else cwd
    bases = tuple(dict.fromkeys((root, tree)))
    handoff = _real(settings.handoff)
    policy = policy_of(role)
    program = command[0] if command else ""
    client = client_ground(role.client, env, copy_to or folder / "agents" / f"{role.role}.client.json", program)
    hidden = tuple(_socket_folders(settings, env))
    git = tuple(git_folders(Path(tree)))
    git_inner, git_held, git_unasked = around(Path(tree), git)
    shown = [
        root,
        tree,
        cwd,
        os.path.dirname(handoff),
        _real(folder.parent),
        *filter(os.path.isdir, client.writable),
        *git,
        *_programs(command, env, role.cwd),
    ]
    named = (*_SHOWN, "/etc/resolv.conf", *map(str, settings.sandbox.sockets))
    shown += [_real(path) for path in named if os.path.exists(path)]
    if env.get("HOME"):
        shown.append(_real(env["HOME"]))
    allow = policy.write_allow if policy else ()
    deny = policy.write_deny if policy else ()
    return Ground(
        root=root,
        tree=tree,
        cwd=cwd,
        handoff=handoff,
        lock=os.path.join(os.path.dirname(handoff), f".{os.path.basename(handoff)}.lock"),
        spool=f"{root}/.teamops/spool/{role.role}",
        state=_real(folder.parent),
        allow=allow,
        deny=deny,
        commits=policy is None or writes_code(allow, deny, policy.commands_allow, policy.commands_deny),
        git=git,
        git_inner=git_inner,
        git_held=git_held,
        git_unasked=git_unasked,
        client=client,
        project_folders=tuple(f"{base}/{name}" for base in bases for name in FOLDERS),
        project_files=tuple((f"{base}/{name}", text) for base in bases for name, text in MADE.items()),
        team_folders=tuple(_team_folders(settings)),
        hidden=hidden,
        sockets=tuple(_sockets(settings, env)),
        shown=tuple(dict.fromkeys(path for path in shown if path != "/")),
        temp=tuple(
            dict.fromkeys(_real(path) for path in (*_TEMP, env.get("TMPDIR", "")) if path and os.path.isdir(path))
        ),
        devices=tuple(f"/dev/{name}" for name in DEVICES if os.path.exists(f"/dev/{name}")),
        extra=tuple(_real(path) for path in settings.sandbox.write if path.exists()),
    )


def _real(path: Path | str) -> str:
    return os.path.realpath(path)


def _in(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _team_folders(settings: Settings) -> Iterator[str]:
    """Return the globs that all policies of the team allow."""
    for role in settings.roles:
        if (policy := policy_of(role)) is not None:
            yield from policy.write_allow


def client_ground(client: str, env: Mapping[str, str], copy_to: Path, program: str = "") -> ClientGround:
    """Return where the client keeps its files, and what of it is held. Only what is writable is looked for.

    What is held is named by the folder's real place and its own name: a link is seen as one.
    """
    places = places_of(client, env, program)
    held = [*places.folders, *places.files, *filter(os.path.lexists, places.unmade)]
    private, tools = list(places.private), list[Path]()
    for folder in places.tools:
        (tools if _holds_any(folder) else private).append(folder)
    for home in places.homes:
        held += own_scripts(home, places)
    # A link to what the agent gets a copy of, in a folder that it writes: it can be put elsewhere, as any.
    links = [path for path in places.copied if path.parent in places.homes and os.path.islink(path)]
    copies = tuple(
        (_real(path), f"{_real(copy_to.parent)}/{copy_to.name}.{number}")
        for number, path in enumerate(places.copied)
        if path.is_file()
    )
    return ClientGround(
        writable=tuple(
            dict.fromkeys(_real(path) for path in (*places.homes, *places.writable) if os.path.exists(path))
        ),
        held=tuple(
            dict.fromkeys((*(place for path in (*held, *tools) for place in _placed_all(path)), *map(_placed, links)))
        ),
        private=tuple(dict.fromkeys(_placed(path) for path in private)),
        copies=copies,
        missing=tuple(_placed(path) for path in places.copied if not os.path.lexists(path)),
        holes=(
            *places.holes,
            *(
                f"{_placed(path)} is not there, and not made, for its client would take it: an agent can make it"
                for path in places.unmade
                if not os.path.lexists(path)
            ),
        ),
        notes=(
            *(
                f"{_placed(path)} is there, and its client goes by it: take it away if it is not yours"
                for path in places.odd
                if os.path.lexists(path)
            ),
            *(
                f"{_placed(path)} is there as teamops makes it for Claude Code {_SINCE} and newer; take it away if this"
                " agent's is older: it would begin without what you told it at home"
                for path in places.early
            ),
        ),
    )


def _holds_any(folder: Path) -> bool:
    try:
        return os.path.islink(folder) or bool(os.listdir(folder))
    except OSError:
        return False


def _placed_all(path: Path) -> Iterator[str]:
    """Return where ``path`` is, and where it leads to as a link."""
    yield _placed(path)
    if os.path.islink(path) and os.path.exists(path):
        yield _real(path)


def _placed(path: Path) -> str:
    return f"{_real(path.parent)}/{path.name}"


def git_folders(tree: Path) -> Iterator[str]:
    """Return git's own folders for a work tree, without asking git: nothing of a repository runs here."""
    for folder in (tree, *tree.parents):
        own = folder / ".git"
        if own.is_dir():
            yield _real(own)
            return
        if own.is_file():
            try:
                told = own.read_text("utf-8", "replace").removeprefix("gitdir:").strip()
                inner = Path(_real(folder / told))
                common = inner / "commondir"
                if inner.is_dir():
                    yield str(inner)
                    if common.is_file():
                        yield _real(inner / common.read_text("utf-8", "replace").strip())
            except OSError:
                return
            return


def _programs(command: tuple[str, ...], env: Mapping[str, str], cwd: Path) -> Iterator[str]:
    """Return the folders of programs that the agent, its hooks and its boundary need to see."""
    package = Path(hook.__file__).parents[2]
    for path in (sys.prefix, sys.base_prefix, os.path.dirname(sys.executable), str(package)):
        yield _real(path)
        yield os.path.abspath(path)
    for folder in env.get("PATH", "").split(os.pathsep):
        if folder.startswith("/") and os.path.isdir(folder):
            yield _real(folder)
    if command and "/" in command[0]:
        program = cwd / command[0]
        yield os.path.dirname(os.path.abspath(program))
        yield os.path.dirname(_real(program))


def _socket_folders(settings: Settings, env: Mapping[str, str]) -> Iterator[str]:
    """Return the folders in which programs make sockets."""
    tmux = Socket(settings.tmux.socket_name, settings.tmux.socket_path).file(env)
    own = [tmux.parent] if not settings.tmux.socket_path else []
    named = [Path(env[name]) for name in ("XDG_RUNTIME_DIR",) if env.get(name)]
    usual = [Path(folder) for folder in _SOCKET_FOLDERS]
    told: list[str] = []
    for folder in (*usual, *named, *own):
        path = _real(folder)
        if os.path.isdir(path) and not any(_in(path, known) for known in told):
            told.append(path)
            yield path


def tmux_socket(settings: Settings, env: Mapping[str, str]) -> str:
    """Return where the socket of the team's tmux server is, or will be."""
    return _real(Socket(settings.tmux.socket_name, settings.tmux.socket_path).file(env))


def _sockets(settings: Settings, env: Mapping[str, str]) -> Iterator[str]:
    """Return every socket there is: the known doors, and all that somebody listens at now.

    tmux's is one also where it is not there yet: the server may be started for this very agent.
    """
    tmux = tmux_socket(settings, env)
    named = [tmux, env.get("SSH_AUTH_SOCK", "")]
    for name in ("DBUS_SESSION_BUS_ADDRESS", "DOCKER_HOST"):
        parts = env.get(name, "").replace("unix://", "unix:path=").replace(",", ";").split(";")
        named += [part.partition("path=")[2] for part in parts]
    shown = {_real(path) for path in settings.sandbox.sockets}
    for path in dict.fromkeys(_real(path) for path in (*named, *_listening()) if path.startswith("/")):
        if path not in shown and (path == tmux or os.path.exists(path)):
            yield path


def _listening() -> Iterator[str]:
    try:
        text = UNIX.read_text("utf-8", "surrogateescape")
    except OSError:
        return
    for line in text.splitlines()[1:]:
        fields = line.split(None, 7)
        try:
            listens = len(fields) == 8 and int(fields[3], 16) & _LISTENS
        except ValueError:  # the rest of a path with a line's end in it
            continue
        if listens:
            yield fields[7]
