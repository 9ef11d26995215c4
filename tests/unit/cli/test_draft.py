from __future__ import annotations

import io
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from teamops.cli import draft
from teamops.cli.draft import Words, compose, role_in, split_sections, take_whole
from teamops.handoff import ROLES, parse
from teamops.model.errors import UsageError
from teamops.model.handoff import Stage, Task
from teamops.model.role import CODER, DIRECTOR, HUMAN, NONE, Role

NOW = datetime(2026, 3, 28, 14, 30)  # noqa: DTZ001 - naive by the protocol
FULL = Words(status="done", turn="director", tier=2, sections=("What I Did=Built it.",))
BLOCK = """\
### [CODER] 2026-03-28 14:30

**Status**: done
**Turn**: DIRECTOR
**Tier**: 2

#### What I Did
Built it.
"""


@pytest.fixture(autouse=True)
def _no_stdin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", None)


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A pipe as standard input, open at its other end."""
    out, into = os.pipe()
    with os.fdopen(into, "wb"), io.TextIOWrapper(os.fdopen(out, "rb")) as text:
        monkeypatch.setattr("sys.stdin", text)
        yield into


def task(name: str | None, turn: Role = CODER, tier: int | None = 2) -> Task:
    return Task(
        task=name,
        turn=turn,
        tier=tier,
        stage=Stage.IMPLEMENT,
        since_line=1,
        since_index=0,
        since_digest="d",
        rounds=0,
        open=turn != NONE,
        blocks=(0,),
    )


def test_an_agent_writes_for_itself_alone() -> None:
    assert role_in(Words(role="coder"), "") == CODER
    assert role_in(Words(), "CODER") == CODER
    assert role_in(Words(role="coder"), "CODER") == CODER
    assert role_in(Words(), "") is None
    with pytest.raises(UsageError, match="not DIRECTOR's"):
        role_in(Words(role="DIRECTOR"), "CODER")


def test_the_light_gives_task_and_tier() -> None:
    made = compose(Words(status="done", turn="DIRECTOR", sections=("A=b",)), CODER, [task("login")], "shop-coder", NOW)
    block = parse(made.text.encode()).blocks[0]
    assert (block.role, block.task, block.tier, block.turn, made.task) == (CODER, "login", 2, DIRECTOR, "login")
    assert block.fields["Session"] == "shop-coder"
    assert block.at == NOW


@pytest.mark.parametrize(
    ("words", "tasks", "message"),
    [
        (FULL, [task("a"), task("b")], "holds the light of 2 tasks"),
        (FULL, [task("a", DIRECTOR)], "holds no light"),
        (Words(status="x", turn="y", task="new", sections=("A=b",)), [task("a")], "tier yet"),
        (Words(turn="DIRECTOR"), [], "--status is missing"),
        (Words(status="done"), [], "--turn is missing"),
        (Words(status=" ", turn="DIRECTOR"), [], "--status is empty"),
        (Words(status="done", turn="DIRECTOR", task=" "), [], "--task is empty"),
        (Words(status="done", turn="DIRECTOR", tier=2), [], "says nothing"),
        (Words(status="done", turn="DIRECTOR", tier=2, sections=("Title",)), [], "has no title"),
        (Words(status="done", turn="DIRECTOR", tier=2, sections=("=text",)), [], "has no title"),
        (Words(status="done", turn="DIRECTOR", tier=2, sections=("Title= ",)), [], "is empty"),
        (Words(status="done", turn="DIRECTOR", tier=2, sections=("A=-", "B=-")), [], "one section only"),
        (Words(status="done", turn="DIRECTOR", tier=2, sections=("A=-",)), [], "is empty"),
    ],
)
def test_what_is_missing_is_named(words: Words, tasks: list[Task], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        compose(words, CODER, tasks, "", NOW)


def test_a_task_keeps_its_spelling_and_a_section_its_signs() -> None:
    words = Words(
        status="done", turn="DIRECTOR", task="LOGIN ", sections=('A=x = "y"\n### [CODER] 2026-01-01 10:00\nz',)
    )
    made = compose(words, CODER, [task("Login")], "", NOW)
    read = parse(made.text.encode())
    assert len(read.blocks) == 1
    assert made.task == "Login"
    assert 'x = "y"\n\\### [CODER]' in made.text


def test_without_any_named_task_none_is_asked_for() -> None:
    assert compose(FULL, DIRECTOR, [], "", NOW).task is None
    assert compose(FULL, DIRECTOR, [task(None)], "", NOW).task is None


def test_text_on_standard_input_is_the_body(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"Intro.\n\n#### For Director\nLook at `a.py`.\n")))
    made = compose(Words(status="done", turn="DIRECTOR", tier=2), CODER, [], "", NOW)
    assert made.text.endswith("#### What I Did\nIntro.\n\n#### For Director\nLook at `a.py`.\n")


def test_a_dash_is_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"from\nthe pipe\n")))
    made = compose(Words(status="x", turn="y", tier=2, sections=("A=-", "B=given")), CODER, [], "", NOW)
    assert made.text.endswith("#### A\nfrom\nthe pipe\n\n#### B\ngiven\n")


def test_a_pipe_that_speaks_beside_sections_is_not_dropped_in_silence(pipe: int) -> None:
    os.write(pipe, b"lost?")
    with pytest.raises(UsageError, match="text on standard input"):
        compose(FULL, CODER, [task("a")], "", NOW)


def test_a_silent_open_pipe_is_not_waited_for(pipe: int) -> None:
    assert compose(FULL, CODER, [task("a")], "", NOW).task == "a"


def test_sections_of_a_body() -> None:
    assert split_sections("Intro.\n\n#### For Director ##\nLook.\n```\n#### no\n```\n") == [
        ("What I Did", "Intro.\n\n"),
        ("For Director ##", "\nLook.\n```\n#### no\n```"),
    ]
    assert split_sections("#### A\nx") == [("A", "\nx")]
    with pytest.raises(UsageError, match="whole block"):
        split_sections(BLOCK)


@given(st.text("ab#`-\n 1.[]", max_size=60))
def test_no_body_makes_more_than_one_block(body: str) -> None:
    if not body.strip() or body == "-":
        return
    words = Words(status="done", turn="DIRECTOR", tier=2, sections=(f"A={body}",))
    read = parse(compose(words, CODER, [], "", NOW).text.encode())
    assert (len(read.blocks), read.blocks[0].complete) == (1, True)


def test_a_whole_block_is_taken_as_it_is() -> None:
    made = take_whole(f"\n\n{BLOCK}\n\n", None, "", ROLES)
    assert (made.role, made.text) == (CODER, BLOCK)


def test_a_whole_block_gets_its_session_and_nothing_else() -> None:
    made = take_whole(BLOCK, CODER, "shop-coder", ROLES)
    block = parse(made.text.encode()).blocks[0]
    assert block.fields["Session"] == "shop-coder"
    assert made.text.replace("**Session**: shop-coder\n\n", "") == BLOCK
    ruled = BLOCK.replace("14:30\n", "14:30\n---\n", 1)
    assert take_whole(ruled, CODER, "shop-coder", ROLES).text == ruled  # it would change what the fields are


@pytest.mark.parametrize(
    ("text", "role", "session", "message"),
    [
        (" \n", None, "", "no block on standard input"),
        ("hello\n", None, "", "does not begin with a block"),
        (f"Hello\n\n{BLOCK}", None, "", "does not begin with a block"),
        (f"{BLOCK}\n{BLOCK}", None, "", "2 blocks"),
        (BLOCK, DIRECTOR, "", "CODER's, and you write for DIRECTOR"),
        (BLOCK.replace("**Turn", "**Session**: other\n**Turn"), CODER, "shop-coder", 'session "other"'),
        (BLOCK.replace("### ", "## "), None, "", "has three #"),
    ],
)
def test_what_is_no_block_of_ones_own_is_refused(text: str, role: Role | None, session: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        take_whole(text, role, session, ROLES)


def test_standard_input_has_to_be_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"\xff\xfe")))
    with pytest.raises(UsageError, match="no UTF-8"):
        draft.read_stdin()


# a person's block


def test_a_person_who_names_no_task_means_the_only_open_one() -> None:
    words = replace(FULL, tier=None)
    closed = task("old", NONE)
    assert compose(words, HUMAN, [closed, task("login")], "", NOW).task == "login"
    with pytest.raises(UsageError, match="2 tasks are open") as refused:
        compose(words, HUMAN, [task("login"), task("logout"), closed], "", NOW)
    assert refused.value.hint == "say which with --task: login, logout"
    assert compose(words, HUMAN, [task("login"), task("logout", HUMAN)], "", NOW).task == "logout"
    with pytest.raises(UsageError, match="not clear"):
        compose(words, DIRECTOR, [closed, task("login")], "", NOW)
