"""The channel ``remote``: a phone, a chat, a mailbox, through apprise (``pip install "teamops[remote]"``).

All services are told at the same time, and each has the same time to take it. Where one has not, the channel has failed
the page, and says how many took it.

A page is delivered when every service has taken it. What one has taken it is not given again by a later try: that
stands in the receipt, and the outbox keeps it over lives.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from importlib.util import find_spec
from pathlib import Path

from msgspec import structs

from teamops.config.channels import RemoteSettings
from teamops.effects.channels.addresses import addresses, shown
from teamops.effects.channels.remote_worker import WHY
from teamops.effects.channels.running import run_beside
from teamops.effects.channels.words import words_of
from teamops.model.errors import TeamopsError
from teamops.model.handoff import Severity
from teamops.model.page import Answer, Page, Receipt, Transition

MISSING = "apprise is not installed"
INSTALL = 'pip install "teamops[remote]" (or pip install apprise) into the environment of teamops'
ENDING_S = 5.0
"""So long the end of the process may take beyond its own time."""
SAYING_S = 1.0
"""Of that: for the process to say what was late, before it is ended."""
_LATER = frozenset({408, 425, 429})
"""Answers of the 400s after which trying again makes sense."""
_KINDS = {Severity.CRITICAL: "failure", Severity.WARNING: "warning"}
_DO = {
    401: "its token or password is refused: write a new one",
    403: "its token may not write there: write another one",
    404: "there is no such place any more: look at its address",
    410: "there is no such place any more: look at its address",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """How one address ended."""

    ok: bool
    words: str
    """What happened, in words that hold no secret."""
    retry: bool
    after_s: float | None = None
    do: str = ""


class RemoteChannel:
    """Fulfils ``port.Channel``."""

    name = "remote"

    def __init__(self, settings: RemoteSettings, program: tuple[str, ...] = ()) -> None:
        """``program``: what sends; the worker beside this, where it is not said."""
        self._settings = settings
        # -P and a folder that is nobody's: no agent's apprise.py comes before the real one.
        self._program = program or (sys.executable, "-P", "-m", "teamops.effects.channels.remote_worker")
        self.limit_s = settings.timeout_s + ENDING_S

    async def start(self, hear: Callable[[Answer], None]) -> str:  # noqa: ARG002 - it carries no answers
        """Say whether apprise is there and the addresses can be read. Nothing is sent."""
        if find_spec("apprise") is None:
            return f"{MISSING}: {INSTALL}"
        try:
            await asyncio.to_thread(addresses, self._settings)
        except TeamopsError as error:
            return error.message
        return ""

    async def deliver(self, page: Page) -> Receipt:
        """Give ``page`` to every service that has not taken it yet."""
        if find_spec("apprise") is None:
            return Receipt(ok=False, message=MISSING, hint=INSTALL)
        try:
            urls = await asyncio.to_thread(addresses, self._settings)
        except TeamopsError as error:
            return Receipt(ok=False, message=error.message, hint=error.hint)
        names, before = {url: _part(place, url) for place, url in enumerate(urls)}, dict(page.parts)
        taken = {url: before[name] for url, name in names.items() if name in before}
        open_ = [url for url in urls if url not in taken]
        told = dict(zip(open_, await self._send(open_, page), strict=True)) if open_ else {}
        for url, how in told.items():
            if how.ok or not how.retry:
                taken[url] = how.ok
        receipt = _receipt(urls, taken, told)
        if receipt.ok:
            return receipt
        return structs.replace(receipt, parts=tuple((names[url], ok) for url, ok in taken.items()))

    async def close(self) -> None:
        """Nothing was opened."""

    async def _send(self, urls: list[str], page: Page) -> list[_Told]:
        words = words_of(page)
        kind = _KINDS.get(page.severity, "info")
        if page.transition is Transition.RESOLVED:
            kind = "success"
        title, body = (words.title, words.body) if words.body else ("", words.title)  # apprise sends no empty body
        limit_s = self._settings.timeout_s
        task = {"urls": urls, "title": title, "body": body, "kind": kind, "limit_s": limit_s}
        given = json.dumps(task).encode()
        ended = await run_beside(self._program, Path("/"), os.environ, limit_s + SAYING_S, given)
        found = {}
        for line in ended.tail:
            try:
                said = json.loads(line)
                found[int(said["n"])] = _told(said)
            except (ValueError, KeyError, TypeError):
                continue  # not one of its lines
        late = not ended.ok and ended.status is None
        rest = _Told(ok=False, words=WHY["late"] if late else WHY["defect"], retry=late)
        return [found.get(place, rest) for place in range(len(urls))]


def _part(place: int, url: str) -> str:
    """Return by what name the outbox knows an address: too few bits of it to guess it by."""
    return f"{place}-{hashlib.sha256(url.encode(errors='replace')).hexdigest()[:4]}"


def _told(said: dict[str, object]) -> _Told:
    status = said["status"]
    if said["ok"]:
        seen = f"HTTP {status:d}" if isinstance(status, int) else "taken"
        return _Told(ok=True, words=f"{seen}, id {said['id']}" if said["id"] else seen, retry=False)
    why = WHY.get(str(said["why"]), "")
    if not isinstance(status, int):
        return _Told(ok=False, words=why or "it was not taken", retry=said["why"] not in {"unknown", "untrusted"})
    return _Told(
        ok=False,
        words=f"HTTP {status}" if not why else f"HTTP {status}, then {why}",
        retry=not 400 <= status < 500 or status in _LATER,
        after_s=_after_s(str(said["after"])),
        do=_DO.get(status, ""),
    )


def _after_s(text: str) -> float | None:
    """Return the seconds that a Retry-After means, or ``None``."""
    try:
        return max(0.0, float(int(text)))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return None


def _receipt(urls: tuple[str, ...], taken: dict[str, bool], told: dict[str, _Told]) -> Receipt:
    """Put together how all ``urls`` stand after this try; ``told`` is what it tried."""
    failed = [url for url in urls if not taken.get(url, False)]
    if not failed:
        evidence = "; ".join(f"{shown(url)}: {told[url].words if url in told else 'taken before'}" for url in urls)
        where = shown(urls[0]) if len(urls) == 1 else f"all {len(urls)} services"
        return Receipt(ok=True, message=f"taken by {where}", evidence=evidence)
    words = "; ".join(f"{shown(url)}: {told[url].words if url in told else 'refused before'}" for url in failed)
    part = "" if len(failed) == len(urls) else f" ({len(urls) - len(failed)} of {len(urls)} took it)"
    tries = [how for how in told.values() if how.retry]
    waits = [how.after_s for how in tries if how.after_s is not None]
    hints = [how.do for how in told.values() if how.do]
    return Receipt(
        ok=False,
        message=words + part,
        retry=bool(tries),
        after_s=min(waits) if waits and len(waits) == len(tries) else None,  # nobody waits for another's pause
        hint=hints[0] if hints else "look at the address and the network, then: teamops notify test --channel remote",
    )
