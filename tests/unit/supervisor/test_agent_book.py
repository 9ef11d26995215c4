from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec.structs import replace

from teamops.domain.health import worked_at
from teamops.model.agent import Beat, BeatKind, ClientStatus
from teamops.model.clock import Stamp
from teamops.model.events import PaneDied, ProcessRow, ScreenSeen, StatusSeen, UsageSeen
from teamops.model.pane import Pane, Screen
from teamops.model.role import CODER
from teamops.model.tail import Position
from teamops.model.usage import Tokens, Usage
from teamops.supervisor.agent_book import AgentBook

WALL = 1_774_000_000.0
START = Stamp(100.0, WALL)
MIDNIGHT = WALL - 3600
PANE = Pane(session="t-coder", pane_id="%1", pid=42, tty="/dev/pts/9")


def after(seconds: float) -> Stamp:
    return Stamp(START.now + seconds, START.wall + seconds)


def a_page() -> AgentBook:
    page = AgentBook(CODER, None)
    page.see_pane(PANE, START)
    return page


def test_a_death_known_by_pidfd_is_not_undone_by_a_pane_that_tmux_still_calls_alive() -> None:
    page = a_page()
    page.see_death(PaneDied(after(1), CODER, 42, None, 9))
    page.see_pane(PANE, after(2))
    assert page.dead
    assert (page.exit_signal, page.died) == (9, after(1).now)


def test_tmux_adds_the_cause_it_knows_but_takes_none_away() -> None:
    page = a_page()
    page.see_death(PaneDied(after(1), CODER, 42, None, None))
    page.see_pane(replace(PANE, dead=True, exit_status=37), after(2))
    assert (page.exit_status, page.died) == (37, after(1).now)
    page.see_pane(replace(PANE, dead=True), after(3))
    assert page.exit_status == 37


def test_the_death_of_an_older_process_says_nothing_of_the_new_one() -> None:
    page = a_page()
    page.see_pane(replace(PANE, pid=43), after(1))
    page.see_death(PaneDied(after(2), CODER, 42, None, 9))
    assert not page.dead


def test_a_new_process_starts_with_a_clean_page() -> None:
    page = a_page()
    page.see_beat(Beat(role=CODER, wall=START.wall, kind=BeatKind.CYCLE_BEGIN, interval_s=5, message="x"), 0.0, START)
    page.see_status(StatusSeen(START, CODER, ClientStatus.BUSY, "busy"))
    page.see_death(PaneDied(after(1), CODER, 42, None, 9))
    assert page.status is None
    page.see_pane(replace(PANE, pid=43), after(5))
    assert not page.dead
    assert (page.born, page.beat, page.in_cycle, page.interval_s, page.exit_signal) == (
        after(5).now,
        None,
        False,
        None,
        None,
    )


def test_the_first_look_takes_nothing_away_and_calls_nobody_new() -> None:
    page = AgentBook(CODER, None)
    page.see_beat(Beat(role=CODER, wall=START.wall - 5, interval_s=9), 0.0, START)
    page.see_pane(PANE, START, first=True)
    assert (page.beat, page.interval_s, page.born) == (START.now - 5, 9, None)


def test_a_session_that_vanishes_is_a_death() -> None:
    page = a_page()
    page.see_pane(None, after(1))
    assert page.dead
    assert page.pane is None


def test_no_session_at_all_is_no_death() -> None:
    page = AgentBook(CODER, None)
    page.see_pane(None, START)
    assert not page.dead


def test_a_beat_read_late_is_as_old_as_it_says() -> None:
    page = a_page()
    page.see_beat(Beat(role=CODER, wall=START.wall - 50, tokens=7), MIDNIGHT, START)
    assert page.beat == START.now - 50
    assert page.worked == START.now - 50
    page.see_beat(Beat(role=CODER, wall=START.wall - 90, status="old"), MIDNIGHT, START)
    assert page.beat_status == "ok"


def test_a_beat_from_the_future_counts_as_now() -> None:
    page = a_page()
    page.see_beat(Beat(role=CODER, wall=START.wall + 900), MIDNIGHT, START)
    assert page.beat == START.now


def test_cycle_shutdown_and_interval_are_taken_from_beats() -> None:
    page = a_page()
    page.see_beat(Beat(role=CODER, wall=START.wall, kind=BeatKind.CYCLE_BEGIN, interval_s=20), MIDNIGHT, START)
    assert (page.in_cycle, page.interval_s) == (True, 20)
    page.see_beat(Beat(role=CODER, wall=START.wall + 1, kind=BeatKind.CYCLE_END), MIDNIGHT, after(1))
    assert not page.in_cycle
    page.see_beat(Beat(role=CODER, wall=START.wall + 2, kind=BeatKind.SHUTDOWN, grace_s=60), MIDNIGHT, after(2))
    assert page.shutdown_until == pytest.approx(after(62).now)


def usage(wall: float = START.wall, total: int = 100) -> Usage:
    return Usage(wall=wall, model="m", tokens=Tokens(output=total), client="claude")


def test_usage_adds_up_today_and_in_the_sliding_minute() -> None:
    page = a_page()
    page.see_usage(usage(), Decimal("0.5"), MIDNIGHT, START)
    page.see_usage(usage(MIDNIGHT - 1), Decimal(9), MIDNIGHT, START)
    page.see_usage(usage(total=30), None, MIDNIGHT, START)
    assert (page.cost_today, page.unpriced_today) == (Decimal("0.5"), 30)
    assert page.tokens_per_min(START.now) == 130
    assert page.tokens_per_min(START.now + 59.9) == 130
    assert page.tokens_per_min(START.now + 60) == 0


def test_a_price_that_comes_late() -> None:
    page = a_page()
    page.see_usage(usage(total=30), None, MIDNIGHT, START)
    page.see_price(usage(total=30), Decimal("0.25"), MIDNIGHT, START.wall)
    assert (page.cost_today, page.unpriced_today) == (Decimal("0.25"), 0)


def test_a_beats_tokens_count_unless_a_transcript_counts_them() -> None:
    bot, client = a_page(), a_page()
    beat = Beat(role=CODER, wall=START.wall, tokens=40, cost_usd=Decimal("0.1"))
    bot.see_beat(beat, MIDNIGHT, START)
    assert (bot.cost_today, bot.tokens_per_min(START.now)) == (Decimal("0.1"), 40)
    client.see_usage(usage(), Decimal("0.5"), MIDNIGHT, START)
    client.see_beat(beat, MIDNIGHT, START)
    assert (client.cost_today, client.tokens_per_min(START.now)) == (Decimal("0.5"), 100)
    assert client.worked == START.now


def test_minutes_outside_the_strip_are_left_out_and_old_ones_dropped() -> None:
    page = a_page()
    assert page.minute(WALL - 3600, WALL) is None
    assert page.minute(WALL + 3600, WALL) is None
    for hour in range(4):
        for minute in range(60):
            wall = WALL + hour * 3600 + minute * 60
            assert page.minute(wall, wall) is not None
    assert len(page.minutes) <= 121


def test_processes_of_another_pid_are_not_ours() -> None:
    page = a_page()
    page.see_process(ProcessRow(CODER, 41, 1, 0.0, 1), START.now)
    assert page.rss_bytes is None
    page.see_process(ProcessRow(CODER, 42, 5_000_000, 0.0, 1), START.now)
    assert page.rss_bytes == 5_000_000


def growth(stamp: Stamp, *, live: bool, grown_wall: float | None = None) -> UsageSeen:
    return UsageSeen(stamp, CODER, (), Position("t", 1, 1, 9), grew=True, live=live, grown_wall=grown_wall)


def last_work(page: AgentBook, stamp: Stamp) -> float | None:
    return worked_at(page.facts(managed=True, light_since=None), stamp.now)


def test_a_transcript_that_was_there_dates_the_last_work_and_never_backwards() -> None:
    page = a_page()
    page.see_growth(growth(START, live=False, grown_wall=START.wall - 60))
    assert page.grew == START.now - 60
    page.see_growth(growth(START, live=False, grown_wall=START.wall - 90))  # another file of the same agent
    assert page.grew == START.now - 60
    page.see_growth(growth(START, live=False, grown_wall=START.wall + 900))  # a clock that was set back
    assert page.grew == START.now
    page.see_growth(growth(after(5), live=False))
    assert page.grew == START.now
    page.see_growth(growth(after(9), live=True, grown_wall=START.wall))
    assert page.grew == after(9).now


def test_a_status_is_as_old_as_the_client_says() -> None:
    page = a_page()
    page.see_status(StatusSeen(START, CODER, ClientStatus.BUSY, "", START.wall - 300))
    assert page.status_at == START.now - 300
    page.see_status(StatusSeen(after(1), CODER, ClientStatus.IDLE))
    assert page.status_at == after(1).now


def test_what_was_busy_has_worked_though_it_wrote_nothing_yet() -> None:
    page = a_page()
    page.see_status(StatusSeen(after(10), CODER, ClientStatus.BUSY))
    page.see_status(StatusSeen(after(11), CODER, ClientStatus.WAITING, "permission prompt"))
    assert last_work(page, after(12)) == after(10).now


def test_a_client_that_hangs_works_no_longer_and_one_whose_tool_runs_does() -> None:
    page = a_page()
    page.see_process(ProcessRow(CODER, 42, 1, 0.0, 3), START.now)  # at rest: it, and two servers that it keeps
    page.see_status(StatusSeen(after(10), CODER, ClientStatus.BUSY))
    page.see_process(ProcessRow(CODER, 42, 1, 0.0, 3), START.now)
    assert last_work(page, after(900)) == after(10).now
    page.see_process(ProcessRow(CODER, 42, 1, 0.0, 4), START.now)
    assert last_work(page, after(1800)) == after(1800).now
    page.see_status(StatusSeen(after(1801), CODER, ClientStatus.IDLE))
    assert last_work(page, after(2000)) == after(1801).now


def test_a_client_that_ended_in_a_living_shell_is_gone_until_it_is_there_again() -> None:
    page = a_page()
    page.see_status(StatusSeen(after(1), CODER, ClientStatus.IDLE))
    page.see_status(StatusSeen(after(2), CODER, None))  # its file went first
    assert page.facts(managed=True, light_since=None).client_ended is None
    page.see_status(StatusSeen(after(3), CODER, None, ended=True))
    page.see_status(StatusSeen(after(4), CODER, None, ended=True))
    assert page.facts(managed=True, light_since=None).client_ended == after(3).now
    page.see_status(StatusSeen(after(5), CODER, ClientStatus.IDLE))
    assert page.facts(managed=True, light_since=None).client_ended is None
    page.see_status(StatusSeen(after(6), CODER, None, ended=True))
    page.see_pane(replace(PANE, pid=43), after(7))
    assert page.facts(managed=True, light_since=None).client_ended is None


def test_of_a_pane_that_was_dead_before_nobody_knows_since_when() -> None:
    page = AgentBook(CODER, None)
    page.see_pane(replace(PANE, dead=True, exit_status=0), START, first=True)
    assert (page.dead, page.died) == (True, None)


def test_a_bare_shell_is_one_until_the_next_look_or_process() -> None:
    page = a_page()
    page.see_process(ProcessRow(CODER, 42, 1, 0.0, 1, bare_shell=True), START.now)
    assert page.facts(managed=True, light_since=None).bare_shell
    page.see_process(ProcessRow(CODER, 42, 1, 0.0, 2), START.now)
    assert not page.facts(managed=True, light_since=None).bare_shell
    page.see_process(ProcessRow(CODER, 42, 1, 0.0, 1, bare_shell=True), START.now)
    page.see_pane(replace(PANE, pid=43), after(7))
    assert not page.facts(managed=True, light_since=None).bare_shell


def test_a_screen_belongs_to_its_process() -> None:
    page = a_page()
    page.see_screen(ScreenSeen(after(1), CODER, 41, Screen.BUSY))
    assert page.facts(managed=True, light_since=None).screen is None
    page.see_screen(ScreenSeen(after(2), CODER, 42, Screen.DIALOG))
    facts = page.facts(managed=True, light_since=None)
    assert (facts.screen, facts.screen_at) == (Screen.DIALOG, after(2).now)
    page.see_pane(replace(PANE, pid=43), after(3))
    assert page.facts(managed=True, light_since=None).screen is None


def test_what_a_client_complains_of_on_its_screen_is_its_last_error() -> None:
    page = a_page()
    page.see_screen(ScreenSeen(after(1), CODER, 42, Screen.PROMPT, complaint="Failed to save"))
    page.see_screen(ScreenSeen(after(2), CODER, 42, Screen.BUSY))
    assert page.last_error == "its screen says: Failed to save"
    page.see_pane(replace(PANE, pid=43), after(3))
    assert page.last_error == ""


@pytest.mark.parametrize(
    ("pid", "born", "worked"),
    [pytest.param(42, None, START.now, id="renamed and back"), pytest.param(43, after(2).now, None, id="made anew")],
)
def test_a_session_that_comes_again_has_its_process_or_a_new_one(
    pid: int, born: float | None, worked: float | None
) -> None:
    page = AgentBook(CODER, None)
    page.see_pane(PANE, START, first=True)
    page.see_beat(Beat(role=CODER, wall=START.wall, tokens=3), 0.0, START)
    page.see_pane(None, after(1))
    assert (page.dead, page.session_gone) == (True, True)
    page.see_pane(None, after(1.5))
    page.see_pane(replace(PANE, pid=pid), after(2))
    assert (page.dead, page.session_gone, page.born, page.worked) == (False, False, born, worked)
