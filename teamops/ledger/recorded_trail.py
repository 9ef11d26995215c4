"""The handoff file of a day, block by block, and what judged it.

What the ledger keeps of a block is when it was first seen, its text once it was handed on, and what was done to it
after that. When a change was undone is not on record: it is told as if it had never been, and a note says so.
"""

from __future__ import annotations

import sqlite3
import zlib
from dataclasses import dataclass, replace
from pathlib import Path

from msgspec import structs

from teamops.domain.replay import EVER, Span, Spans, in_turn
from teamops.ledger.audit import Audit
from teamops.ledger.recorded import StoredBlock, Trail
from teamops.model.protocol import GateRun, Tamper


@dataclass(slots=True)
class _Row:
    block: StoredBlock
    place: int
    """Its number among the blocks that stood when it last did."""


def read_trail(connection: sqlite3.Connection, path: Path, since: float, until: float) -> Trail:
    """Return the handoff file as it was from ``since`` on until ``until``."""
    audit = Audit(connection, path)
    rows, notes = _rows(connection, since, until)
    blocks = tuple(row.block for row in rows if row.block.came < until and row.block.gone > since)
    approvals = [Span(one.wall, EVER, one) for one in audit.approvals()]
    tampers = _tampers(connection, audit)
    gates = in_turn(
        (((run.task or "").lower(), run.gate), run.started_wall + run.seconds, run) for run in _runs(connection)
    )
    forced = [
        Span(wall, EVER, (digest, why))
        for wall, digest, why in connection.execute("SELECT wall, digest, why FROM forced ORDER BY id")
    ]
    edges = {moment for block in blocks for moment in (block.came, block.gone)}
    edges |= {span.since for span in approvals} | {span.since for span in tampers}
    edges |= {span.since for span in gates} | {span.since for span in forced}
    unseen = sum(not block.text for block in blocks)
    if unseen:
        notes.append(f"{unseen} blocks are left out: only their hashes are on record, not their texts")
    return Trail(
        blocks=blocks,
        digests=frozenset(row.block.digest for row in rows),
        approvals=Spans(approvals),
        tampers=Spans(tampers),
        gates=Spans(gates),
        forced=Spans(forced),
        edges=tuple(sorted(edge for edge in edges if since < edge < until)),
        notes=tuple(notes),
    )


def _rows(connection: sqlite3.Connection, since: float, until: float) -> tuple[list[_Row], list[str]]:
    lit = dict(connection.execute("SELECT digest, min(wall) FROM light GROUP BY digest").fetchall())
    rows: dict[int, _Row] = {}
    by_digest: dict[str, list[int]] = {}
    for number, digest, text, wall, adopted, place, state, archived in connection.execute(
        "SELECT id, digest, text, wall, adopted, place, state, archived_wall FROM block ORDER BY id"
    ):
        # Its light is stored at once, the block itself when it is handed on.
        came = wall if adopted else min(wall, lit.get(digest, wall))
        gone = EVER if state == "stands" or archived is None else archived
        raw = zlib.decompress(text).decode()
        block = StoredBlock(digest, raw, None if adopted else wall, came, gone)
        rows[number] = _Row(block, place)
        by_digest.setdefault(digest, []).append(number)
    ordered = list(rows)
    notes: list[str] = []
    taken: set[int] = set()
    for wall, before, after, mended in connection.execute("SELECT wall, before, after, mended FROM tamper ORDER BY id"):
        made = next((one for one in by_digest.get(after, []) if one not in taken and one > (before or 0)), None)
        if made is not None:
            taken.add(made)
        if mended:
            if since <= wall < until:
                notes.append("a change of a handed-on block was undone later, nobody recorded when: it is not shown")
            if made is not None:
                rows[made].block = replace(rows[made].block, came=EVER)
            continue
        if before is not None and before in rows:
            rows[before].block = replace(rows[before].block, gone=min(wall, rows[before].block.gone))
        if made is not None:
            rows[made].block = replace(rows[made].block, came=wall)
            ordered.remove(made)
            ordered.insert(_place_of(made, before, ordered, rows, wall), made)
    return [rows[number] for number in ordered], list(dict.fromkeys(notes))


def _place_of(made: int, before: int | None, ordered: list[int], rows: dict[int, _Row], wall: float) -> int:
    """Return where a block belongs that a change at ``wall`` put into the file: in the old one's place, else by number.

    What stood then was numbered with it.
    """
    if before is not None and before in rows:
        return ordered.index(before) + 1
    place = rows[made].place
    standing = [(at, rows[one]) for at, one in enumerate(ordered, 1)]
    return max((at for at, row in standing if row.block.came <= wall < row.block.gone and row.place < place), default=0)


def _tampers(connection: sqlite3.Connection, audit: Audit) -> list[Span[Tamper]]:
    accepted = dict(connection.execute("SELECT id, accepted_wall FROM tamper WHERE accepted <> ''").fetchall())
    spans = []
    for one in audit.tampers():
        until = accepted.get(one.id)
        if until is None:
            spans.append(Span(one.wall, EVER, one))
        else:
            spans += [Span(one.wall, until, structs.replace(one, accepted="")), Span(until, EVER, one)]
    return spans


def _runs(connection: sqlite3.Connection) -> list[GateRun]:
    rows = connection.execute(
        "SELECT task, gate, command, ok, exit_status, started_wall, seconds, commit_id, tree, tail FROM gate_run"
        " ORDER BY id"
    )
    return [
        GateRun(
            task=row[0],
            gate=row[1],
            command=row[2],
            ok=bool(row[3]),
            exit_status=row[4],
            started_wall=row[5],
            seconds=row[6],
            commit=row[7],
            tree=row[8],
            tail=row[9],
        )
        for row in rows
    ]
