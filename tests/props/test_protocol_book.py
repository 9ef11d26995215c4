"""The protocol's pages of the book find every task by its name, however the file grows and is rewritten."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from teamops.domain.limits import Limits
from teamops.handoff.document import parse
from teamops.model.handoff import Block
from teamops.supervisor.protocol_book import ProtocolBook

NAMES = ("login", "Login", "search", "", "mail")
TURNS = ("CODER", "DIRECTOR", "NONE")


def file_of(steps: list[tuple[str, str]]) -> tuple[Block, ...]:
    """Return the blocks of a file in which each step is a task's name and who has its light then."""
    texts = [
        f"### [DIRECTOR] 2026-03-28 14:{minute:02d}\n\n**Status**: done\n**Turn**: {turn}\n**Tier**: 1\n"
        + (f"**Task**: {name}\n" if name else "")
        for minute, (name, turn) in enumerate(steps)
    ]
    return parse("\n".join(texts).encode()).blocks


steps = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(TURNS)), max_size=6)


@given(st.lists(st.tuples(st.booleans(), steps), min_size=1, max_size=5))
def test_tasks_are_found_by_name(files: list[tuple[bool, list[tuple[str, str]]]]) -> None:
    book, written = ProtocolBook(Limits()), list[tuple[str, str]]()
    for number, (appended, more) in enumerate(files):
        written = written + more if appended else more
        book.read(file_of(written), float(number), appended=appended)
        assert {(task.task or "").lower() for task in book.tasks} == set(book._by_name)
        for task in book.tasks:
            assert book.task(task.task) is task
        assert book.task("nowhere") is None
