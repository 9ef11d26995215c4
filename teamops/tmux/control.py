"""A control-mode client: one connection that answers many questions for a fiftieth of a process each.

What it changes on the server, and what not:

- It attaches only to the session it is told. ``ignore-size``: it never resizes a window. ``no-output``: the server
  sends it no pane's output. ``read-only``: it asks and never types; acts go through processes of their own. ``-E``: the
  session's environment stays as it was. It sets no option.
- While attached it counts among the session's clients (``session_attached``), and the person's own ``client-attached``
  hooks run. ``Server`` leaves control clients out of what it reports.
- ``destroy-unattached``: such a session would end when this client leaves; ``Server`` never attaches to one.
- ``detach-on-destroy off``: when its session ends, the server moves this client to another session, maybe a foreign
  one; it leaves at once (see ``_notified``).
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from msgspec import Struct

from teamops.tmux.child import Child, spawn
from teamops.tmux.command import TIMEOUT_S, exact, failure
from teamops.tmux.socket import Socket

LINE_LIMIT = 4 * 1024 * 1024
"""Bytes of one line from tmux; a longer one ends the connection."""
LEAVE_S = 0.5
"""So long a client may take to leave when told to."""

_GUARD = re.compile(rb"%(begin|end|error) (\d+) (\d+) (\d+)$")
_OCTAL = re.compile(rb"\\([0-7]{3})")


class ControlLost(Exception):  # noqa: N818 - an event in a connection's life, never shown to a person as such
    """The connection is gone or can't be trusted any more. ``str()`` says why."""


def unescape(data: bytes) -> bytes:
    r"""Undo the octal escapes of ``%output``: control characters and the backslash come as ``\\ooo``."""
    return _OCTAL.sub(lambda match: bytes((int(match[1], 8) & 0xFF,)), data)


class Reply(Struct, frozen=True):
    """The block between ``%begin`` and ``%end`` or ``%error``."""

    lines: tuple[bytes, ...]
    ok: bool
    ours: bool
    """Asked for by this client; otherwise the server's own doing (the attach itself, hooks)."""


class Notification(Struct, frozen=True):
    """A line outside of blocks: ``%name arguments``."""

    name: str
    arguments: str


@dataclass(slots=True)
class Parser:
    """Lines of the protocol → replies and notifications.

    A block ends only with the very guard (time and number) it began with. A line that fits nowhere raises
    ``ControlLost``: what follows could belong to any question.
    """

    _open: tuple[bytes, bytes, bytes] | None = None
    _lines: list[bytes] = field(default_factory=list)

    def feed(self, line: bytes) -> Reply | Notification | None:
        """Take one line without its newline."""
        guard = _GUARD.match(line) if line.startswith(b"%") else None
        if self._open is not None:
            if guard and guard[1] != b"begin" and (guard[2], guard[3], guard[4]) == self._open:
                reply = Reply(tuple(self._lines), guard[1] == b"end", bool(int(self._open[2]) & 1))
                self._open, self._lines = None, []
                return reply
            self._lines.append(line)
            return None
        if guard:
            if guard[1] != b"begin":
                raise ControlLost("an answer ended that had not begun")
            self._open = (guard[2], guard[3], guard[4])
            return None
        if not line.startswith(b"%"):
            raise ControlLost("text outside of an answer")
        name, _, arguments = line[1:].partition(b" ")
        return Notification(name.decode("ascii", "replace"), arguments.decode("utf-8", "replace"))


class ControlClient:
    """One attached client. Made by ``open``, used until ``ControlLost``, then thrown away."""

    def __init__(
        self,
        socket: Socket,
        session: str,
        notify: Callable[[Notification], None],
        lost: Callable[[str], None],
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self.session = session
        self._socket = socket
        self._notify = notify
        self._lost = lost
        self._timeout_s = timeout_s
        self._child: Child | None = None
        self._parser = Parser()
        self._rest = bytearray()
        self._waiting: deque[asyncio.Future[Reply]] = deque()
        self._why = "not open"
        self._attached = ""
        """The id of the session it attached to: a name may change, the id does not."""

    @property
    def alive(self) -> bool:
        """Whether questions can be asked."""
        return not self._why

    @property
    def pid(self) -> int:
        """The client's process."""
        return self._child.pid if self._child else 0

    async def open(self) -> None:
        """Attach. Raises ``ControlLost`` if that fails."""
        words = [*self._socket.argv(), "-N", "-C", "attach-session", "-E", "-f", "no-output,ignore-size,read-only"]
        self._why = ""
        self._child = await spawn([*words, "-t", exact(self.session)], self._take, self._gone, listens=True)
        try:
            await self.ask("display-message -p ok")
        except BaseException as error:
            await self.close()
            if isinstance(error, ControlLost | asyncio.CancelledError):
                raise
            raise ControlLost(str(error)) from error

    async def ask(self, line: str) -> str:
        """Send one command line (quoted by the caller) and return what it prints.

        Questions may overlap; they are answered in order. Raises ``ControlLost``, ``ServerDown``, ``TmuxFailed``.
        """
        child = self._child
        if self._why or child is None:
            raise ControlLost(self._why or "not open")
        answer: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._waiting.append(answer)
        try:
            async with asyncio.timeout(self._timeout_s):
                child.write(line.encode("utf-8", "replace") + b"\n")
                # Shielded: an answer that nobody waits for any more must still be taken from the queue.
                reply = await asyncio.shield(answer)
        except TimeoutError:
            self._end(f"no answer within {self._timeout_s:g} s")
            raise ControlLost(self._why) from None
        text = "".join(f"{row.decode('utf-8', 'replace')}\n" for row in reply.lines)
        if not reply.ok:
            raise failure(text, line.split(" ", 1))
        return text

    async def close(self) -> None:
        """Detach; leaves neither task nor process. A client that hangs is killed."""
        self._end("closed", tell=False)
        child = self._child
        if child is None:
            return
        child.end_input()
        try:
            async with asyncio.timeout(LEAVE_S):
                await asyncio.shield(child.ended)
        except TimeoutError:
            pass
        finally:
            child.kill()
            await child.ended

    def _end(self, why: str, *, tell: bool = True) -> None:
        if self._why:
            return
        self._why = why
        while self._waiting:
            answer = self._waiting.popleft()
            if not answer.done():
                answer.set_exception(ControlLost(why))
                answer.exception()  # seen: its asker may have gone
        if tell:
            if self._child is not None:
                self._child.kill()
            self._lost(why)

    def _gone(self) -> None:
        self._end("the client's process ended")

    def _take(self, fd: int, data: bytes) -> None:
        """Take what the client prints, always at once: one that is not read is one that blocks."""
        del fd
        if self._why:
            return
        self._rest += data
        *lines, rest = self._rest.split(b"\n")
        self._rest = rest
        try:
            for line in lines:
                self._take_line(bytes(line))
        except ControlLost as error:
            self._end(str(error))
        if len(rest) > LINE_LIMIT:
            self._end("a line without an end")

    def _take_line(self, line: bytes) -> None:
        said = self._parser.feed(line)
        if isinstance(said, Reply):
            self._answered(said)
        elif said is not None:
            self._notified(said)

    def _answered(self, reply: Reply) -> None:
        if not reply.ours:
            return
        if not self._waiting:
            raise ControlLost("an answer without a question")
        answer = self._waiting.popleft()
        if not answer.done():
            answer.set_result(reply)

    def _notified(self, said: Notification) -> None:
        if said.name == "exit":
            raise ControlLost("its session ended" if not said.arguments else f"detached: {said.arguments}")
        if said.name == "session-changed":
            session_id = said.arguments.partition(" ")[0]
            if self._attached and session_id != self._attached:
                raise ControlLost("its session ended and the server moved it to another")
            self._attached = session_id
        self._notify(said)
