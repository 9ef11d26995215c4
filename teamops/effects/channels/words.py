"""A page in words that may go anywhere: cleaned, without secrets, in bounded room: what every channel says."""

from __future__ import annotations

from dataclasses import dataclass

from teamops.domain.secrets import without_secrets
from teamops.model.page import Page
from teamops.model.text import clean, clean_line

TITLE_LIMIT = 200
BODY_LIMIT = 2000
LINE_LIMIT = 200
_READ = 20_000
"""Characters of a text that are looked at: a secret is found before the text is cut, and no text is endless."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What a channel says. Plain text: never markup, whatever it looks like."""

    title: str
    """One line, never empty."""
    body: str
    """Of one or several lines, or empty; what to do is in it."""
    do: str
    """One line, or empty."""
    line: str
    """All of it in one line, the most important first."""


def words_of(page: Page) -> Words:
    """Return what is said of ``page``. Total."""
    title, do = _line(page.title, TITLE_LIMIT) or "teamops", _line(page.do, TITLE_LIMIT)
    why = cut(without_secrets(clean(page.body[:_READ]).strip()), BODY_LIMIT)
    sentence = f"{do[:1].upper()}{do[1:]}"
    return Words(
        title=title,
        body=cut("\n".join(part for part in (why, sentence) if part), BODY_LIMIT),
        do=do,
        line=_line(": ".join(part for part in (title, why) if part), LINE_LIMIT),
    )


def safe_line(text: str, limit: int = LINE_LIMIT) -> str:
    """Return what another program said, fit for a receipt: one line, cleaned, without secrets."""
    return _line(text, limit)


def cut(text: str, limit: int) -> str:
    """Return ``text``, at most ``limit`` characters of it; an ellipsis says that it was cut."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _line(text: str, limit: int) -> str:
    return cut(without_secrets(clean_line(text[:_READ], _READ)), limit)
