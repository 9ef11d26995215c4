from __future__ import annotations

from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from teamops.cli import approve
from teamops.model.clock import Stamp
from teamops.model.errors import UsageError
from teamops.model.handoff import Stage, Task
from teamops.model.protocol import TaskReport
from teamops.model.role import CODER, HUMAN, Role
from teamops.model.snapshot import Snapshot, SupervisorView


def task(name: str | None, turn: Role = HUMAN) -> Task:
    return Task(
        task=name,
        turn=turn,
        tier=3,
        stage=Stage.SIGN_OFF,
        since_line=1,
        since_index=0,
        since_digest="d",
        rounds=0,
        open=True,
        blocks=(0,),
    )


def snapshot(*tasks: Task) -> Snapshot:
    return Snapshot(
        revision=1,
        stamp=Stamp(0, 0),
        project="shop",
        root="/shop",
        handoff_path="/shop/current.md",
        supervisor=SupervisorView(pid=None, acting=False, since_wall=None),
        tasks=tasks,
    )


def report(name: str | None, refusal: str = "") -> TaskReport:
    return TaskReport(
        task=task(name),
        chain="c",
        stages=(),
        entries=(),
        findings=(),
        runs=(),
        tree="",
        approvals=(),
        diff=None,
        diff_trouble="",
        refusal=refusal,
    )


def test_the_only_one_that_waits_is_meant() -> None:
    assert approve._chosen(snapshot(task("a", CODER), task("b")), None) == "b"
    assert approve._chosen(snapshot(task("a", CODER), task("B")), " b ") == "B"
    assert approve._chosen(snapshot(task(None)), None) is None


@pytest.mark.parametrize(
    ("tasks", "wanted", "message"),
    [
        ([task("a", CODER)], None, "no task waits"),
        ([replace(task("a"), open=False)], None, "no task waits"),
        ([task("a"), task("b")], None, "2 tasks wait for you .say which: a, b"),
        ([task("login")], "logn", "did you mean login"),
    ],
)
def test_what_is_not_clear_is_asked(tasks: list[Task], wanted: str | None, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        approve._chosen(snapshot(*tasks), wanted)


@pytest.mark.parametrize(
    ("name", "back", "refusal", "typed", "decided"),
    [
        ("login", None, "", ["login"], (True, "note")),
        ("login", None, "", [""], None),
        ("login", None, "", ["LOGIN", "y", "login"], (True, "note")),
        ("login", None, "", ["b", "why not"], (False, "why not")),
        ("login", None, "", ["B", ""], None),
        ("login", "late", "", ["b", "login"], (False, "late")),
        ("login", "late", "", [""], None),
        ("login", None, "it asks", ["login", "b", "answer"], (False, "answer")),
        ("b", None, "", ["b"], (True, "note")),
        ("b", None, "", ["back", "no"], (False, "no")),
        (None, None, "", ["sign off"], (True, "note")),
    ],
)
def test_only_the_typed_name_signs(
    monkeypatch: pytest.MonkeyPatch,
    name: str | None,
    back: str | None,
    refusal: str,
    typed: list[str],
    decided: tuple[bool, str] | None,
) -> None:
    answers: Iterator[str] = iter(typed)
    monkeypatch.setattr(approve, "ask", lambda _: next(answers))
    assert approve._decide(report(name, refusal), back, "note") == decided
    assert list(answers) == []
