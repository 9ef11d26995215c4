"""One supervisor per project acts: the one that holds the lease, a flock on a file in the state directory."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from teamops.model.errors import TeamopsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from teamops.config.settings import Settings
    from teamops.effects.watchdog import Watchdog
    from teamops.model.snapshot import Snapshot, SupervisorView
    from teamops.model.unrecorded import Unrecorded
    from teamops.supervisor.core import Core

_LENGTH = 4096
"""Of the file, always: what is written over it needs no room, so that a full disk takes no word away."""
_TRIES = 5
"""So often a text is read that was just written over while it was read."""


def state_base(given: Path | None = None) -> Path:
    """Return the person's state directory of teamops: the given one, else the usual."""
    if given is not None:
        return given
    import platformdirs

    return Path(platformdirs.user_state_dir("teamops"))


def state_dir_of(settings: Settings, base: Path | None = None) -> Path:
    """Return the project's folder in the person's state directory: out of the agents' reach."""
    base = state_base(base)
    name = "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in settings.project)[:40]
    return base / f"{name}-{_mark(settings.root)}"


def folders_of(root: Path, base: Path | None = None) -> list[Path]:
    """Return the folders there are of the project in ``root``, whatever it calls itself: one, or one for each name."""
    try:
        return sorted(state_base(base).glob(f"*-{_mark(root)}"))
    except OSError:  # a state directory that can't be read
        return []


def _mark(root: Path) -> str:
    return hashlib.blake2b(os.fsencode(root), digest_size=6).hexdigest()


class Holder(Struct, frozen=True):
    """Who holds the lease."""

    pid: int
    since_wall: float
    round_at: float | None = None
    """When it last went through a round, in the machine's monotonic seconds; ``None`` = it never said."""
    unrecorded: Unrecorded | None = None
    """What it knows and can't write to the ledger now; ``None`` = it can."""

    def round_age(self, machine: float) -> float | None:
        """Return how long ago that was, seconds. ``machine``: ``Clock.machine`` now."""
        return None if self.round_at is None else max(0.0, machine - self.round_at)


class Lease:
    """The right to act on a project. The kernel gives it back when the process ends, also after kill -9."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "lease"
        self._fd: int | None = None
        self._since = 0.0

    @property
    def held(self) -> bool:
        """This process holds it."""
        return self._fd is not None

    def stands(self) -> bool:
        """Return whether this process holds the lease and its file is still the one that others would open."""
        if self._fd is None:
            return False
        try:
            return os.path.samestat(os.fstat(self._fd), self._path.stat())
        except OSError:
            return False

    def acquire(self, wall: float, machine: float | None = None) -> bool:
        """Try to take the lease at once; return whether this process holds it now.

        ``machine``: ``Clock.machine`` now. It counts as a round: one that hangs before its first is known as well.
        """
        if self._fd is not None:
            return True
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise TeamopsError(
                f"can't open the lease {self._path}: {error.strerror}", "mend the folder's rights or free disk space"
            ) from error
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(fd)
            return False
        self._fd = fd
        self._since = wall
        # The lock is the truth; the text only says who, so a full disk takes no right away.
        self._write(_text(wall, machine))
        return True

    def say_round(self, machine: float, unrecorded: Unrecorded | None = None) -> None:
        """Let others know that the holder's loop goes round. ``machine``: ``Clock.machine`` now.

        ``unrecorded``: what the ledger does not take now, for those who would look for it there.
        """
        self._write(_text(self._since, machine, unrecorded))

    def _write(self, text: bytes) -> None:
        """Write over what stands there: cut off first, its room could be another's before it is filled again."""
        if self._fd is not None:
            with contextlib.suppress(OSError):  # a disk that fails: others see no round, which is true enough
                os.pwrite(self._fd, text, 0)

    def release(self) -> None:
        """Give it back."""
        if self._fd is not None:
            self._write(b"null".ljust(_LENGTH))
            os.close(self._fd)
            self._fd = None

    def unrecorded(self, holder: Holder | None) -> Unrecorded | None:
        """Return what ``holder`` can't write to the ledger; also where it has not met the full disk yet."""
        if holder is None:
            return None
        from teamops.supervisor.unrecorded import full

        return holder.unrecorded or full(self._path.parent)

    def holder(self) -> Holder | None:
        """Return who holds the lease now, or ``None``."""
        try:
            fd = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            if self._fd is None:
                try:
                    fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
                except OSError:
                    pass
                else:
                    return None
            row = _read(fd)
            if not isinstance(row, dict):
                return None
            told, unrecorded = row.get("round"), row.get("unrecorded")
            return Holder(
                int(row["pid"]),
                float(row["since"]),
                None if told is None else float(told),
                None if unrecorded is None else _unrecorded(unrecorded),
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None
        finally:
            os.close(fd)


def supervisor_view(settings: Settings, lease: Lease, machine: float, *, acting: bool) -> SupervisorView:
    """Return who supervises. ``machine``: ``Clock.machine`` now; ``acting``: this process does."""
    from teamops.model.snapshot import SupervisorView

    holder = lease.holder()
    return SupervisorView(
        pid=holder.pid if holder else None,
        acting=acting,
        since_wall=holder.since_wall if holder else None,
        watch_only=settings.watch_only,
        round_age_s=None if acting or holder is None else holder.round_age(machine),
        unrecorded=None if acting else lease.unrecorded(holder),
    )


class Nobody:
    """Stands for the web page that is told of rounds where there is none."""

    def begin_life(self, say: Callable[[str, str], None] | None) -> None:
        """A life begins."""

    def see_round(self) -> None:
        """The loop went round."""

    def fail(self, why: str) -> None:
        """Supervision has failed."""

    def stop(self) -> None:
        """It ends."""


def watchdog_of(settings: Settings) -> Watchdog | Nobody:
    """Return what tells a web page that teamops lives: loaded only where there is one to be told."""
    if not settings.watchdog_url:
        return Nobody()
    from teamops.effects.watchdog import Watchdog

    return Watchdog(settings.watchdog_url)


def tell_rounds(
    core: Core,
    lease: Lease,
    machine: Callable[[], float],
    watchdog: Watchdog | Nobody,
    on_round: Callable[[Snapshot], None],
) -> None:
    """Let all who would miss them know of the rounds of the clock that ``core`` goes through from now on.

    ``machine``: see ``Clock``.
    """
    from teamops.model.events import SourceTroubled

    def tell(snapshot: Snapshot) -> None:
        lease.say_round(machine(), _unrecorded_by(snapshot))
        watchdog.see_round()
        on_round(snapshot)

    def say(trouble: str, hint: str) -> None:
        core.emit(SourceTroubled(core.stamp(), "watchdog", trouble, hint))

    core.on_round = tell
    watchdog.begin_life(say if core.book.supervisor.acting else None)


def _text(since: float, machine: float | None, unrecorded: Unrecorded | None = None) -> bytes:
    """Return what stands in the file: always as long, so that who reads while it is written anew finds all of it."""
    words: dict[str, object] = {"pid": os.getpid(), "since": since, "round": machine}
    if unrecorded is not None:
        from teamops.supervisor.unrecorded import row_of

        words["unrecorded"] = row_of(unrecorded, _LENGTH - 200)
    return json.dumps(words).encode().ljust(_LENGTH)


def _unrecorded_by(snapshot: Snapshot) -> Unrecorded | None:
    if all(alert.code != "ledger-troubled" for alert in snapshot.alerts):
        return None
    from teamops.supervisor.unrecorded import unrecorded_by  # hardly ever needed, and the first frame has no time

    return unrecorded_by(snapshot)


def _unrecorded(row: dict[str, Any]) -> Unrecorded:
    from teamops.supervisor.unrecorded import unrecorded_of  # hardly ever needed, and a status line has no time

    return unrecorded_of(row)


def _read(fd: int) -> object:
    """Return what stands in the file. Raises ``ValueError`` for what is no text of a holder."""
    for _ in range(_TRIES - 1):
        with contextlib.suppress(ValueError):
            return json.loads(os.pread(fd, _LENGTH, 0) or b"null")
    return json.loads(os.pread(fd, _LENGTH, 0) or b"null")
