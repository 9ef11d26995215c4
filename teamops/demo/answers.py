"""What a simulated agent writes when its turn is done: one block, legal under the protocol. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from teamops.demo.script import Draft, Thread, asks_for_changes, numbered, section_for, story_of
from teamops.demo.stories import Objection, Story
from teamops.model.role import DIRECTOR, HUMAN, IMPLEMENTERS, NONE, OPTIMIZER, REVIEWER, Role


def answer(role: Role, thread: Thread) -> Draft:
    """Return the block that ``role`` writes when its turn on ``thread`` is done.

    Any task is answered, also one that a person made up: then in general words.
    """
    story = story_of(thread.task) or _unknown(thread)
    if role == DIRECTOR:
        draft = _directed(thread, story)
        return replace(draft, sections=(*_responses(thread, story), *draft.sections))
    if role == REVIEWER:
        return _reviewed(thread, story)
    if role in IMPLEMENTERS:
        return _built(role, thread, story)
    return _consulted(role, thread, story)


def _unknown(thread: Thread) -> Story:
    name = thread.task or "this task"
    return Story(
        task=name,
        tier=thread.tier or 2,
        goal=f"What {name} asks for, as the last block says it.",
        plan=("The smallest change that does it.", "A test that fails without it."),
        files=("current.md", "src/app.py", "tests/test_app.py"),
        built=f"Did what the last block on {name} asks for.",
        runs="pytest -q: 214 passed",
        correct="tried by hand against the last block, point by point",
        complete="docs and tests are in",
        worker=thread.implementer,
        remark=Objection(
            point="Its name says what it was, not what it does. This can wait, but not for long.",
            answer="Agreed, and renamed with the next change of that file.",
        ),
    )


def _gates(story: Story) -> str:
    return f"runs=pass ({story.runs}); correct=pass ({story.correct}); complete=pass ({story.complete})"


def _objections(thread: Thread, story: Story, *, built: bool) -> tuple[Objection, ...]:
    """Return what the coming review objects to; nothing once it has sent the work back."""
    if thread.sent_back(built=built):
        return ()
    return story.code_objections if built else story.design_objections


def _remark(thread: Thread, story: Story) -> tuple[Objection, ...]:
    """Return the point that an approval of the code carries: the story's at first, then one on what the person saw."""
    if not thread.built:
        return ()
    said = [words for entry in thread.entries for _, words in entry.points]
    if story.remark is not None and not any(_is(story.remark, words) for words in said):
        return (story.remark,)
    last = max((at for at, entry in enumerate(thread.entries) if entry.role == REVIEWER), default=-1)
    back = sum(entry.role == HUMAN for entry in thread.entries)
    if not any(entry.role == HUMAN for entry in thread.entries[last + 1 :]):
        return ()
    # A reviewer who passes for the third time what the person sends back would be an echo.
    point = f"Sent back {back} times by its person: what they saw has no test of its own yet."
    return (Objection(point=point, answer="It has one now: what the person saw is in the tests."),)


def _is(objection: Objection, words: str) -> bool:
    """Return whether ``words`` are the beginning of its point, whatever of its marks they still have."""
    short = _bare(words)
    return bool(short) and _bare(objection.point).startswith(short)


def _bare(text: str) -> str:
    return "".join(letter for letter in text if letter.isalnum()).lower()[:40]


def _responses(thread: Thread, story: Story) -> tuple[tuple[str, str], ...]:
    """Answer each open challenge by its number: silence would be a violation."""
    if not thread.owed:
        return ()
    known = [*story.design_objections, *story.code_objections, *([story.remark] if story.remark else [])]

    def reply(words: str) -> str:
        return next((one.answer for one in known if _is(one, words)), "Agreed, and settled in this block.")

    return (("Responses", "\n".join(f"{number}. {reply(words)}" for number, words in thread.owed.items())),)


def _directed(thread: Thread, story: Story) -> Draft:
    # Who gave the light: the DIRECTOR's own notes in between don't count.
    last = next((entry for entry in reversed(thread.entries) if entry.role != DIRECTOR), thread.entries[-1])
    tier = thread.tier or story.tier
    if story.consults and story.worker is not None and not any(entry.role in IMPLEMENTERS for entry in thread.entries):
        if not any(entry.role == story.worker for entry in thread.entries):
            return _hand_on(thread, story, story.worker, story.goal, story.plan)
        return _closing(thread, story, f"Read what {story.worker} found. {story.built}")
    if tier <= 1:
        said = f"Read what {last.role} found. {story.built}" if last.role not in {DIRECTOR, HUMAN} else story.built
        return _closing(thread, story, said)
    if last.role in IMPLEMENTERS and tier >= 3:
        return _hand_on(thread, story, REVIEWER, "Read the block; it is ready for its code review.", story.plan)
    if last.role in IMPLEMENTERS:
        return _closing(thread, story, f"Verified what {last.role} built, by hand and against the plan. {story.built}")
    if last.role == REVIEWER and thread.built and not asks_for_changes(last.verdict):
        return _confirming(thread, story, tier)
    if tier >= 3 and last.role == REVIEWER and not thread.built and asks_for_changes(last.verdict):
        return _hand_on(thread, story, REVIEWER, "Changed the design as the challenges ask.", story.plan)
    if tier >= 3 and thread.built and not thread.passed:  # the tier was raised on the way
        return _hand_on(thread, story, REVIEWER, "Nobody has reviewed this yet; it is ready for it.", story.plan)
    if thread.built:
        words = f"Read what {last.role} says; it needs another pass."
        return _hand_on(thread, story, thread.implementer, words, story.plan)
    if tier >= 3 and last.role != REVIEWER:
        return _hand_on(thread, story, REVIEWER, f"Designed it. {story.goal}", story.plan)
    return _hand_on(thread, story, thread.implementer, f"Designed it. {story.goal}", story.plan)


def _hand_on(thread: Thread, story: Story, turn: Role, did: str, asks: Sequence[str]) -> Draft:
    return Draft(
        role=DIRECTOR,
        task=thread.task,
        tier=thread.tier or story.tier,
        turn=turn,
        status="in progress",
        sections=(("What I Did", did), (section_for(turn), numbered(asks))),
        files=story.files,
    )


def _closing(thread: Thread, story: Story, did: str) -> Draft:
    return Draft(
        role=DIRECTOR,
        task=thread.task,
        tier=thread.tier or story.tier,
        turn=NONE,
        status="done",
        gates=_gates(story),
        sections=(("What I Did", did),),
        files=story.files,
    )


def _confirming(thread: Thread, story: Story, tier: int) -> Draft:
    """The end of the agents' part: tier 3 goes to the person, tier 2 closes."""
    closed = _closing(thread, story, f"Confirmed: the code review is through. {story.built}")
    if tier < 3:
        return closed
    wish = (
        f"Please sign off {thread.task}: `A` in teamops, or `teamops approve {thread.task}`, shows its whole chain"
        " and takes your yes or no."
    )
    return replace(closed, turn=HUMAN, sections=(*closed.sections, (section_for(HUMAN), wish)))


def _reviewed(thread: Thread, story: Story) -> Draft:
    objections = _objections(thread, story, built=thread.built)
    tier = thread.tier or story.tier
    what = "code" if thread.built else "design"
    worker = thread.implementer if tier >= 3 else DIRECTOR
    if objections:
        verdict = "changes-requested"
        turn = worker if thread.built else DIRECTOR
        asks = "Please answer each point and change what it asks for."
    else:
        verdict = "approved"
        objections = _remark(thread, story)
        turn = DIRECTOR if thread.built else worker
        asks = f"Please confirm. I ran it myself: {story.runs}." if thread.built else numbered(story.plan)
    tried = "followed each path that the plan names" if thread.built else "tried to break the plan with a dead receiver"
    challenges = numbered((one.point for one in objections), after=thread.numbered_to)
    return Draft(
        role=REVIEWER,
        task=thread.task,
        tier=tier,
        turn=turn,
        status="reviewed",
        verdict=verdict,
        sections=(
            ("What I Did", f"Reviewed the {what} line by line."),
            ("Challenges", challenges or f"None: I {tried} and found nothing that is left open."),
            (section_for(turn), asks),
        ),
        files=story.files,
    )


def _built(role: Role, thread: Thread, story: Story) -> Draft:
    last = thread.entries[-1]
    answers: tuple[tuple[str, str], ...] = ()
    did = story.built
    if last.role == REVIEWER and asks_for_changes(last.verdict):
        answers = _responses(thread, story)
        did = "Changed what the review asks for, each with a test that was red before."
    tier = thread.tier or story.tier
    turn = REVIEWER if tier >= 3 else DIRECTOR
    changed = "\n".join(f"- `{file}`" for file in story.files)
    return Draft(
        role=role,
        task=thread.task,
        tier=tier,
        turn=turn,
        status="done",
        gates=_gates(story),
        sections=(
            *answers,
            ("What I Did", f"{did}\n\n{changed}"),
            (section_for(turn), f"To try it: `{story.runs.split(':')[0]}`."),
        ),
        files=story.files,
    )


def _consulted(role: Role, thread: Thread, story: Story) -> Draft:
    builds = role == OPTIMIZER
    where = f"Began at `{story.files[0]}`." if builds else f"Notes are in `{story.files[0]}`."
    return Draft(
        role=role,
        task=thread.task,
        tier=thread.tier or story.tier,
        turn=DIRECTOR,
        status="done" if builds else "answered",
        gates=_gates(story) if builds else None,
        sections=(
            ("What I Did", f"{story.built} {where}"),
            (section_for(DIRECTOR), "Please decide; I would follow the figures."),
        ),
        files=story.files,
    )
