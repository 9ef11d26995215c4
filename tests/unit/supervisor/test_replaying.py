"""A recorded day asked at moments: what the ledger has, as of then, and no more."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec import structs

from teamops.ledger.audit import Change, NewBlock
from teamops.ledger.connection import LedgerError
from teamops.ledger.store import open_ledger
from teamops.model.alert import Alert, AlertState, Silence
from teamops.model.boundary import ViolationState
from teamops.model.errors import TeamopsError, UsageError
from teamops.model.handoff import Severity, Stage
from teamops.model.page import Page, Receipt, Transition
from teamops.model.protocol import Approval, GateRun
from teamops.model.role import CODER, DIRECTOR, HUMAN, NONE
from teamops.report.replay import replay_json
from teamops.supervisor.replaying import ReplayPort, open_replay
from tests.recorded import DAY, Night, a_night, at
from tests.unit.supervisor.conftest import Begin
from tests.unit.supervisor.life import block

NOW = at("23:00:00")


@pytest.fixture
def night(tmp_path: Path) -> Night:
    return a_night(tmp_path / "shop")


@pytest.fixture
def port(night: Night) -> ReplayPort:
    return opened(night)


def opened(night: Night, day: str = DAY) -> ReplayPort:
    return open_replay(night.settings, night.path, day, now=NOW)


def test_it_begins_where_something_happens(port: ReplayPort) -> None:
    assert port.snapshot().stamp.wall == at("01:00:00")


@pytest.mark.parametrize(
    ("clock", "state", "restarts", "cost", "beats"),
    [
        ("02:13:19", "working", 0, "1.30", 2),
        ("02:13:20", "dead", 0, "1.30", 2),
        ("02:14:04", "dead", 0, "1.30", 3),
        ("02:14:05", "dead", 1, "1.30", 3),
        ("02:14:10", "working", 1, "1.30", 3),
        ("02:05:00", "working", 0, "0.40", 2),
        ("02:05:11", "working", 0, "0.50", 2),
    ],
)
def test_an_agent_is_as_it_was(port: ReplayPort, clock: str, state: str, restarts: int, cost: str, beats: int) -> None:
    agent = next(one for one in port.go(at(clock)).agents if one.role == CODER)
    assert (agent.state, agent.restarts, agent.cost_today_usd) == (state, restarts, Decimal(cost))
    assert agent.beats[-2] == beats
    assert (agent.pid, agent.pane_id, agent.beat_age_s, agent.evidence.age_s) == (None, None, None, None)


def test_what_was_unpriced_is_no_zero(port: ReplayPort) -> None:
    assert port.go(at("02:13:00")).unpriced_tokens == 0
    assert port.go(at("02:13:01")).unpriced_tokens == 500


def test_the_poke_had_come_as_far_as_by_then(port: ReplayPort) -> None:
    stages = []
    for clock in ("01:00:01", "01:00:02", "01:00:04"):
        port.go(at(clock))
        stages.append(str(port.agent_report(CODER).deliveries[0].stage))
    assert stages == ["decided", "typed", "working"]
    port.go(at("00:59:59"))
    assert port.agent_report(CODER).deliveries == ()


def test_restarts_refusals_and_violations_come_when_they_came(port: ReplayPort, night: Night) -> None:
    port.go(at("02:14:01"))
    assert [one.ok for one in port.agent_report(CODER).restarts] == [None]
    assert any(line.text == "restart: under way" for line in port.snapshot().log)
    port.go(at("02:14:06"))
    assert [one.ok for one in port.agent_report(CODER).restarts] == [True]
    assert not any("under way" in line.text for line in port.snapshot().log)
    assert port.decisions() == ()
    port.go(at("02:15:00"))
    assert [one.about for one in port.decisions(CODER)] == ["docs/x.md"]
    boundary = next(one.boundary for one in port.snapshot().agents if one.role == CODER)
    assert boundary is not None
    assert boundary.blocked == 1
    assert not boundary.held_known
    assert port.go(at("03:44:00")).violations == ()
    assert [one.path for one in port.go(at("03:45:00")).violations] == ["docs/a.md"]


def test_a_settled_violation_was_open_before(night: Night) -> None:
    ledger = open_ledger(night.path)
    ledger.boundaries.settle(1, ViolationState.ACCEPTED, "by ada", at("04:00:00"))
    ledger.close()
    port = opened(night)
    assert [one.state for one in port.go(at("03:59:59")).violations] == [ViolationState.OPEN]
    assert [one.state for one in port.go(at("04:00:00")).violations] == [ViolationState.ACCEPTED]


def test_where_nobody_watched_nothing_is_said_of_states(port: ReplayPort) -> None:
    snapshot = port.go(at("03:00:00"))
    assert snapshot.replay is not None
    assert snapshot.replay.unobserved == (at("02:21:00"), at("03:40:00"))
    assert {agent.state for agent in snapshot.agents} == {"unknown"}
    assert {agent.evidence.detail for agent in snapshot.agents} == {"not observed: no teamops watched then"}
    assert snapshot.lights[0].unanswered_s == 0, "no time went by unanswered while nobody looked"
    assert snapshot.lights[0].age_s == 2 * 3600
    again = port.go(at("03:40:00"))
    assert again.replay is not None
    assert again.replay.unobserved is None
    assert next(one for one in again.agents if one.role == CODER).state == "working"


def test_the_light_stage_and_cost_are_of_the_moment(port: ReplayPort) -> None:
    early = port.go(at("02:05:11"))
    assert [(one.role, one.stage, one.since_wall, one.cost.cost_usd) for one in early.lights] == [
        (CODER, Stage.IMPLEMENT, at("01:00:00"), Decimal("0.50"))
    ]
    late = port.go(at("03:50:00"))
    assert [(one.role, one.stage, one.since_wall) for one in late.lights] == [(DIRECTOR, Stage.VERIFY, at("03:50:00"))]
    assert {index: spend.cost_usd for index, spend in late.spent.items()} == {1: Decimal("1.30")}
    assert port.task_report("LOGIN").spend is not None
    assert port.task_report("login").diff_trouble


def test_costs_are_those_of_the_moment(port: ReplayPort) -> None:
    port.go(at("02:05:11"))
    report = port.cost_report()
    assert report.today.cost_usd == Decimal("0.50")
    assert sum(period.spend.cost_usd for period in report.hours) == Decimal("0.50")
    assert [(one.name, one.today.cost_usd) for one in report.tasks] == [("login", Decimal("0.50"))]
    assert report.burn.limit_usd == Decimal(20)
    assert port.go(at("00:10:00")).cost_today_usd == 0
    assert port.cost_report().month.responses == 0


def test_what_was_summed_up_since_counts_as_what_it_was(night: Night) -> None:
    with closing(sqlite3.connect(night.path)) as connection:
        for clock in ("02:01:10", "02:13:10"):
            connection.execute("UPDATE spent SET responses = 3, grain = 60 WHERE wall = ?", (at(clock),))
            quarter = at(clock) // 900
            connection.execute("UPDATE spent_quarter SET responses = responses + 2 WHERE quarter = ?", (quarter,))
        connection.commit()
    port = opened(night)
    agent = next(one for one in port.go(at("02:05:11")).agents if one.role == CODER)
    assert agent.beats[-5:] == (4, 2, 2, 2, 1)
    assert agent.cost_today_usd == Decimal("0.50")
    assert port.cost_report().today.responses == 7
    spend = port.task_report("login").spend
    assert spend is not None
    assert spend.total.responses == 7


def test_an_alert_is_silent_from_then_on_and_hides_what_follows_from_it(night: Night) -> None:
    ledger = open_ledger(night.path)
    dead = Alert(
        code="agent-dead", subject="CODER", severity=Severity.CRITICAL, agent=CODER, message="CODER is dead",
        do="restart it", notify=True, state=AlertState.FIRING, since_wall=at("05:00:00"), changed_wall=at("05:00:00"),
    )  # fmt: skip
    stale = replace(dead, code="handoff-stale", severity=Severity.WARNING, message="CODER does nothing")
    ledger.save_alerts([dead, stale])
    ledger.save_alerts([replace(dead, silence=Silence(at("05:10:00"), at("05:25:00")))])
    ledger.close()
    port = opened(night)

    def dead_at(clock: str) -> Alert:
        return next(one for one in port.go(at(clock)).alerts if one.key == dead.key)

    assert [one.code for one in port.go(at("05:00:00")).alerts if one.listed] == ["agent-dead"]
    assert [one.hidden_by for one in port.snapshot().alerts if one.code == "handoff-stale"] == ["agent-dead"]
    silent = [dead_at(clock).silenced(at(clock)) for clock in ("05:09:00", "05:10:00", "05:24:00", "05:26:00")]
    assert silent == [False, True, True, False]
    assert dead_at("05:09:00").silence is None


def test_a_page_is_told_when_it_had_been_delivered(night: Night) -> None:
    page = Page(
        id="p", transition=Transition.FIRED, keys=(("agent-dead", "CODER"),), thread="t", severity=Severity.CRITICAL,
        project="shop", title="agent-dead", body="dead", do="restart it", role=CODER, wall=at("02:13:22"),
    )  # fmt: skip
    ledger = open_ledger(night.path)
    ledger.outbox.put(page)
    for channel, began, ended, absent in (
        ("phone", "02:13:22", "02:13:23", True),
        ("desktop", "02:13:24", "02:13:25", False),
    ):
        attempt = ledger.outbox.begin(page, channel, at(began))
        ledger.outbox.end(page, attempt, Receipt(ok=not absent, message="shown", absent=absent), at(ended))
    ledger.close()
    port = opened(night)

    def told(clock: str) -> list[str]:
        return [line.text for line in port.go(at(clock)).log if line.kind == "page"]

    assert told("02:13:24") == []
    assert told("02:13:25") == ["told you by desktop: agent-dead (shown)"]


def test_the_report_of_a_day_is_told_when_it_was_over(port: ReplayPort) -> None:
    day = date.fromisoformat(DAY)
    port.go(at("12:00:00"))
    with pytest.raises(TeamopsError, match="its report is made of the whole day"):
        port.day_report(None)
    with pytest.raises(UsageError, match="not there yet"):
        port.day_report(day + timedelta(days=1))
    before = port.day_report(day - timedelta(days=1))
    assert (before.over, before.watched_s) == (True, 0.0)
    port.go(port.day.until_wall)
    report = port.day_report(None)
    assert (report.days, report.over, report.until_wall) == ((day,), False, NOW)
    coder = next(one for one in report.agents if one.role == CODER)
    assert coder.spend.cost_usd == Decimal("1.30")
    assert [one.cause for one in coder.restarts] == ["dead: signal 9"]
    assert [one.task for one in report.team.tasks] == ["login"]


@pytest.mark.parametrize("day", ["2026-03-27", "2020-01-01"])
def test_a_day_without_facts_names_those_that_have_some(night: Night, day: str) -> None:
    with pytest.raises(UsageError) as caught:
        opened(night, day)
    assert f"nothing of {day} is on record" in caught.value.message
    assert DAY in caught.value.hint


def test_days_are_said_in_words(night: Night) -> None:
    assert open_replay(night.settings, night.path, "today", now=NOW).day.day == DAY
    assert open_replay(night.settings, night.path, "yesterday", now=NOW + 80_000).day.day == DAY
    with pytest.raises(UsageError, match="is no day"):
        opened(night, "the other day")


def test_no_ledger_and_an_empty_one_are_said(night: Night, tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="there is no ledger"):
        open_replay(night.settings, tmp_path / "none.sqlite3", "today")
    assert not (tmp_path / "none.sqlite3").exists()
    open_ledger(tmp_path / "empty.sqlite3").close()
    with pytest.raises(UsageError) as caught:
        open_replay(night.settings, tmp_path / "empty.sqlite3", "today")
    assert "the ledger is empty" in caught.value.hint


def test_a_ledger_that_is_written_meanwhile_can_be_replayed(night: Night) -> None:
    ledger = open_ledger(night.path)
    ledger.state_edge(DIRECTOR, "dead", "process: exit status 1", at("05:00:00"))
    port = opened(night)
    ledger.state_edge(DIRECTOR, "idle", "process: alive", at("05:10:00"))
    assert next(one for one in port.go(at("05:20:00")).agents if one.role == DIRECTOR).state == "dead"
    later = opened(night)
    assert next(one for one in later.go(at("05:20:00")).agents if one.role == DIRECTOR).state == "idle"
    ledger.close()


def test_a_day_of_23_hours_is_right(night: Night) -> None:
    ledger = open_ledger(night.path)
    ledger.state_edge(CODER, "idle", "process: alive", at("04:00:00", "2026-03-29"))
    ledger.close()
    port = open_replay(night.settings, night.path, "2026-03-29", now=NOW + 5 * 86_400)
    assert port.day.until_wall - port.day.since_wall == 23 * 3600
    assert port.moment("04:00") == at("04:00:00", "2026-03-29")
    assert port.clock(port.moment("04:00")) == "04:00:00"
    with pytest.raises(UsageError, match="is no time of 2026-03-29"):
        port.moment("02:13")
    with pytest.raises(UsageError, match="later than what is on record"):
        opened(night).moment("23:30")


@pytest.mark.parametrize("here", ["Europe/Berlin", "Asia/Tokyo"])
def test_two_clocks_are_told_apart(night: Night, monkeypatch: pytest.MonkeyPatch, here: str) -> None:
    monkeypatch.setenv("TZ", here)
    time.tzset()
    try:
        notes = opened(night).go(at("02:00:00")).troubles
    finally:
        monkeypatch.undo()
        time.tzset()
    assert [note for note in notes if "the lists that of this computer" in note] == (
        [] if here == "Europe/Berlin" else list(notes)
    )


# the handoff file


def test_a_rewrite_an_acceptance_and_a_sign_off_come_in_their_time(night: Night) -> None:
    ledger = open_ledger(night.path)
    known = ledger.audit.blocks()
    text = block(DIRECTOR, CODER, text="Something else.").rstrip()
    from teamops.handoff import parse

    digest = parse(text.encode()).blocks[0].digest
    new = NewBlock(digest=digest, role=DIRECTOR, task="login", heading="x", text=text)
    ledger.audit.change_blocks([Change("rewritten", known[0].id, new)], [digest, known[1].digest], at("04:00:00"))
    ledger.audit.accept(1, "ada", at("04:10:00"))
    ledger.audit.add_approval(
        Approval(
            task="login", approver="ada", wall=at("04:20:00"), verdict="signed off", note="", digest="d", chain="c"
        )
    )
    ledger.audit.add_gate_run(
        GateRun(
            task="login", gate="runs", command="true", ok=True, exit_status=0, started_wall=at("04:30:00"),
            seconds=10.0, commit="", tree="", tail="",
        )
    )  # fmt: skip
    ledger.close()
    port = opened(night)
    before = port.go(at("03:59:59"))
    assert [one.digest for one in before.blocks] == [one.digest for one in known]
    assert not any(one.code == "block-rewritten" for one in before.findings)
    with pytest.raises(TeamopsError):
        port.tamper_diff(1)
    changed = port.go(at("04:00:00"))
    assert [one.digest for one in changed.blocks] == [digest, known[1].digest]
    assert [one.tamper for one in changed.findings if one.code == "block-rewritten"] == [1]
    assert "+Something else." in port.tamper_diff(1)
    assert "Something else." in port.block_text(changed.blocks[0])
    assert not any(one.code == "block-rewritten" for one in port.go(at("04:10:00")).findings)
    assert port.task_report("login").runs == ()
    port.go(at("04:30:09"))
    assert port.task_report("login").runs == ()
    port.go(at("04:30:10"))
    assert [run.gate for run in port.task_report("login").runs] == ["runs"]
    assert any("sign-off of login" in line.text for line in port.go(at("04:20:00")).log)


def test_of_what_was_undone_nobody_knows_when(night: Night) -> None:
    ledger = open_ledger(night.path)
    known = ledger.audit.blocks()
    ledger.audit.change_blocks([Change("vanished", known[0].id, None)], [known[1].digest], at("04:00:00"))
    ledger.audit.mend(1, [one.digest for one in known])
    ledger.close()
    snapshot = opened(night).go(at("04:05:00"))
    assert [one.digest for one in snapshot.blocks] == [one.digest for one in known]
    assert snapshot.replay is not None
    assert "was undone later, nobody recorded when" in snapshot.replay.notes[0]
    assert sum("the lists that of this computer" in note for note in snapshot.troubles) <= 1
    assert snapshot.troubles == snapshot.replay.notes


def test_blocks_put_in_taken_out_and_archived(night: Night) -> None:
    ledger = open_ledger(night.path)
    first, second = ledger.audit.blocks()
    text = block(CODER, DIRECTOR, text="In between.").rstrip()
    from teamops.handoff import parse

    digest = parse(text.encode()).blocks[0].digest
    new = NewBlock(digest=digest, role=CODER, task="login", heading="x", text=text)
    ledger.audit.change_blocks([Change("inserted", None, new)], [first.digest, digest, second.digest], at("04:00:00"))
    ledger.audit.change_blocks([Change("vanished", second.id, None)], [first.digest, digest], at("04:10:00"))
    ledger.audit.archive([first.digest], at("04:20:00"))
    ledger.close()
    port = opened(night)
    stood = {
        clock: [one.digest for one in port.go(at(clock)).blocks]
        for clock in ("03:59:00", "04:00:00", "04:10:00", "04:20:00")
    }
    assert stood == {
        "03:59:00": [first.digest, second.digest],
        "04:00:00": [first.digest, digest, second.digest],
        "04:10:00": [first.digest, digest],
        "04:20:00": [digest],
    }


def test_a_light_whose_block_is_not_on_record_is_told_with_a_note(night: Night) -> None:
    ledger = open_ledger(night.path)
    ledger.light_seen("login", "never-handed-on", HUMAN, at("04:00:00"))
    ledger.light_seen("login", "neither-this", NONE, at("04:30:00"))
    ledger.close()
    port = opened(night)
    assert [one.role for one in port.go(at("03:59:59")).lights] == [DIRECTOR]
    lost = port.go(at("04:00:00"))
    assert [(one.role, one.since_wall, one.line) for one in lost.lights] == [(HUMAN, at("04:00:00"), 0)]
    assert any("the light of login is not on record" in note for note in lost.troubles)
    assert port.go(at("04:30:00")).lights == ()


def test_a_task_of_which_no_block_is_on_record_has_its_light(night: Night) -> None:
    ledger = open_ledger(night.path)
    ledger.light_seen("typo", "rewritten-at-once", CODER, at("03:49:00"))
    ledger.light_seen("news", "not-handed-on-yet", CODER, at("04:00:00"))
    ledger.close()
    port = opened(night)
    assert [one.task for one in port.go(at("03:49:30")).lights] == ["login", "typo"]
    assert [one.task for one in port.go(at("03:50:00")).lights] == ["login"], "what was rewritten leaves no ghost"
    light = next(one for one in port.go(at("04:00:00")).lights if one.task == "news")
    assert (light.role, light.tier, light.line, light.since_wall) == (CODER, None, 0, at("04:00:00"))


def test_a_program_is_told_what_nobody_saw(port: ReplayPort) -> None:
    def observed(clock: str) -> object:
        return replay_json(port.day, port.go(at(clock)))["observed"]

    assert observed("00:10:00") is None, "nobody recorded then who watched"
    assert observed("01:00:00") is True
    assert observed("03:00:00") is False


# speed


def test_any_moment_of_a_day_of_100_000_facts_is_quick(night: Night) -> None:
    since = at("00:00:00")
    connection = sqlite3.connect(night.path)
    connection.execute("INSERT OR IGNORE INTO spent_name(name) VALUES('CODER'), ('m')")
    names = dict(connection.execute("SELECT name, id FROM spent_name"))
    connection.executemany(
        "INSERT INTO spent(role, wall, source, model, client, session, input, output, cache_write, cache_write_1h,"
        " cache_read, pico) VALUES(?, ?, 0, ?, ?, ?, 1, 1, 0, 0, 0, 1000000)",
        ((names["CODER"], since + number * 1.3, *[names["m"]] * 3) for number in range(60_000)),
    )
    connection.executemany(
        "INSERT INTO state_edge(wall, role, state, evidence) VALUES(?, ?, 'working', 'beat: ok')",
        ((since + number * 4, ("CODER", "DIRECTOR")[number % 2]) for number in range(20_000)),
    )
    connection.executemany(
        "INSERT INTO alert_edge(wall, code, subject, severity, state, message, agent)"
        " VALUES(?, 'x', ?, 'error', ?, 'm', NULL)",
        ((since + number * 4, str(number // 2), ("firing", "resolved")[number % 2]) for number in range(20_000)),
    )
    connection.commit()
    connection.close()
    port = opened(night)
    facts = port._view.facts
    took = []
    for second in range(0, 80_000, 997):
        parts = (facts.states, facts.alerts, facts.log)
        before = sum(part.looked_at for part in parts)
        began = time.perf_counter()
        port.go(since + second)
        took.append(time.perf_counter() - began)
        assert sum(part.looked_at for part in parts) - before < 3500, "of 100,000 facts, few are looked at"
    assert sorted(took)[len(took) // 2] < 0.02


# who watched


async def test_a_supervisor_records_when_it_watched(begin: Begin) -> None:
    life = await begin(CODER)
    start = life.wall
    await life.ticks(150)
    spans = life.ledger.days.watched(0.0, 2e9)
    assert len(spans) == 1
    assert abs(spans[0][0] - start) <= 4
    assert life.wall - spans[0][1] < 61
    life.wall += 1000.0  # suspended: the wall clock goes on, nobody observes
    await life.ticks(2)
    spans = life.ledger.days.watched(0.0, 2e9)
    assert len(spans) == 2
    assert spans[1][0] - spans[0][1] >= 1000
    port = open_replay(life.settings, life.ledger.path, "2026-03-31", now=life.wall)
    assert len(port.day.gaps) == 1


async def test_a_viewer_records_nothing_of_its_watching(begin: Begin) -> None:
    life = await begin(CODER, acting=False)
    await life.ticks(70)
    assert life.ledger.days.first_watched() is None


async def test_a_state_that_is_unknown_in_a_later_life_is_told(begin: Begin) -> None:
    first = await begin(CODER)
    assert first.ledger.last_states()[CODER] == "idle"
    await first.end()
    later = await begin()
    assert later.ledger.last_states()[CODER] == "unknown"


def test_settings_limits_hold_in_a_replay(night: Night) -> None:
    night.settings = replace(night.settings, budget=structs.replace(night.settings.budget, day_usd=Decimal("1.00")))
    snapshot = opened(night).go(at("03:55:00"))
    assert snapshot.budgets[0].level == "hard"
