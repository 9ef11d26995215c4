"""One agent in full: the contract for programs, and the lines for people."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from msgspec import structs

from teamops.model.agent import AgentState, SpikeView
from teamops.model.agent_report import AgentReport
from teamops.model.role import DEVELOPER, OPTIMIZER, PARTNER, Role
from teamops.report.agent import AgentLook, agent_report_json, agent_report_text
from teamops.report.status import agent_json
from teamops.report.table import cells
from teamops.report.times import iso, moment
from teamops.tui.believable import believable
from teamops.tui.believable_agent import believable_agent_report

SCREEN = "● Running pytest -q\n\n  12 passed\n\n\n"


def look(role: Role = DEVELOPER, report: AgentReport | None = None, **agent: Any) -> AgentLook:
    snapshot = believable()
    view = next(one for one in snapshot.agents if one.role == role)
    return AgentLook(
        snapshot=snapshot,
        agent=structs.replace(view, **agent),
        report=believable_agent_report(snapshot, role) if report is None else report,
        screen=SCREEN if view.pane_id is not None else None,
        screen_trouble="" if view.pane_id is not None else "there is no pane: its session does not run",
    )


def shown(one: AgentLook) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(json.dumps(agent_report_json(one)))
    return read


def test_the_contract_of_agent_json() -> None:
    one = look()
    told = shown(one)
    assert set(told) == {
        "schema", "project", "at", "role", "name", "client", "session", "state", "evidence", "evidences", "lights",
        "pid", "pane", "beat_age_s", "message", "last_error", "tokens_per_min", "cost_today_usd", "unpriced_tokens",
        "rss_bytes", "memory_note", "held", "backing_off_until", "can_restart", "exit_status", "exit_signal", "badges",
        "spike", "cycle", "boundary", "refused",
        "minutes", "minutes_from", "restarts_today", "restarts_allowed", "keeping", "memory", "launch", "deliveries",
        "restarts", "spikes", "processes", "processes_left_out", "screen", "screen_trouble", "troubles",
    }  # fmt: skip
    assert told["schema"] == "teamops.agent/1"
    assert told["at"] == iso(one.snapshot.stamp.wall)
    assert (told["restarts_today"], told["restarts_allowed"]) == (1, 2)
    assert told["screen"] == ["● Running pytest -q", "", "  12 passed", "", "", ""]
    assert told["screen_trouble"] is None


def test_it_says_of_an_agent_what_status_says_of_it() -> None:
    one = look()
    told = shown(one)
    known = json.loads(json.dumps(agent_json(one.agent)))
    assert known.pop("restarts") == told["restarts_today"]
    assert {key: told[key] for key in known} == known


def test_one_evidence_is_what_the_state_rests_on() -> None:
    told = shown(look())
    assert [known["kind"] for known in told["evidences"]] == [
        "status file", "hook", "transcript", "beat", "process", "pane",
    ]  # fmt: skip
    (basis,) = [known for known in told["evidences"] if known["basis"]]
    assert {key: basis[key] for key in ("kind", "age_s", "detail")} == told["evidence"]


def test_a_poke_has_each_step_with_its_time_and_the_proof() -> None:
    one = look()
    pokes = shown(one)["deliveries"]
    assert [poke["stage"] for poke in pokes] == ["typed", "working", "unproven", "refused", "working"]
    poke, record = pokes[1], one.report.deliveries[1]
    assert poke["after_s"] == {"typed": 0.3, "accepted": 0.9, "working": 14.0}
    assert (poke["proof"], poke["by"], poke["attempt"]) == ("hook UserPromptSubmit", "rule", 1)
    for step in ("decided", "typed", "accepted", "working"):
        assert poke[step] == iso(getattr(record, f"{step}_wall"))
    assert (pokes[0]["accepted"], pokes[0]["proof"], pokes[0]["over"]) == (None, None, False)
    assert (pokes[3]["refused"], pokes[3]["light"], pokes[3]["by"]) == ("a dialog is open", None, "person")


def test_a_restart_has_its_cause_and_what_stood_there_before() -> None:
    first, second, third = shown(look())["restarts"]
    assert (first["cause"], first["ending"], first["ok"]) == (
        "dead: exit status 37", "ended by itself: exit status 37", True,
    )  # fmt: skip
    assert first["screen"][-1] == "KeyError: 'attempts'"
    assert first["notes"] == ["current.md parses", "the work tree has 2 changed files"]
    assert (second["by"], second["attempt"], second["ok"], second["session"]) == ("person", 0, False, None)
    assert (third["ok"], third["message"], third["screen"]) == (None, None, [])


def test_a_runaway_has_its_figures_and_its_course() -> None:
    one = look(
        spike=SpikeView(
            since_wall=1.0, rate=9, peak=10, usual=2, limit=5, tokens=77, cost_usd=Decimal("0.42"), why="9 tokens/min"
        ),
        badges=("10\u00d7cycle",),
    )
    told = shown(one)
    lasting, past = told["spikes"]
    assert (lasting["ended"], lasting["peak_tokens_per_min"], lasting["usual_tokens_per_min"]) == (None, 41_200, 200)
    assert (past["usual_tokens_per_min"], past["limit_tokens_per_min"], past["cost_usd"]) == (None, 20_000, 0.84)
    record = one.report.spikes[1]
    assert past["trace"] == [{"until": iso(wall), "tokens": tokens} for wall, tokens in record.trace]
    assert told["spike"]["tokens"] == 77
    text = agent_report_text(one, 120)
    assert "runs away   9 tokens/min; 77 tokens, $0.42 in it so far" in text
    assert "10\u00d7cycle: more than the plain rules allow" in text
    assert "lasts 2 min" in text
    assert "over in 4 min, 23,400 tokens/min" in text


def test_processes_are_a_tree_in_both() -> None:
    one = look()
    told = shown(replace(one, report=structs.replace(one.report, processes_left_out=7)))
    assert [(node["name"], node["depth"]) for node in told["processes"]] == [
        ("claude", 0), ("node", 1), ("bash", 1), ("pytest", 2), ("git", 3),
    ]  # fmt: skip
    assert told["processes"][4]["state"] == "Z"
    assert told["processes_left_out"] == 7
    text = agent_report_text(replace(one, report=structs.replace(one.report, processes_left_out=7)))
    assert "ended" in text, "a Z is said in words"
    assert "      git" in text
    assert "and 7 more" in text


@pytest.mark.parametrize("width", [80, 120])
def test_a_person_reads_all_of_it(width: int) -> None:
    text = agent_report_text(look(), width)
    flat = " ".join(text.split())
    for piece in (
        "DEVELOPER Isabelle: working", "known by    hook 3 s ago", "* hook", "  transcript", "4 GB in about 5 h",
        "by teamops",
        "0b6f1c9e-52d7", "typed after 0.3 s, accepted after 0.9 s", "proof: hook UserPromptSubmit",
        "no proof came that",
        "nothing was submitted: a dialog is open", "line 2 about", "restarted, by rule, attempt 1 of 2: dead: exit",
        "failed, by person, not counted: asked for", "under way or cut off", "- current.md parses", "  claude",
        "│ ● Running pytest -q", "last error  none told",
    ):  # fmt: skip
        assert " ".join(piece.split()) in flat, piece
    assert max(cells(line) for line in text.splitlines()) <= width


def test_sums_of_ten_minutes_begin_where_the_minutes_do() -> None:
    one = look(beats=(1,) * 60, tokens=tuple(range(60)), cost=(0.5,) * 60)
    told = shown(one)
    assert told["minutes_from"] == iso(one.snapshot.stamp.wall // 60 * 60 - 59 * 60), "the last is the present minute"
    rows = agent_report_text(one).split("Last hour\n")[1].splitlines()[1:7]
    assert rows[0].split() == [told["minutes_from"][11:16], "10", "45", "$5.00"]
    assert [row.split()[2] for row in rows] == ["45", "145", "245", "345", "445", "545"]


def test_a_moment_of_another_day_has_its_date() -> None:
    one = look()
    yesterday = iso(one.report.restarts[1].wall)
    assert yesterday is not None
    text = agent_report_text(one)
    assert f"  {yesterday[:10]} {yesterday[11:19]}  failed" in text
    today = iso(one.report.restarts[0].wall)
    assert today is not None
    assert f"  {today[11:19]}  restarted" in text


def test_every_empty_part_names_the_next_command() -> None:
    bare = look(PARTNER, AgentReport(role=PARTNER), beats=(0,) * 60, tokens=(0,) * 60, cost=(0.0,) * 60)
    text = agent_report_text(bare)
    for piece in (
        "nothing is known of it: teamops restart PARTNER", "no sign of life: TEAMOPS_ROLE=PARTNER teamops beat",
        "none: teamops poke PARTNER", "none: teamops restart PARTNER", "none: [spike] in teamops.toml",
        "none runs: teamops restart PARTNER", "there is no pane: its session does not run", "teamops did not start it",
    ):  # fmt: skip
        assert piece in text, piece
    told = shown(bare)
    assert (told["screen"], told["screen_trouble"]) == (None, "there is no pane: its session does not run")
    assert told["deliveries"] == told["restarts"] == told["spikes"] == told["processes"] == []
    fixed = replace(
        bare, agent=structs.replace(bare.agent, can_restart=False, session=""), screen=" \n", screen_trouble=""
    )
    text = agent_report_text(fixed)
    assert "name its session in teamops.toml" in text
    assert "none runs: name its command in teamops.toml" in text
    assert "it is empty" in text


def test_what_teamops_does_about_it_is_told_with_its_time() -> None:
    snapshot = believable()
    wall = snapshot.stamp.wall
    one = look(OPTIMIZER, state=AgentState.BACKING_OFF, backing_off_until_wall=wall + 245)
    text = agent_report_text(
        replace(one, report=structs.replace(one.report, keeping="restart 1 of 2, cooling down")), 120
    )
    assert f"no sooner than {moment(wall + 245, wall)}, in 4" in text
    assert "teamops     restart 1 of 2, cooling down" in text
    assert "last error  MemoryError: the importer's table" in text
    told = shown(one)
    assert told["backing_off_until"] == iso(wall + 245)
    assert told["last_error"] == "MemoryError: the importer's table"
    held = agent_report_text(look(state=AgentState.HELD, held="its account is refused"))
    assert held.startswith("DEVELOPER Isabelle: held: its account is refused, as of 2")


def test_of_one_that_may_not_spend_the_lift_is_the_only_way_out() -> None:
    lift, why = "teamops budget lift DEVELOPER --day-usd N", "$5.02 of $5.00 spent on 2026-03-28 (UTC)"
    bare = AgentReport(role=DEVELOPER)
    held: dict[str, Any] = {"state": AgentState.HELD, "held": why, "lift": lift, "evidences": ()}
    text = agent_report_text(look(report=bare, **held), 400)
    assert f"teamops     holds it back: {why}; it is held, let it spend again: {lift}" in text
    for line in ("nothing is known of it", "none", "none runs"):
        assert f"  {line}: it is held, let it spend again: {lift}\n" in text
    assert "teamops restart" not in text
    assert "teamops poke" not in text
    both = structs.replace(bare, keeping="restart 1 of 2, cooling down")
    assert f"restart 1 of 2, cooling down; holds it back: {why}" in agent_report_text(look(report=both, **held), 400)
    free = agent_report_text(look(report=bare, evidences=()), 400)
    assert "teamops     holds nothing back, restarts nothing" in free
    assert free.count("teamops restart DEVELOPER") == 3
    assert "none: teamops poke DEVELOPER" in free


def test_a_process_that_teamops_did_not_start_is_told_so() -> None:
    one = look()
    assert one.report.launch is not None
    adopted = structs.replace(one.report.launch, adopted=True, pid=9, client_session="")
    text = agent_report_text(replace(one, report=structs.replace(one.report, launch=adopted)), 160)
    assert "ran already, adopted" in text
    assert "pid 4108 runs now, which teamops did not start" in text
    launch = shown(replace(one, report=structs.replace(one.report, launch=adopted)))["launch"]
    assert (launch["adopted"], launch["pid"], launch["client_session"]) == (True, 9, None)


def test_what_troubles_the_look_is_told_with_it() -> None:
    one = look()
    troubled = replace(one, snapshot=structs.replace(one.snapshot, troubles=("panes: polls",)))
    assert "note: panes: polls" in agent_report_text(troubled)
    assert shown(troubled)["troubles"] == ["panes: polls"]
