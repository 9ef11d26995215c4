"""What the words of a Verdict mean. It is free text; what stands first is the verdict, the rest are its reasons."""

from __future__ import annotations

import re
from enum import Enum


class Verdict(Enum):
    """What a review decides."""

    PASSES = "passes"
    BACK = "back"
    UNCLEAR = "unclear"
    """Neither clearly an approval nor clearly sent back."""


_SENT_BACK = (
    r"\bchanges?[\s_-]+(?:(?:are|is)[\s_-]+)?(?:still[\s_-]+)?(?:requested|required|needed|necessary)"
    r"|\b(?:request|require|need|want)(?:s|ed|ing)?[\s_-]+(?:(?!no\b)[a-z]+[\s_-]+){0,2}"
    r"(?:chang|re-?work|work|fix|revis|round|re-?design)\w*"
    r"|\breject(?:ed|s)?\b|\bdisapprov\w+|\bunapproved\b|\bdeclined\b|\bdenied\b|\brefused\b|\bveto(?:ed)?\b|\bnac?k\b"
    r"|\b(?:sen[dt]|send(?:ing)?|give[ns]?|goes|go|return(?:ed|s)?)[\s_-]+(?:it[\s_-]+)?back\b|\breturned\b"
)
_NOTHING_TO_SAY = (
    r"\b(?:no|without|zero|0)\s+(?:\w+\s+){0,2}(?:changes?|issues?|objections?|concerns?|blockers?|problems?|complaints?"
    r"|findings|remarks?|reservations?|nits?|comments?)\b"
)
_APPROVED = (
    r"\b(?:approv(?:ed|es|e|ing)|accept(?:ed|s)?|lgtm|signed[\s_-]+off|ship[\s_-]*it|(?:looks|is|all)[\s_-]+good)\b"
)
_STRONG = re.compile(f"(?P<back>{_SENT_BACK})|(?P<quiet>{_NOTHING_TO_SAY})|(?P<passes>{_APPROVED})")
_FILLER = re.compile(
    r"(?:[^\w+\-✅✔✓👍🟢❌✗✘✖👎🔴⛔🚫]+"
    r"|(?:the|this|it|its|is|i|all|overall|verdict|review|reviewed|code|design|round|still|now|tests?)\b)*"
)
_WEAK = re.compile(
    r"(?P<back>no\b(?!\s+longer)|not\b|never\b|nope\b|cannot\b|can.?t\b|won.?t\b|fail(?:ed|s|ure|ing)?\b|[❌✗✘✖👎🔴⛔🚫]|-1\b"
    r"|revis(?:e|ion|ions)\b|re-?work(?:ed)?\b|redo\b|block(?:ed|er|ers|ing|s)?\b|insufficient\b|incomplete\b|wrong\b"
    r"|broken\b|(?:must\s+)?fix\b|on\s+hold\b|hold\b|stop\b|red\b|negative\b|unacceptable\b|changes\b)"
    r"|(?P<passes>[✅✔✓👍🟢]|\+1\b|ok(?:ay)?\b|pass(?:ed|es)?\b|yes\b|go\b|good\b|fine\b|green\b|ship\b|merge\b|ack\b|positive\b"
    r"|ready\s+to\s+(?:merge|ship)\b)"
)
_NEGATED = re.compile(
    r"\b(?:no|not|without|0|zero|never|nothing|nobody|cannot|can.?t|won.?t|don.?t|doesn.?t|isn.?t|wasn.?t)"
    r"(?:[\s_-]+\w+){0,3}[\s_-]+$"
)
_SUPPOSED = re.compile(r"\b(?:would|could|might|may|will|to|if|unless|until|once|before|or)(?:\s+be)?[\s_-]+$")
_BOTH = re.compile(r"\W*(?:approve\w*|accept\w*)\W*(?:\||/|\bor\b)\W*(?:chang|reject)|\W*not[\s_-]+reject")
"""A form that nobody filled in, and what is neither."""


def verdict_of(text: str) -> Verdict:
    """Return what ``text``, a review's verdict in lower case, decides."""
    if _BOTH.match(text):
        return Verdict.UNCLEAR
    start = _FILLER.match(text)
    weak = _WEAK.match(text, start.end() if start else 0)
    for found in _STRONG.finditer(text):
        if weak is not None and weak.start() < found.start():
            break  # the first word decides
        meant = _meant(text, found)
        if meant is not None:
            return meant
    if weak is None or text[weak.end() :].lstrip().startswith("?"):
        return Verdict.UNCLEAR
    return Verdict.BACK if weak["back"] else Verdict.PASSES


def said_in_passing(status: str | None) -> Verdict | None:
    """Return the verdict that a Status (lower case) gives, where the block has none; weak words give none."""
    return next(filter(None, (_meant(status or "", found) for found in _STRONG.finditer(status or ""))), None)


def _meant(text: str, found: re.Match[str]) -> Verdict | None:
    before = text[: found.start()]
    if text[found.end() :].lstrip().startswith("?"):
        return None
    if found["quiet"]:
        return Verdict.PASSES
    if _NEGATED.search(before):
        return Verdict.PASSES if found["back"] else Verdict.BACK
    if found["passes"] and _SUPPOSED.search(before):
        return None
    return Verdict.BACK if found["back"] else Verdict.PASSES
