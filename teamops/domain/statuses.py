"""What the words of a Status mean. It is free text; what it begins with counts."""

from __future__ import annotations

import re

_BLOCKED = re.compile(
    # Who waits to be reviewed is not blocked.
    r"\W*(?:blocked|stuck|question|waiting(?!\W+(?:for|on)\W+(?:\w+\W+){0,2}(?:review|verif|confirm|sign)))"
)
_WITHDRAWN = re.compile(
    r"\W*(?:task\W+)?(?:closed?\W+(?:as\W+)?)?"
    r"(?:withdrawn|obsolete|duplicate|cancell?ed|dropped|abandoned|rejected|won.?t[\s_-]?fix|superseded)\b"
)
_DONE = re.compile(
    r"\W*(?:(?:all|everything|the|it|work|task|job|implementation|implementing|code|coding|feature|fix|build|is|are|now"
    r"|fully)\W+){0,4}"
    r"(?:done|completed?|finished|ready|implemented|fixed|resolved|shipped|merged|confirmed|verified|closed)\b"
)
_TO_SIGN = re.compile(
    r"\bsign(?:ed|ing)?[\s_-]*off\b|\b(?:approv(?:e|ed|al)|accept(?:ed|ance)?|confirm(?:ed|ation)?)\b"
)
_NOT = re.compile(r"\b(?:no|not|never|without|can.?t|cannot|un\w+)(?:\W+\w+){0,2}\W+$")


def is_blocked(status: str | None) -> bool:
    """Return whether a Status (lower case) says that its author can't go on: it needs an answer first."""
    return bool(status and _BLOCKED.match(status))


def is_withdrawn(status: str | None) -> bool:
    """Return whether a Status (lower case) says that the task ends without being done."""
    return bool(status and _WITHDRAWN.match(status))


def is_done(status: str | None) -> bool:
    """Return whether a Status (lower case) claims that the work is done."""
    return bool(status and _DONE.match(status)) and not is_withdrawn(status)


def asks_to_sign(status: str | None) -> bool:
    """Return whether a Status (lower case) of the DIRECTOR gives work to the person to be signed off."""
    if is_blocked(status) or is_withdrawn(status):
        return False
    words = status or ""
    return is_done(words) or any(not _NOT.search(words[: found.start()]) for found in _TO_SIGN.finditer(words))


def of_design(status: str | None) -> bool:
    """Return whether a Status (lower case) speaks of the design."""
    return "design" in (status or "")
