from __future__ import annotations

from pathlib import Path

import pytest

from teamops.domain import login, restart
from teamops.domain.alert_rules import pages, severity_of
from teamops.domain.restart import Hold, Keeping
from teamops.domain.restart_alerts import keeping_findings
from teamops.model.agent import AgentState
from teamops.model.handoff import Severity
from teamops.model.role import CODER

SPENT = Keeping(attempts=2, given_up=5.0, why="unwell again after 2 restarts")
AUTH = restart.held(Keeping(), Hold.AUTH, "Invalid API key", 5.0)


@pytest.mark.parametrize(
    ("keeping", "shown", "health", "alone", "code"),
    [
        (SPENT, AgentState.GIVEN_UP, AgentState.DEAD, False, "agent-given-up"),
        (SPENT, AgentState.WORKING, AgentState.WORKING, False, None),
        (AUTH, AgentState.HELD, AgentState.ERRORED, False, "agent-held"),
        (AUTH, AgentState.WORKING, AgentState.WORKING, False, None),
        (
            restart.held(Keeping(), Hold.BUDGET, "$ 20 spent", 5.0),
            AgentState.HELD,
            AgentState.IDLE,
            False,
            "agent-held",
        ),
        (restart.held(Keeping(), Hold.HUMAN, "stopped", 5.0), AgentState.HELD, AgentState.DEAD, False, None),
        (Keeping(unwell=3), AgentState.ZOMBIE, AgentState.ZOMBIE, True, "agent-left-alone"),
        (Keeping(unwell=3), AgentState.ZOMBIE, AgentState.ZOMBIE, False, None),
    ],
)
@pytest.mark.parametrize("lit", [True, False])
def test_what_a_person_has_to_know(
    keeping: Keeping, shown: AgentState, health: AgentState, code: str | None, *, alone: bool, lit: bool
) -> None:
    found = keeping_findings(CODER, keeping, shown, health, lit=lit, left_alone=alone)
    assert [one.code for one in found] == ([code] if code else [])
    for one in found:
        assert one.message.startswith("CODER is ")
        assert ("while it holds the light" in one.message) == lit
        assert pages(one) == (lit or code != "agent-left-alone")


def test_an_agent_that_is_given_up_is_critical() -> None:
    (found,) = keeping_findings(CODER, SPENT, AgentState.GIVEN_UP, AgentState.DEAD, lit=False, left_alone=False)
    assert severity_of(found) is Severity.CRITICAL


@pytest.mark.parametrize(
    ("screen", "line"),
    [
        ("> do it\n\n  Invalid API key · Please run /login\n\n", "Invalid API key · Please run /login"),
        ("✻ 401 fake 401 · retrying in 2s · attempt 3/10", "✻ 401 fake 401 · retrying in 2s · attempt 3/10"),
        ("  ⎿ API Error: 401 {}", "⎿ API Error: 401 {}"),
        ("✻ 529 overloaded · retrying in 2s · attempt 3/10", ""),
        ("the server answers 401 to strangers\ntests: 403 passed", ""),
        ("Invalid API key\n" + "and then it worked for long\n" * 12, ""),
        ("", ""),
    ],
)
def test_words_by_which_an_account_is_refused(screen: str, line: str) -> None:
    assert login.refused(screen) == line


def test_no_screen_of_a_client_that_is_well_reads_as_refused() -> None:
    screens = Path(__file__).parents[1] / "tmux" / "screens"
    read = {file.stem: login.refused(file.read_text(encoding="utf-8")) for file in screens.glob("*.txt")}
    assert len(read) > 3
    assert {name for name, line in read.items() if line} <= {name for name in read if "401" in name}
