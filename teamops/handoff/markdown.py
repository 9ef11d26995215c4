"""The little of CommonMark that decides whether a line opens a fence or an HTML block, and markdown-it for the rest."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

MAX_NESTING = 100
"""Containers nested deeper than this are not looked into."""

_FENCE = re.compile(rb"(`{3,})[^`\n]*|(~{3,})")
_TAGS = (
    "address article aside base basefont blockquote body caption center col colgroup dd details dialog dir div dl dt "
    "fieldset figcaption figure footer form frame frameset h1 h2 h3 h4 h5 h6 head header hr html iframe legend li link "
    "main menu menuitem nav noframes ol optgroup option p param search section summary table tbody td tfoot th thead "
    "title tr track ul"
)
_VERBATIM = "script|pre|style|textarea"
_ATTRIBUTE = r"""\s+[a-zA-Z_:][a-zA-Z0-9:._-]*(?:\s*=\s*(?:[^"'=<>`\x00-\x20]+|'[^']*'|"[^"]*"))?"""
_BLANK_LINE = re.compile(rb"\n[ \t]*(?=\n|\Z)")

COMMENT = 1
ANY_TAG = 6
"""The one kind that is no HTML block right under a line of text."""
_HTML: tuple[tuple[re.Pattern[str], re.Pattern[bytes]], ...] = (
    (
        re.compile(rf"<(?a:{_VERBATIM})(?=\s|>|$)", re.IGNORECASE),
        re.compile(rf"</(?:{_VERBATIM})>".encode(), re.IGNORECASE),
    ),
    (re.compile(r"<!--"), re.compile(rb"-->")),
    (re.compile(r"<\?"), re.compile(rb"\?>")),
    (re.compile(r"<![A-Za-z]"), re.compile(rb">")),
    (re.compile(r"<!\[CDATA\["), re.compile(rb"\]\]>")),
    (re.compile(rf"</?(?a:{'|'.join(_TAGS.split())})(?=\s|/?>|$)", re.IGNORECASE), _BLANK_LINE),
    (re.compile(rf"(?:<[A-Za-z][A-Za-z0-9-]*(?:{_ATTRIBUTE})*\s*/?>|</[A-Za-z][A-Za-z0-9-]*\s*>)\s*$"), _BLANK_LINE),
)

TO_BLANK_LINE = tuple(kind for kind, (_, closing) in enumerate(_HTML) if closing is _BLANK_LINE)
"""The kinds that end only at a blank line, whatever tags they close."""


def fence_at(text: bytes, begin: int, end: int) -> bytes | None:
    """Return the run of fence characters if the line whose text is ``text[begin:end]`` opens a fence."""
    found = _FENCE.match(text, begin, end)
    if found is None:
        return None
    run: bytes | None = found[1] or found[2]
    return None if found[1] and found.end() != end else run


def fence_end(text: bytes, run: bytes, after: int) -> int | None:
    """Return where the line that closes the fence ``run`` ends, looking from the end of the opening line."""
    found = _closing(run[:1], len(run)).search(text, after)
    return None if found is None else found.end()


@cache
def _closing(character: bytes, length: int) -> re.Pattern[bytes]:
    return re.compile(rb"\n {0,3}%s{%d,}[ \t]*(?=\n|\Z)" % (re.escape(character), length))


def html_at(line: bytes) -> int | None:
    """Return which kind of HTML block the line's text (without indentation) opens; ``None`` if none."""
    text = line.decode("utf-8", "replace")
    return next((kind for kind, (opening, _) in enumerate(_HTML) if opening.match(text)), None)


def html_end(text: bytes, kind: int, begin: int) -> int | None:
    """Return where the HTML block of ``kind`` that begins at ``begin`` ends: the end of a line."""
    found = _HTML[kind][1].search(text, begin)
    if found is None:
        return len(text) if _HTML[kind][1] is _BLANK_LINE else None
    if _HTML[kind][1] is _BLANK_LINE:
        return found.start()
    end = text.find(b"\n", found.end())
    return len(text) if end < 0 else end


def top_tokens(text: bytes) -> list[Token]:
    """Return the block tokens that stand at the top level of ``text``, by markdown-it."""
    return [token for token in _parser().parse(text.decode("utf-8", "replace")) if token.level == 0]


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"maxNesting": MAX_NESTING})
    parser.core.ruler.enableOnly(["normalize", "block"])
    return parser
