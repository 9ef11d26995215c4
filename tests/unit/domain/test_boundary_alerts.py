"""One alert for a role, however many files."""

from __future__ import annotations

from dataclasses import replace

from teamops.domain.alert_rules import pages, severity_of
from teamops.domain.boundary_alerts import TOGETHER_S, violation_findings
from teamops.model.boundary import ChangeKind, Violation, ViolationState
from teamops.model.handoff import Severity
from teamops.model.role import CODER, REVIEWER

ONE = Violation(
    id=1,
    wall=1000.0,
    path="src/a.py",
    change=ChangeKind.CHANGED,
    roles=(REVIEWER,),
    rule="write.allow",
    why="it is not among what REVIEWER may change",
    evidence=("REVIEWER holds the light",),
)


def test_nothing_is_said_of_what_is_settled() -> None:
    for state in ViolationState:
        assert bool(violation_findings([replace(ONE, state=state)])) is (state is ViolationState.OPEN)
    assert violation_findings([]) == []


def test_the_words() -> None:
    (found,) = violation_findings([ONE])
    assert (found.code, severity_of(found), found.subject) == ("boundary-crossed", Severity.WARNING, "REVIEWER#1")
    assert (found.agent, pages(found)) == (REVIEWER, True)
    assert found.message == (
        "maybe REVIEWER: src/a.py was changed, and it is not among what REVIEWER may change "
        "(rule write.allow; REVIEWER holds the light)"
    )
    (shown,) = violation_findings([replace(ONE, direct=True)])
    assert shown.message == found.message.removeprefix("maybe ")
    assert "teamops guard diff 1" in found.do
    (nobody,) = violation_findings([replace(ONE, roles=(), evidence=())])
    assert (nobody.agent, nobody.message[:9]) == (None, "somebody:")
    assert "(rule write.allow)" in nobody.message


def test_files_of_one_role_are_one_alert_and_what_comes_much_later_is_another() -> None:
    near = replace(ONE, id=2, wall=1000.0 + TOGETHER_S, path="src/b.py")
    far = replace(ONE, id=3, wall=1001.0 + TOGETHER_S, path="src/c.py")
    other = replace(ONE, id=4, roles=(CODER, REVIEWER))
    found = {one.subject: one for one in violation_findings([far, near, other, ONE])}
    assert set(found) == {"REVIEWER#1", "REVIEWER#3", "CODER,REVIEWER#4"}
    assert "(and 1 more)" in found["REVIEWER#1"].message
    assert found["CODER,REVIEWER#4"].message.startswith("maybe CODER or REVIEWER: ")
    # The alert keeps its name when its first file is settled: it is the same alert, and nobody is told again.
    settled = replace(ONE, state=ViolationState.ACCEPTED)
    found = {one.subject: one for one in violation_findings([settled, near])}
    assert list(found) == ["REVIEWER#1"]
    assert "src/b.py" in found["REVIEWER#1"].message


def test_a_mere_hint_calls_nobody_and_a_grave_one_leads() -> None:
    hint = replace(ONE, rule="write.named_files_only")
    (found,) = violation_findings([hint])
    assert (severity_of(found), pages(found)) == (Severity.INFO, False)
    (found,) = violation_findings([hint, replace(ONE, id=2, path="src/grave.py")])
    assert (severity_of(found), pages(found)) == (Severity.WARNING, True)
    assert "src/grave.py" in found.message


def test_why_it_was_not_undone_is_said_and_no_other_note() -> None:
    (found,) = violation_findings([replace(ONE, note="not undone: it is not sure enough whose change it is")])
    assert found.message.endswith("; not undone: it is not sure enough whose change it is")
    (found,) = violation_findings([replace(ONE, note="seen as the light was handed on")])
    assert "handed on" not in found.message
