"""What is usual, and spikes, on a real SQLite file."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from msgspec.structs import replace

from teamops.domain.spike_memory import Kept
from teamops.ledger.spikes import LONGEST
from teamops.ledger.store import open_ledger
from teamops.model.agent_report import SpikeRecord
from teamops.model.role import CODER, DIRECTOR

RECORD = SpikeRecord(
    id=1,
    role=CODER,
    began_wall=1_000.5,
    ended_wall=None,
    peak=41_200,
    usual=200,
    threshold=5_000,
    tokens=13_000,
    cost_usd=Decimal("0.4"),
    why="41,200 tokens/min, 206 times its usual 200",
    trace=((400.0, 30), (1_000.0, 6_000)),
)


def test_what_is_usual_comes_back_in_the_next_life(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path / "l")
    ledger.spikes.keep(CODER, Kept(usual="{}"), 5.0)
    ledger.spikes.keep(CODER, Kept(usual='{"rates": []}', spike="[1]"), 6.0)
    ledger.close()
    again = open_ledger(tmp_path / "l")
    assert again.spikes.kept() == {CODER: Kept(usual='{"rates": []}', spike="[1]")}
    again.close()


def test_a_spike_is_one_row_from_its_beginning_to_its_end(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path / "l")
    ledger.spikes.save(RECORD)
    assert ledger.spikes.open_ones() == [RECORD]
    over = replace(RECORD, ended_wall=1_100.0, tokens=50_000, usual=None)
    ledger.spikes.save(over)
    assert ledger.spikes.open_ones() == []
    later = replace(RECORD, id=2, began_wall=2_000.0)
    other = replace(RECORD, id=3, role=DIRECTOR)
    ledger.spikes.save(later)
    ledger.spikes.save(other)
    assert ledger.spikes.of(CODER, 9) == [later, over]
    assert ledger.spikes.of(CODER, 1) == [later]
    assert ledger.spikes.open_ones() == [other, later]
    ledger.close()


def test_a_trace_of_hours_keeps_its_beginning_and_its_end(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path / "l")
    trace = tuple((10.0 * at, at + 1) for at in range(3 * LONGEST))
    ledger.spikes.save(replace(RECORD, trace=trace))
    (kept,) = ledger.spikes.of(CODER, 1)
    assert len(kept.trace) == LONGEST
    assert (kept.trace[0], kept.trace[59], kept.trace[-1]) == (trace[0], trace[59], trace[-1])
    ledger.close()
