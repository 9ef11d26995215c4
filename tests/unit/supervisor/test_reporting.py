"""The day's report is written after midnight: once, whatever was killed or slept; what a person changed stays."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from teamops.config.settings import ReportSettings
from teamops.domain.paging import PagingPolicy, Quiet
from teamops.effects.reports import write_report
from teamops.model.actions import Action, Outcome, WriteReport
from teamops.model.page import Page, Transition
from teamops.model.role import CODER
from teamops.sources.kept_bytes import digest_of
from teamops.supervisor.reporting import AFTER_S, MOST_BACK, RETRY_S
from teamops.supervisor.watching import MARK_S
from tests.unit.supervisor.conftest import Begin
from tests.unit.supervisor.life import START, Life

DAY_S = 86_400.0
FIRST = datetime.fromtimestamp(START, UTC).date()
MIDNIGHT = datetime(FIRST.year, FIRST.month, FIRST.day, tzinfo=UTC).timestamp() + DAY_S


def really(life: Life, report: ReportSettings | None = None) -> list[Action]:
    """Let reports be written for real; return what else is done."""
    life.core.book.settings = replace(life.settings, report=report or ReportSettings())
    noted, run = life.hands.done, life.hands.run

    async def write(action: Action, check: Callable[[bytes], None] | None = None) -> Outcome:
        if isinstance(action, WriteReport):
            noted.append(action)
            return write_report(action, life.folder)
        return await run(action, check)

    life.hands.run = write  # type: ignore[method-assign]
    return noted


def written(life: Life) -> list[str]:
    return [action.day for action in life.hands.done if isinstance(action, WriteReport)]


async def at(life: Life, wall: float) -> None:
    """Let it be that late, and let what is begun then end."""
    await life.until(lambda: not life.core.reporting._busy, "the first look lasts for ever")
    life.wall = wall
    await life.ticks(2)
    await life.until(lambda: not life.core.reporting._busy, "a report is written for ever")
    await life.ticks(2)


def names(life: Life) -> list[str]:
    return sorted(path.name for path in (life.folder / "reports").glob("*"))


async def test_a_day_is_written_a_minute_after_its_midnight_and_once(begin: Begin) -> None:
    life = await begin(CODER)
    really(life)
    await at(life, MIDNIGHT + AFTER_S - 9)
    assert written(life) == []
    await at(life, MIDNIGHT + AFTER_S)
    assert written(life) == [str(FIRST)]
    assert names(life) == [".gitignore", f"{FIRST}.json", f"{FIRST}.md"]
    told = json.loads((life.folder / "reports" / f"{FIRST}.json").read_text(encoding="utf-8"))
    assert (told["schema"], told["days"], told["over"]) == ("teamops.report/1", [str(FIRST)], True)
    assert f"# shop: report of {FIRST}" in (life.folder / "reports" / f"{FIRST}.md").read_text(encoding="utf-8")
    (action,) = life.ledger._connection.execute("SELECT ok, text, message FROM action WHERE kind = 'report'").fetchall()
    assert action == (1, str(FIRST), f"{FIRST}.md, {FIRST}.json written")
    assert f"report: {FIRST}.md, {FIRST}.json written" in [line.text for line in life.core.book.log]
    assert f"report: {FIRST}.md, {FIRST}.json written" in [line.text for line in life.ledger.log(20)]
    own = {(one.path, one.digest) for one in life.ledger.boundaries.own_writes(0.0)}  # no agent's change, that is
    there = [(life.folder / "reports").resolve() / f"{FIRST}.{end}" for end in ("md", "json")]
    assert own == {(str(path), digest_of(path.read_bytes())) for path in there}
    await at(life, MIDNIGHT + 5000)
    await at(life, MIDNIGHT + DAY_S + AFTER_S)
    assert written(life) == [str(FIRST), str(FIRST + timedelta(days=1))]


async def test_after_a_kill_it_is_written_again_only_where_it_was_not(begin: Begin) -> None:
    life = await begin(CODER)
    really(life)
    await at(life, MIDNIGHT + AFTER_S)
    await life.end()
    life = await begin(CODER)
    really(life)
    await at(life, MIDNIGHT + 600)
    assert written(life) == []
    # Killed after it was recorded as begun, its files there already.
    day = FIRST + timedelta(days=1)
    life.ledger.begin_action(WriteReport(day=str(day), folder="reports", files=()), life.wall)
    life.ledger._connection.execute("UPDATE action SET pid = 0")
    life.wall = MIDNIGHT + DAY_S + AFTER_S / 2  # nothing is due before the next life writes for real
    (life.folder / "reports" / f"{day}.md").write_text("written before the kill", encoding="utf-8")
    await life.end()
    life = await begin(CODER)
    really(life)
    life.core.acts.recover()
    await at(life, MIDNIGHT + DAY_S + 990)
    assert written(life) == [str(day)]
    assert (life.folder / "reports" / f"{day}.md").read_text(encoding="utf-8") == "written before the kill"
    assert (life.folder / "reports" / f"{day}.json").exists()


async def test_what_a_person_wrote_or_changed_stays(begin: Begin) -> None:
    life = await begin(CODER)
    really(life)
    (life.folder / "reports").mkdir()
    mine = life.folder / "reports" / f"{FIRST}.md"
    mine.write_text("my own words", encoding="utf-8")
    await at(life, MIDNIGHT + AFTER_S)
    assert mine.read_text(encoding="utf-8") == "my own words"
    assert names(life) == [f"{FIRST}.json", f"{FIRST}.md"], "a folder that was there is left as it is"
    assert f"report: {FIRST}.json written; kept as it was: {FIRST}.md" in [line.text for line in life.core.book.log]


async def test_a_suspend_over_midnight_is_caught_up(begin: Begin) -> None:
    life = await begin(CODER)
    really(life)
    life.now += 3 * 3600.0
    await at(life, MIDNIGHT + 2 * 3600)
    assert written(life) == [str(FIRST)]


async def test_missed_days_are_caught_up_but_no_more_than_seven(begin: Begin) -> None:
    life = await begin(CODER)
    really(life)
    for day in range(1, 12):
        if day != 8:  # a day of which nothing is on record
            life.ledger.state_edge(CODER, "idle", "seen", MIDNIGHT + day * DAY_S - 9999)
    await at(life, MIDNIGHT + 10 * DAY_S + AFTER_S)
    last = FIRST + timedelta(days=10)
    expected = [last - timedelta(days=back) for back in range(MOST_BACK - 1, -1, -1)]
    assert written(life) == [str(day) for day in expected if day != FIRST + timedelta(days=8)]
    assert len(expected) == MOST_BACK


async def test_a_folder_that_cannot_be_written_is_said_and_tried_again(begin: Begin) -> None:
    life = await begin(CODER)
    really(life)
    (life.folder / "reports").write_text("in the way", encoding="utf-8")
    await at(life, MIDNIGHT + AFTER_S)
    assert written(life) == [str(FIRST)]
    assert any("a day's report is missing" in line for line in life.snapshots[-1].troubles)
    await at(life, life.wall + 5)
    assert written(life) == [str(FIRST)], "not every second"
    (life.folder / "reports").unlink()
    for _ in range(int(RETRY_S) + 5):
        life.now += 1.0
        life.clock.stamp()  # an hour in which teamops looked
    await at(life, life.wall + RETRY_S)
    assert written(life) == [str(FIRST)] * 2
    assert (life.folder / "reports" / f"{FIRST}.md").exists()
    assert not any("report" in line for line in life.snapshots[-1].troubles)


@pytest.mark.parametrize("how", ["off", "watch only", "viewer"])
async def test_it_is_not_written_where_it_is_not_wanted(begin: Begin, how: str) -> None:
    life = await begin(CODER, acting=how != "viewer")
    really(life, ReportSettings(daily=how != "off"))
    if how == "watch only":
        life.core.book.settings = replace(life.core.book.settings, source=None)
    await at(life, MIDNIGHT + AFTER_S)
    assert written(life) == []
    assert not (life.folder / "reports").exists()


async def test_its_summary_is_sent_once_where_that_is_wanted(begin: Begin) -> None:
    def pages(life: Life) -> list[Page]:
        return [page for _, page in life.heard if page.transition is Transition.REPORT]

    life = await begin(CODER)
    really(life, ReportSettings(send=True, formats=("text",)))
    await at(life, MIDNIGHT + AFTER_S)
    (page,) = pages(life)
    assert page.title == f"shop: report of {FIRST}"
    assert "0 tasks closed" in page.body
    assert page.body.endswith(f"reports/{FIRST}.txt")
    assert names(life) == [".gitignore", f"{FIRST}.txt"]
    await life.end()
    life = await begin(CODER)
    really(life, ReportSettings(send=True))
    await at(life, MIDNIGHT + 600)
    assert (pages(life), written(life)) == ([], []), "nothing is told twice"


async def test_no_summary_rings_in_the_quiet_hours(begin: Begin) -> None:
    life = await begin(CODER)
    really(life, ReportSettings(send=True))
    life.core.book.settings = replace(life.core.book.settings, paging=PagingPolicy(quiet=Quiet(22 * 60, 7 * 60)))
    life.core.paging._settings = life.core.book.settings
    await at(life, MIDNIGHT + AFTER_S)
    (sending,) = life.core.paging._waiting.values()
    assert sending.page.transition is Transition.REPORT
    assert sending.due - life.core.time() == pytest.approx(7 * 3600 - 120, abs=180)
    assert life.heard == []


async def test_every_form_is_written(begin: Begin) -> None:
    life = await begin(CODER)
    really(life, ReportSettings(formats=("text", "md", "json", "html"), folder=str(life.folder / "a" / "b")))
    await at(life, MIDNIGHT + AFTER_S)
    assert sorted(path.suffix for path in (life.folder / "a" / "b").glob("2*")) == [".html", ".json", ".md", ".txt"]


# what was watched


def spans(life: Life) -> list[tuple[float, float]]:
    return life.ledger._connection.execute("SELECT since_wall, until_wall FROM watched ORDER BY id").fetchall()


async def test_when_it_was_at_work_is_on_record_and_a_suspend_is_not(begin: Begin) -> None:
    life = await begin(CODER)
    assert len(spans(life)) == 1
    for _ in range(int(2 * MARK_S)):
        await life.ticks(1)
    ((since, until),) = spans(life)
    assert START <= since <= START + 3
    assert until >= life.wall - MARK_S
    before = life.wall
    life.now += 7200.0
    life.wall += 7200.0
    await life.ticks(5)
    first, second = spans(life)
    assert first[1] == before
    assert second[0] >= before + 7200
    report = await life.core.day_report(None, 2)
    assert report.watched_s == pytest.approx(life.wall - START - 7201, abs=3)


async def test_a_clock_that_is_set_back_begins_a_new_span(begin: Begin) -> None:
    life = await begin(CODER)
    life.wall -= 5000.0
    await life.ticks(3)
    assert len(spans(life)) == 2


async def test_a_viewer_keeps_no_record(begin: Begin) -> None:
    life = await begin(CODER, acting=False)
    await life.ticks(5)
    assert spans(life) == []
    assert (await life.core.day_report(None)).watched_s == MARK_S, "another acts, since nobody knows when"


@pytest.mark.parametrize("late_s", [0.0, 0.7, 3.0])
async def test_a_viewer_goes_on_where_the_record_of_the_one_that_acts_ends(begin: Begin, late_s: float) -> None:
    """It is stored by the first round after a minute, so that it ends a moment more than a minute ago."""
    life = await begin(CODER, acting=False)
    since, until = life.wall - 1000.0, life.wall - MARK_S - late_s
    life.ledger.watched.mark(None, since, until)
    report = await life.core.day_report(None)
    assert report.watched_s == pytest.approx(1000.0), "there is no hole"


async def test_one_that_hangs_is_not_at_work(begin: Begin) -> None:
    life = await begin(CODER, acting=False)
    hung = structs.replace(life.core.book.supervisor, round_age_s=600.0)
    life.core.book.supervisor = hung
    life.ledger.watched.mark(None, life.wall - 1000.0, life.wall - 640.0)
    assert (await life.core.day_report(None)).watched_s == pytest.approx(400.0)


async def test_a_report_of_days_that_are_not_there_says_what_to_do(begin: Begin) -> None:
    from teamops.model.errors import UsageError
    from teamops.model.role import Role

    life = await begin(CODER)
    wrong: list[tuple[tuple[Any, ...], str]] = [
        ((FIRST + timedelta(days=1),), "is not there yet"),
        ((None, 0), "can't be reported at once"),
        ((None, 32), "can't be reported at once"),
        ((date(1999, 1, 1),), "nothing can be on record"),
        ((None, 1, Role("NOBODY")), "is no role of this team"),
    ]
    for given, said in wrong:
        with pytest.raises(UsageError, match=said) as caught:
            await life.core.day_report(*given)
        assert caught.value.hint
    assert (await life.core.day_report(None, 31)).days[-1] == FIRST


# the effect


def test_a_link_out_of_the_project_is_not_followed(tmp_path: Path) -> None:
    root, away = tmp_path / "p", tmp_path / "away"
    root.mkdir()
    away.mkdir()
    (root / "reports").symlink_to(away)
    done = write_report(WriteReport(day="2026-03-28", folder="reports", files=(("a.md", "x"),)), root)
    assert not done.ok
    assert "leads out of the project" in done.message
    assert list(away.iterdir()) == []
    assert write_report(WriteReport(day="2026-03-28", folder=str(away), files=(("a.md", "x"),)), root).ok


def test_files_are_readable_and_nothing_is_left_beside_them(tmp_path: Path) -> None:
    action = WriteReport(day="2026-03-28", folder="reports", files=(("a.md", "x\ud800"), ("b.md", "y")))
    assert write_report(action, tmp_path).message == "a.md, b.md written"
    assert sorted(path.name for path in (tmp_path / "reports").iterdir()) == [".gitignore", "a.md", "b.md"]
    assert (tmp_path / "reports" / "a.md").stat().st_mode & 0o777 == 0o644
    assert write_report(action, tmp_path).message == "nothing to write; kept as it was: a.md, b.md"
    (tmp_path / "reports" / "c.md").symlink_to(tmp_path / "nowhere")
    again = structs.replace(action, files=(("c.md", "z"),))
    assert write_report(again, tmp_path).ok
    assert not (tmp_path / "nowhere").exists()


async def test_an_agent_that_is_gone_when_teamops_comes_back_is_not_taken_for_alive(begin: Begin) -> None:
    life = await begin(CODER)
    life.ledger.state_edge(CODER, "working", "its log grows", life.wall)
    await life.end()
    life = await begin()
    told = [(row.role, row.state) for row in life.ledger.days.states(START - 9, life.wall + 9)]
    assert told[-1] == (CODER, str(life.core.book.agents[CODER].state))
    assert told[-1][1] != "working"
    await life.end()
    life = await begin()
    assert [(row.role, row.state) for row in life.ledger.days.states(START - 9, life.wall + 9)] == told, "no news"
