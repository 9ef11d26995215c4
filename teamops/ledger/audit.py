"""The protocol's memory: blocks as first seen, rewrites, approvals, gate runs, announced lights."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from msgspec import Struct

from teamops.ledger.connection import reading, writing
from teamops.model.protocol import Approval, GateRun, KnownBlock, Tamper
from teamops.model.role import NONE, Role

_KNOWN = "id, digest, role, task, heading, wall, adopted"
_NAMED = "b.id, b.digest, b.role, b.task, b.heading, b.wall, b.adopted"


class NewBlock(Struct, frozen=True, kw_only=True):
    """A block to be remembered."""

    digest: str
    role: Role
    task: str | None
    heading: str
    text: str
    """The whole block, for a later difference."""


class Change(Struct, frozen=True):
    """One change of what was handed on: ``before`` is a known block's id, ``after`` what stands there now."""

    kind: str
    """rewritten, vanished, inserted."""
    before: int | None
    after: NewBlock | None


class Audit:
    """The part of the ledger that keeps the protocol. See ``store.Ledger`` for threads, errors and durability."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path

    # blocks

    def blocks(self) -> list[KnownBlock]:
        """Return the blocks that should stand in the file, in its order."""
        with reading(self._path):
            rows = self._connection.execute(f"SELECT {_KNOWN} FROM block WHERE state = 'stands' ORDER BY place, id")  # noqa: S608 - a constant
            return [_known(row) for row in rows]

    def walls(self) -> dict[str, float]:
        """Return when each block was first seen, by digest; archived ones too, adopted ones not."""
        with reading(self._path):
            return dict(
                self._connection.execute("SELECT digest, min(wall) FROM block WHERE adopted = 0 GROUP BY digest")
            )

    def adopted_wall(self) -> float | None:
        """Return when teamops saw the file first that stood already; ``None``: there was none, or nothing is known."""
        with reading(self._path):
            row = self._connection.execute("SELECT min(wall) FROM block WHERE adopted = 1").fetchone()
        return None if row[0] is None else float(row[0])

    def block_text(self, block_id: int) -> str:
        """Return a block's text as it was handed on; empty where it is not known."""
        with reading(self._path):
            row = self._connection.execute("SELECT text FROM block WHERE id = ?", (block_id,)).fetchone()
        return "" if row is None else zlib.decompress(row[0]).decode()

    def text_of(self, digest: str) -> str:
        """Return the text of the newest block with that digest; empty where there is none."""
        with reading(self._path):
            row = self._connection.execute(
                "SELECT text FROM block WHERE digest = ? ORDER BY id DESC LIMIT 1", (digest,)
            ).fetchone()
        return "" if row is None else zlib.decompress(row[0]).decode()

    def add_blocks(self, rows: Sequence[NewBlock], wall: float, *, adopted: bool = False) -> None:
        """Remember blocks at the end of the file, but none that a rotation has moved away since it was read."""
        with writing(self._connection, self._path):
            self._add([row for row in rows if not self._is_archived(row.digest)], wall, adopted=adopted)

    def change_blocks(self, changes: Sequence[Change], order: Sequence[str], wall: float) -> None:
        """Store what was done to blocks that were handed on; ``order``: the digests of all blocks that stand now."""
        with writing(self._connection, self._path, durable=True):
            self._connection.executemany(
                "UPDATE block SET state = 'gone' WHERE id = ?",
                [(change.before,) for change in changes if change.before is not None],
            )
            self._add([change.after for change in changes if change.after is not None], wall, adopted=False)
            self._connection.executemany(
                "INSERT INTO tamper(wall, kind, before, after) VALUES(?, ?, ?, ?)",
                [(wall, change.kind, change.before, change.after.digest if change.after else "") for change in changes],
            )
            # A rewrite makes a block no younger: it was handed on when its old text was.
            self._connection.executemany(
                "UPDATE block SET (wall, adopted) = (SELECT wall, adopted FROM block WHERE id = ?)"
                " WHERE id = (SELECT max(id) FROM block WHERE digest = ? AND state = 'stands')",
                [(change.before, change.after.digest) for change in changes if change.before and change.after],
            )
            self._place(order)

    def mend(self, tamper_id: int, order: Sequence[str]) -> None:
        """Store that a rewrite was undone: what was handed on stands again."""
        self.mend_all([tamper_id], order)

    def mend_all(self, tamper_ids: Iterable[int], order: Sequence[str]) -> None:
        """Store that rewrites were undone, those of one block newest first."""
        with writing(self._connection, self._path):
            for tamper_id in tamper_ids:
                self._mend(tamper_id)
            self._place(order)

    def _mend(self, tamper_id: int) -> None:
        row = self._connection.execute(
            "SELECT before, after FROM tamper WHERE id = ? AND mended = 0", (tamper_id,)
        ).fetchone()
        if row is None:
            return
        if row[1]:
            self._connection.execute(
                "UPDATE block SET state = 'gone' WHERE id ="
                " (SELECT max(id) FROM block WHERE digest = ? AND state = 'stands')",
                (row[1],),
            )
        if row[0] is not None:
            self._connection.execute("UPDATE block SET state = 'stands' WHERE id = ?", (row[0],))
        self._connection.execute("UPDATE tamper SET mended = 1 WHERE id = ?", (tamper_id,))

    def archive(self, digests: Iterable[str], wall: float) -> None:
        """Store that blocks were moved to the archive: they are no more missed in the file, and the log tells it.

        One that is not recorded yet is remembered as archived: who has just read it must not record it as standing.
        """
        moved: list[str] = []
        unknown: list[str] = []
        with writing(self._connection, self._path, durable=True):
            watched = self._connection.execute("SELECT 1 FROM block LIMIT 1").fetchone() is not None
            for digest in digests:
                done = self._connection.execute(
                    "UPDATE block SET state = 'archived', archived_wall = ? WHERE id ="
                    " (SELECT min(id) FROM block WHERE digest = ? AND state = 'stands') RETURNING task",
                    (wall, digest),
                ).fetchall()
                moved += [_key(task) for (task,) in done]
                # Where nobody watches yet, the file is still to be adopted: such a ledger has to stay without blocks.
                if watched and not done and not self._is_archived(digest):
                    self._remember_archived(digest, wall)
                    unknown.append(digest)
            if moved:  # a rotation that was killed tells the same blocks again
                self._connection.execute(
                    "INSERT INTO rotation(wall, blocks, tasks) VALUES(?, ?, ?)",
                    (wall, len(moved) + len(unknown), len(set(moved))),
                )

    def _is_archived(self, digest: str) -> bool:
        found = self._connection.execute(
            "SELECT 1 FROM block WHERE digest = ? AND state = 'archived' LIMIT 1", (digest,)
        )
        return found.fetchone() is not None

    def _remember_archived(self, digest: str, wall: float) -> None:
        """Remember a block of which only the digest is known; adopted, as nobody knows when it came."""
        self._connection.execute(
            "INSERT INTO block(digest, role, task, heading, text, wall, adopted, place, state, archived_wall)"
            " VALUES(?, ?, NULL, '', ?, ?, 1, 0, 'archived', ?)",
            (digest, str(NONE), zlib.compress(b"", 1), wall, wall),
        )

    def archived(self) -> frozenset[str]:
        """Return the digests of archived blocks."""
        with reading(self._path):
            rows = self._connection.execute("SELECT DISTINCT digest FROM block WHERE state = 'archived'")
            return frozenset(row[0] for row in rows)

    def tampers(self) -> list[Tamper]:
        """Return the rewrites that were not undone, oldest first."""
        with reading(self._path):
            rows = self._connection.execute(
                f"SELECT t.id, t.wall, t.kind, t.after, t.accepted, {_NAMED} FROM tamper t"  # noqa: S608 - constants
                " LEFT JOIN block b ON b.id = t.before WHERE t.mended = 0 ORDER BY t.id"
            )
            return [
                Tamper(
                    id=row[0],
                    wall=row[1],
                    kind=row[2],
                    after=row[3],
                    accepted=row[4],
                    before=None if row[5] is None else _known(row[5:]),
                )
                for row in rows
            ]

    def accept(self, tamper_id: int, who: str, wall: float) -> bool:
        """Store that a person accepts a rewrite; return whether there was one to accept."""
        return self.accept_all([tamper_id], who, wall) > 0

    def accept_all(self, tamper_ids: Iterable[int], who: str, wall: float) -> int:
        """Store that a person accepts rewrites; return how many there were to accept."""
        with writing(self._connection, self._path, durable=True):
            done = self._connection.executemany(
                "UPDATE tamper SET accepted = ?, accepted_wall = ? WHERE id = ? AND accepted = '' AND mended = 0",
                [(who, wall, tamper_id) for tamper_id in tamper_ids],
            )
            return done.rowcount

    # the person's word

    def add_approval(self, approval: Approval) -> None:
        """Store what the person signs, before the block is written: what is in the file then has its record."""
        with writing(self._connection, self._path, durable=True):
            self._connection.execute(
                "INSERT INTO approval(task, approver, wall, verdict, note, digest, chain) VALUES(?, ?, ?, ?, ?, ?, ?)",
                (
                    _plain(approval.task),
                    _plain(approval.approver),
                    approval.wall,
                    approval.verdict,
                    _plain(approval.note),
                    approval.digest,
                    approval.chain,
                ),
            )

    def approvals(self) -> list[Approval]:
        """Return all approvals, oldest first."""
        with reading(self._path):
            rows = self._connection.execute(
                "SELECT task, approver, wall, verdict, note, digest, chain FROM approval ORDER BY id"
            )
            return [
                Approval(
                    task=row[0], approver=row[1], wall=row[2], verdict=row[3], note=row[4], digest=row[5], chain=row[6]
                )
                for row in rows
            ]

    # gates

    def add_gate_run(self, run: GateRun) -> None:
        """Store one run of a gate."""
        with writing(self._connection, self._path, durable=True):
            self._connection.execute(
                "INSERT INTO gate_run(task, gate, command, ok, exit_status, started_wall, seconds, commit_id, tree,"
                " tail) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    _plain(run.task),
                    run.gate,
                    _plain(run.command),
                    int(run.ok),
                    run.exit_status,
                    run.started_wall,
                    run.seconds,
                    run.commit,
                    run.tree,
                    _plain(run.tail),
                ),
            )

    def last_gate_runs(self) -> list[GateRun]:
        """Return the last run of each gate of each task, the oldest first; a task is the same in any case."""
        with reading(self._path):
            rows = self._connection.execute(
                "SELECT task, gate, command, ok, exit_status, started_wall, seconds, commit_id, tree, tail"
                " FROM gate_run WHERE id IN (SELECT max(id) FROM gate_run GROUP BY task, gate) ORDER BY id"
            )
            last: dict[tuple[str, str], GateRun] = {}
            for row in rows:
                key = (_key(row[0]), row[1])
                last.pop(key, None)
                last[key] = GateRun(
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
        return list(last.values())

    # announced lights

    def announce(self, task: str | None, digest: str, role: Role, how: str, wall: float) -> bool:
        """Claim the announcement of a light; false where it was announced before, by whomever: then nobody is poked."""
        with writing(self._connection, self._path, durable=True):
            done = self._connection.execute(
                "INSERT INTO announced(task, digest, role, how, wall) VALUES(?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (_key(task), digest, str(role), how, wall),
            )
            return done.rowcount > 0

    def announced(self, task: str | None, digest: str, role: Role) -> str | None:
        """Return how a light was announced, or ``None``."""
        with reading(self._path):
            row = self._connection.execute(
                "SELECT how FROM announced WHERE task = ? AND digest = ? AND role = ?",
                (_key(task), digest, str(role)),
            ).fetchone()
        return None if row is None else str(row[0])

    # appended by force

    def add_forced(self, role: Role, task: str | None, digest: str, why: str, wall: float) -> None:
        """Store that a block was written although the rules refused it."""
        with writing(self._connection, self._path, durable=True):
            self._connection.execute(
                "INSERT INTO forced(wall, role, task, digest, why) VALUES(?, ?, ?, ?, ?)",
                (wall, str(role), _plain(task), digest, _plain(why)),
            )

    def forced(self) -> dict[str, str]:
        """Return the digests of blocks written by force, with what the rules had said."""
        with reading(self._path):
            return dict(self._connection.execute("SELECT digest, why FROM forced ORDER BY id"))

    def _add(self, rows: Sequence[NewBlock], wall: float, *, adopted: bool) -> None:
        last = self._connection.execute("SELECT max(place) FROM block WHERE state = 'stands'").fetchone()[0]
        self._connection.executemany(
            "INSERT INTO block(digest, role, task, heading, text, wall, adopted, place, state)"
            " VALUES(?, ?, ?, ?, ?, ?, ?, ?, 'stands')",
            [
                (
                    row.digest,
                    str(row.role),
                    _plain(row.task),
                    _plain(row.heading),
                    zlib.compress(row.text.encode("utf-8", "replace"), 1),
                    wall,
                    int(adopted),
                    place,
                )
                for place, row in enumerate(rows, (last or 0) + 1)
            ],
        )

    def _place(self, order: Sequence[str]) -> None:
        """Number the blocks that stand as they do in the file; one that is not in it comes last."""
        waiting: dict[str, list[tuple[int, int]]] = {}
        for block_id, place, digest in self._connection.execute(
            "SELECT id, place, digest FROM block WHERE state = 'stands' ORDER BY place DESC, id DESC"
        ):
            waiting.setdefault(digest, []).append((block_id, place))
        ordered = [waiting[digest].pop() for digest in order if waiting.get(digest)]
        ordered += sorted((left for rest in waiting.values() for left in rest), key=lambda left: (left[1], left[0]))
        self._connection.executemany(
            "UPDATE block SET place = ? WHERE id = ?",
            [(place, block_id) for place, (block_id, before) in enumerate(ordered, 1) if place != before],
        )

    def take_back(self, approval: Approval) -> None:
        """Forget what the person signed: its block was not written, and nobody else may write it in their name."""
        with writing(self._connection, self._path, durable=True):
            self._connection.execute(
                "DELETE FROM approval WHERE id = (SELECT max(id) FROM approval"
                " WHERE digest = ? AND chain = ? AND approver = ? AND wall = ?)",
                (approval.digest, approval.chain, _plain(approval.approver), approval.wall),
            )


def _key(task: str | None) -> str:
    return str(_plain((task or "").lower()))


def _plain(text: str | None) -> str | None:
    """Return ``text`` as SQLite can keep it: what came from a terminal or a file name may hold half characters."""
    return None if text is None else text.encode("utf-8", "replace").decode()


def _known(row: Sequence[object]) -> KnownBlock:
    block_id, digest, role, task, heading, wall, adopted = row
    assert isinstance(block_id, int) and isinstance(wall, float)  # noqa: S101, PT018 - as the strict table gives them
    return KnownBlock(
        id=block_id,
        digest=str(digest),
        role=Role(str(role)),
        task=None if task is None else str(task),
        heading=str(heading),
        wall=wall,
        adopted=bool(adopted),
    )
