from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from teamops.config.settings import Settings
from teamops.model.agent import Beat
from teamops.model.clock import Stamp
from teamops.model.events import BeatsSeen, Ticked
from teamops.model.role import CODER
from teamops.model.snapshot import SupervisorView
from teamops.model.tail import Position
from teamops.supervisor.book import Book

NOW, WALL = 100.0, 1_774_000_000.0


@pytest.fixture
def book(tmp_path: Path) -> Book:
    settings = Settings(root=tmp_path, project="p", handoff=tmp_path / "current.md", roles=())
    return Book(settings, Stamp(NOW, WALL), SupervisorView(pid=1, acting=True, since_wall=None, watch_only=False))


def seen(stamp: Stamp, *beats: Beat, known: tuple[Beat, ...] = ()) -> BeatsSeen:
    return BeatsSeen(stamp, beats, Position("f", 1, 1, 1), known=known)


@pytest.mark.parametrize(
    ("now", "wall", "beat_wall", "age"),
    [
        pytest.param(5, 5, 2, 3, id="all is well: as old as its clock says"),
        pytest.param(2, 600, 1, 1, id="beaten before a gap: the gap does not age it"),
        pytest.param(2, 600, 599, 0, id="beaten in the gap"),
        pytest.param(2, 600, -30, 32, id="long before the gap"),
        pytest.param(2, -3600, -3601, 1, id="the wall clock was set back"),
        pytest.param(2, -3600, 1, 0, id="beaten before the clock was set back"),
    ],
)
def test_time_in_which_nobody_looked_ages_no_beat(
    book: Book, now: float, wall: float, beat_wall: float, age: float
) -> None:
    stamp = Stamp(NOW + now, WALL + wall)
    book.take(seen(stamp, Beat(role=CODER, wall=WALL + beat_wall, tokens=1)))
    page = book.agent(CODER)
    assert page.worked is not None
    assert stamp.now - page.worked == pytest.approx(age, abs=1e-6)


def test_a_round_in_time_ends_the_gap(book: Book) -> None:
    book.tick(Ticked(Stamp(NOW + 1, WALL + 600), gap_s=599))
    assert book.observed(WALL, Stamp(NOW + 1, WALL + 600)) == NOW
    book.tick(Ticked(Stamp(NOW + 2, WALL + 601)))
    assert book.observed(WALL, Stamp(NOW + 2, WALL + 601)) == NOW + 2 - 601


def test_of_a_process_that_is_gone_only_its_work_is_known(book: Book) -> None:
    work = Beat(role=CODER, wall=WALL - 30, tokens=5, interval_s=7.0)
    bare = Beat(role=CODER, wall=WALL - 3, interval_s=7.0)
    book.take(BeatsSeen(Stamp(NOW, WALL), (), Position("f", 1, 1, 1), past=(work, bare)))
    page = book.agent(CODER)
    assert (page.past.worked, page.worked, page.beat, page.interval_s) == (NOW - 30, None, None, None)
    page.past.see_work(NOW - 40, None)
    assert page.past.worked == NOW - 30


def test_what_an_earlier_life_counted_is_not_counted_again(book: Book) -> None:
    beat = Beat(role=CODER, wall=WALL - 3, tokens=5, cost_usd=Decimal(1), message="builds", interval_s=7.0)
    book.take(seen(Stamp(NOW, WALL), known=(beat,)))
    page = book.agent(CODER)
    assert (page.beat, page.worked, page.message, page.interval_s) == (NOW - 3, NOW - 3, "builds", 7.0)
    assert (page.cost_today, len(page.minutes), page.tokens_per_min(NOW)) == (Decimal(0), 0, 0)
