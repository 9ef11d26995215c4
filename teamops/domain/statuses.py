"""What the words of a Status or a Verdict mean. Both are free text; what they begin with counts."""

from __future__ import annotations

import re

_BLOCKED = re.compile(
    # Who waits to be reviewed is not blocked.
    r"\W*(?:blocked|stuck|question|waiting(?!\W+(?:for|on)\W+(?:\w+\W+){0,2}(?:review|verif|confirm|sign)))"
)
_WITHDRAWN = re.compile(
    r"\W*(?:closed?\W+(?:as\W+)?)?"
    r"(?:withdrawn|cancell?ed|dropped|abandoned|rejected|won.?t[\s_-]?fix|superseded)\b"
)
_DONE = re.compile(
    r"\W*(?:done|completed?|finished|ready|implemented|fixed|resolved|shipped|merged|confirmed|verified|closed)\b"
)
_SENT_BACK = re.compile(
    r"\bchanges?[\s_-]+(?:(?:are|is)[\s_-]+)?(?:requested|required|needed)"
    r"|\b(?:request|require|need)(?:s|ed|ing)?[\s_-]+(?:changes?|rework|work)|\breject(?:ed)?\b|\bnot[\s_-]+approved\b"
)
_NEGATED = re.compile(r"\b(?:no|not|without|0|zero|never)(?:[\s_-]+\w+){0,2}[\s_-]+$")
_APPROVED = re.compile(r"(?<!not )(?<!not-)\b(?:approved?|accepted)\b")


def is_blocked(status: str | None) -> bool:
    """Return whether a Status (lower case) says that its author can't go on: it needs an answer first."""
    return bool(status and _BLOCKED.match(status))


def is_withdrawn(status: str | None) -> bool:
    """Return whether a Status (lower case) says that the task ends without being done."""
    return bool(status and _WITHDRAWN.match(status))


def is_done(status: str | None) -> bool:
    """Return whether a Status (lower case) claims that the work is done."""
    return bool(status and _DONE.match(status)) and not is_withdrawn(status)


def sends_back(verdict: str | None) -> bool:
    """Return whether a review's verdict (lower case) asks for changes."""
    words = verdict or ""
    approved = _APPROVED.search(words)
    # What stands first is the verdict; the rest of the line are its reasons.
    before = words[: approved.start()] if approved else words
    return any(not _NEGATED.search(words[: found.start()]) for found in _SENT_BACK.finditer(before))
