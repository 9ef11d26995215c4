from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from teamops.model.handoff import Block, Challenges, Gate, GateResult, Point, Severity, Stage, Standing, Task
from teamops.model.protocol import (
    Approval,
    DiffFile,
    DiffStat,
    GateRun,
    ProtocolFinding,
    StageTime,
    TaskReport,
    TimelineEntry,
)
from teamops.model.role import CODER, DIRECTOR, HUMAN, REVIEWER, Role
from teamops.report.chain import answered, chain_text
from teamops.report.table import cells

NOW = 1_774_000_000.0


def block(
    index: int,
    role: Role,
    turn: Role,
    points: Sequence[int] = (),
    answers: Sequence[int] = (),
    *,
    none: str = "",
) -> Block:
    line = 1 + 10 * index
    challenges = None
    if points or none:
        challenges = Challenges(tuple(Point(n, f"point {n} of {index}", line + n) for n in points), none, line)
    return Block(
        index=index,
        role=role,
        at=None,
        line=line,
        end_line=line + 9,
        start=index * 100,
        end=index * 100 + 100,
        task="login",
        turn=turn,
        challenges=challenges,
        responses=tuple(Point(n, f"answer {n} of {index}", line + n) for n in answers),
    )


def pairs(blocks: Sequence[Block]) -> list[tuple[str, str | None]]:
    return [(row.point.text, row.answer.text if row.answer else None) for row in answered(blocks)]


def test_a_point_has_the_answer_of_its_number() -> None:
    chain = [block(0, REVIEWER, DIRECTOR, [1, 2]), block(1, DIRECTOR, REVIEWER, [], [2])]
    assert pairs(chain) == [("point 1 of 0", None), ("point 2 of 0", "answer 2 of 1")]


def test_only_the_directors_answer_counts() -> None:
    chain = [block(0, REVIEWER, CODER, [1]), block(1, CODER, REVIEWER, [], [1])]
    assert pairs(chain) == [("point 1 of 0", None)]


def test_a_number_that_is_used_again_is_another_point_once_it_was_answered() -> None:
    chain = [
        block(0, REVIEWER, DIRECTOR, [1]),
        block(1, DIRECTOR, CODER, [], [1]),
        block(2, REVIEWER, DIRECTOR, [1]),
        block(3, DIRECTOR, HUMAN, [], [1]),
    ]
    assert pairs(chain) == [("point 1 of 0", "answer 1 of 1"), ("point 1 of 2", "answer 1 of 3")]


def test_a_point_put_again_before_its_answer_counts_once() -> None:
    chain = [block(0, REVIEWER, CODER, [1]), block(1, REVIEWER, DIRECTOR, [1]), block(2, DIRECTOR, HUMAN, [], [1])]
    assert pairs(chain) == [("point 1 of 1", "answer 1 of 2")]


BLOCKS = (
    block(0, DIRECTOR, REVIEWER),
    block(1, REVIEWER, CODER, [1]),
    block(2, CODER, REVIEWER),
    block(3, REVIEWER, DIRECTOR, none="looked for races, found none"),
    block(4, DIRECTOR, HUMAN),
)
TASK = Task(
    task="login",
    turn=HUMAN,
    tier=3,
    stage=Stage.SIGN_OFF,
    since_line=41,
    since_index=4,
    since_digest="d4",
    rounds=1,
    open=True,
    blocks=(0, 1, 2, 3, 4),
    standing=Standing.DOUBTED,
    gates=(Gate("runs", GateResult.PASS, "pytest: 212 passed", 42), Gate("correct", GateResult.PASS, "", 42)),
)
REPORT = TaskReport(
    task=TASK,
    chain="c",
    stages=(StageTime(Stage.DESIGN, 600, 1, current=False), StageTime(Stage.SIGN_OFF, 60, 1, current=True)),
    entries=(
        TimelineEntry(
            index=1,
            line=11,
            role=REVIEWER,
            turn=CODER,
            stage=Stage.DESIGN_REVIEW,
            wall=NOW - 600,
            seconds=240.0,
            status="review",
            verdict="approved",
            digest="d1",
            findings=("not-holder",),
        ),
    ),
    findings=(
        ProtocolFinding(
            code="challenge-unanswered",
            severity=Severity.ERROR,
            line=41,
            message='challenge 1 "point 1 of 1" was not answered',
            hint="answer it under Responses",
            task="login",
            index=4,
            digest="d4",
            role=DIRECTOR,
        ),
    ),
    runs=(
        GateRun(
            task="login",
            gate="runs",
            command="pytest -q",
            ok=False,
            exit_status=1,
            started_wall=NOW - 120,
            seconds=12.5,
            commit="abc",
            tree="old",
            tail="",
        ),
    ),
    tree="new",
    approvals=(
        Approval(
            task="login", approver="kim", wall=NOW - 9e4, verdict="sent back", note="totals", digest="x", chain="y"
        ),
    ),
    diff=DiffStat(
        base="0123456789abcdef", files=(DiffFile(path="src/\x1b[31mlogin.py", added=40, removed=2),), commits=2
    ),
    diff_trouble="",
    refusal="",
)


def shown(
    report: TaskReport = REPORT, text: str = "### [DIRECTOR] 2026\n\n**Turn**: X\n\n#### Plan\nUse \x1b[1mtokens.\n"
) -> str:
    return chain_text("current.md", report, BLOCKS, lambda _: text, NOW)


def test_the_chain_says_all_that_a_judgement_needs() -> None:
    text = shown()
    for words in (
        "login: tier 3, sign-off: the light is HUMAN's, done?, sent back 1 time",
        "DIRECTOR, line 1",
        "  Use tokens.",
        "approved ! n",
        "Time: design 10 min, sign-off 1 min so far",
        "1. point 1 of 1 (line 12)\n   ! not answered",
        'REVIEWER had none: "looked for races, found none" (line 31)',
        "runs      claimed: pass, pytest: 212 passed",
        "run by teamops: ! failed (exit status 1), 2 min ago, in 12 s; out of\n            date: the work tree",
        "correct   claimed: pass, without evidence",
        "complete  not claimed\n          never run by teamops",
        "1 file, +40 -2, 2 commits since 0123456789ab\n",
        "src/login.py",
        "! error challenge-unanswered (current.md:41)",
        "kim: sent back: totals",
    ):
        assert words in text, f"{words!r} is missing in\n{text}"
    assert "\x1b" not in text
    assert "**Turn**" not in text


def test_a_task_that_waits_for_the_person_at_another_stage_is_named_as_its_time_is() -> None:
    asked = replace(REPORT, task=replace(REPORT.task, stage=Stage.DESIGN))
    assert "login: tier 3, sign-off (from design): the light is HUMAN's" in shown(asked)
    assert "Time: design 10 min, sign-off 1 min so far" in shown(asked)


def test_the_chain_fits_eighty_columns() -> None:
    wide = replace(REPORT, diff_trouble="not a git repository " * 9, diff=None)
    text = shown(wide, "### [DIRECTOR]\n" + "a very long line of a design " * 20)
    assert max(cells(line) for line in text.splitlines()) <= 80
    assert "not a git repository" in text


def test_a_long_design_is_cut_and_says_so() -> None:
    text = shown(text="### [DIRECTOR]\n" + "line\n" * 60)
    assert "… 36 lines more in the file" in text
