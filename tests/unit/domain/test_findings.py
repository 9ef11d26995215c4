from __future__ import annotations

import pytest

from teamops.domain import findings
from teamops.domain.alert_rules import pages, severity_of
from teamops.domain.light import Light, Reading
from teamops.domain.span import clock_words
from teamops.model.agent import AgentState, Evidence, EvidenceKind
from teamops.model.handoff import Problem, Severity, Stage
from teamops.model.role import CODER, DEVELOPER
from teamops.model.snapshot import LightState

LIGHT = Light(
    task="login", role=DEVELOPER, tier=2, stage=Stage.IMPLEMENT, since=0.0, since_wall=0.0, line=3, digest="abc"
)
EVIDENCE = Evidence(EvidenceKind.BEAT, 3.0, "2 beats missed")


@pytest.mark.parametrize(
    ("state", "answered", "managed", "message", "do"),
    [
        pytest.param(LightState.WORKING, False, True, None, None, id="working"),
        pytest.param(LightState.WAITING, False, True, None, None, id="waiting is on the screen, no alert"),
        pytest.param(LightState.HUMAN, False, True, None, None, id="human"),
        pytest.param(LightState.STALE, False, True, "has not taken it for 13 min", "poke", id="stale, never taken"),
        pytest.param(LightState.STALE, True, True, "no sign of work for 13 min", "poke", id="stale, stopped"),
        pytest.param(LightState.STALE, False, False, "has not taken it", "look at", id="not ours to poke"),
    ],
)
def test_stale(state: LightState, answered: bool, managed: bool, message: str | None, do: str | None) -> None:
    roles = frozenset({DEVELOPER}) if managed else frozenset()
    found = findings.light_findings([(LIGHT, Reading(state, 800.0, answered))], managed=roles)
    if message is None or do is None:
        assert found == []
        return
    assert found[0].code == "handoff-stale"
    assert message in found[0].message
    assert "task login" in found[0].message
    assert found[0].do.startswith(do)
    assert pages(found[0])
    assert found[0].subject == "login#abc"


@pytest.mark.parametrize(
    ("seconds", "words"), [(6.0, "for less than a minute"), (60.0, "for 1 min"), (7199.0, "for 119 min")]
)
def test_stale_says_how_long_and_changes_its_words_once_a_minute_at_most(seconds: float, words: str) -> None:
    reading = Reading(LightState.STALE, seconds, answered=False)
    (found,) = findings.light_findings([(LIGHT, reading)], managed=frozenset())
    assert found.message.endswith(words)


@pytest.mark.parametrize(
    ("state", "holds", "codes", "severity", "notify"),
    [
        pytest.param(AgentState.IDLE, False, [], None, None, id="idle"),
        pytest.param(AgentState.WORKING, True, [], None, None, id="working"),
        pytest.param(AgentState.DEAD, True, ["agent-dead"], Severity.CRITICAL, True, id="dead with the light"),
        pytest.param(AgentState.DEAD, False, ["agent-dead"], Severity.WARNING, False, id="dead at rest"),
        pytest.param(AgentState.SILENT, True, ["agent-silent"], Severity.WARNING, False, id="silent"),
        pytest.param(AgentState.WAITING, False, ["agent-needs-you"], Severity.WARNING, True, id="needs you"),
    ],
)
def test_agents(
    state: AgentState, holds: bool, codes: list[str], severity: Severity | None, notify: bool | None
) -> None:
    found = findings.agent_findings(CODER, state, EVIDENCE, holds_light=holds, ended="signal 9")
    assert [row.code for row in found] == codes
    if found:
        assert (severity_of(found[0]), pages(found[0]), found[0].agent) == (severity, notify, CODER)
        assert ("while it holds the light" in found[0].message) is (holds and state is AgentState.DEAD)


def problem(line: int, severity: Severity, hint: str = "mend it") -> Problem:
    return Problem(line=line, column=1, code="x", severity=severity, message=f"wrong at {line}", hint=hint)


def test_handoff() -> None:
    assert findings.handoff_findings(None, []) == []
    lost = findings.handoff_findings(("current.md is gone", "put it back"), [])
    assert [(row.code, row.message, row.do) for row in lost] == [("handoff-lost", "current.md is gone", "put it back")]
    broken = findings.handoff_findings(None, [problem(4, Severity.ERROR), problem(9, Severity.ERROR, hint="")])
    assert broken[0].message == "line 9: wrong at 9 (and 1 more)"
    assert broken[0].do == "run: teamops handoff lint"
    assert findings.handoff_findings(None, [problem(4, Severity.ERROR)])[0].message == "line 4: wrong at 4"


def test_troubles() -> None:
    assert findings.trouble_findings({}, tmux_down="", ledger="") == []
    found = findings.trouble_findings({"panes": ("slow", "look")}, tmux_down="gone", ledger="disk full")
    assert [(row.code, severity_of(row)) for row in found] == [
        ("source-troubled", Severity.WARNING),
        ("tmux-down", Severity.CRITICAL),
        ("ledger-troubled", Severity.CRITICAL),
    ]


def test_a_tmux_that_can_t_be_asked_is_no_lesser_way_to_work() -> None:
    (found,) = findings.trouble_findings({findings.TMUX_SERVER: ("it hangs", "look")}, tmux_down="", ledger="")
    assert (found.code, severity_of(found), found.do) == ("tmux-unseen", Severity.CRITICAL, "look")


def test_a_ledger_that_cannot_be_read_is_no_proof_that_all_is_well() -> None:
    (found,) = findings.trouble_findings({}, tmux_down="", ledger="", unjudged="the file is damaged")
    assert (found.code, severity_of(found), pages(found)) == ("ledger-troubled", Severity.CRITICAL, True)
    assert "can't be judged: the file is damaged" in found.message


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0:00 min"), (59.9, "0:59 min"), (780, "13:00 min"), (3600, "1 h 00 min"), (5460, "1 h 31 min")],
)
def test_clock_words(seconds: float, words: str) -> None:
    assert clock_words(seconds) == words


def test_a_screen_s_text_alone_calls_nobody_away_from_the_screen() -> None:
    evidence = Evidence(EvidenceKind.PANE, 1.0, "a dialog is open")
    (found,) = findings.agent_findings(CODER, AgentState.WAITING, evidence, holds_light=True, ended="")
    assert (found.code, found.notify) == ("agent-needs-you", False)


@pytest.mark.parametrize(
    ("state", "auth", "codes", "page"),
    [
        (AgentState.ZOMBIE, False, ["agent-zombie"], True),
        (AgentState.ERRORED, False, ["agent-errored"], False),
        (AgentState.ERRORED, True, ["agent-errored"], True),
        (AgentState.SUSPENDED, False, ["agent-suspended"], False),
    ],
)
def test_an_agent_that_is_unwell_with_the_light(state: AgentState, codes: list[str], *, auth: bool, page: bool) -> None:
    found = findings.agent_findings(CODER, state, EVIDENCE, holds_light=True, ended="", auth=auth)
    assert [(row.code, pages(row)) for row in found] == [(code, page) for code in codes]
    assert findings.agent_findings(CODER, AgentState.SUSPENDED, EVIDENCE, holds_light=False, ended="") == []
