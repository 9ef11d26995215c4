"""The demo's stories keep the protocol, whoever reads them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from teamops.demo.answers import answer
from teamops.demo.reading import entries
from teamops.demo.script import (
    MOST_SIGN_OFFS,
    Draft,
    Entry,
    Thread,
    opening,
    story_of,
    threads,
    turn_of,
)
from teamops.demo.stories import CONSULTATIONS, PIPELINE, STORIES
from teamops.domain.limits import Limits
from teamops.domain.protocol import read
from teamops.handoff import parse
from teamops.handoff.write import render_block
from teamops.model.handoff import Standing, Task
from teamops.model.role import (
    AGENT_ROLES,
    CODER,
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


@dataclass
class Play:
    """A team in memory: it writes what the agents would write."""

    after: int = 0
    entries: list[Entry] = field(default_factory=list)
    drafts: list[tuple[Role | None, Draft]] = field(default_factory=list)
    """Who held the task's light before, and what was written."""

    def write(self, draft: Draft) -> None:
        now = {thread.task: thread.holder for thread in threads(self.entries)}
        self.drafts.append((now.get(draft.task), draft))
        self.entries.append(entry_of(draft))

    def step(self, role: Role) -> bool:
        tasks = threads(self.entries)
        thread = turn_of(role, tasks)
        if thread is not None:
            self.write(answer(role, thread))
            return True
        draft = opening(tasks, after=self.after) if role == DIRECTOR else None
        if draft is not None:
            self.write(draft)
        return draft is not None

    def of(self, task: str | None) -> list[Draft]:
        return [draft for _, draft in self.drafts if draft.task == task]


def text_of(draft: Draft) -> str:
    return render_block(
        draft.role,
        datetime(2026, 3, 23, 9),  # noqa: DTZ001 - headings carry naive times
        draft.status,
        draft.turn,
        draft.tier,
        task=draft.task,
        gates=draft.gates,
        verdict=draft.verdict,
        sections=draft.sections,
    )


def entry_of(draft: Draft) -> Entry:
    [entry] = entries(text_of(draft).encode())
    return entry


def played(order: Sequence[Role], after: int = 0) -> Play:
    play = Play(after)
    for role in order:
        play.step(role)
    return play


ROUNDS = 60


def rounds(after: int, count: int = ROUNDS) -> Play:
    return played(list(AGENT_ROLES) * count, after)


orders = st.lists(st.sampled_from(AGENT_ROLES), min_size=50, max_size=300)
seeds = st.integers(0, 65535)


@given(orders, seeds)
def test_only_the_holder_writes_and_only_the_director_opens(order: list[Role], after: int) -> None:
    for holder, draft in played(order, after).drafts:
        if draft.opens:
            assert holder is None
            assert draft.role == DIRECTOR
        else:
            assert holder == draft.role


@given(orders, seeds)
def test_the_light_takes_the_ways_of_its_tier(order: list[Role], after: int) -> None:
    play = played(order, after)
    for task in {draft.task for _, draft in play.drafts}:
        story = story_of(task)
        assert story is not None
        path = [draft.turn for draft in play.of(task)]
        assert path == list(expected(task))[: len(path)]


def expected(task: str | None) -> Sequence[Role]:
    """The holders of a task's light, in order, by the protocol and the story's own rounds."""
    story = story_of(task)
    assert story is not None
    if story.consults:
        assert story.worker is not None
        return [story.worker, DIRECTOR, NONE]
    if story.tier == 1:
        return [DIRECTOR, NONE]
    assert story.worker in IMPLEMENTERS
    if story.tier == 2:
        return [DIRECTOR, story.worker, DIRECTOR, NONE]
    design = [DIRECTOR, REVIEWER] if story.design_objections else []
    code = [story.worker, REVIEWER] if story.code_objections else []
    return [DIRECTOR, REVIEWER, *design, story.worker, REVIEWER, *code, DIRECTOR, HUMAN]


@pytest.mark.parametrize("after", range(len(PIPELINE)))
def test_every_story_is_told_to_its_end(after: int) -> None:
    play = rounds(after)
    for story in (*PIPELINE, *CONSULTATIONS):
        drafts = play.of(story.task)
        if story.tier == 3 and not drafts:
            continue  # the person never signs off here, so the later ones wait
        assert [draft.turn for draft in drafts] == list(expected(story.task)), story.task
    assert sum(holder == HUMAN for holder in (t.holder for t in threads(play.entries))) == MOST_SIGN_OFFS


def test_all_six_roles_take_turns() -> None:
    assert {draft.role for _, draft in rounds(0, 25).drafts} == set(AGENT_ROLES)


@given(seeds)
def test_the_first_task_of_the_pipeline_is_of_tier_2(after: int) -> None:
    drafts = [draft for _, draft in rounds(after, 6).drafts if draft.opens]
    assert [(draft.turn in {PARTNER, OPTIMIZER}, draft.tier) for draft in drafts[:2]] == [(True, 2), (False, 2)]


@given(orders, seeds)
def test_a_review_challenges_and_the_director_answers_each_point(order: list[Role], after: int) -> None:
    play = played(order, after)
    for task in {draft.task for _, draft in play.drafts}:
        open_points: list[int] = []
        numbers: set[int] = set()
        for draft in play.of(task):
            sections = dict(draft.sections)
            if draft.role == REVIEWER:
                said = sections["Challenges"]
                points = [number for number, _ in entry_of(draft).points]
                assert points or said.startswith("None: ")
                assert points or draft.verdict == "approved"
                assert not set(points) & numbers, "each number means one thing in its task"
                numbers |= set(points)
                open_points += points
            elif draft.role == DIRECTOR:
                assert list(entry_of(draft).answers) == open_points
                assert "settled in this block" not in sections.get("Responses", "")
                open_points = []


@given(orders, seeds)
def test_done_is_said_with_three_gates(order: list[Role], after: int) -> None:
    for _, draft in played(order, after).drafts:
        if draft.turn in {NONE, HUMAN} or draft.status == "done" or draft.role in {*IMPLEMENTERS, OPTIMIZER}:
            assert draft.status == "done"
            assert draft.gates is not None
            assert [gate.split("=")[0].strip() for gate in draft.gates.split(";")] == ["runs", "correct", "complete"]
            assert draft.gates.count("=pass (") == draft.gates.count("(") == draft.gates.count(")") == 3


@given(orders, seeds)
def test_whoever_gets_the_light_gets_a_message(order: list[Role], after: int) -> None:
    for _, draft in played(order, after).drafts:
        if draft.turn not in {NONE, draft.role}:
            assert f"For {draft.turn.capitalize()}" in dict(draft.sections)


@given(orders, seeds)
def test_at_most_one_task_is_in_the_pipeline_and_one_question_is_open(order: list[Role], after: int) -> None:
    play = Play(after)
    for role in order:
        play.step(role)
        active = [thread for thread in threads(play.entries) if thread.active]
        kinds = Counter(story.consults for thread in active if (story := story_of(thread.task)))
        assert kinds[True] <= 1
        assert kinds[False] <= 1


def test_somebody_always_has_a_turn() -> None:
    play = Play()
    for _ in range(400):
        moved = [play.step(role) for role in AGENT_ROLES]
        assert any(moved)


def test_a_task_told_again_has_a_name_of_its_own() -> None:
    names = Counter(draft.task for _, draft in rounds(0, 200).drafts if draft.opens)
    assert max(names.values()) == 1
    assert len(names) > len(STORIES)


def test_a_rejected_sign_off_goes_through_the_pipeline_again() -> None:
    play = rounds(0)
    thread = next(thread for thread in threads(play.entries) if thread.holder == HUMAN)
    play.entries.append(Entry(role=HUMAN, task=thread.task, turn=DIRECTOR))
    before = len(play.of(thread.task))
    for role in list(AGENT_ROLES) * 8:
        play.step(role)
    worker = thread.implementer
    assert [draft.turn for draft in play.of(thread.task)][before:] == [worker, REVIEWER, DIRECTOR, HUMAN]


MADE_UP = [
    pytest.param([(HUMAN, DIRECTOR, 1)], [NONE], id="tier 1"),
    pytest.param([(HUMAN, DIRECTOR, 2)], [DEVELOPER, DIRECTOR, NONE], id="tier 2"),
    pytest.param([(HUMAN, CODER, 2)], [DIRECTOR, NONE], id="straight to a coder"),
    pytest.param([(HUMAN, DIRECTOR, None)], [DEVELOPER, DIRECTOR, NONE], id="without a tier"),
    pytest.param([(HUMAN, DIRECTOR, 3)], [REVIEWER, DEVELOPER, REVIEWER, DIRECTOR, HUMAN], id="tier 3"),
    pytest.param([(DIRECTOR, OPTIMIZER, 2)], [DIRECTOR, DEVELOPER, DIRECTOR, NONE], id="an optimizer is asked"),
    pytest.param(
        [(DIRECTOR, CODER, 3), (CODER, REVIEWER, 3)], [DIRECTOR, HUMAN], id="taken over before the code review"
    ),
    pytest.param(
        [(DIRECTOR, CODER, 2), (CODER, DIRECTOR, 2), (DIRECTOR, None, 2)], [NONE], id="a note in between"
    ),
]  # fmt: skip


@pytest.mark.parametrize(("blocks", "path"), MADE_UP)
def test_a_task_that_a_person_made_up_is_answered(
    blocks: list[tuple[Role, Role | None, int | None]], path: list[Role]
) -> None:
    play = Play(entries=[Entry(role=role, task="my own", turn=turn, tier=tier) for role, turn, tier in blocks])
    for role in list(AGENT_ROLES) * 8:
        play.step(role)
    assert [draft.turn for draft in play.of("my own")] == path


def test_unknown_challenges_are_all_answered() -> None:
    entries = [
        Entry(role=DIRECTOR, task="x", turn=REVIEWER, tier=3),
        Entry(role=REVIEWER, task="x", turn=DIRECTOR, verdict="Changes requested", points=((3, "A"), (4, "B"))),
        Entry(role=DIRECTOR, task="x", turn=DIRECTOR, answers=(4,)),
    ]
    draft = answer(DIRECTOR, threads(entries)[0])
    assert draft.turn == REVIEWER
    assert dict(draft.sections)["Responses"] == "3. Agreed, and settled in this block."


def test_of_several_lights_the_one_that_waits_longest_is_taken() -> None:
    entries = [
        Entry(role=DIRECTOR, task="a", turn=CODER),
        Entry(role=DIRECTOR, task="b", turn=CODER),
        Entry(role=CODER, task="a", turn=DIRECTOR),
        Entry(role=DIRECTOR, task="a", turn=CODER),
        Entry(role=CODER, task="b", turn=None),
    ]
    thread = turn_of(CODER, threads(entries))
    assert thread is not None
    assert thread.task == "b"


def test_consultations_ask_the_two_outside_the_pipeline() -> None:
    assert {story.worker for story in CONSULTATIONS} == {PARTNER, OPTIMIZER}


def by_the_person(thread: Thread, verdict: str) -> Draft:
    """What a person writes, sign-off or not: any task, at any time."""
    turn, status = {
        "signs off": (NONE, "signed off"),
        "sends back": (DIRECTOR, "sent back"),
        "has it built": (thread.implementer, "sent back"),
    }[verdict]
    return Draft(
        role=HUMAN,
        task=thread.task,
        tier=thread.tier or 3,
        turn=turn,
        status=status,
        sections=(("What I Did", "Looked at it."), *([] if turn == NONE else [(f"For {turn.capitalize()}", "This.")])),
    )


def judged(play: Play) -> tuple[list[str], dict[str | None, Task]]:
    reading = read(parse("\n".join(text_of(draft) for _, draft in play.drafts).encode()).blocks, Limits())
    found = [f"{finding.code}: {finding.message} (line {finding.line})" for finding in reading.findings]
    return found, {task.task: task for task in reading.tasks}


@pytest.mark.parametrize("after", range(len(PIPELINE)))
def test_the_whole_backlog_breaks_no_rule(after: int) -> None:
    play = Play(after)
    for _ in range(ROUNDS):
        for role in AGENT_ROLES:
            play.step(role)
        for thread in threads(play.entries):
            if thread.holder == HUMAN:
                play.write(by_the_person(thread, "signs off"))
    found, tasks = judged(play)
    assert found == []
    assert {task.tier for task in tasks.values()} == {1, 2, 3}
    assert {task.standing for task in tasks.values() if not task.open} == {Standing.DONE}
    assert {task.rounds for task in tasks.values()} == {0, 1, 2}


steps = st.lists(st.sampled_from([*AGENT_ROLES, "signs off", "sends back", "has it built"]), min_size=50, max_size=300)


@given(steps, seeds)
def test_whatever_the_person_answers_the_team_breaks_no_rule(order: list[Role | str], after: int) -> None:
    play = Play(after)
    for step in order:
        waiting = next((thread for thread in threads(play.entries) if thread.holder == HUMAN), None)
        if step in AGENT_ROLES:
            play.step(Role(step))
        elif waiting is not None:
            play.write(by_the_person(waiting, step))
    assert judged(play)[0] == []


@given(st.lists(st.sampled_from(AGENT_ROLES), max_size=60), st.sampled_from((1, 2, 3)), st.sampled_from(AGENT_ROLES))
def test_a_task_of_the_persons_own_breaks_no_rule(order: list[Role], tier: int, to: Role) -> None:
    play = Play()
    thread = Thread("my own", (), None, tier)
    play.write(replace(by_the_person(thread, "sends back"), turn=to))
    for role in order:
        play.step(role)
    assert judged(play)[0] == []
