"""Tasks, lights and pipelines, as tables of hand-overs."""

from __future__ import annotations

import time
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from teamops.domain.limits import Limits
from teamops.domain.pipeline import pipeline
from teamops.domain.protocol import Protocol, read
from teamops.domain.verdicts import Verdict, verdict_of
from teamops.model.handoff import Block, Stage, Task
from teamops.model.role import AGENT_ROLES, HUMAN, NONE, Role


def tasks(blocks: Sequence[Block]) -> tuple[Task, ...]:
    return read(blocks, Limits()).tasks


Step = tuple[str, str | None] | tuple[str, str | None, str]
"""Writer, turn, verdict."""


def block(
    index: int,
    role: str,
    turn: str | None,
    verdict: str | None = None,
    *,
    tier: int | None = None,
    task: str | None = "t",
) -> Block:
    return Block(
        index=index,
        role=Role(role),
        at=None,
        line=10 * index + 1,
        end_line=10 * index + 10,
        start=100 * index,
        end=100 * index + 100,
        task=task,
        turn=None if turn is None else Role(turn),
        tier=tier,
        verdict=verdict,
        digest=f"digest {index}",
    )


def blocks_of(steps: Sequence[Step], tier: int | None) -> list[Block]:
    return [
        block(index, step[0], step[1], step[2] if len(step) > 2 else None, tier=None if index else tier)
        for index, step in enumerate(steps)
    ]


def stages(steps: Sequence[Step], tier: int | None) -> list[str]:
    blocks = blocks_of(steps, tier)
    return [str(tasks(blocks[: count + 1])[0].stage) for count in range(len(blocks))]


@pytest.mark.parametrize(
    ("tier", "steps", "expected"),
    [
        (1, [("DIRECTOR", "DIRECTOR"), ("DIRECTOR", "NONE")], ["design", "closed"]),
        (
            2,
            [("DIRECTOR", "DEVELOPER"), ("DEVELOPER", "DIRECTOR"), ("DIRECTOR", "NONE")],
            ["implement", "verify", "closed"],
        ),
        (
            2,
            [("DIRECTOR", "CODER"), ("CODER", "DIRECTOR"), ("DIRECTOR", "CODER"), ("CODER", "DIRECTOR")],
            ["implement", "verify", "implement", "verify"],
        ),
        (
            3,
            [
                ("DIRECTOR", "REVIEWER"),
                ("REVIEWER", "DIRECTOR", "approved"),
                ("DIRECTOR", "DEVELOPER"),
                ("DEVELOPER", "REVIEWER"),
                ("REVIEWER", "DIRECTOR", "approved"),
                ("DIRECTOR", "HUMAN"),
                ("HUMAN", "NONE"),
            ],
            ["design-review", "design", "implement", "code-review", "confirm", "sign-off", "closed"],
        ),
        (
            3,
            [
                ("DIRECTOR", "REVIEWER"),
                ("REVIEWER", "DIRECTOR", "changes-requested"),
                ("DIRECTOR", "REVIEWER"),
                ("REVIEWER", "CODER", "approved"),
                ("CODER", "REVIEWER"),
                ("REVIEWER", "CODER", "changes requested"),
                ("CODER", "REVIEWER"),
                ("REVIEWER", "DIRECTOR", "request changes"),
                ("DIRECTOR", "CODER"),
            ],
            [
                "design-review",
                "design",
                "design-review",
                "implement",
                "code-review",
                "implement",
                "code-review",
                "design",
                "implement",
            ],
        ),
        (
            2,
            [("DIRECTOR", "PARTNER"), ("PARTNER", "DIRECTOR"), ("DIRECTOR", "OPTIMIZER"), ("OPTIMIZER", "CODER")],
            ["consult", "design", "consult", "implement"],
        ),
        (2, [("DIRECTOR", "QA")], ["consult"]),
        (2, [("DIRECTOR", "CODER"), ("CODER", "HUMAN"), ("HUMAN", "CODER")], ["implement", "implement", "implement"]),
        (3, [("DIRECTOR", "HUMAN")], ["design"]),
        (
            3,
            [("DIRECTOR", "CODER"), ("CODER", "HUMAN"), ("HUMAN", "HUMAN")],
            ["implement", "code-review", "code-review"],
        ),
        (2, [("DIRECTOR", "CODER"), ("HUMAN", "NONE"), ("HUMAN", "HUMAN")], ["implement", "closed", "design"]),
        (2, [("CODER", "DIRECTOR"), ("HUMAN", "NONE"), ("HUMAN", "DIRECTOR")], ["verify", "closed", "design"]),
        (2, [("DIRECTOR", "CODER"), ("CODER", "NONE"), ("CODER", "DIRECTOR")], ["implement", "closed", "verify"]),
        (2, [("DIRECTOR", "CODER"), ("CODER", "NONE"), ("HUMAN", "HUMAN")], ["implement", "closed", "verify"]),
        (None, [("DIRECTOR", "CODER"), ("CODER", "DIRECTOR")], ["implement", "verify"]),
        (1, [("CODER", "DIRECTOR")], ["design"]),
        (2, [("DIRECTOR", None)], ["design"]),
        (2, [("DIRECTOR", "CODER"), ("CODER", None)], ["implement", "implement"]),
    ],
    ids=[
        "tier 1",
        "tier 2",
        "tier 2, verified again",
        "tier 3",
        "tier 3, sent back",
        "consulting",
        "a role of the team's own",
        "the person asked in tier 2",
        "the person asked in tier 3",
        "the person in the place of a reviewer",
        "reopened by the person for itself",
        "reopened for the DIRECTOR",
        "closed against the rules, and mended",
        "closed against the rules, and taken up by the person",
        "no tier known",
        "tier 1 knows no verification",
        "no turn yet",
        "no turn later",
    ],
)
def test_the_stage_after_each_block(tier: int | None, steps: Sequence[Step], expected: list[str]) -> None:
    assert stages(steps, tier) == expected


@pytest.mark.parametrize(
    ("verdict", "back"),
    [
        ("changes-requested", True),
        ("changes requested", True),
        ("change_requested: two points", True),
        ("requested changes", True),
        ("request changes", True),
        ("changes are needed", True),
        ("rejected", True),
        ("needs changes", True),
        ("needs work", True),
        ("not approved", True),
        ("reject", True),
        ("changes-requested: no test for the empty case", True),
        ("changes requested, not approved", True),
        ("no, changes are needed", True),
        ("approved (the changes requested in round 1 are there)", False),
        ("approved without changes needed", False),
        ("no further changes requested", False),
        ("0 changes requested", False),
        ("approved", False),
        ("approved, no changes requested", False),
        ("not rejected", False),
        ("unchanged", False),
        ("", False),
    ],
)
def test_which_verdicts_send_the_work_back(verdict: str, *, back: bool) -> None:
    assert (verdict_of(verdict) is Verdict.BACK) is back


def test_rounds_count_reviews_and_not_implementers() -> None:
    (task,) = tasks(
        blocks_of(
            [
                ("REVIEWER", "CODER", "changes-requested"),
                ("CODER", "REVIEWER", "changes-requested"),
                ("REVIEWER", "CODER", "changes-requested"),
                ("HUMAN", "DIRECTOR", "changes requested"),
                ("REVIEWER", "DIRECTOR", "approved"),
            ],
            3,
        )
    )
    assert task.rounds == 3


def test_the_light_is_dated_by_the_block_that_gave_it() -> None:
    given_blocks = blocks_of([("DIRECTOR", "CODER"), ("CODER", "CODER"), ("CODER", None), ("DIRECTOR", "CODER")], 2)
    (task,) = tasks(given_blocks)
    assert (task.since_index, task.since_line, task.since_digest) == (0, 1, "digest 0")
    assert task.blocks == (0, 1, 2, 3)
    (task,) = tasks([*given_blocks, block(4, "CODER", "DIRECTOR")])
    assert (task.since_index, task.since_line, task.since_digest, task.turn) == (4, 41, "digest 4", "DIRECTOR")


def test_an_unfinished_block_moves_nothing() -> None:
    first, second = block(0, "DIRECTOR", "CODER", tier=2), block(1, "CODER", "REVIEWER", "changes-requested", tier=3)
    (task,) = tasks([first, replace(second, complete=False)])
    assert (task.turn, task.tier, task.rounds, task.since_index, task.blocks) == ("CODER", 2, 0, 0, (0, 1))
    (alone,) = tasks([replace(first, complete=False)])
    assert (alone.turn, alone.open, alone.since_index) == (None, True, 0)


def test_a_later_tier_counts() -> None:
    (task,) = tasks(
        [block(0, "DIRECTOR", "CODER", tier=2), block(1, "CODER", "HUMAN", tier=3), block(2, "HUMAN", None)]
    )
    assert (task.tier, task.stage) == (3, Stage.CODE_REVIEW)


def test_tasks_have_lights_of_their_own_and_keep_the_file_s_order() -> None:
    found = tasks(
        [
            block(0, "DIRECTOR", "CODER", task=None),
            block(1, "DIRECTOR", "REVIEWER", task="B"),
            block(2, "DIRECTOR", "NONE", task="a"),
            block(3, "REVIEWER", "CODER", task="b"),
        ]
    )
    assert [(task.task, task.turn, task.open) for task in found] == [
        (None, "CODER", True),
        ("B", "CODER", True),
        ("a", "NONE", False),
    ]


@pytest.mark.parametrize(("tier", "length"), [(1, 1), (2, 3), (3, 6), (None, 3), (7, 3)])
def test_the_pipeline_of_a_tier(tier: int | None, length: int) -> None:
    assert len(pipeline(tier)) == length
    assert pipeline(tier)[0] is Stage.DESIGN


BLOCKS = st.lists(
    st.builds(
        block,
        st.just(0),
        st.sampled_from([*AGENT_ROLES, HUMAN]),
        st.sampled_from([*AGENT_ROLES, HUMAN, NONE, None]),
        st.sampled_from([None, "approved", "changes-requested"]),
        tier=st.sampled_from([None, 1, 2, 3]),
        task=st.sampled_from([None, "a", "A", "b"]),
    ),
    max_size=12,
).map(lambda blocks: [replace(one, index=number, line=number + 1) for number, one in enumerate(blocks)])


@given(BLOCKS, BLOCKS, st.lists(st.integers(0, 5), max_size=12))
def test_growing_equals_whole(blocks: list[Block], others: list[Block], steps: list[int]) -> None:
    protocol = Protocol(Limits())
    count = 0
    for step in steps:
        count = min(len(blocks), count + step)
        # The last block is a new object each time, as it is when the file was read again.
        shown = [*blocks[: count - 1], replace(blocks[count - 1])] if count else []
        assert protocol.after(shown) == read(shown, Limits())
    assert protocol.after(others) == read(others, Limits())


def test_a_new_block_after_ten_thousand_costs_little() -> None:
    blocks = [
        block(index, "DIRECTOR", "CODER" if index % 2 else "HUMAN", task=f"t{index // 500}") for index in range(10_001)
    ]
    protocol = Protocol(Limits())
    protocol.after(blocks[:-1])
    fastest = 1.0
    found: tuple[Task, ...] = ()
    for count in range(3):
        grown = [*blocks, *(block(10_001 + more, "CODER", "HUMAN", task="t1") for more in range(count))]
        begun = time.process_time()
        found = protocol.after(grown).tasks
        fastest = min(fastest, time.process_time() - begun)
    assert len(found) == 21
    assert fastest < 0.005
