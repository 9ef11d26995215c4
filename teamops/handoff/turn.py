"""Whom a block's Turn names, however people write it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection

from teamops.handoff.fields import Value
from teamops.handoff.headings import nearest, of_persona
from teamops.handoff.problems import problem
from teamops.model.handoff import Problem
from teamops.model.role import NONE, Role, role_of

_ASIDE = re.compile(r"\([^()]*\)|~~[^~]*~~|<!--.*?-->|[*`\[\]]")
_IN_PARENTHESES = re.compile(r"\(\W*([^\W\d_][\w-]*)\W*\)")
_NAME = re.compile(r"\W*([^\W\d_][\w-]*)")
_NOBODY = re.compile(r"\s*(?:n/a|tbd|todo|\?+)\s*", re.IGNORECASE)
_SEPARATOR = re.compile(r"\s*(?:[,;/&+|>]|→|⇒|->|\band\b|\bor\b|\bthen\b)\s*", re.IGNORECASE)


def read_turn(value: Value, roles: Collection[Role], problems: list[Problem]) -> Role | None:
    """Return the role that ``value`` gives the light, known or not; add what is wrong with it to ``problems``."""
    written = unicodedata.normalize("NFKC", value.text)
    names = _names(written)
    if not names:
        problems.append(
            problem(value.line, value.column, "bad-turn", "the Turn names no role", "name the role that may work next")
        )
        return None
    known = [name for name in names if name in roles or name == NONE]
    if not known and (aside := _IN_PARENTHESES.search(written)):  # Isabelle (DEVELOPER)
        known = [name for name in (role_of(aside[1]),) if name in roles]
    inside = set[Role]()
    if not known:
        inside = {role for role in roles if re.search(rf"\b{re.escape(role)}\b", written, re.IGNORECASE)}
        known = [] if inside else [role for role in (of_persona(name, roles) for name in names) if role is not None]
    turn = known[0] if known else names[0]
    if len(set(known)) > 1:
        problems.append(
            problem(
                value.line,
                value.column,
                "several-turns",
                f"the Turn names {', '.join(known)}; {turn} gets the light",
                "name one role; the next one gets the light from it",
            )
        )
    if not known:
        hint = f"write **Turn**: {inside.pop()}" if len(inside) == 1 else nearest(turn, roles)
        problems.append(
            problem(value.line, value.column, "unknown-turn", f'the Turn "{turn}" is no role of this team', hint)
        )
    return turn


def is_whole(turn: Role | None, value: Value | None, roles: Collection[Role]) -> bool:
    """Return whether the Turn is a role that can't become another one by more letters."""
    if turn is None or value is None or turn not in unicodedata.normalize("NFKC", value.text).upper():
        return False  # a persona's name may go on: Max, Maxine
    return turn == NONE or (turn in roles and not any(role != turn and role.startswith(turn) for role in roles))


def _names(text: str) -> list[Role]:
    """Return what a Turn names, each before its own words: ``CODER, please``."""
    if _NOBODY.fullmatch(text):
        return []
    parts = _SEPARATOR.split(_ASIDE.sub(" ", text).strip())
    names = [found[1] for part in parts if (found := _NAME.match(part.strip(" _")))]
    names = names or [found[1] for found in _IN_PARENTHESES.finditer(text)]
    return [role_of(name) for name in names]
