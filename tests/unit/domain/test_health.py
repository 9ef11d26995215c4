from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from teamops.domain.health import Facts, beat_overdue, exit_words, judge, tells_of_work, worked_at
from teamops.domain.limits import Limits
from teamops.model.agent import AgentState, Beat, BeatKind, ClientStatus, EvidenceKind
from teamops.model.pane import Screen
from teamops.model.role import CODER

NOW = 10_000.0
LIMITS = Limits()
ALIVE = Facts(client="claude", managed=True, pid=42, born=NOW - 1000)
BOT = replace(ALIVE, client="sdk")
S, E = AgentState, EvidenceKind


@pytest.mark.parametrize(
    ("facts", "state", "kind", "detail"),
    [
        pytest.param(Facts(client="claude", managed=True), S.UNKNOWN, E.NOTHING, "no session", id="no session"),
        pytest.param(Facts(client="command", managed=False), S.UNKNOWN, E.NOTHING, "nothing watched", id="watch only"),
        pytest.param(
            replace(ALIVE, screen=Screen.DIALOG, screen_at=NOW - 3, born=NOW - 5),
            S.WAITING,
            E.PANE,
            "a dialog is open",
            id="a dialog before the client says anything of itself",
        ),
        pytest.param(
            replace(ALIVE, screen=Screen.DIALOG, status=ClientStatus.IDLE), S.IDLE, E.STATUS, "idle", id="status first"
        ),
        pytest.param(
            replace(ALIVE, screen=Screen.BUSY, screen_at=NOW - 3),
            S.WORKING,
            E.PANE,
            "its screen says busy",
            id="looks busy",
        ),
        pytest.param(replace(ALIVE, screen=Screen.PROMPT), S.IDLE, E.PROCESS, None, id="at its prompt"),
        pytest.param(
            replace(ALIVE, bare_shell=True), S.UNKNOWN, E.PROCESS, "only a shell is there, no claude", id="a bare shell"
        ),
        pytest.param(
            replace(ALIVE, bare_shell=True, client="command"), S.IDLE, E.PROCESS, None, id="a shell may be the agent"
        ),
        pytest.param(
            replace(ALIVE, bare_shell=True, status=ClientStatus.BUSY), S.WORKING, E.STATUS, None, id="started just now"
        ),
        pytest.param(ALIVE, S.IDLE, E.PROCESS, "alive, nothing expected", id="an idle agent is never an alert"),
        pytest.param(replace(ALIVE, born=NOW - 5), S.STARTING, E.PROCESS, "just started", id="starting"),
        pytest.param(
            replace(ALIVE, dead=True, exit_signal=9, died=NOW - 3), S.DEAD, E.PROCESS, "signal 9", id="killed"
        ),
        pytest.param(replace(ALIVE, dead=True, exit_status=37), S.DEAD, E.PROCESS, "exit status 37", id="exited"),
        pytest.param(replace(ALIVE, dead=True), S.DEAD, E.PROCESS, "cause unknown", id="gone without a word"),
        pytest.param(
            replace(ALIVE, dead=True, session_gone=True),
            S.DEAD,
            E.PROCESS,
            "its session was closed or renamed",
            id="its session is gone",
        ),
        pytest.param(
            replace(ALIVE, dead=True, session_gone=True, exit_signal=1), S.DEAD, E.PROCESS, "signal 1", id="hung up"
        ),
        pytest.param(
            replace(ALIVE, client_ended=NOW - 3, grew=NOW - 3),
            S.DEAD,
            E.PROCESS,
            "the client has ended, its shell is left",
            id="only its shell is left",
        ),
        pytest.param(
            replace(ALIVE, dead=True, exit_signal=9, status=ClientStatus.BUSY),
            S.DEAD,
            E.PROCESS,
            "signal 9",
            id="death beats a status file left behind",
        ),
        pytest.param(
            replace(ALIVE, status=ClientStatus.BUSY, status_at=NOW - 400), S.WORKING, E.STATUS, "busy", id="busy"
        ),
        pytest.param(
            replace(ALIVE, status=ClientStatus.WAITING, status_detail="permission: Bash", status_at=NOW - 2),
            S.WAITING,
            E.STATUS,
            "permission: Bash",
            id="needs its person",
        ),
        pytest.param(
            replace(ALIVE, status=ClientStatus.IDLE, grew=NOW - 1), S.IDLE, E.STATUS, "idle", id="idle by its own word"
        ),
        pytest.param(replace(ALIVE, grew=NOW - 14), S.WORKING, E.TRANSCRIPT, "transcript grows", id="transcript grows"),
        pytest.param(replace(ALIVE, grew=NOW - 15), S.IDLE, E.PROCESS, "alive, nothing expected", id="grew long ago"),
        pytest.param(
            replace(BOT, beat=NOW - 20, worked=NOW - 20, beat_status="ok"), S.WORKING, E.BEAT, "ok", id="beats of work"
        ),
        pytest.param(
            replace(BOT, beat=NOW - 20, in_cycle=True), S.WORKING, E.BEAT, "ok", id="in a cycle between two beats"
        ),
        pytest.param(
            replace(BOT, beat=NOW - 20, worked=NOW - 20, beat_status="IDLE"),
            S.IDLE,
            E.BEAT,
            "says idle",
            id="says idle",
        ),
        pytest.param(replace(BOT, beat=NOW - 20), S.IDLE, E.PROCESS, "alive, nothing expected", id="bare beats"),
        pytest.param(
            replace(BOT, beat=NOW - 500, worked=NOW - 500),
            S.IDLE,
            E.PROCESS,
            "alive, nothing expected",
            id="beat long ago",
        ),
        pytest.param(
            replace(BOT, beat=NOW - 120, light_since=NOW - 600), S.SILENT, E.BEAT, "2 beats missed", id="silent"
        ),
        pytest.param(
            replace(BOT, beat=NOW - 500, light_since=NOW - 119), S.IDLE, E.PROCESS, None, id="the light came just now"
        ),
        pytest.param(replace(BOT, light_since=NOW - 600), S.SILENT, E.BEAT, "never beat", id="a bot that never beat"),
        pytest.param(replace(ALIVE, light_since=NOW - 600), S.IDLE, E.PROCESS, None, id="claude isn't held to beats"),
        pytest.param(
            replace(ALIVE, beat=NOW - 200, shutdown_until=NOW + 1, light_since=NOW - 600),
            S.SHUTTING_DOWN,
            E.BEAT,
            "said so itself",
            id="shutting down",
        ),
        pytest.param(
            replace(BOT, beat=NOW - 200, shutdown_until=NOW, in_cycle=True), S.SILENT, E.BEAT, None, id="grace is over"
        ),
        pytest.param(replace(ALIVE, printed=NOW - 1), S.IDLE, E.PROCESS, None, id="output is no evidence for claude"),
        pytest.param(
            replace(ALIVE, client="command", printed=NOW - 1), S.WORKING, E.PANE, "prints", id="output of a command"
        ),
        pytest.param(
            Facts(client="sdk", managed=False, beat=NOW - 20), S.UNKNOWN, E.BEAT, None, id="beats without a session"
        ),
        pytest.param(
            Facts(client="claude", managed=True, grew=NOW - 90), S.UNKNOWN, E.BEAT, None, id="transcript, no session"
        ),
    ],
)
def test_state_comes_from_the_best_evidence(
    facts: Facts, state: AgentState, kind: EvidenceKind, detail: str | None
) -> None:
    judged, evidence = judge(facts, NOW, LIMITS)
    assert (judged, evidence.kind) == (state, kind)
    if detail is not None:
        assert evidence.detail == detail


def test_evidence_has_an_age() -> None:
    assert judge(replace(ALIVE, status=ClientStatus.BUSY, status_at=NOW - 7), NOW, LIMITS)[1].age_s == pytest.approx(7)
    assert judge(replace(ALIVE, dead=True, died=NOW + 1), NOW, LIMITS)[1].age_s == 0
    assert judge(replace(ALIVE, dead=True), NOW, LIMITS)[1].age_s is None


@pytest.mark.parametrize(
    ("facts", "overdue"),
    [
        pytest.param(replace(BOT, beat=NOW - 119, in_cycle=True), None, id="within two beats"),
        pytest.param(replace(BOT, beat=NOW - 125, in_cycle=True), 5.0, id="two beats and five seconds"),
        pytest.param(replace(BOT, beat=NOW - 25, interval_s=10.0), 5.0, id="its own interval"),
        pytest.param(replace(BOT, beat=NOW - 9000), None, id="at rest nothing is expected"),
        pytest.param(replace(ALIVE, interval_s=10.0, born=None), None, id="nothing to count from"),
        pytest.param(replace(ALIVE, beat=NOW - 200, in_cycle=True, born=NOW - 3), None, id="restarted just now"),
    ],
)
def test_beats_expected(facts: Facts, overdue: float | None) -> None:
    assert beat_overdue(facts, NOW, LIMITS) == (None if overdue is None else pytest.approx(overdue))


@pytest.mark.parametrize(
    ("beat", "work"),
    [
        pytest.param(Beat(role=CODER, wall=1.0), False, id="bare"),
        pytest.param(Beat(role=CODER, wall=1.0, tokens=1), True, id="tokens"),
        pytest.param(Beat(role=CODER, wall=1.0, tool_calls=1), True, id="tool calls"),
        pytest.param(Beat(role=CODER, wall=1.0, cost_usd=Decimal("0.01")), True, id="cost"),
        pytest.param(Beat(role=CODER, wall=1.0, cost_usd=Decimal(0)), False, id="no cost"),
        pytest.param(Beat(role=CODER, wall=1.0, kind=BeatKind.CYCLE_BEGIN), True, id="cycle begins"),
        pytest.param(Beat(role=CODER, wall=1.0, kind=BeatKind.CYCLE_END), True, id="cycle ends"),
        pytest.param(Beat(role=CODER, wall=1.0, status="Working"), True, id="says so"),
        pytest.param(Beat(role=CODER, wall=1.0, kind=BeatKind.HOOK, hook="Stop"), False, id="a hook alone"),
    ],
)
def test_a_bare_beat_is_life_not_work(beat: Beat, work: bool) -> None:
    assert tells_of_work(beat) is work


@pytest.mark.parametrize(
    ("facts", "at"),
    [
        pytest.param(ALIVE, None, id="nothing seen"),
        pytest.param(
            replace(ALIVE, status=ClientStatus.BUSY, status_at=9.0, grew=5.0), 9.0, id="busy is work when it is said"
        ),
        pytest.param(
            replace(ALIVE, status=ClientStatus.BUSY, status_at=5.0, grew=9.0), 9.0, id="busy, and its transcript grew"
        ),
        pytest.param(
            replace(ALIVE, status=ClientStatus.BUSY, status_at=5.0, tool_runs=True), NOW, id="a tool that runs is work"
        ),
        pytest.param(replace(ALIVE, status=ClientStatus.IDLE, status_at=9.0, grew=5.0), 5.0, id="idle is no work"),
        pytest.param(replace(ALIVE, status=ClientStatus.BUSY, dead=True), None, id="a dead one isn't busy"),
        pytest.param(replace(ALIVE, grew=5.0, worked=7.0), 7.0, id="the latest counts"),
        pytest.param(replace(ALIVE, beat=9.0), None, id="a bare beat is none"),
        pytest.param(replace(ALIVE, beat=9.0, in_cycle=True), 9.0, id="a beat in a cycle is"),
        pytest.param(replace(ALIVE, printed=9.0), None, id="output of a client is none"),
        pytest.param(replace(ALIVE, client="command", printed=9.0), 9.0, id="output of a command is"),
        pytest.param(replace(ALIVE, client="codex", printed=9.0), None, id="output of a client at its prompt is none"),
        pytest.param(
            replace(ALIVE, client="codex", printed=9.0, screen=Screen.BUSY), 9.0, id="output of one that looks busy is"
        ),
        pytest.param(
            replace(ALIVE, printed=9.0, screen=Screen.BUSY), None, id="but claude has better evidence to give"
        ),
    ],
)
def test_signs_of_work(facts: Facts, at: float | None) -> None:
    assert worked_at(facts, NOW) == at


def test_exit_words() -> None:
    assert exit_words(None, 11) == "signal 11"
    assert exit_words(0, None) == "exit status 0"
    assert exit_words(None, None) == "cause unknown"
