"""Signs of life: what an agent's own loop calls.

Nothing here raises, waits or starts a thread: a supervisor's sensor must never hurt what it watches. What can't be
written is said once on stderr and then forgotten.
"""

# ruff: noqa: PTH109, PTH112 - importing pathlib costs more than all of this
from __future__ import annotations

import os
import sys
import time
from _json import encode_basestring_ascii
from _thread import allocate_lock, get_ident

from teamops.sdk.spool import Spool, project_of, role_of, warn

TYPE_CHECKING = False  # not from typing, whose import costs more than all of this
if TYPE_CHECKING:
    from decimal import Decimal
    from types import TracebackType
    from typing import Any, Literal

    from teamops.sdk.calls import Calls

MAX_MESSAGE = 1000
MAX_STATUS = 40
MAX_COUNT = 10**12
"""More tokens or calls than this between two beats are a defect of the caller's counting."""


class _Agent:
    """What ``init`` said."""

    spool: Spool | None = None
    asked = False
    """``init`` was called, or the environment was looked at."""
    interval: float | None = None
    pid = 0
    """Whose beats these are; 0 = this process's own."""
    watches = False
    """The program's uncaught exceptions are seen."""
    calls: Calls | None = None
    """Model calls that no line has told yet; ``None`` = none is tracked."""
    beat_at = 0.0
    """When it last beat by itself, monotonic; 0 = never."""
    writing: set[int] = set()  # noqa: RUF012 - one state for the process
    """Threads that are writing a line."""


_agent = _Agent()


def init(
    agent: str | None = None,
    *,
    role: str | None = None,
    project: str | os.PathLike[str] | None = None,
    interval: float | None = None,
) -> None:
    """Say who this process is, and beat for the first time. Needed only where the environment doesn't say it.

    ``role`` defaults to TEAMOPS_ROLE, else to ``agent``, the agent's own name; ``project``, the project's folder, to
    TEAMOPS_PROJECT, else to the nearest folder upwards from the working directory that holds a teamops.toml, .teamops
    or current.md. ``interval`` is a promise in seconds: two beats missed, and the agent is shown as silent
    even when it doesn't hold the light.
    """
    try:
        _agent.spool = _find(role, agent, project)
        _agent.asked = True
        _agent.interval = _seconds(interval)
        _watch_errors()
        _write("beat")
    except Exception as error:  # noqa: BLE001 - the port to someone else's loop: nothing may come through
        warn(f"this agent can't beat: {type(error).__name__}: {error}")


def stand_in(role: str | None, project: str | None, interval: float | None, pid: int) -> None:
    """Speak for the process ``pid``, a shell loop, in whose name this process writes a line or two and ends."""
    _agent.spool = _find(role, None, project, "shell")
    _agent.asked = True
    _agent.interval, _agent.pid = _seconds(interval), pid


def mark(*, begin: bool) -> None:
    """Say that a cycle begins or ends, where no block of Python surrounds it."""
    _write("cycle-begin" if begin else "cycle-end")


def heartbeat(
    *,
    status: str = "ok",
    message: str = "",
    tokens: int = 0,
    cost_usd: Decimal | float | str | None = None,
    tool_calls: int = 0,
) -> None:
    """Say that this agent lives and what it does. Takes less than a millisecond and never raises.

    ``status`` is a word: "working" or "busy" is a sign of work, "idle" one of rest. ``tokens``, ``cost_usd`` (US
    dollars) and ``tool_calls`` are what was used since the last beat; values that make no sense count as nothing.
    """
    try:
        text = f',"status":{_quoted(status, MAX_STATUS)}' if status != "ok" else ""
        if cost_usd is not None:
            text += _cost(cost_usd)
        _write("beat", text, message, _count(tokens), _count(tool_calls))
    except Exception as error:  # noqa: BLE001 - as above
        warn(f"a beat was lost: {type(error).__name__}: {error}")


ping = heartbeat


def log_cost(cost_usd: Decimal | float | str, *, tokens: int = 0, tool_calls: int = 0, message: str = "") -> None:
    """Say what something has cost, in US dollars, since the last beat: a beat like any other, and a sign of work."""
    heartbeat(cost_usd=cost_usd, tokens=tokens, tool_calls=tool_calls, message=message)


def shutting_down(grace: float = 60.0) -> None:
    """Say that this agent ends on purpose: its silence is expected for ``grace`` seconds."""
    try:
        seconds = _seconds(grace)
        _write("shutdown", f',"grace_s":{60.0 if seconds is None else seconds}')
    except Exception as error:  # noqa: BLE001 - as above
        warn(f"a beat was lost: {type(error).__name__}: {error}")


class Cycle:
    """One round of work: the agent is expected to beat until it ends. Cycles within cycles are one."""

    _lock = allocate_lock()
    _open = 0
    _pid = 0

    def __enter__(self) -> Cycle:  # noqa: PYI034 - Self lives in typing, whose import costs too much
        try:
            if Cycle._count(+1) == 1:
                _write("cycle-begin")
        except Exception as error:  # noqa: BLE001 - as above
            warn(f"a beat was lost: {type(error).__name__}: {error}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> Literal[False]:
        try:
            if Cycle._count(-1) == 0:
                if kind is None:
                    _write("cycle-end")
                else:
                    _write("cycle-end", ',"status":"error"', kind.__name__)
        except Exception as defect:  # noqa: BLE001 - as above
            warn(f"a beat was lost: {type(defect).__name__}: {defect}")
        return False

    @classmethod
    def _count(cls, step: int) -> int:
        pid = os.getpid()
        if pid != cls._pid:  # a forked child: the parent's cycles are not its own, its lock may be held by nobody
            cls._lock, cls._pid = allocate_lock(), pid
            cls._open = 1 if step < 0 else 0
        with cls._lock:
            cls._open += step
            return cls._open


def cycle() -> Cycle:
    """Return a context manager around one round of work: ``with teamops.cycle(): …``."""
    return Cycle()


def _find(role: str | None, agent: str | None, project: str | os.PathLike[str] | None, file: str = "") -> Spool | None:
    given = role or os.environ.get("TEAMOPS_ROLE") or agent or ""
    name = role_of(given)
    if name is None:
        what = f"{given!r} is no role's name" if given else "no role is known"
        warn(f"{what}: beats go nowhere (set TEAMOPS_ROLE, or call teamops.init(role=...))")
        return None
    folder = os.fspath(project) if project else os.environ.get("TEAMOPS_PROJECT") or project_of(os.getcwd())
    if not folder or not os.path.isdir(folder):
        warn("no project is known: beats go nowhere (set TEAMOPS_PROJECT, or call teamops.init(project=...))")
        return None
    return Spool(folder, name, file)


def hold(calls: Calls) -> None:
    """Let every line from now on tell what waits in ``calls``."""
    _agent.calls = calls


def tell_calls(within_s: float) -> None:
    """Tell of the model calls that wait: now, unless this agent beat in the last ``within_s`` and so will again."""
    if _agent.calls is None or not _agent.calls.wait:
        return
    if _agent.beat_at and time.monotonic() - _agent.beat_at < within_s:
        return
    if get_ident() not in _agent.writing:  # else the collector has ended a stream in the middle of a line of ours
        _write("usage")


def _write(kind: str, rest: str = "", message: object = "", tokens: int = 0, tool_calls: int = 0) -> None:
    if not _agent.asked:
        _agent.asked = True
        _agent.spool = _find(None, None, None)
        _watch_errors()
    if kind != "usage":
        _agent.beat_at = time.monotonic()
    calls = _agent.calls
    if calls is None:
        _write_line(kind, rest, message, tokens, tool_calls)
        return
    taken = calls.take()
    while taken or kind != "usage":
        told = False
        try:
            usage, message, tokens, tool_calls = calls.told(taken, message, tokens, tool_calls)
            told = _write_line(kind, rest + usage, message, tokens, tool_calls)
        finally:
            if not told:
                calls.put_back(taken)
        if not told:
            return
        taken = calls.take() if taken else taken
        kind, rest, message, tokens, tool_calls = "usage", "", "", 0, 0  # what found no room in the line before


def _write_line(kind: str, text: str, message: object, tokens: int, tool_calls: int) -> bool:
    """Write one line; return whether that could be done, or never can."""
    spool = _agent.spool
    if spool is None:
        return True
    if message:
        text += f',"message":{_quoted(message, MAX_MESSAGE)}'
    if tokens:
        text += f',"tokens":{tokens}'
    if tool_calls:
        text += f',"tool_calls":{tool_calls}'
    if _agent.interval is not None:
        text += f',"interval_s":{_agent.interval}'
    line = f'{{"v":1,"t":{time.time():.3f},"pid":{_agent.pid or os.getpid()},"kind":"{kind}"{text}}}'
    thread = get_ident()
    _agent.writing.add(thread)
    try:
        spool.write(line.encode())
    except OSError as error:
        warn(f"beats can't be written: {error.strerror or error}")
        return False
    finally:
        _agent.writing.discard(thread)
    return True


def _watch_errors() -> None:
    """See the exceptions that nobody catches; what is done about them stays as it was."""
    if _agent.watches:
        return
    _agent.watches = True
    before = sys.excepthook

    def tell(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        _tell_error(kind, error)
        before(kind, error, trace)

    sys.excepthook = tell
    threading: Any = sys.modules.get("threading")  # a program without threads need not pay for them
    if threading is not None:
        of_threads = threading.excepthook

        def tell_of_thread(said: Any) -> None:
            _tell_error(said.exc_type, said.exc_value)
            of_threads(said)

        threading.excepthook = tell_of_thread


def _tell_error(kind: type[BaseException], error: BaseException | None) -> None:
    if not issubclass(kind, Exception):
        return  # a person's Ctrl-C
    try:
        text = " ".join(f"{kind.__name__}: {error}".split()).rstrip(": ")
        _write("error", ',"status":"error"', text)
    except Exception as defect:  # noqa: BLE001 - as above
        warn(f"a beat was lost: {type(defect).__name__}: {defect}")


def _quoted(text: object, limit: int) -> str:
    return encode_basestring_ascii(str(text)[:limit])


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        return 0
    return int(value) if 0 < value <= MAX_COUNT else 0


def _cost(value: object) -> str:
    text = str(value)
    if isinstance(value, bool) or not 0 <= float(text) <= MAX_COUNT:
        return ""
    return f',"cost_usd":{encode_basestring_ascii(text)}'


def _seconds(value: float | None) -> float | None:
    return float(value) if value is not None and 0 < value <= MAX_COUNT else None
