"""What teamops makes of a project's clients' settings, and what it tells git of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from teamops.domain.client_files import (
    FILES,
    MADE,
    MARK,
    excluded,
    is_made,
    with_excluded,
    without_excluded,
)

LINES = st.lists(st.sampled_from(["# mine", "*.log", "/build/", "", "é"]), max_size=6).map("\n".join)
PATTERNS = st.lists(st.sampled_from([f"/{name}" for name in FILES]), unique=True)


@pytest.mark.parametrize(("path", "text"), MADE.items())
def test_a_file_is_as_it_was_made_by_its_very_text(path: str, text: str) -> None:
    assert is_made(path, text.encode())
    assert not is_made(path, f"{text} ".encode())
    assert not is_made(f"src/{path}", text.encode())


@given(LINES, PATTERNS, PATTERNS)
def test_the_person_s_own_lines_stay(own: str, first: list[str], then: list[str]) -> None:
    text = with_excluded(own, first)
    assert sorted(first) == list(excluded(text))
    again = with_excluded(text, then)
    assert list(excluded(again)) == sorted(then)
    assert with_excluded(again, then) == again
    assert with_excluded(again, ()).rstrip("\n") == own.rstrip("\n")


@given(LINES, PATTERNS)
def test_without_teamops_own_lines_it_is_the_person_s(own: str, patterns: list[str]) -> None:
    text = own + "\n" if own and not own.endswith("\n") else own
    assert without_excluded(with_excluded(text, patterns).encode()) == text.encode()


def test_lines_that_teamops_would_not_write_are_not_its_own() -> None:
    raw = with_excluded("a\n", ["/.mcp.json", "*.py"]).encode()
    assert without_excluded(raw) == raw
    half = f"a\n{MARK}\n/.mcp.json\n".encode()
    assert without_excluded(half) == half
    assert without_excluded(b"\xff\n") == b"\xff\n"
