"""Sessions made, begun again and ended, through libtmux. All of it blocks: call it in a thread.

Nothing here sets a global option, a key or anything of another session: ``remain-on-exit`` is set on the one pane, so
that an agent's end, its status and its last words can be seen. libtmux runs the commands; its objects, which read the
whole server, are not used.
"""

from __future__ import annotations

import io
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from teamops.model.errors import TeamopsError
from teamops.model.text import clean
from teamops.tmux.command import ServerDown, calming, exact, failure, literal, word
from teamops.tmux.ending import end_session, end_tree, is_alive
from teamops.tmux.socket import Socket

_KEEP = ("remain-on-exit", "on")
_IMPORTING = threading.Lock()
_MADE = "@teamops_made"
_STARTED_IT = "@teamops_started"


@dataclass(frozen=True, slots=True)
class Started:
    """A pane in which a command was started."""

    pane_id: str
    pid: int
    last_screen: str = ""
    """What the pane showed before, cleaned: starting again erases it."""
    survivors: tuple[int, ...] = ()
    """Processes of the old agent that could not be ended."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What teamops wrote on a pane when it started something in it."""

    pid: int
    """The process it started there last; 0 = none."""
    client_session: str
    made: bool
    """It made the session."""


def mark_of(socket: Socket, pane_id: str) -> Mark:
    """Return what teamops wrote on the pane. Raises ``TeamopsError`` if there is no such pane."""
    told = _tmux(socket, ["display-message", "-p", "-t", pane_id, f"#{{{_MADE}}}|#{{{_STARTED_IT}}}"])
    made, _, started = told.strip().partition("|")
    pid, _, session = started.partition(" ")
    return Mark(int(pid) if pid.isdigit() else 0, session, made == "on")


def _mark_words(target: str, client_session: str) -> list[str]:
    return ["set-option", "-p", "-F", "-t", target, _STARTED_IT, f"#{{pane_pid}} {literal(client_session)}"]


def exec_words(command: Sequence[str]) -> list[str]:
    """Return the words with which tmux starts ``command`` so that the pane's first process is the agent itself.

    Several words make tmux run them without the person's shell; ``sh`` finds the program, says so when it can't (status
    127), and is replaced by it.
    """
    return ["/bin/sh", "-c", 'exec "$@"', "sh", *command]


def create(
    socket: Socket,
    session: str,
    command: Sequence[str],
    cwd: Path,
    env: Mapping[str, str],
    *,
    width: int = 200,
    height: int = 50,
    client_session: str = "",
) -> Started:
    """Make a detached session that runs ``command``. Starts the server if there is none.

    In the same breath it is marked as made by teamops, see ``mark_of``: killed right after, the next one knows of it.

    Raises ``TeamopsError`` if the session exists, the folder doesn't, or tmux refuses.
    """
    if not command:
        raise TeamopsError(f'no command to start session "{session}" with', "set command for the role in teamops.toml")
    _need_folder(cwd)
    args = ["new-session", "-d", "-s", literal(session), "-x", str(width), "-y", str(height), "-c", literal(str(cwd))]
    args += ["-P", "-F", "#{pane_id} #{pane_pid}", *_env_words(env), "--", *exec_words(command)]
    # One sequence, so that a command that ends at once still leaves its pane to be seen.
    words = [*map(word, args), ";", "set-option", "-p", "-t", exact(session), *_KEEP]
    words += [";", "set-option", "-t", exact(session), _MADE, "on", ";", *_mark_words(exact(session), client_session)]
    return _started(_tmux(socket, words))


def respawn(
    socket: Socket,
    pane_id: str,
    command: Sequence[str] | None,
    *,
    pid: int,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    tree: bool = False,
    client_session: str = "",
) -> Started:
    """End what runs in the pane, really, and start ``command`` in it; ``None`` = what the pane was made with.

    ``tree``: also what it has begun in sessions of their own, see ``ending.end_tree``.

    ``pid`` is the pane's process as the caller knows it: if it is another by now, nothing is done and ``TeamopsError``
    raised. So it is if the old agent can't be ended: two agents in one role would be worse than none.
    """
    if cwd is not None:
        _need_folder(cwd)
    now = _tmux(socket, ["display-message", "-p", "-t", pane_id, "#{pane_id} #{pane_pid}"])
    if _started(now) != Started(pane_id, pid):
        raise TeamopsError(f"pane {pane_id} runs another process by now", "look again, then restart")
    # Before anything is killed: without it the pane, and with it the session, would go with its process.
    _tmux(socket, ["set-option", "-p", "-t", pane_id, *_KEEP])
    last = clean(_tmux(socket, ["capture-pane", "-p", "-t", pane_id]))
    survivors = end_tree(pid) if tree else end_session(pid)
    if is_alive(pid):
        raise TeamopsError(f"the old process {pid} can't be ended", f"see what holds it: ps -o pid,stat,wchan -p {pid}")
    args = ["respawn-pane", "-k", "-t", pane_id]
    if cwd is not None:
        args += ["-c", literal(str(cwd))]
    args += _env_words(env or {})
    if command:
        args += ["--", *exec_words(command)]
    words = [*map(word, args), ";", *_mark_words(pane_id, client_session)]
    words += [";", "display-message", "-p", "-t", pane_id, "#{pane_id} #{pane_pid}"]
    fresh = _started(_tmux(socket, words))
    return Started(fresh.pane_id, fresh.pid, last, tuple(survivors))


def kill_session(socket: Socket, session: str) -> None:
    """End a session and all in it. It is fine if it does not exist."""
    try:
        listed = _tmux(socket, ["list-panes", "-s", "-t", exact(session), "-F", "#{pane_pid}"])
    except ServerDown:
        return
    except TeamopsError:
        return  # no such session
    _tmux(socket, [*calming(session), ";", "kill-session", "-t", exact(session)])
    for pid in listed.split():
        end_session(int(pid))


def pane_count(socket: Socket, session: str) -> int:
    """Return how many panes a session has, in all its windows. Raises ``TeamopsError`` if there is no such session."""
    return len(_tmux(socket, ["list-panes", "-s", "-t", exact(session), "-F", "#{pane_id}"]).split())


def _need_folder(cwd: Path) -> None:
    if not cwd.is_dir():  # tmux would start it in the home folder without a word
        raise TeamopsError(f"the folder {cwd} does not exist", "mend cwd in teamops.toml, or make the folder")


def _env_words(env: Mapping[str, str]) -> list[str]:
    return [part for name, value in env.items() for part in ("-e", f"{name}={value}")]


def _started(text: str) -> Started:
    pane_id, _, pid = text.strip().rpartition("\n")[2].partition(" ")
    if not pane_id.startswith("%") or not pid.isdigit():
        raise TeamopsError(f"tmux said {text.strip()!r} instead of a pane", "is tmux 3.2 or newer? tmux -V")
    return Started(pane_id, int(pid))


def _tmux(socket: Socket, words: Sequence[str]) -> str:
    """Run one command line through libtmux and return what it prints."""
    socket.argv()  # names the line that installs a missing tmux
    with _IMPORTING:  # its modules import each other: two threads that begin at once would find them half there
        if not hasattr(sys.stdout, "encoding"):  # under a screen, which libtmux can't ask for its encoding
            with redirect_stdout(io.StringIO()):
                import libtmux._compat  # noqa: F401 - it asks as it is imported, and never again
        from libtmux.exc import LibTmuxException
        from libtmux.server import Server

    server = Server(socket_path=socket.path) if socket.path else Server(socket_name=str(socket.file().name))
    try:
        done = server.cmd(*words)
    except LibTmuxException as error:
        raise failure(str(error), words) from error
    if done.returncode:
        raise failure("\n".join(done.stderr), words)
    return "\n".join(done.stdout)
