"""One tmux command in one process, and how words reach tmux unchanged."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Sequence

from teamops.model.errors import TeamopsError
from teamops.model.text import clean_line
from teamops.tmux.child import spawn
from teamops.tmux.socket import Socket, plain_env

TIMEOUT_S = 2.0
"""A healthy server answers within milliseconds; longer means it hangs."""

_DOWN = ("no server running", "error connecting to", "server exited", "lost server", "no sessions")


class ServerDown(TeamopsError):  # noqa: N818 - a state of the world, not a defect
    """There is no such tmux server now: nothing is wrong with teamops or the command."""


class TmuxFailed(TeamopsError):  # noqa: N818 - as its sibling
    """tmux refused a command, or did not answer in time."""


def word(text: str) -> str:
    """Return ``text`` as an argument of the tmux program that tmux takes as it stands.

    tmux takes a ``;`` at an argument's end as the end of the command; a backslash before it keeps it.
    """
    return f"{text[:-1]}\\;" if text.endswith(";") else text


def literal(text: str) -> str:
    """Return ``text`` for an argument that tmux expands as a format, so that nothing in it is expanded."""
    return text.replace("#", "##")


def quote(text: str) -> str:
    """Return ``text`` as one word of a control-mode command line. Raises ``ValueError`` for what ends a line."""
    if "\n" in text or "\r" in text or "\0" in text:
        raise ValueError("a control-mode command has one line")
    return "'" + text.replace("'", "'\\''") + "'"


def exact(session: str) -> str:
    """Return the target that means exactly this session: no prefix and no pattern of another's name."""
    return f"={session}:"


def calming(session: str) -> list[str]:
    """Return the command without which nobody may attach to a session, and no client may be sent away from it.

    tmux 3.3 crashes, and all its sessions with it, when a client comes to, or leaves, a pane whose program ended while
    it had asked to be told of the focus (codex and claude do): it writes to the terminal that is closed. So the modes
    of a dead pane are reset before; what it shows moves into its history.
    """
    return ["if-shell", "-F", "-t", exact(session), "#{pane_dead}", f"send-keys -R -t '{exact(session)}'"]


def failure(stderr: str, args: Sequence[str]) -> TeamopsError:
    """Return the error that tmux's own words mean."""
    said = clean_line(stderr, 200)
    verb = args[0] if args else "?"
    if any(sign in said for sign in _DOWN):
        return ServerDown(
            "the tmux server is not running", "it starts with the team's first session (r, or teamops restart ROLE)"
        )
    return TmuxFailed(f"tmux {verb}: {said or 'failed without a word'}", "look at the server with: tmux ls")


def hangs(args: Sequence[str]) -> TmuxFailed:
    """Return the error of a server that does not answer."""
    return TmuxFailed(
        f"tmux {args[0] if args else '?'}: no answer in time", "the tmux server hangs; is the machine very busy?"
    )


async def run_once(socket: Socket, args: Sequence[str], timeout_s: float = TIMEOUT_S) -> str:
    """Run one command in a process of its own and return what it prints. Never starts a server.

    Raises ``ServerDown``, ``TmuxFailed``, or ``TeamopsError`` where tmux is missing.
    """
    said = {1: bytearray(), 2: bytearray()}
    try:
        child = await spawn([*socket.argv(), "-N", *args], lambda fd, data: said[fd].extend(data))
    except OSError as error:  # no more processes, descriptors or memory
        raise TmuxFailed(
            f"tmux can't be started: {error.strerror or error}", "end what uses up the machine; teamops tries again"
        ) from error
    try:
        async with asyncio.timeout(timeout_s):
            await asyncio.shield(child.ended)
    except TimeoutError:
        raise hangs(args) from None
    finally:
        child.kill()
        await child.ended
    if child.returncode:
        raise failure(said[2].decode("utf-8", "replace"), args)
    return said[1].decode("utf-8", "replace")


def run_here(socket: Socket, args: Sequence[str], timeout_s: float = TIMEOUT_S) -> str:
    """Do the same as ``run_once``, blocking: for what has no event loop."""
    try:
        done = subprocess.run(
            [*socket.argv(), "-N", *args],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=plain_env(),
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise hangs(args) from None
    if done.returncode:
        raise failure(done.stderr.decode("utf-8", "replace"), args)
    return done.stdout.decode("utf-8", "replace")
