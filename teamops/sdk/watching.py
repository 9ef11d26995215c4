"""Looks on while an answer is read: whole, as a stream of events, or raw.

The agent's object stays the very one that its SDK made; a stream gets an iterator that sees what passes.
"""

from __future__ import annotations

import inspect
import json
import os
import weakref
from collections.abc import Callable
from typing import Any

from teamops.sdk import answers
from teamops.sdk.answers import Reader
from teamops.sdk.spool import warn


class Meter:
    """Counts one call, exactly once, in the process that made it."""

    def __init__(self, reader: Reader, ended: Callable[[Meter], None]) -> None:
        self.reader = reader
        self.response_id = ""
        """Of a response of OpenAI's that came as one."""
        self.under_way = False
        """That response is still worked on."""
        self._ended: Callable[[Meter], None] | None = ended
        self._pid = os.getpid()

    def whole(self, answer: Any) -> None:
        """Take an answer that came as one; it is the end."""
        try:
            self.reader.whole(answer)
            name = answers.get(answer, "id")
            self.response_id = name if isinstance(name, str) else ""
            self.under_way = bool(self.response_id) and answers.get(answer, "status") in answers.UNDER_WAY
        except Exception as error:  # noqa: BLE001 - the port to someone else's call: nothing may come through
            _odd(error)
        self.end()

    def event(self, event: Any) -> None:
        """Take one event of a stream."""
        try:
            self.reader.event(event)
        except Exception as error:  # noqa: BLE001 - as above
            _odd(error)

    def end(self) -> None:
        """Count what was seen so far."""
        ended, self._ended = self._ended, None
        if ended is None or os.getpid() != self._pid:
            return
        try:
            ended(self)
        except Exception as error:  # noqa: BLE001 - as above
            _odd(error)


def watch_result(result: Any, meter: Meter) -> Any:
    """Return ``result`` itself, which ``meter`` counts now or while it is read."""
    try:
        if hasattr(result, "_iterator") and hasattr(result, "response"):
            _watch_stream(result, meter)
        elif hasattr(result, "http_response") and hasattr(result, "parse"):
            _watch_raw(result, meter)
        else:
            meter.whole(result)
    except Exception as error:  # noqa: BLE001 - as above
        _odd(error)
        meter.end()
    return result


def _watch_stream(stream: Any, meter: Meter) -> None:
    kind = _WatchedAsync if hasattr(stream, "__anext__") else _Watched
    watched = kind(stream._iterator, meter)  # noqa: SLF001 - what all ways of reading it draw from
    stream._iterator = watched  # noqa: SLF001 - as above
    this = weakref.ref(watched)

    def closed() -> None:
        # The network's end comes in the middle of a reading: the last events are still to be decoded then.
        living = this()
        if living is not None and not living.reading:
            meter.end()

    _when_closed(stream.response, closed)


def _watch_raw(raw: Any, meter: Meter) -> None:
    """Count a raw answer: now where it was read already, else when it is parsed or closed."""
    response = raw.http_response
    body = _body(response)
    if body is not None:
        meter.whole(body)
        return
    parse = raw.parse
    dropped = weakref.finalize(raw, meter.end)

    def parsed(*args: Any, **kwargs: Any) -> Any:
        raw.__dict__.pop("parse", None)  # which ends the circle, too
        dropped.detach()
        value = parse(*args, **kwargs)
        return _later(value, meter) if inspect.isawaitable(value) else watch_result(value, meter)

    def closed() -> None:
        body = _body(response)
        if body is not None:
            meter.whole(body)
        elif getattr(response, "is_stream_consumed", False) and not again:
            # Maybe the network's end, after which is put together what was read; the agent's own closing follows.
            again.append(True)
            _when_closed(response, closed)
        else:
            meter.end()

    again: list[bool] = []
    raw.parse = parsed
    _when_closed(response, closed)


async def _later(value: Any, meter: Meter) -> Any:
    return watch_result(await value, meter)


def _body(response: Any) -> Any:
    """Return the JSON that a response has read, or ``None``."""
    content = getattr(response, "_content", None)
    if not isinstance(content, bytes) or not content.lstrip().startswith(b"{"):
        return None
    return json.loads(content)


def _when_closed(response: Any, tell: Callable[[], None]) -> None:
    """Call ``tell`` once when a response of the network was closed, by whatever way leads there."""
    kind = type(response)

    def forget() -> None:
        for name in ("close", "aclose"):
            response.__dict__.pop(name, None)  # which ends the circle, too

    async def aclose() -> None:
        forget()
        try:
            await kind.aclose(response)
        finally:
            _safely(tell)

    def close() -> None:
        forget()
        try:
            kind.close(response)
        finally:
            _safely(tell)

    response.close, response.aclose = close, aclose


def _safely(tell: Callable[[], None]) -> None:
    try:
        tell()
    except Exception as error:  # noqa: BLE001 - as above
        _odd(error)


class _Seen:
    """What both kinds of iterators have in common."""

    def __init__(self, iterator: Any, meter: Meter) -> None:
        self._inner = iterator
        self._meter = meter
        self.reading = False
        """The next event is asked for."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["_inner"], name)

    def __del__(self) -> None:
        self._meter.end()  # nobody reads on


class _Watched(_Seen):
    def __iter__(self) -> _Watched:
        return self

    def __next__(self) -> Any:
        self.reading = True
        try:
            event = next(self._inner)
        except BaseException:
            self._meter.end()
            raise
        finally:
            self.reading = False
        self._meter.event(event)
        return event


class _WatchedAsync(_Seen):
    def __aiter__(self) -> _WatchedAsync:
        return self

    async def __anext__(self) -> Any:
        self.reading = True
        try:
            event = await self._inner.__anext__()
        except BaseException:
            self._meter.end()
            raise
        finally:
            self.reading = False
        self._meter.event(event)
        return event


def _odd(error: Exception) -> None:
    warn(f"a model call was not counted: {type(error).__name__}: {error}")
