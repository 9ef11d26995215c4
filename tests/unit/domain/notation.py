"""Blocks in short: ``DIR>DEV t2; DEV>DIR done gates; DIR>NONE done gates``.

A block is its author, ``>``, and to whom it gives the light (``.`` = keeps it, nothing = no Turn), then in any order:

- ``t1`` ``t2`` ``t3``: Tier; ``@name``: Task (else ``t``; ``@`` alone: none)
- ``done`` ``blocked`` ``withdrawn``, or ``s:any_words``: Status (else "in progress")
- ``ok`` ``back``, or ``v:any-words``: Verdict
- ``gates``: all three pass with evidence; ``gates:runs,complete=fail,correct!``: these (``!`` = no evidence)
- ``ask:1,2``: Challenges; ``none``: none, with a reason; ``none!``: without; ``say:1,2``: Responses
- ``in:name``: the session it was written in; ``sec:Title``: a section; ``...``: still in writing
- ``stranger``: its author is none of the team's, ``lost``: nor is whom it gives the light
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from teamops.domain.limits import Limits
from teamops.domain.protocol import Reading, read
from teamops.model.handoff import GATES, Block, Challenges, Gate, GateResult, Point, Section
from teamops.model.role import AGENT_ROLES, HUMAN, NONE, Role

_NAMES = {name[:3]: name for name in (*AGENT_ROLES, HUMAN)} | {"NONE": NONE}
_STATUS = {"done", "blocked", "withdrawn"}
_VERDICT = {"ok": "approved", "back": "changes-requested"}

T2 = "DIR>COD t2; COD>DIR done gates; DIR>NONE done gates"
DESIGNED = "DIR>REV t3; REV>DEV ok none; "
BUILT = DESIGNED + "DEV>REV done gates; "
REVIEWED = BUILT + "REV>DIR ok none; "
SIGNED = REVIEWED + "DIR>HUM done gates; HUM>NONE s:signed_off"


def blocks(text: str) -> list[Block]:
    """Return the blocks that ``text`` describes."""
    return [_block(index, part.split()) for index, part in enumerate(filter(None, map(str.strip, text.split(";"))))]


def found(text: str, limits: Limits | None = None) -> str:
    """Return the findings of the blocks in ``text``, in short: ``2 gates-missing; 3 two-lights``."""
    return short(read(blocks(text), limits or Limits()))


def short(reading: Reading) -> str:
    """Return the findings of ``reading`` in short: each the block's index and the code."""
    return "; ".join(f"{finding.index} {finding.code}" for finding in reading.findings)


def _block(index: int, words: list[str]) -> Block:
    author, turn = words[0].split(">")
    line = 10 * index + 1
    made: dict[str, Any] = {"status": "in progress", "task": "t"}
    for word in words[1:]:
        made |= _said(word, line)
    return Block(
        index=index,
        role=_role(author),
        at=None,
        line=line,
        end_line=line + 9,
        start=100 * index,
        end=100 * index + 100,
        turn=None if not turn else _role(author if turn == "." else turn),
        digest=f"digest {index}",
        **made,
    )


def _role(name: str) -> Role:
    return Role(_NAMES.get(name, name))


def _said(word: str, line: int) -> dict[str, Any]:
    key, _, value = word.partition(":")
    words = value.replace("_", " ")
    numbers = [int(number) for number in value.split(",")] if key in {"ask", "say"} else []
    points = tuple(Point(number, f"point {number}", line + number) for number in numbers)
    found: dict[str, dict[str, Any]] = {
        "s": {"status": words},
        "v": {"verdict": words},
        "gates": {"checks": tuple(gates(value.split(",") if value else GATES))},
        "ask": {"challenges": Challenges(points, "", line + 1)},
        "none": {"challenges": Challenges((), "tried all of it", line + 1)},
        "none!": {"challenges": Challenges((), "", line + 1)},
        "say": {"responses": points},
        "in": {"fields": {"Session": value}},
        "...": {"complete": False},
        "sec": {"sections": (Section(words, line + 5),)},
        "stranger": {"stranger": True},
        "lost": {"lost": True},
    }
    if key in found:
        return found[key]
    if word in _STATUS:
        return {"status": word}
    if word in _VERDICT:
        return {"verdict": _VERDICT[word]}
    if word.startswith("@"):
        return {"task": word[1:] or None}
    assert word in {"t1", "t2", "t3"}, word
    return {"tier": int(word[1])}


def gates(names: Iterable[str]) -> list[Gate]:
    """Return gates: ``runs``, ``runs=fail``, ``runs!`` (passes without evidence)."""
    made = []
    for name in names:
        bare, _, result = name.rstrip("!").partition("=")
        made.append(Gate(bare, GateResult(result or "pass"), "" if name.endswith("!") else "seen"))
    return made
