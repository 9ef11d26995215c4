"""Beats, usage and prices in the ledger. All functions run inside a transaction of ``store``."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from teamops.ledger import spent
from teamops.ledger.boundaries import add_decisions
from teamops.ledger.rows import DaySpend, Minute
from teamops.model.budget import Spent
from teamops.model.events import BeatsSeen
from teamops.model.role import Role
from teamops.model.tail import Position
from teamops.model.usage import Tokens, Usage


def positions(connection: sqlite3.Connection) -> dict[str, Position]:
    """Return how far each file was read."""
    rows = connection.execute("SELECT path, device, inode, offset, generation FROM position")
    return {row[0]: Position(*row) for row in rows}


def advance(connection: sqlite3.Connection, position: Position) -> bool:
    """Store that all up to ``position`` is in the ledger; return False where it already was.

    What lies at or before the stored place of the same file is a replay: a writer that got no answer tries again.
    """
    row = connection.execute(
        "SELECT device, inode, generation, offset FROM position WHERE path = ?", (position.path,)
    ).fetchone()
    if row is not None:
        same = row[:2] == (position.device, position.inode) and row[2] == position.generation
        if same and position.offset <= row[3]:
            return False
        if position.generation < row[2]:
            return False
    connection.execute(
        "INSERT OR REPLACE INTO position(path, device, inode, generation, offset) VALUES(?, ?, ?, ?, ?)",
        (position.path, position.device, position.inode, position.generation, position.offset),
    )
    return True


def add_beats(connection: sqlite3.Connection, seen: BeatsSeen) -> None:
    """Add beats to their minutes, without what ``add_usage`` is told of their tracked calls, and their decisions."""
    sums: dict[tuple[str, int], list[int]] = {}
    costs: dict[tuple[str, int], Decimal] = {}
    last: dict[str, float] = {}
    for beat in seen.beats:
        key = (str(beat.role), int(beat.wall // 60))
        row = sums.setdefault(key, [0, 0, 0])
        row[0] += 1
        row[1] += beat.own_tokens
        row[2] += beat.tool_calls
        costs[key] = costs.get(key, Decimal(0)) + beat.own_cost_usd
        last[key[0]] = max(last.get(key[0], 0.0), beat.wall)
    for key, (beats, tokens, tool_calls) in sums.items():
        old = connection.execute("SELECT cost_usd FROM beat_minute WHERE role = ? AND minute = ?", key).fetchone()
        cost = str(costs[key] + Decimal(old[0] if old else 0))
        connection.execute(
            "INSERT INTO beat_minute(role, minute, beats, tokens, tool_calls, cost_usd) VALUES(?, ?, ?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET beats = beats + excluded.beats, tokens = tokens + excluded.tokens,"
            " tool_calls = tool_calls + excluded.tool_calls, cost_usd = excluded.cost_usd",
            (*key, beats, tokens, tool_calls, cost),
        )
    connection.executemany(
        "INSERT INTO last_beat(role, wall) VALUES(?, ?) ON CONFLICT DO UPDATE SET wall = max(wall, excluded.wall)",
        last.items(),
    )
    decisions = [beat.decision for beat in seen.beats if beat.decision is not None]
    if decisions:
        add_decisions(connection, decisions)


def add_usage(
    connection: sqlite3.Connection, role: Role, rows: Iterable[tuple[Usage, Decimal | None]], *, beaten: bool = False
) -> None:
    """Add usage to its minutes; what has no price waits for one. ``beaten``: a beat told it, and not a client's log."""
    for usage, cost in rows:
        tokens = usage.tokens
        key = (str(role), int(usage.wall // 60), usage.model)
        _add_cost(connection, key, cost or Decimal(0))
        connection.execute(
            "UPDATE usage_minute SET responses = responses + 1, input = input + ?, output = output + ?,"
            " cache_write = cache_write + ?, cache_write_1h = cache_write_1h + ?, cache_read = cache_read + ?,"
            " unpriced = unpriced + ?, beaten = beaten + ? WHERE role = ? AND minute = ? AND model = ?",
            (*_counts(tokens), tokens.total if cost is None else 0, int(beaten), *key),
        )
        if cost is None:
            connection.execute(
                "INSERT INTO unpriced(role, wall, model, input, output, cache_write, cache_write_1h, cache_read,"
                " client, session, speed, service_tier, key, context)"
                " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                _waiting(role, usage),
            )


def reprice(connection: sqlite3.Connection, priced: Iterable[tuple[Role, Usage, Decimal]]) -> int:
    """Give prices to usage that waited for them; return how many. One that doesn't wait (any more) stays as it is."""
    done = 0
    for role, usage, cost in priced:
        row = connection.execute(
            "SELECT id FROM unpriced WHERE role = ? AND wall = ? AND model = ? AND input = ? AND output = ?"
            " AND cache_write = ? AND cache_write_1h = ? AND cache_read = ? AND client = ? AND session = ?"
            " AND speed = ? AND service_tier = ? AND key = ? AND context = ? LIMIT 1",
            _waiting(role, usage),
        ).fetchone()
        if row is None:
            continue
        connection.execute("DELETE FROM unpriced WHERE id = ?", row)
        key = (str(role), int(usage.wall // 60), usage.model)
        _add_cost(connection, key, cost)
        spent.reprice(connection, role, usage, cost)
        connection.execute(
            "UPDATE usage_minute SET unpriced = unpriced - ? WHERE role = ? AND minute = ? AND model = ?",
            (usage.tokens.total, *key),
        )
        done += 1
    return done


def unpriced(connection: sqlite3.Connection) -> list[tuple[Role, Usage]]:
    """Return the usage that waits for a price, oldest first."""
    rows = connection.execute(
        "SELECT role, wall, model, input, output, cache_write, cache_write_1h, cache_read, client, session, speed,"
        " service_tier, key, context FROM unpriced ORDER BY id"
    )
    return [
        (
            Role(row[0]),
            Usage(
                wall=row[1],
                model=row[2],
                tokens=Tokens(*row[3:8]),
                client=row[8],
                session=row[9],
                speed=row[10],
                service_tier=row[11],
                key=row[12],
                context=row[13],
            ),
        )
        for row in rows
    ]


def minutes(connection: sqlite3.Connection, role: Role, since_wall: float) -> list[Minute]:
    """Return the minutes of ``role`` from the one of ``since_wall`` on, oldest first; empty ones are left out.

    Tokens and cost that beats tell count only where no client's log told any in the span: it would be the same again.
    """
    first = int(since_wall // 60)
    beats = connection.execute(
        "SELECT minute, beats, tokens, cost_usd FROM beat_minute WHERE role = ? AND minute >= ?", (str(role), first)
    ).fetchall()
    usage = connection.execute(
        "SELECT minute, responses - beaten, input + output + cache_write + cache_read, cost_usd, unpriced"
        " FROM usage_minute WHERE role = ? AND minute >= ?",
        (str(role), first),
    ).fetchall()
    logged = any(row[1] for row in usage)
    sums: dict[int, Minute] = {}
    for minute, count, tokens, cost in beats:
        sums[minute] = Minute(minute * 60.0, count, 0 if logged else tokens, Decimal(0 if logged else cost), 0)
    for minute, count, tokens, cost, waiting in usage:
        old = sums.get(minute, Minute(minute * 60.0, 0, 0, Decimal(0), 0))
        sums[minute] = Minute(
            old.wall,
            old.beats + count,
            old.tokens + tokens,
            old.cost_usd + Decimal(cost),
            old.unpriced_tokens + waiting,
        )
    return [sums[minute] for minute in sorted(sums)]


def cost_since(connection: sqlite3.Connection, wall: float) -> dict[Role, DaySpend]:
    """Return what each role spent from the minute of ``wall`` on. Beats' costs as in ``minutes``."""
    first = (int(wall // 60),)
    days: dict[Role, DaySpend] = {}
    logged = set()
    for role, cost, waiting, responses in connection.execute(
        "SELECT role, cost_usd, unpriced, responses - beaten FROM usage_minute WHERE minute >= ?", first
    ):
        old = days.get(role, DaySpend(Decimal(0), 0))
        days[Role(role)] = DaySpend(old.cost_usd + Decimal(cost), old.unpriced_tokens + waiting)
        if responses:
            logged.add(role)
    for role, cost in connection.execute("SELECT role, cost_usd FROM beat_minute WHERE minute >= ?", first):
        if role not in logged:
            old = days.get(role, DaySpend(Decimal(0), 0))
            days[Role(role)] = DaySpend(old.cost_usd + Decimal(cost), old.unpriced_tokens)
    return days


def spent_since(connection: sqlite3.Connection, day: float, hour: float) -> dict[str, Spent]:
    """Return what each role spent since the minutes of ``day`` and of ``hour`` (Unix seconds).

    Beats' costs as in ``minutes``, of the whole span that is asked for.
    """
    first_day, first_hour = int(day // 60), int(hour // 60)
    first = (min(first_day, first_hour),)
    spent: dict[str, Spent] = {}
    logged = set()
    for role, minute, model, cost, waiting, responses in connection.execute(
        "SELECT role, minute, model, cost_usd, unpriced, responses - beaten FROM usage_minute WHERE minute >= ?", first
    ):
        models = {model: waiting} if waiting > 0 and minute >= first_day else {}
        spent[role] = spent.get(role, Spent()) + _spent(Decimal(cost), minute, first_day, first_hour, models)
        if responses:
            logged.add(role)
    for role, minute, cost in connection.execute(
        "SELECT role, minute, cost_usd FROM beat_minute WHERE minute >= ? AND cost_usd <> '0'", first
    ):
        if role not in logged:
            spent[role] = spent.get(role, Spent()) + _spent(Decimal(cost), minute, first_day, first_hour, {})
    return spent


def _spent(cost: Decimal, minute: int, day: int, hour: int, models: Mapping[str, int]) -> Spent:
    nothing = Decimal(0)
    return Spent(cost if minute >= hour else nothing, cost if minute >= day else nothing, models)


def rates(connection: sqlite3.Connection) -> dict[tuple[str, str], str | None]:
    """Return the stored rates: (model, ISO day) → JSON."""
    return {(row[0], row[1]): row[2] for row in connection.execute("SELECT model, day, rates FROM rates")}


def save_rates(connection: sqlite3.Connection, known: Mapping[tuple[str, str], str | None]) -> None:
    """Store rates. A model without a price is not stored, so that the next start asks for it again."""
    rows: Sequence[tuple[str, str, str]] = [(*key, text) for key, text in known.items() if text is not None]
    connection.executemany("INSERT OR REPLACE INTO rates(model, day, rates) VALUES(?, ?, ?)", rows)


def _add_cost(connection: sqlite3.Connection, key: tuple[str, int, str], cost: Decimal) -> None:
    # Money is added here and not in SQL, whose numbers are floats.
    old = connection.execute(
        "SELECT cost_usd FROM usage_minute WHERE role = ? AND minute = ? AND model = ?", key
    ).fetchone()
    total = str(cost + Decimal(old[0] if old else 0))
    connection.execute(
        "INSERT INTO usage_minute(role, minute, model, responses, input, output, cache_write, cache_write_1h,"
        " cache_read, cost_usd, unpriced)"
        " VALUES(?, ?, ?, 0, 0, 0, 0, 0, 0, ?, 0) ON CONFLICT DO UPDATE SET cost_usd = excluded.cost_usd",
        (*key, total),
    )


def _counts(tokens: Tokens) -> tuple[int, int, int, int, int]:
    return (tokens.input, tokens.output, tokens.cache_write, tokens.cache_write_1h, tokens.cache_read)


def _waiting(role: Role, usage: Usage) -> tuple[str | int | float, ...]:
    return (
        str(role),
        usage.wall,
        usage.model,
        *_counts(usage.tokens),
        usage.client,
        usage.session,
        usage.speed,
        usage.service_tier,
        usage.key,
        usage.context,
    )
