"""What is in the usage ledger, summed up so that it can be priced."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, auto

from teamops.model.usage import Tokens
from teamops.model.usage_log import MAIN

_SAME = """SELECT 1 FROM response AS other
  WHERE other.key >= substr(response.key, 1, instr(response.key, ':'))
  AND other.key < substr(response.key, 1, instr(response.key, ':') - 1) || ';'
  AND other.client = response.client AND other.said = response.said AND other.key <> response.key
  AND ((other.rank, other.weight) > (response.rank, response.weight)
    OR (other.rank = response.rank AND other.weight = response.weight AND (
    (SELECT path FROM file AS f WHERE f.id = other.file), other.wall, other.key)
    < ((SELECT path FROM file AS f WHERE f.id = response.file), response.wall, response.key)))"""
"""One that stands before this one: of the same id, by the same session's word, with another request or time."""
_SIDE = f"""AND NOT (
  rank < {MAIN} AND client IS (SELECT id FROM label WHERE text = 'claude') AND substr(key, 1, 1) <> '/'
  AND EXISTS ({_SAME}))"""  # noqa: S608
"""A side chain may tell a response again under another request: of one id, no side chain's counts beside another. A key
that is a path is no response's."""
_BARE = f"AND NOT (bare AND EXISTS ({_SAME} AND other.bare))"
"""Of responses without a request, which have their time in the key, only the best of one session and id."""
_ONLY = "AND session IN (SELECT id FROM label WHERE text IN (SELECT value FROM json_each(?)))"
_QUERY = """
SELECT client, model, {whose} AS whose, speed, {at} AS at, {context} AS context, count(*), sum(input), sum(output),
  sum(cache_write), sum(cache_write_1h), sum(cache_read), {cost}
FROM response WHERE wall >= ? AND wall < ? {only} {once} AND cost_usd {named} ''
GROUP BY client, model, whose, speed, at, context{each}
"""
"""What is put into it are words and numbers of this module, and no outside text."""


class Split(Enum):
    """How finely usage is told."""

    NOTHING = auto()
    SESSIONS = auto()
    SESSIONS_ONCE = auto()
    """… counted as ccusage's report of sessions does it: of a session's responses without a request that share an id
    one counts, and side chains are told apart from others by their requests alone."""
    RESPONSES = auto()
    """Every response by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageGroup:
    """Responses that are priced alike, summed up."""

    client: str
    model: str
    session: str
    """Empty where sessions were not asked for."""
    speed: str
    wall: float
    """When the quarter of an hour begins, or of the response itself, Unix seconds."""
    context: int
    """A size of the input side within the tier of these responses."""
    entries: int
    tokens: Tokens
    cost_usd: Decimal | None
    """What the log itself names; ``None``: the prices decide."""


def groups(
    connection: sqlite3.Connection,
    since: float,
    until: float,
    *,
    tiers: Sequence[int],
    split: Split,
    sessions: Collection[str] | None,
) -> list[UsageGroup]:
    """Return what was used at or after ``since`` and before ``until``, Unix seconds, summed up.

    What one group holds is priced alike: a client, a model, a speed, a quarter of an hour (so long lasts the least
    difference of timezones), and a size of context between two of ``tiers``, ascending; ``split`` says what else
    parts them. ``sessions``: only these. Raises ``sqlite3.Error``.
    """
    size = "input + cache_write + cache_read"
    bands = "".join(f" WHEN {size} > {int(tier)} THEN {int(tier) + 1}" for tier in tiers[::-1])
    words = {
        "whose": "0" if split is Split.NOTHING else "session",
        "at": "wall" if split is Split.RESPONSES else "CAST(wall / 900 AS INTEGER) * 900.0",
        "context": f"CASE{bands} ELSE 1 END" if bands else "1",
        "once": _BARE if split is Split.SESSIONS_ONCE else _SIDE,
        "only": "" if sessions is None else _ONLY,
        "each": ", key" if split is Split.RESPONSES else "",
    }
    values = (since, until) if sessions is None else (since, until, json.dumps(sorted(sessions)))
    connection.create_aggregate("money", 1, _Money)  # type: ignore[arg-type]  # it takes text
    labels = {0: "", **dict(connection.execute("SELECT id, text FROM label"))}
    rows = connection.execute(_QUERY.format(cost="''", named="=", **words), values).fetchall()
    if connection.execute("SELECT EXISTS(SELECT 1 FROM response WHERE cost_usd <> '')").fetchone()[0]:
        rows += connection.execute(_QUERY.format(cost="money(cost_usd)", named="<>", **words), values).fetchall()
    return [
        UsageGroup(
            client=labels[row[0]],
            model=labels[row[1]],
            session=labels[row[2]],
            speed=labels[row[3]],
            wall=row[4],
            context=row[5],
            entries=row[6],
            tokens=Tokens(*row[7:12]),
            cost_usd=Decimal(row[12]) if row[12] else None,
        )
        for row in rows
    ]


class _Money:
    """Adds up amounts exactly: SQL's own numbers are floats."""

    def __init__(self) -> None:
        self._sum = Decimal(0)

    def step(self, amount: str) -> None:
        self._sum += Decimal(amount)

    def finalize(self) -> str:
        return str(self._sum)
