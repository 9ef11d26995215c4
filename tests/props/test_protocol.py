"""The rules over random ways: the legal raise nothing, each step that breaks a rule is found, growing equals whole."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from teamops.domain.limits import Limits
from teamops.domain.protocol import Protocol, Reading, read
from teamops.model.handoff import Block
from tests.props.legal import Broken, Step, breaks, ways
from tests.unit.domain.notation import blocks, short

QUIET = Limits(approvals_in_a_row=0)
"""Random reviewers challenge as seldom as they like."""


def written(steps: list[Step], task: str = "t") -> str:
    return "; ".join(step.text(task) for step in steps)


@given(ways())
@settings(max_examples=400)
def test_a_legal_way_raises_no_finding_at_any_of_its_steps(steps: list[Step]) -> None:
    assert short(read(blocks(written(steps)), QUIET)) == ""


@given(st.lists(ways(), min_size=2, max_size=4), st.data())
def test_legal_ways_in_one_file_do_not_disturb_each_other(tasks: list[list[Step]], data: Any) -> None:
    left = {f"task-{number}": list(steps) for number, steps in enumerate(tasks)}
    lines: list[str] = []
    while left:
        task = data.draw(st.sampled_from(sorted(left)))
        lines.append(left[task].pop(0).text(task))
        if not left[task]:
            del left[task]
    assert short(read(blocks("; ".join(lines)), QUIET)) == ""


@given(ways(), st.data())
@settings(max_examples=400)
def test_each_single_step_that_breaks_a_rule_is_found(steps: list[Step], data: Any) -> None:
    broken: Broken = data.draw(st.sampled_from(list(breaks(steps))))
    reading = read(blocks(written(broken.steps)), QUIET)
    codes = {finding.code for finding in reading.findings if finding.index == broken.at}
    assert codes & broken.codes, short(reading)
    assert all(finding.index >= broken.at for finding in reading.findings), short(reading)
    if broken.alone:
        assert len(reading.findings) == 1, short(reading)


@given(ways(), st.data())
def test_what_was_left_out_may_be_brought_later_and_is_a_note_then(steps: list[Step], data: Any) -> None:
    lacking = [
        (at, step, word)
        for at, step in enumerate(steps)
        for word in ("gates", "none")
        if step.role != "HUM" and step.turn not in {"", "."} and step.has(word)
    ]
    if not lacking:
        return
    at, step, word = data.draw(st.sampled_from(lacking))
    rest = steps[at + 1 :]
    # What a closed task lacked is brought before it is opened anew: after that, others hold its light.
    end = -1 if step.turn == "NONE" else next((n for n, later in enumerate(rest) if later.turn == "NONE"), len(rest))
    wait = data.draw(st.integers(0, min(end + 1, len(rest))))
    so_far = [*steps[:at], step.without(word), *rest[:wait]]
    before = read(blocks(written(so_far)), QUIET)
    (task,) = before.tasks
    if all(finding.severity == "info" for finding in before.findings):
        return  # it was brought on the way
    brought = next(said for said in step.words if said.startswith(word))
    findings = read(
        blocks(written([*so_far, Step(step.role, str(task.turn)[: 4 if task.turn == "NONE" else 3], (brought,))])),
        QUIET,
    ).findings
    assert all(finding.severity == "info" for finding in findings), [finding.message for finding in findings]


WORDS = st.lists(
    st.sampled_from(
        [
            *("t1", "t2", "t3", "@a", "@A", "@b", "in:x", "in:y", "..."),
            *(
                "done",
                "blocked",
                "withdrawn",
                "s:signed_off",
                "ok",
                "back",
                "v:hm",
                "lost",
                "gates",
                "gates:runs=fail,correct!",
            ),
            *("ask:1", "ask:2,3", "none", "none!", "say:1", "say:2,3"),
        ]
    ),
    max_size=5,
    unique_by=lambda word: word[:2],
).map(" ".join)
ROLES = st.sampled_from(["DIR", "DEV", "COD", "REV", "OPT", "PAR", "HUM", "QA"])
ANYTHING = st.lists(
    st.tuples(ROLES, st.one_of(ROLES, st.sampled_from(["NONE", ".", ""])), WORDS).map(
        lambda drawn: f"{drawn[0]}>{drawn[1]} {drawn[2]}"
    ),
    max_size=14,
).map("; ".join)


@given(ANYTHING, st.integers(0, 3))
def test_any_blocks_are_judged(text: str, limit: int) -> None:
    given_blocks = blocks(text)
    reading = read(given_blocks, Limits(approvals_in_a_row=limit))
    assert [finding.index for finding in reading.findings] == sorted(finding.index for finding in reading.findings)
    seen = {(finding.code, finding.digest, finding.line) for finding in reading.findings}
    assert len(seen) == len(reading.findings)
    for finding in reading.findings:
        block = given_blocks[finding.index]
        assert (finding.role, finding.task, finding.digest) == (block.role, block.task, block.digest)
        assert block.complete
        assert finding.line <= block.end_line
        assert finding.message
        assert finding.hint
    assert sorted(index for task in reading.tasks for index in task.blocks) == list(range(len(given_blocks)))
    for task in reading.tasks:
        assert task.passages == () or (task.passages[-1].stage, task.passages[-1].holder) == (task.stage, task.turn)


@given(ANYTHING, ANYTHING, st.lists(st.integers(0, 5), max_size=14))
def test_growing_equals_whole(text: str, other: str, steps: list[int]) -> None:
    limits = Limits(approvals_in_a_row=2)
    protocol = Protocol(limits)
    whole, count = blocks(text), 0
    for step in steps:
        count = min(len(whole), count + step)
        # The last block is a new object each time, as it is when the file was read again.
        shown: list[Block] = [*whole[: count - 1], *blocks(text)[count - 1 : count]] if count else []
        assert protocol.after(shown) == read(shown, limits)
    assert protocol.after(blocks(other)) == read(blocks(other), limits)


def test_nothing_is_nothing() -> None:
    assert read([], QUIET) == Reading()
