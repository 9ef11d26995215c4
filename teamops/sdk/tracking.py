"""Hooks into the clients of OpenAI and Anthropic: each call of a model is counted when it ends.

What is hooked is the one method that every call of such a client passes, ``request`` of its base class. So all that
the agent itself calls (``chat.completions.create``, ``messages.stream``…) stays as it is, its signature with it, and
Azure's, Bedrock's and Vertex's clients are their bases' heirs.
"""

from __future__ import annotations

import atexit
import functools
import inspect
import os
import sys
from _thread import allocate_lock
from typing import Any

from teamops.sdk import answers, beats
from teamops.sdk.answers import Reader
from teamops.sdk.calls import Calls
from teamops.sdk.spool import warn
from teamops.sdk.watching import Meter, watch_result

CLASSES = ("SyncAPIClient", "AsyncAPIClient")
HOLD_S = 60.0
"""An agent that beat so lately will beat again soon: its calls wait for that beat."""
MAX_BACKGROUND = 1000

_MARK = "_teamops_tracked"
_lock = allocate_lock()
_calls = Calls()


class _State:
    all = False
    """Every client is tracked, not only those that are marked."""
    ready = False
    background: dict[str, str] = {}  # noqa: RUF012 - one state for the process
    """Responses that OpenAI still works on: id → the model asked for."""


def track_client(client: object) -> None:
    """Mark ``client`` as tracked, and hook its class."""
    for package in answers.PATHS:
        base = sys.modules.get(f"{package}._base_client")
        kinds = tuple(filter(None, (getattr(base, name, None) for name in CLASSES)))
        if base is not None and isinstance(client, kinds):
            with _lock:
                _make_ready()
                _hook_module(package, base)
                if _MARK not in client.__dict__:
                    _mark(client)
            return
    warn(f"{type(client).__module__}.{type(client).__qualname__} is no client of OpenAI or Anthropic: not tracked")


def track_all() -> None:
    """Hook the classes of both packages: now where they are loaded, else when they will be."""
    from teamops.sdk.arriving import when_imported

    with _lock:
        _make_ready()
        if _State.all:
            return
        _State.all = True
    for package in answers.PATHS:
        when_imported(f"{package}._base_client", functools.partial(_arrived, package))


def _arrived(package: str, module: Any) -> None:
    with _lock:
        _hook_module(package, module)


def _make_ready() -> None:
    if not _State.ready:
        _State.ready = True
        beats.hold(_calls)
        atexit.register(_tell_rest)
        os.register_at_fork(after_in_child=_renew_lock)


def _renew_lock() -> None:
    """A forked child's own: the copy may be held by a thread that isn't there."""
    global _lock  # noqa: PLW0603 - as above
    _lock = allocate_lock()


def _hook_module(package: str, module: Any) -> None:
    hooked = 0
    for name in CLASSES:
        kind = getattr(module, name, None)
        request = getattr(kind, "request", None)
        if kind is not None and callable(request):
            hooked += 1
            if not hasattr(request, _MARK):
                kind.request = _hooked(request, package)
    if hooked < len(CLASSES):
        warn(f"this version of {package} is not known: some of its calls are not tracked")


def _mark(client: Any) -> None:
    client.__dict__[_MARK] = True
    for name in ("copy", "with_options"):
        make = getattr(client, name, None)
        if callable(make):
            client.__dict__[name] = _marking(make)


def _marking(make: Any) -> Any:
    @functools.wraps(make)
    def marked(*args: Any, **kwargs: Any) -> Any:
        made = make(*args, **kwargs)
        if _MARK not in made.__dict__:
            _mark(made)
        return made

    return marked


def _hooked(request: Any, package: str) -> Any:
    """Return ``request`` with a look at what it answers."""
    if inspect.iscoroutinefunction(request):

        @functools.wraps(request)
        async def hooked(self: Any, *args: Any, **kwargs: Any) -> Any:
            meter = _meter(self, package, args, kwargs)
            result = await request(self, *args, **kwargs)
            return result if meter is None else watch_result(result, meter)

    else:

        @functools.wraps(request)
        def hooked(self: Any, *args: Any, **kwargs: Any) -> Any:
            meter = _meter(self, package, args, kwargs)
            result = request(self, *args, **kwargs)
            return result if meter is None else watch_result(result, meter)

    setattr(hooked, _MARK, True)
    return hooked


def _meter(client: Any, package: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Meter | None:
    """Return what will count this request, or ``None`` where it is none of a model, or of a client not tracked."""
    try:
        if not (_State.all or _MARK in client.__dict__):
            return None
        options = kwargs["options"] if "options" in kwargs else args[1]
        path = str(options.url).partition("?")[0].rstrip("/")
        method = str(options.method).lower()
        if method == "post":
            for known in answers.PATHS[package]:
                if path.endswith(known):
                    model = answers.get(options.json_data, "model")
                    return Meter(Reader(known, model if isinstance(model, str) else ""), _ended)
        elif method == "get" and package == "openai":
            name = path.rpartition("/")[2]
            if name in _State.background and path.endswith(f"{answers.RESPONSES}/{name}"):
                return Meter(Reader(answers.RESPONSES, _State.background[name]), _ended)
    except Exception as error:  # noqa: BLE001 - the port to someone else's call: nothing may come through
        _lost(error)
    return None


def _ended(meter: Meter) -> None:
    """Count a call that has ended."""
    name = meter.response_id
    if meter.under_way:
        if len(_State.background) < MAX_BACKGROUND:
            _State.background[name] = meter.reader.call.model
            return  # its usage comes with a later look at it
    elif name:
        _State.background.pop(name, None)
    if not meter.reader.call.known:
        warn("a model call told no usage and can't be counted (streams of chat completions tell it with include_usage)")
    _calls.add(meter.reader.call)
    beats.tell_calls(HOLD_S)


def _tell_rest() -> None:
    try:
        beats.tell_calls(0.0)
    except Exception as error:  # noqa: BLE001 - as above
        _lost(error)


def _lost(error: Exception) -> None:
    warn(f"a model call was not counted: {type(error).__name__}: {error}")
