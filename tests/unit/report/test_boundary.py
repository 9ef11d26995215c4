"""Boundaries in status: for programs, and for people."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec.structs import replace

from teamops.model.agent import AgentView
from teamops.model.agent_report import AgentReport
from teamops.model.boundary import BoundaryView, Decision, Verdict
from teamops.model.role import CODER, DEVELOPER, PARTNER, REVIEWER, Role
from teamops.report.agent import AgentLook, agent_report_json, agent_report_text
from teamops.report.boundary import decision_words, held_words
from teamops.report.status import status_json, status_text
from teamops.report.violations import violations_json
from teamops.tui.believable import believable
from teamops.tui.believable_agent import believable_agent_report


def agent_of(role: Role) -> AgentView:
    return next(one for one in believable().agents if one.role == role)


def look(role: Role, report: AgentReport | None = None, **agent: Any) -> AgentLook:
    snapshot = believable()
    report = believable_agent_report(snapshot, role) if report is None else report
    return AgentLook(snapshot=snapshot, agent=replace(agent_of(role), **agent), report=report, screen=None)


def test_status_tells_each_boundary_and_what_got_past() -> None:
    told = json.loads(json.dumps(status_json(believable())))
    assert told["schema"] == "teamops.status/1"
    reviewer = next(agent["boundary"] for agent in told["agents"] if agent["role"] == "REVIEWER")
    last = reviewer.pop("last_blocked")
    assert reviewer == {
        "words": "may write: /current.md, /reviews/; never: /profiles/, /.teamops/, /.git/; "
        "only while it holds the light",
        "allow": ["/current.md", "/reviews/"],
        "deny": ["/profiles/", "/.teamops/", "/.git/"],
        "limits": ["only while it holds the light"],
        "unruled": False,
        "kernel": "bwrap + Landlock",
        "hook": True,
        "unenforced": None,
        "blocked_today": 4,
    }  # fmt: skip
    assert set(last) == {"at", "role", "verdict", "rule", "about", "why", "times"}
    assert (last["verdict"], last["rule"], last["about"]) == ("deny", "write.allow", "src/webhooks/retry.py")
    first = told["violations"][0]
    assert set(first) == {
        "id", "at", "path", "change", "roles", "rule", "why", "evidence", "added", "removed", "state", "note",
        "changed", "direct", "whose",
    }  # fmt: skip
    assert (first["id"], first["state"], first["roles"]) == (12, "open", ["REVIEWER", "DEVELOPER"])
    assert [one["state"] for one in told["violations"]] == ["open", "quarantined", "accepted"]
    unknown = replace(believable(), agents=(replace(agent_of(CODER), boundary=None),))
    assert status_json(unknown)["agents"][0]["boundary"] is None


def test_status_says_how_much_was_refused_and_what_stands_open() -> None:
    text = status_text(believable())
    (line,) = [line for line in text.splitlines() if line.startswith("  REVIEWER")]
    assert line.endswith("4 refused")
    assert "1 change past a boundary: teamops guard violations" in text
    loose = replace(agent_of(CODER), boundary=BoundaryView(unenforced="by hand"))
    text = status_text(replace(believable(), agents=(loose,), violations=()))
    assert "UNENFORCED" in text
    assert "past a boundary" not in text


def test_one_agent_tells_its_policy_who_holds_it_and_what_was_refused() -> None:
    one = look(REVIEWER)
    text = agent_report_text(one)
    assert "policy      may write: /current.md, /reviews/; never: /profiles/, /.teamops/," in text
    assert "held by     the kernel (bwrap + Landlock) and its client's hooks" in text
    assert "refused     4 calls today" in text
    assert "refused 3 times: src/webhooks/retry.py, by write.allow" in text
    assert [row["about"] for row in agent_report_json(one)["refused"]] == [
        "src/webhooks/retry.py", 'git commit -am "fix retry"',
    ]  # fmt: skip
    assert "none on record: teamops guard explain --role PARTNER PATH" in agent_report_text(look(PARTNER))
    assert "Boundary" not in agent_report_text(look(CODER, boundary=None))
    bare = Decision(role=CODER, wall=0.0, verdict=Verdict.DENY, rule="", about="", why="")
    assert decision_words(bare) == "refused: a call"
    assert "refused: a call" in agent_report_text(look(CODER, AgentReport(role=CODER, refused=(bare,))))
    assert decision_words(replace(bare, verdict=Verdict.WARN, about="a", rule="r")) == "warned: a, by r"


@pytest.mark.parametrize(
    ("boundary", "pid", "words"),
    [
        (BoundaryView(kernel="Landlock alone"), 7, "the kernel (Landlock alone)"),
        (BoundaryView(hook=True), 7, "its client's hooks"),
        (BoundaryView(kernel="bwrap + Landlock", hook=True), None, "nothing runs"),
        (BoundaryView(unruled=True), 7, "nothing is to be held"),
        (BoundaryView(unenforced="by hand"), 7, "UNENFORCED: by hand"),
        (BoundaryView(), 7, "not known yet"),
    ],
)
def test_who_holds_it_in_words(boundary: BoundaryView, pid: int | None, words: str) -> None:
    assert held_words(replace(agent_of(DEVELOPER), pid=pid), boundary) == words


def test_a_violation_has_one_form_for_programs() -> None:
    violations = believable().violations
    told = violations_json(violations)
    assert told == {"schema": "teamops.violations/1", "violations": status_json(believable())["violations"]}
    assert str(told["violations"][0]["at"]).startswith("20")
