"""Sends one page by apprise, in a process of its own: it can be ended, and none of its words but these few get out.

Reads one JSON object from its standard input (``urls``, ``title``, ``body``, ``kind``); writes for each address, as it
is done, one JSON line: ``n`` (its place), ``ok``, ``status`` (of the last HTTP answer), ``after`` (its Retry-After),
``id`` (of the message, where the service told one), ``why`` (a word of WHY). Addresses are in none of them.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
from typing import Any

UNKNOWN, UNREACHED, LATE, UNTRUSTED, DEFECT = "unknown", "unreached", "late", "untrusted", "defect"
WHY = {
    UNKNOWN: "apprise knows no such address",
    UNREACHED: "it can't be reached",
    LATE: "it did not answer in time",
    UNTRUSTED: "its certificate can't be trusted",
    DEFECT: "apprise failed",
}
_ANSWER_LIMIT = 1 << 16
_ID = re.compile(r"[A-Za-z0-9_-]{1,40}")
_RAW = ("json", "xml", "form")
"""They carry the text as a value to a program; all else shows it to a person, after its own rules."""
_CALLS_MANY = re.compile(r"@(everyone|here|channel|all)\b", re.IGNORECASE)


def plain(text: str) -> str:
    """Return ``text`` with nothing in it that a chat takes for a link, a tag or a call to all who are there."""
    text = text.replace("<", "\u2039").replace(">", "\u203a").replace("](", "] (")
    return _CALLS_MANY.sub(r"@ \1", text)


class _Heard:
    """What the services answered to the address that is tried now."""

    def __init__(self) -> None:
        self.status: int | None = None
        self.after = ""
        self.id = ""
        self.why = ""

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
    # Whatever a library says of a failure has the address in it: nobody reads it.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    logging.disable(logging.CRITICAL)
    task = json.load(sys.stdin)
    import apprise

    asset = apprise.AppriseAsset(app_id="teamops", app_desc="teamops", storage_mode="memory", async_mode=False)
    # Each address has its own; what this one is told, is cleared before the next.
    heard = _Heard()
    heard.listen()
    for place, url in enumerate(task["urls"]):
        _Heard.__init__(heard)
        ok = False
        try:
            ok = _send(apprise, asset, url, task, heard)
        except Exception:  # noqa: BLE001 - a library's; its text may hold the address
            heard.why = DEFECT
        said = {"n": place, "ok": ok, "status": heard.status, "after": heard.after, "id": heard.id, "why": heard.why}
        sys.stdout.write(json.dumps(said) + "\n")
        sys.stdout.flush()


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
