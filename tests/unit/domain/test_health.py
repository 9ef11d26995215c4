from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from teamops.domain.evidence import known
from teamops.domain.health import Facts, beat_overdue, exit_words, judge, tells_of_work, worked_at
from teamops.domain.hooks import Told
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
            replace(ALIVE, dead=True, exit_signal=9, died=NOW - 3), S.DEAD, E.PROCESS, "signal 9 (KILL)", id="killed"
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
            replace(ALIVE, dead=True, session_gone=True, exit_signal=1),
            S.DEAD,
            E.PROCESS,
            "signal 1 (HUP)",
            id="hung up",
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
            "signal 9 (KILL)",
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
        pytest.param(
            replace(ALIVE, grew=NOW - 1, screen=Screen.DIALOG, screen_at=NOW - 3),
            S.WAITING,
            E.PANE,
            "a dialog is open",
            id="a dialog over a transcript that grew",
        ),
        pytest.param(
            replace(ALIVE, grew=NOW - 3, screen=Screen.PROMPT, screen_at=NOW - 2),
            S.IDLE,
            E.PANE,
            "at its prompt",
            id="at its prompt after its transcript grew",
        ),
        pytest.param(
            replace(ALIVE, grew=NOW - 2, screen=Screen.PROMPT, screen_at=NOW - 3),
            S.WORKING,
            E.TRANSCRIPT,
            "transcript grows",
            id="its transcript grew after its prompt was drawn",
        ),
        pytest.param(
            replace(ALIVE, grew=NOW - 2, screen=Screen.PROMPT),
            S.WORKING,
            E.TRANSCRIPT,
            "transcript grows",
            id="a prompt of unknown age",
        ),
        pytest.param(
            replace(ALIVE, pid=None, grew=NOW - 2, screen=Screen.DIALOG, screen_at=NOW - 1),
            S.WORKING,
            E.TRANSCRIPT,
            "transcript grows",
            id="a dialog of a process that is gone",
        ),
        pytest.param(
            replace(ALIVE, pid=None, grew=NOW - 2, screen=Screen.PROMPT, screen_at=NOW - 1),
            S.WORKING,
            E.TRANSCRIPT,
            "transcript grows",
            id="a prompt of a process that is gone",
        ),
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
            replace(BOT, beat=NOW - 500, called=NOW - 119, light_since=NOW - 600),
            S.WORKING,
            E.BEAT,
            "calls its model",
            id="a call is a sign of life",
        ),
        pytest.param(
            replace(ALIVE, called=NOW - 120), S.IDLE, E.PROCESS, "alive, nothing expected", id="a call of long ago"
        ),
        pytest.param(
            replace(ALIVE, called=NOW - 9, beat=NOW - 5, beat_status="idle"),
            S.IDLE,
            E.BEAT,
            "says idle",
            id="it beat after its call",
        ),
        pytest.param(
            replace(ALIVE, called=NOW - 500, light_since=NOW - 600, worked=NOW - 500, client="command"),
            S.IDLE,
            E.PROCESS,
            None,
            id="calls are no promise of beats",
        ),
        pytest.param(
            Facts(client="sdk", managed=False, called=NOW - 20),
            S.WORKING,
            E.BEAT,
            "calls its model",
            id="calls without a session",
        ),
        pytest.param(
            Facts(client="sdk", managed=False, called=NOW - 200), S.UNKNOWN, E.BEAT, None, id="calls of long ago"
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
        pytest.param(Beat(role=CODER, wall=1.0, kind=BeatKind.USAGE), True, id="a call, even of unknown usage"),
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
    assert exit_words(None, 11) == "signal 11 (SEGV)"
    assert exit_words(0, None) == "exit status 0"
    assert exit_words(127, None) == "exit status 127 (no such program)"
    assert exit_words(None, None) == "cause unknown"


HELD = replace(ALIVE, light_since=NOW - 5000, born=NOW - 9000)


@pytest.mark.parametrize(
    ("facts", "state", "kind", "detail"),
    [
        pytest.param(
            replace(ALIVE, told=Told.TOOL, told_at=NOW - 9, told_detail="PreToolUse: Bash"),
            S.WORKING,
            E.HOOK,
            "PreToolUse: Bash",
            id="a tool runs, by the hook",
        ),
        pytest.param(
            replace(ALIVE, client="codex", told=Told.WAITING, told_at=NOW - 1, told_detail="PermissionRequest: Bash"),
            S.WAITING,
            E.HOOK,
            "PermissionRequest: Bash",
            id="needs you, by the hook",
        ),
        pytest.param(replace(ALIVE, told=Told.IDLE, told_at=NOW - 1), S.IDLE, E.HOOK, None, id="has ended its turn"),
        pytest.param(
            replace(ALIVE, told=Told.WORKING, told_at=NOW - 50, screen=Screen.PROMPT, screen_at=NOW - 40),
            S.IDLE,
            E.PANE,
            "at its prompt",
            id="Escape, of which no hook tells",
        ),
        pytest.param(
            replace(ALIVE, told=Told.WORKING, told_at=NOW - 40, screen=Screen.PROMPT, screen_at=NOW - 50),
            S.WORKING,
            E.HOOK,
            None,
            id="the screen is older than the hook",
        ),
        pytest.param(
            replace(ALIVE, told=Told.WAITING, told_at=NOW - 50, screen=Screen.BUSY, screen_at=NOW - 40),
            S.WORKING,
            E.PANE,
            None,
            id="the dialog was answered",
        ),
        pytest.param(
            replace(ALIVE, told=Told.WAITING, told_at=NOW - 50, screen=Screen.RETRYING, screen_at=NOW - 40),
            S.ERRORED,
            E.PANE,
            "API calls fail, it tries again",
            id="the dialog was answered, and calls fail",
        ),
        pytest.param(
            replace(ALIVE, told=Told.WAITING, told_at=NOW - 50, screen=Screen.FAILED, screen_at=NOW - 40),
            S.ERRORED,
            E.PANE,
            "its last API call failed",
            id="the dialog was answered, and a call failed",
        ),
        pytest.param(
            replace(ALIVE, told=Told.ENDED, told_at=NOW - 1),
            S.IDLE,
            E.PROCESS,
            "alive, nothing expected",
            id="its client leaves, and its process lives",
        ),
        pytest.param(
            replace(
                ALIVE, told=Told.WAITING, told_at=NOW - 50, told_detail="ask", screen=Screen.DIALOG, screen_at=NOW - 49
            ),
            S.WAITING,
            E.HOOK,
            "ask",
            id="a screen that shows what the hook told before takes nothing from it",
        ),
        pytest.param(
            replace(ALIVE, told=Told.IDLE, told_at=NOW - 50, screen=Screen.DIALOG, screen_at=NOW - 40),
            S.WAITING,
            E.PANE,
            None,
            id="a dialog of which no hook tells",
        ),
        pytest.param(
            replace(ALIVE, status=ClientStatus.BUSY, status_at=NOW - 20, screen=Screen.RETRYING, screen_at=NOW - 5),
            S.ERRORED,
            E.PANE,
            "API calls fail, it tries again",
            id="API retries",
        ),
        pytest.param(
            replace(ALIVE, status=ClientStatus.IDLE, screen=Screen.FAILED, screen_at=NOW - 5, auth=True),
            S.ERRORED,
            E.PANE,
            "its account is refused",
            id="a login that is refused",
        ),
        pytest.param(
            replace(ALIVE, told=Told.FAILED, told_at=NOW - 5, told_detail="StopFailure: overloaded"),
            S.ERRORED,
            E.HOOK,
            "StopFailure: overloaded",
            id="failed, by the hook",
        ),
        pytest.param(
            replace(ALIVE, stopped_at=NOW - 50, status=ClientStatus.BUSY),
            S.SUSPENDED,
            E.PROCESS,
            "stopped by a signal (SIGSTOP)",
            id="stopped",
        ),
        pytest.param(
            replace(HELD, status=ClientStatus.BUSY, status_at=NOW - 1300),
            S.ZOMBIE,
            E.STATUS,
            "no work for 21:40 min, though its process lives (busy)",
            id="busy for ever",
        ),
        pytest.param(
            replace(HELD, status=ClientStatus.BUSY, status_at=NOW - 1300, tool_runs=True),
            S.WORKING,
            E.STATUS,
            None,
            id="a long tool is work",
        ),
        pytest.param(
            replace(HELD, status=ClientStatus.IDLE, status_at=NOW - 4000), S.IDLE, E.STATUS, None, id="at rest: stale"
        ),
        pytest.param(
            replace(HELD, client="codex", screen=Screen.PROMPT, screen_at=NOW - 4000),
            S.IDLE,
            E.PROCESS,
            None,
            id="prompt",
        ),
        pytest.param(replace(HELD, client="sdk", beat=NOW - 3), S.ZOMBIE, E.PROCESS, None, id="bare beats are no work"),
        pytest.param(replace(HELD, client="sdk", beat=NOW - 3, beat_status="idle"), S.IDLE, E.BEAT, None, id="idle"),
        pytest.param(
            replace(HELD, client="sdk", beat=NOW - 3, went_on=NOW - 600), S.IDLE, E.PROCESS, None, id="it just went on"
        ),
        pytest.param(
            replace(
                HELD,
                light_since=None,
                client="sdk",
                in_cycle=True,
                beat=NOW - 1300,
                beat_status="x",
                interval_s=5000,
                worked=NOW - 1300,
            ),
            S.ZOMBIE,
            E.BEAT,
            None,
            id="a cycle that never ends",
        ),
        pytest.param(
            replace(HELD, client="sdk", beat=NOW - 3, shutdown_until=NOW + 5),
            S.SHUTTING_DOWN,
            E.BEAT,
            None,
            id="leaves",
        ),
        pytest.param(
            replace(HELD, dead=True, exit_signal=9, oom=True),
            S.DEAD,
            E.PROCESS,
            "out of memory: killed by the kernel",
            id="killed for want of memory",
        ),
    ],
)
def test_hooks_errors_and_hangs(facts: Facts, state: AgentState, kind: EvidenceKind, detail: str | None) -> None:
    found, evidence = judge(facts, NOW, LIMITS)
    assert (found, evidence.kind) == (state, kind)
    if detail is not None:
        assert evidence.detail == detail
    assert any(row.kind is kind for row in known(facts, NOW))


@pytest.mark.parametrize("stopped", [NOW - 100, None])
def test_one_that_was_stopped_has_missed_no_beat(stopped: float | None) -> None:
    bot = replace(BOT, beat=NOW - 900, light_since=NOW - 950)
    assert judge(bot, NOW, LIMITS)[0] is S.SILENT
    assert judge(replace(bot, stopped_at=stopped, went_on=NOW - 20), NOW, LIMITS)[0] is not S.SILENT


@example(Facts(client="command", managed=False, pid=None, printed=NOW - 14, called=0.0))
@given(
    st.builds(
        Facts,
        client=st.sampled_from(["claude", "codex", "gemini", "opencode", "sdk", "command"]),
        managed=st.booleans(),
        pid=st.none() | st.just(42),
        born=(at := st.none() | st.floats(0, NOW)),
        dead=st.booleans(),
        exit_status=st.none() | st.integers(0, 255),
        exit_signal=st.none() | st.integers(1, 64),
        oom=st.booleans(),
        died=at,
        status=st.none() | st.sampled_from(ClientStatus),
        status_at=at,
        told=st.none() | st.sampled_from(Told),
        told_at=at,
        stopped_at=at,
        went_on=at,
        screen=st.none() | st.sampled_from(Screen),
        screen_at=at,
        grew=at,
        beat=at,
        called=at,
        worked=at,
        in_cycle=st.booleans(),
        interval_s=st.none() | st.floats(0.1, 500),
        shutdown_until=st.none() | st.floats(0, 2 * NOW),
        printed=at,
        light_since=at,
    )
)
def test_whatever_is_known_makes_one_state_and_no_evidence_that_nobody_saw(facts: Facts) -> None:
    state, evidence = judge(facts, NOW, LIMITS)
    assert state is S.DEAD or not facts.dead
    assert evidence.age_s is None or evidence.age_s >= 0
    kinds = {row.kind for row in known(facts, NOW)} | {E.NOTHING, E.PROCESS, E.BEAT}
    assert evidence.kind in kinds
    assert all(row.age_s is None or row.age_s >= 0 for row in known(facts, NOW))
