"""Sends one page by apprise, in a process of its own: it can be ended, and none of its words but these few get out.

Reads one JSON object from its standard input (``urls``, ``title``, ``body``, ``kind``, ``limit_s``); writes for each
address, as it is done, one JSON line: ``n`` (its place), ``ok``, ``status`` (of the last HTTP answer), ``after`` (its
Retry-After), ``id`` (of the message, where the service told one), ``why`` (a word of WHY). Addresses are in none of
them. All are tried at the same time: one that hangs delays no other. What is not done after ``limit_s`` is late.
"""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import sys
import time
from multiprocessing import get_context
from typing import Any, Literal

from teamops.effects.channels.plain import plain

UNKNOWN, UNREACHED, LATE, UNTRUSTED, DEFECT = "unknown", "unreached", "late", "untrusted", "defect"
WHY = {
    UNKNOWN: "apprise knows no such address",
    UNREACHED: "it can't be reached",
    LATE: "it did not answer in time",
    UNTRUSTED: "its certificate can't be trusted",
    DEFECT: "apprise failed",
}
START: Literal["fork", "spawn"] = "fork" if sys.platform == "linux" else "spawn"
"""How the process of each address begins. The libraries of other systems don't live through a fork."""
_ANSWER_LIMIT = 1 << 16
_ID = re.compile(r"[A-Za-z0-9_-]{1,40}")
_RAW = ("json", "xml", "form")
"""They carry the text as a value to a program; all else shows it to a person, after its own rules."""


class _Heard:
    """What the service answered."""

    def __init__(self, why: str = "") -> None:
        self.status: int | None = None
        self.after = ""
        self.id = ""
        self.why = why

    def listen(self) -> None:
        """Look at every answer that comes by ``requests``, which apprise's services use."""
        import requests

        real = requests.Session.send

        def send(session: Any, request: Any, **options: Any) -> Any:
            try:
                answer = real(session, request, **options)
            except requests.exceptions.SSLError:
                self.why = UNTRUSTED
                raise
            except requests.exceptions.Timeout:
                self.why = LATE
                raise
            except requests.exceptions.RequestException:
                self.why = UNREACHED
                raise
            self.status = answer.status_code
            self.after = str(answer.headers.get("Retry-After", ""))[:60]
            self.id = _id_in(answer)
            return answer

        requests.Session.send = send  # type: ignore[method-assign,assignment]


def _id_in(answer: Any) -> str:
    try:
        told = json.loads(answer.content[:_ANSWER_LIMIT])
    except ValueError:
        return ""
    found = str(told.get("id", "")) if isinstance(told, dict) else ""
    return found if _ID.fullmatch(found) else ""


def main() -> None:
    """Send what stands on the standard input."""
    end = time.monotonic()
    # Whatever a library says of a failure has the address in it: nobody reads it.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    logging.disable(logging.CRITICAL)
    task = json.load(sys.stdin)
    end += task["limit_s"]
    if START == "fork":
        import apprise  # noqa: F401 - once for all: those that are forked have it
    begun = get_context("fork") if START == "fork" else get_context("spawn")
    tries = [begun.Process(target=_try, args=(place, task, end), daemon=True) for place in range(len(task["urls"]))]
    for one in tries:
        one.start()
    for place, one in enumerate(tries):
        one.join(max(0.0, end - time.monotonic()))
        if one.exitcode != 0:
            late = one.exitcode in {None, -signal.SIGALRM}
            _say(place, ok=False, heard=_Heard(LATE if late else DEFECT))
            one.kill()
    os._exit(0)


def _try(place: int, task: dict[str, Any], end: float) -> None:
    """Send to one address, in a process of its own: apprise shares threads, and what hangs keeps them."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, max(0.001, end - time.monotonic()))  # also when nobody is left to end it
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    logging.disable(logging.CRITICAL)
    heard, ok = _Heard(), False
    try:
        import apprise

        heard.listen()
        asset = apprise.AppriseAsset(app_id="teamops", app_desc="teamops", storage_mode="memory", async_mode=False)
        ok = _send(apprise, asset, task["urls"][place], task, heard)
    except Exception:  # noqa: BLE001 - a library's; its text may hold the address
        heard.why = DEFECT
    _say(place, ok=ok, heard=heard)
    os._exit(0)  # whatever threads are left


def _say(place: int, *, ok: bool, heard: _Heard) -> None:
    said = {"n": place, "ok": ok, "status": heard.status, "after": heard.after, "id": heard.id, "why": heard.why}
    os.write(1, json.dumps(said).encode() + b"\n")  # in one piece: several write


def _send(apprise: Any, asset: Any, url: str, task: dict[str, str], heard: _Heard) -> bool:
    one = apprise.Apprise(asset=asset)
    if not one.add(url) or len(one) != 1:
        heard.why = UNKNOWN
        return False
    title, body = task["title"], task["body"]
    if not url.lower().startswith(_RAW):
        title, body = plain(title), plain(body)
    service = one[0]
    if url.lower().startswith("ntfy") and "priority=" not in url and task["kind"] == "failure":
        service.priority = "max"  # what breaks through a silent phone
    return bool(one.notify(title=title, body=body, notify_type=task["kind"], body_format="text"))


if __name__ == "__main__":
    main()
