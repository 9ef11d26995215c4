"""One line typed into an agent's client and submitted: never into a dialog, never over a person's own words."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import hashlib
import os
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from msgspec import Struct

from teamops.model.actions import Outcome
from teamops.model.errors import TeamopsError
from teamops.model.pane import Pane, Screen
from teamops.model.text import clean
from teamops.tmux.screen import KNOWN_CLIENTS, draft_of, plain_of, read_screen
from teamops.tmux.server import Server

MAX_CHARS = 700
"""Longer text is taken for a paste by clients and folded away. Source: measured, 700 pass plain."""
SETTLE_S = 0.3
"""Between text and Enter: without it codex lost 30 of 30 and with it none."""
PAINTS_S = 2.0
"""So long a client may take to show what was typed. Source: codex on two cores that seven others kept busy."""
LEAVES_S = 2.0
"""So long submitted text may stay in the input before Enter is pressed once more: a client that has just begun swallows
the first for up to 0.8 s."""
LOCK_S = 5.0
LIFT = "let it spend again: teamops budget lift"
_POLL_S = 0.05


class Refused(TeamopsError):  # noqa: N818 - an answer, not a defect
    """Nothing was submitted, and why."""


def one_line(client: str, text: str) -> str:
    """Return ``text`` as it will be typed: one line without control characters.

    Raises ``Refused`` for what can't be typed so: nothing, 700 characters or more, and for known clients a leading
    ``/`` or ``!``, which would be a command to the client itself.
    """
    line = " ".join(clean(text).split())
    if client in KNOWN_CLIENTS:
        line = line.rstrip("\\ ")  # a backslash before Enter means "the line goes on"
        if line[:1] in {"/", "!"}:
            raise Refused(
                f'a line that begins with "{line[0]}" is a command to {client} itself',
                "begin with a word, or attach with a and type it yourself",
            )
    if not line:
        raise Refused("there is nothing to type", "say what the agent shall do")
    if len(line) >= MAX_CHARS:
        raise Refused(
            f"{len(line)} characters are too many to type (at most {MAX_CHARS - 1})",
            "write it to a file or into the handoff, and name the file in the line",
        )
    return line


def typed_line(client: str, text: str) -> str:
    """Return ``text`` as it will be typed; empty where it is refused."""
    try:
        return one_line(client, text)
    except Refused:
        return ""


class _Look(Struct, frozen=True):
    """A client's screen at one moment."""

    pane: Pane
    screen: Screen
    draft: str | None
    cursor: tuple[int, int]


async def deliver(
    server: Server, pane: Pane, client: str, text: str, refusal: Callable[[], str] = lambda: ""
) -> Outcome:
    """Type ``text`` into the pane's client and submit it. Raises ``TeamopsError`` when tmux fails.

    ``refusal`` is asked once nobody else can type there: why nothing may be typed; empty = it may.

    "Typed and submitted" is what can be seen from outside; that the client took it, its own hook would have to say. A
    refusal says why and has typed nothing; where something was typed and not submitted, the outcome is ``touched``.
    """
    try:
        line = one_line(client, text)
        async with pane_lock(server, pane):
            if why := refusal():
                return Outcome(ok=False, message=why, hint=LIFT)
            before = await _look(server, pane, client)
            stands = _ready(before, pane, line)
            try:
                return await _deliver(server, pane, client, line, stands=stands)
            except TeamopsError as error:
                message = f"typed but not submitted: {error.message}"
                return Outcome(ok=False, message=message, hint=error.hint, touched=True)
    except Refused as refusal:
        return Outcome(ok=False, message=refusal.message, hint=refusal.hint)


async def hindrance(server: Server, pane: Pane, client: str) -> str:
    """Return why no line can be typed into the pane now; empty = one can. Raises ``TeamopsError`` when tmux fails."""
    try:
        _ready(await _look(server, pane, client), pane, "")
    except Refused as refusal:
        return refusal.message
    return ""


def _ready(before: _Look, pane: Pane, line: str) -> bool:
    """Return whether the very line stands in the input already: an Enter was swallowed, or teamops killed before it.

    Raises ``Refused`` where nothing may be typed.
    """
    _allow(before, pane)
    if not before.draft:
        return False
    if _packed(before.draft) == _packed(line):
        return True
    raise Refused(f'someone is typing there: "{before.draft[:60]}"', "submit or clear that line first (attach with a)")


async def _deliver(server: Server, pane: Pane, client: str, line: str, *, stands: bool) -> Outcome:
    if not stands:
        await server.send(pane.pane_id, "C-u")
        await server.type(pane.pane_id, line)
    await asyncio.sleep(SETTLE_S)
    typed = await _see_it_stand(server, pane, client, line)
    await server.send(pane.pane_id, "Enter")
    return await _see_it_leave(server, pane, client, typed, line)


async def _see_it_stand(server: Server, pane: Pane, client: str, line: str) -> _Look:
    """Return the screen that shows ``line`` in the input; a client on a busy machine paints late."""
    deadline = _now() + PAINTS_S
    while True:
        typed = await _look(server, pane, client)
        _allow(typed, pane)
        if client not in KNOWN_CLIENTS or typed.draft is None or _holds(typed.draft, line):
            return typed
        if _now() > deadline:
            raise Refused("the input does not hold the line", "attach with a and look at the input")
        await asyncio.sleep(_POLL_S)


async def _see_it_leave(server: Server, pane: Pane, client: str, typed: _Look, line: str) -> Outcome:
    """Look for the best sign there is that Enter was taken."""
    where = f"pane {pane.pane_id} pid {pane.pid}"
    knows = typed.draft is not None
    pressed_again = False
    deadline = _now() + (LEAVES_S if knows else SETTLE_S)
    while True:
        look = await _look(server, pane, client)
        if look.pane.dead or look.pane.pid != pane.pid:
            return Outcome(
                ok=False,
                message="typed and submitted, and the agent ended at once",
                hint="restart it (r)",
                touched=True,
            )
        if knows and not (look.draft and _holds(look.draft, line)):
            return Outcome(ok=True, message="typed and submitted", evidence=f"{where}: the line left the input")
        if not knows and look.cursor != typed.cursor:
            return Outcome(ok=True, message="typed and submitted", evidence=f"{where}: the cursor moved on")
        if _now() > deadline:
            if not knows:
                return Outcome(
                    ok=True, message="typed and submitted", evidence=f"{where}: the program gives no sign of its own"
                )
            if pressed_again:
                return Outcome(
                    ok=False,
                    message="typed but not submitted: the line still stands in the input",
                    hint="attach with a and press Enter there",
                    touched=True,
                )
            _allow(look, pane)
            await server.send(pane.pane_id, "Enter")
            pressed_again, deadline = True, _now() + LEAVES_S
        await asyncio.sleep(_POLL_S)


def _now() -> float:
    return asyncio.get_running_loop().time()


async def _look(server: Server, pane: Pane, client: str) -> _Look:
    now = await server.pane(pane.pane_id)
    ansi = await server.capture(pane.pane_id, ansi=True)
    plain = "\n".join(plain_of(line) for line in ansi.splitlines())
    cursor = (0, 0) if now.dead else await server.cursor(pane.pane_id)
    return _Look(now, read_screen(client, plain, now.title), draft_of(client, ansi), cursor)


def _allow(look: _Look, pane: Pane) -> None:
    """Raise ``Refused`` unless a line may be typed into what is seen."""
    if look.pane.pid != pane.pid or look.pane.session != pane.session:
        raise Refused("another process runs in that pane by now", "look again, then poke")
    if look.pane.dead:
        raise Refused("the agent is dead", "restart it (r)")
    if look.pane.in_mode:
        raise Refused("someone scrolls in that pane (copy mode)", "leave the mode there with q")
    if look.screen is Screen.DIALOG:
        raise Refused("a dialog is open: any text would answer it", "attach with a and answer it yourself")
    if look.screen is Screen.RETRYING:
        raise Refused(
            "its calls of the model fail and it tries again", "look again when it has got through or given up"
        )
    if look.screen is Screen.EXITED:
        raise Refused("the client has exited", "restart it (r)")
    if look.screen is Screen.UNKNOWN:
        raise Refused("its screen shows no input that teamops knows", "attach with a and look")


def _holds(draft: str, line: str) -> bool:
    """Return whether the input holds the line; a client breaks long ones where it likes."""
    packed, wanted = _packed(draft), _packed(line)
    return wanted[-40:] in packed or packed.endswith(wanted[-20:])


def _packed(text: str) -> str:
    return "".join(text.split())


# one at a time, whoever types


def runtime_dir() -> Path:
    """Return this user's own folder for locks, made if need be. Raises ``TeamopsError`` if it is not safe to use."""
    base = os.environ.get("XDG_RUNTIME_DIR")
    folder = Path(base) / "teamops" if base and Path(base).is_dir() else None
    folder = folder or Path(tempfile.gettempdir()) / f"teamops-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    state = folder.lstat()
    if folder.is_symlink() or state.st_uid != os.getuid() or state.st_mode & 0o022:
        raise TeamopsError(
            f"{folder} belongs to someone else", "remove it, or set XDG_RUNTIME_DIR to a folder of yours"
        )
    return folder


@asynccontextmanager
async def pane_lock(server: Server, pane: Pane) -> AsyncIterator[None]:
    """Hold the pane against every other teamops process of this user. Raises ``Refused`` after 5 s of waiting."""
    name = hashlib.sha256(f"{server.socket.file().absolute()}\0{pane.pane_id}".encode()).hexdigest()[:20]
    handle = os.open(runtime_dir() / f"pane-{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        deadline = _now() + LOCK_S
        while True:
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            if _now() > deadline:
                raise Refused("another line is being typed there", "try again in a moment")
            await asyncio.sleep(_POLL_S)
        yield
    finally:
        os.close(handle)  # and so the lock is let go
