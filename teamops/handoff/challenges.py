"""What stands under Challenges and Responses: points, an explicit "none", answers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from msgspec import Struct

from teamops.handoff.lines import Kind, Line
from teamops.handoff.points import NUMBERS, Item, numbered, numbers_of, read_items, under_quotes
from teamops.model.handoff import Challenges, Point
from teamops.model.text import clean_line

_ANSWERS = re.compile(
    r"\W*(?:(?:my|our|more|further)\s+)?(?:(?:response|answer|repl(?:y|ie))s?\b|challenges?:?\s+(?:response|answer|addressed|resolved))",
    re.IGNORECASE,
)
_CHALLENGES = re.compile(
    r"\W*(?P<no>no\s+)?(?:[^\W\d_]+\s+)?challenges?\b(?:\s*[:\u2013\u2014-]\s*(?P<rest>.*))?",
    re.IGNORECASE,
)
_ONE = re.compile(r"\b(?:challenge|point|response|answer)\s*#?\s*([0-9]{1,3})\b", re.IGNORECASE)
_SEVERAL = re.compile(rf"\b(?:challenge|point|response|answer)s\s+({NUMBERS})\b", re.IGNORECASE)

_NOUN = r"(?:challenges?|objections?|concerns?|issues?|points?|findings?|remarks?|complaints?)"
_TAIL = (
    r"(?:\s+(?:found|so far|this (?:time|round)|at this (?:point|stage|time)|at all|from (?:me|my side)|for now|left"
    r"|here|remain(?:ing|s)?|to (?:raise|add|report)|further|new|more|today|yet))*"
)
_ABOUT = r"(?:\s+(?:to|with|on|about|for|against)\s+[^.:;,!(\u2013\u2014]{1,60}?)?"
_NONE = re.compile(
    rf"[\W_]{{0,4}}(?:(?:none|nothing|n/a){_TAIL}|no\s+(?:(?:further|new|more|open|other|blocking)\s+)?{_NOUN}{_TAIL}{_ABOUT})"
    r"[*_`]{0,3}(?:\s*[.:,;!(\u2013\u2014]+[*_`]{0,3}(?:\s+|(?=\w)|$)|\s+-{1,2}\s+|\s*$|\s+(?=(?:because|as|since|after)\b))",
    re.IGNORECASE,
)
_YET = re.compile(r"\W*(?:but|however|except|apart from|besides|although|though|only)\b", re.IGNORECASE)
_SEARCH = re.compile(
    r"\b(?:look|check|tried|try|search|test|verif|consider|read|ran|prob|attempt|examin|review|went|compar|inspect)",
    re.IGNORECASE,
)
_WORD = re.compile(r"\w")
_PLACEHOLDER = re.compile(r"\W*(?:todo|tbd|wip|pending)?\W*", re.IGNORECASE)
_HOLLOW = re.compile(
    r"""\W*(?:(?:
        lgtm | sgtm | wip | todo | tbd | pending | done | yes | none | n/?a | approved? | ship[ ]it | thumbsup
      | white_check_mark | heavy_check_mark | (?<=\+)1
      | no[ ](?:comments?|remarks?|notes?|challenges?|objections?|concerns?|issues?)
      | nothing(?:[ ](?:found|here|to[ ](?:add|report|say)|more))?
      | (?:good|nice|great)[ ](?:work|job) | well[ ]done
      | (?:(?:it|this|that|everything|the[ ](?:code|design|plan|work))[ ])?
        (?:all[ ])?(?:(?:looks?|seems?|reads|is|are)[ ])?
        (?:all[ ]|very[ ]|really[ ]|pretty[ ])?(?:good|fine|ok|okay|great|nice|perfect|solid)
        (?:[ ](?:to[ ]me|for[ ]me|from[ ]me|here|overall|as[ ]is|to[ ]go))?
    )(?!\w)\W*)+""",
    re.IGNORECASE | re.VERBOSE,
)
"""Praise and placeholders: whoever writes only this has challenged nothing, and has not said why."""
_HOLLOW_LIMIT = 80


REASON_LIMIT = 500


class Written(Struct, frozen=True):
    """A section as it is written."""

    title: str
    line: int
    """1-based line of its heading."""
    lines: Sequence[Line]


def is_challenges(title: str) -> bool:
    """Return whether a section of that title holds challenges; one of responses to them may look so, too."""
    return _CHALLENGES.match(title) is not None


def is_responses(title: str) -> bool:
    """Return whether a section of that title holds answers to challenges."""
    return _ANSWERS.match(title) is not None


def read_challenges(sections: Sequence[Written]) -> Challenges:
    """Return what a block's sections of challenges, at least one, say together.

    Nothing that a reviewer objects to may be lost: prose without a list that is no "none" counts as point 1, and a
    number that stands twice gets the next free one the second time.
    """
    read = [_challenges(section) for section in sections]
    items = [item for found, _ in read for item in found]
    points = tuple(
        point for point in numbered(items, every=True) if _WORD.search(point.text) and not _is_hollow(point.text)
    )
    none = next((none for _, none in read if none), "")
    return Challenges(points, "" if points else none, sections[0].line)


def _challenges(section: Written) -> tuple[list[Item], str]:
    """Return a section's points, or the reason why there are none."""
    title = _CHALLENGES.match(section.title)
    rest = (title["rest"] or "") if title else ""
    if title and title["no"]:
        rest = f"None: {rest}" if rest else "None"
    none = _none(rest)
    said = [Line(section.line, 0, rest if none else f"{rest}:", Kind.TEXT)] if none is not None else []
    lines = [*said, *section.lines]
    found = read_items(lines, quotes=True)
    numbers = _numbers_in(section.title)
    if numbers:
        return _whole(section, lines, numbers, section.title), ""
    prose = " ".join(line.text for line in found.prose)
    none = _none(prose)
    if (
        none is not None
        and found.first is None
        and (not found.items or (prose.endswith(":") and _SEARCH.search(prose)))
    ):
        return [], _reason([none, *(item.text for item in found.items)])
    if len(found.items) == 1 and (none := _none(" ".join(found.items[0].parts))) is not None:
        return [], _reason([none])
    return found.items or _whole(section, found.prose, (1,), rest), ""


def read_responses(sections: Iterable[Written]) -> tuple[Point, ...]:
    """Return the answers in a block's sections of responses; an item without a word of its own is none."""
    items: list[Item] = []
    for section in sections:
        found = read_items(section.lines, quotes=False)
        if found.first is None:
            found = read_items(under_quotes(section.lines), quotes=False)
        numbers = _numbers_in(section.title, listed=found.first is not None)
        lines = [line for line in section.lines if line.kind is not Kind.QUOTE]
        items += _whole(section, lines, numbers or (1,)) if numbers or not found.items else found.items
    return tuple(point for point in numbered(items, every=False) if not _PLACEHOLDER.fullmatch(point.text))


def _whole(section: Written, lines: Iterable[Line], numbers: tuple[int, ...], title: str = "") -> list[Item]:
    """Return a whole section as one item."""
    text = [line for line in lines if line.text]
    return [Item(numbers, text[0].number if text else section.line, parts=[title, *(line.text for line in text)])]


def _numbers_in(title: str, *, listed: bool = True) -> tuple[int, ...]:
    """Return the points that a title says the section is about; several only if no list in it has numbers."""
    if one := _ONE.search(title):
        return (int(one[1]),)
    several = None if listed else _SEVERAL.search(title)
    return numbers_of(several[1]) if several else ()


def _none(text: str) -> str | None:
    """Return the reason if the text says that there is no challenge; empty where it gives none."""
    if not text:
        return None
    if not _WORD.search(text):
        return ""  # a dash
    found = _NONE.match(text)
    if found is None or _YET.match(text, found.end()):
        return None
    reason = text[found.end() :].strip()
    return reason.rstrip(".)") if found[0].rstrip().endswith("(") else reason


def _reason(parts: Iterable[str]) -> str:
    reason = clean_line(" ".join(parts), REASON_LIMIT)
    return reason if _WORD.search(reason) and not _is_hollow(reason) else ""


def _is_hollow(text: str) -> bool:
    return "?" not in text and len(text) <= _HOLLOW_LIMIT and _HOLLOW.fullmatch(text) is not None
