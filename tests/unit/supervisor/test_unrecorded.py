"""What the acting supervisor knows and can't write to the ledger: told in the lease, in room that is there already."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from teamops.ledger.room import LEAST_BYTES
from teamops.model.alert import Alert, AlertState, Silence
from teamops.model.handoff import Severity
from teamops.model.role import CODER
from teamops.model.unrecorded import Unrecorded
from teamops.supervisor.lease import Lease
from teamops.supervisor.unrecorded import full, row_of, unrecorded_by, unrecorded_of
from teamops.tui.believable import believable
from tests.unit.supervisor.conftest import Begin

FULL = Alert(
    code="ledger-troubled", subject="ledger", severity=Severity.CRITICAL, state=AlertState.FIRING,
    message="the disk is full", do="free it", agent=None, since_wall=9.0, changed_wall=9.0, notify=True,
)  # fmt: skip
DEAD = replace(
    FULL, code="agent-dead", subject="CODER", message="CODER is dead", agent=CODER, silence=Silence(1.0, None),
    hidden_by="tmux-down", paged_wall=4.0, severity=Severity.WARNING, state=AlertState.ACKED, notify=False,
)  # fmt: skip


def test_it_is_told_in_the_lease_and_only_as_long_as_it_is_so(tmp_path: Path) -> None:
    mine, other = Lease(tmp_path), Lease(tmp_path)
    assert mine.acquire(1.0, 2.0)
    told = Unrecorded("the disk is full", (FULL, DEAD))
    mine.say_round(3.0, told)
    holder = other.holder()
    assert holder is not None
    assert (holder.round_at, holder.unrecorded) == (3.0, told)
    assert other.unrecorded(holder) == told
    mine.say_round(4.0)
    holder = other.holder()
    assert holder is not None
    assert holder.unrecorded is None
    mine.release()
    assert other.unrecorded(None) is None


def test_the_lease_keeps_the_room_that_it_has(tmp_path: Path) -> None:
    """What is cut off may be another's the next moment, and on a full disk it is."""
    lease, sizes = Lease(tmp_path), set()
    for _ in range(2):
        assert lease.acquire(1.0, 2.0)
        sizes.add((tmp_path / "lease").stat().st_size)
        lease.say_round(3.0, Unrecorded("x" * 9000, (FULL,) * 50))
        sizes.add((tmp_path / "lease").stat().st_size)
        lease.say_round(4.0)
        lease.release()
        sizes.add((tmp_path / "lease").stat().st_size)
        assert Lease(tmp_path).holder() is None
    assert sizes == {4096}


@given(
    texts=st.lists(st.tuples(st.text(max_size=400), st.text(max_size=400)), max_size=40),
    room=st.integers(1500, 4000),
)
def test_as_many_as_find_room_are_told_and_the_rest_is_counted(texts: list[tuple[str, str]], room: int) -> None:
    alerts = tuple(replace(DEAD, message=message, do=do, subject=str(n)) for n, (message, do) in enumerate(texts))
    row = row_of(Unrecorded("the disk is full", alerts), room)
    assert len(json.dumps(row)) <= room
    told = unrecorded_of(json.loads(json.dumps(row)))
    assert told.alerts is not None
    assert [alert.subject for alert in told.alerts] == [alert.subject for alert in alerts[: len(told.alerts)]]
    assert len(told.alerts) + told.more == len(alerts)
    if room >= 3000:
        assert told.alerts or not alerts


def test_only_a_ledger_that_can_t_be_written_is_one() -> None:
    snapshot = believable()
    assert unrecorded_by(snapshot) is None
    judged = replace(FULL, subject="protocol")
    over = replace(FULL, state=AlertState.RESOLVED)
    for other in (judged, over, replace(FULL, state=AlertState.PENDING)):
        assert unrecorded_by(structs.replace(snapshot, alerts=(other,))) is None
    late, shown = replace(FULL, code="z", since_wall=10.0), replace(DEAD, hidden_by="")
    told = unrecorded_by(structs.replace(snapshot, alerts=(over, DEAD, shown, late, FULL)))
    assert told == Unrecorded("the disk is full", (FULL, late, shown, DEAD))


@pytest.mark.parametrize(
    ("free", "blocks", "is_full"), [(0, 100, True), (3, 100, True), (4, 100, False), (0, 0, False)]
)
def test_a_reader_sees_the_full_disk_before_the_supervisor_meets_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, blocks: int, *, is_full: bool
) -> None:
    size = LEAST_BYTES // 4
    disk = os.statvfs_result((size, size, blocks, free, free, 9, 9, 9, 0, 255))
    monkeypatch.setattr(os, "statvfs", lambda _: disk)
    assert (full(tmp_path) is not None) is is_full
    lease = Lease(tmp_path)
    assert lease.acquire(1.0, 2.0)
    assert (lease.unrecorded(lease.holder()) is not None) is is_full
    lease.release()


def test_a_folder_that_is_not_there_is_not_full(tmp_path: Path) -> None:
    assert full(tmp_path / "none") is None


def test_the_words_say_what_may_be_old() -> None:
    assert "alerts, events and costs may be old" in Unrecorded("full").words
    assert "events and costs may be old; 3 more alerts are open" in Unrecorded("full", (FULL,), 3).words


async def test_a_screen_beside_shows_the_supervisor_s_own_alerts_until_it_writes_again(begin: Begin) -> None:
    life = await begin(CODER, acting=False, followed=True)
    stored = replace(DEAD, code="tmux-down", subject="server", state=AlertState.FIRING, hidden_by="")
    life.ledger.save_alerts([stored])
    viewed = life.core.book.supervisor

    async def shown(unrecorded: Unrecorded | None) -> tuple[set[str], tuple[str, ...]]:
        life.core.book.supervisor = structs.replace(viewed, unrecorded=unrecorded)
        await life.ticks(2)
        snapshot = life.core.snapshot()
        return {alert.code for alert in snapshot.alerts if alert.open}, snapshot.troubles

    told = Unrecorded("the disk is full", (FULL, DEAD))
    assert await shown(told) == ({"ledger-troubled", "agent-dead"}, (told.words,))
    assert await shown(None) == ({"tmux-down"}, ())
    silent = Unrecorded("the disk is full")
    assert await shown(silent) == ({"tmux-down"}, (silent.words,))
