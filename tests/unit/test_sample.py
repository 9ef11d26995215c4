"""The sample is a legal week: whoever learns the protocol from it learns it right."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import pytest

from teamops.domain.limits import Limits
from teamops.domain.protocol import read
from teamops.handoff import parse
from teamops.model.handoff import GATES, Block, Handoff, Stage, Standing
from teamops.model.role import (
    AGENT_ROLES,
    DEVELOPER,
    DIRECTOR,
    HUMAN,
    IMPLEMENTERS,
    NONE,
    OPTIMIZER,
    PARTNER,
    REVIEWER,
    Role,
)

SAMPLE = Path(__file__).parents[2] / "sample_current.md"
RAW = SAMPLE.read_bytes()
TEXT = RAW.decode()
GATE = re.compile(r"(runs|correct|complete)=pass \(([^()]{5,})\)")
CHECKED = re.compile(r"^- \[x\] (runs|correct|complete): (\S.{5,})$", re.MULTILINE)
POINT = re.compile(r"^(\d+)\. \S.{10,}", re.MULTILINE)

BESIDE = (PARTNER, OPTIMIZER)
TO_DIRECTOR, TO_REVIEWER = frozenset({DIRECTOR}), frozenset({REVIEWER})
NEXT: dict[int, dict[Role, frozenset[Role]]] = {
    1: {DIRECTOR: frozenset({NONE})},
    2: {DIRECTOR: frozenset({*IMPLEMENTERS, *BESIDE, NONE}), **dict.fromkeys((*IMPLEMENTERS, *BESIDE), TO_DIRECTOR)},
    3: {
        DIRECTOR: frozenset({REVIEWER, HUMAN, *BESIDE}),
        REVIEWER: frozenset({*IMPLEMENTERS, DIRECTOR}),
        **dict.fromkeys(IMPLEMENTERS, TO_REVIEWER),
        **dict.fromkeys(BESIDE, TO_DIRECTOR),
        HUMAN: frozenset({NONE, DIRECTOR}),
    },
}
"""Who may get the light from whom, beside keeping it."""


@pytest.fixture(scope="module")
def week() -> Handoff:
    return parse(RAW)


def text_of(block: Block) -> str:
    return RAW[block.start : block.end].decode()


def section(block: Block, title: str) -> str:
    found = re.search(rf"^#### {title}\n(.*?)(?=^#### |\Z)", text_of(block), re.MULTILINE | re.DOTALL)
    return found[1].strip() if found else ""


def by_task(week: Handoff) -> dict[str, list[Block]]:
    found: dict[str, list[Block]] = defaultdict(list)
    for block in week.blocks:
        assert block.task
        found[block.task].append(block)
    return found


def test_it_is_read_without_a_single_problem(week: Handoff) -> None:
    assert week.problems == ()
    assert len(week.blocks) >= 30
    assert all(block.complete for block in week.blocks)


def test_it_has_a_task_of_each_tier_and_says_task_and_tier_in_every_block(week: Handoff) -> None:
    assert all({"Task", "Tier", "Status", "Turn"} <= block.fields.keys() for block in week.blocks)
    assert {name: {block.tier for block in blocks} for name, blocks in by_task(week).items()} == {
        "webhook-intake": {3},
        "runbook-typo": {1},
        "retry-ladder": {2},
        "event-order": {2},
    }


def test_it_is_one_working_week_in_order(week: Handoff) -> None:
    times = [block.at for block in week.blocks if block.at]
    assert len(times) == len(week.blocks)
    assert times == sorted(set(times))
    assert {time.weekday() for time in times} == {0, 1, 2, 3, 4}
    assert (times[-1] - times[0]).days == 4
    assert all(8 <= time.hour < 19 for time in times)


def test_everybody_has_a_part_in_it(week: Handoff) -> None:
    assert {block.role for block in week.blocks} == {*AGENT_ROLES, HUMAN}


def test_only_the_holder_of_the_light_writes_and_hands_it_on_by_the_tier(week: Handoff) -> None:
    for blocks in by_task(week).values():
        holder: Role | None = DIRECTOR
        for block in blocks:
            assert block.role == holder, f"line {block.line}"
            assert block.tier
            assert block.turn in {block.role} | NEXT[block.tier][block.role], f"line {block.line}"
            holder = block.turn


def test_no_station_of_tier_3_is_skipped(week: Handoff) -> None:
    blocks = by_task(week)["webhook-intake"]
    approvals = [block.index for block in blocks if block.verdict == "approved"]
    built = [block.index for block in blocks if block.role in IMPLEMENTERS]
    confirmed = [block.index for block in blocks if block.role == DIRECTOR and block.turn == HUMAN]
    assert approvals[0] < built[0] < approvals[-1] < confirmed[0]
    assert built[-1] < approvals[-1]
    assert blocks[-1].role == HUMAN
    assert blocks[-1].turn == NONE


def test_reviews_send_work_back_before_and_after_it_is_built(week: Handoff) -> None:
    sent = [block for block in week.blocks if block.verdict == "changes-requested"]
    assert [block.role for block in sent] == [REVIEWER, REVIEWER]
    assert [block.turn for block in sent] == [DIRECTOR, DEVELOPER]
    assert all(block.role == REVIEWER for block in week.blocks if block.verdict)


def test_every_review_challenges_and_every_point_is_answered(week: Handoff) -> None:
    seen: set[str] = set()
    for blocks in by_task(week).values():
        opened: list[str] = []
        for block in blocks:
            if block.role == REVIEWER:
                points = POINT.findall(section(block, "Challenges"))
                assert points or re.match(r"None: .{80,}", section(block, "Challenges"), re.DOTALL), block.line
                opened += points
                seen |= set(points)
            elif block.role == DIRECTOR:
                answers = POINT.findall(section(block, "Responses"))
                assert answers == opened, f"line {block.line}"
                opened = []
        assert opened == []
    assert seen == {"1", "2", "3", "4", "5", "6"}  # numbered on through the rounds of the task


def test_nobody_steps_into_the_line_of_a_task_that_is_being_built(week: Handoff) -> None:
    asked = [block for block in week.blocks if block.turn == PARTNER]
    assert [block.task for block in asked] == ["webhook-intake", "event-order"]
    first = by_task(week)["webhook-intake"]
    assert asked[0].index < min(block.index for block in first if block.turn == REVIEWER)
    assert [block.role for block in by_task(week)["event-order"]] == [DIRECTOR, PARTNER, DIRECTOR]


def test_whatever_is_done_has_its_three_gates_with_evidence(week: Handoff) -> None:
    done = [block for block in week.blocks if block.status == "done"]
    assert len(done) >= 6
    for block in week.blocks:
        gates = dict([*GATE.findall(block.gates or ""), *CHECKED.findall(section(block, "Gates"))])
        assert set(gates) == ({"runs", "correct", "complete"} if block in done else set()), f"line {block.line}"


def test_the_gates_are_spelt_in_both_ways(week: Handoff) -> None:
    claims = [(bool(block.gates), bool(section(block, "Gates"))) for block in week.blocks if block.status == "done"]
    assert set(claims) == {(True, False), (False, True)}


def test_each_hand_over_speaks_to_whom_it_gives_the_light(week: Handoff) -> None:
    for block in week.blocks:
        if block.turn not in {block.role, NONE}:
            assert section(block, f"For {str(block.turn).capitalize()}"), f"line {block.line}"


def test_headings_in_fences_quotes_and_comments_are_only_text(week: Handoff) -> None:
    lines = TEXT.splitlines()
    real = {block.line for block in week.blocks}
    fakes = {number for number, line in enumerate(lines, 1) if re.match(r"(> )?### \[", line)} - real
    fence = ""
    inside = set()
    for number, line in enumerate(lines, 1):
        mark = re.match(r"(```|~~~)", line)
        if mark and not fence:
            fence = mark[1]
        elif mark and line.strip() == fence:
            fence = ""
        elif fence:
            inside.add(number)
    assert len(fakes & inside) == 2
    assert sum(lines[number - 1].startswith(">") for number in fakes) == 1
    assert len(fakes) == 4  # and one in a comment


def test_it_breaks_no_rule_of_the_protocol(week: Handoff) -> None:
    reading = read(week.blocks, Limits())
    assert reading.findings == ()
    assert {task.task: (task.tier, task.standing) for task in reading.tasks} == {
        "webhook-intake": (3, Standing.DONE),
        "runbook-typo": (1, Standing.DONE),
        "event-order": (2, Standing.DONE),
        "retry-ladder": (2, Standing.OPEN),
    }
    assert all([gate.name for gate in task.gates] == list(GATES) for task in reading.tasks if not task.open)


def test_its_parts_are_read_as_a_person_reads_them(week: Handoff) -> None:
    for block in week.blocks:
        written = [(int(number), block.line) for number in POINT.findall(section(block, "Challenges"))]
        found = block.challenges
        assert [(point.number, block.line) for point in (found.points if found else ())] == written
        assert bool(found and found.none) == section(block, "Challenges").startswith("None:")
        answers = [int(number) for number in POINT.findall(section(block, "Responses"))]
        assert [point.number for point in block.responses] == answers
        assert {gate.name for gate in block.checks} == (set(GATES) if block.status == "done" else set())


def test_one_step_less_and_it_breaks_a_rule(week: Handoff) -> None:
    """The sample needs each of its stations: what lets pass or hands on what was built can't be left out."""
    needed = [
        block
        for block in week.blocks
        if block.turn != block.role and (block.verdict == "approved" or block.role in IMPLEMENTERS)
    ]
    assert len(needed) >= 7
    for missing in needed:
        cut = parse(RAW[: missing.start] + RAW[missing.end :])
        assert read(cut.blocks, Limits()).findings, f"without line {missing.line}"


def test_the_light_is_open_at_its_end(week: Handoff) -> None:
    found = {task.task: task for task in read(week.blocks, Limits()).tasks}
    assert {name: task.stage for name, task in found.items()} == {
        "webhook-intake": Stage.CLOSED,
        "runbook-typo": Stage.CLOSED,
        "event-order": Stage.CLOSED,
        "retry-ladder": Stage.IMPLEMENT,
    }
    assert found["webhook-intake"].rounds == 2
    assert found["retry-ladder"].open
    assert found["retry-ladder"].turn in AGENT_ROLES
    assert week.blocks[-1].task == "retry-ladder"
