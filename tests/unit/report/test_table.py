from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from teamops.model.handoff import Stage
from teamops.model.protocol import StageTime
from teamops.report.table import cells, counted, fit, table, wrapped
from teamops.report.times import brief, span, stage_lines, stage_words


def test_columns_stand_in_line_whatever_the_script() -> None:
    lines = table(("TASK", "TIER"), [("別の仕事", "2"), ("a", "3")]).splitlines()
    assert lines == ["TASK      TIER", "別の仕事  2", "a         3"]


def test_the_columns_that_may_give_are_cut_the_widest_first() -> None:
    lines = table(("A", "B", "C"), [("x" * 60, "y" * 40, "z" * 10)], 60, give=(0, 1)).splitlines()
    assert all(cells(line) <= 60 for line in lines)
    first, second, third = lines[1].split()
    assert (first[-1], second[-1]) == ("…", "…")
    assert abs(len(first) - len(second)) <= 1
    assert third == "z" * 10


def test_what_may_not_give_is_never_cut() -> None:
    assert "z" * 200 in table(("A", "B"), [("x" * 30, "z" * 200)], 80, give=(0,))


@given(
    st.lists(st.tuples(st.text("ab 仕é", max_size=90), st.text("xyz", max_size=90)), max_size=4), st.integers(30, 100)
)
def test_a_table_is_never_wider_than_it_may_be(rows: list[tuple[str, str]], width: int) -> None:
    assert all(cells(line) <= width for line in table(("HEAD", "OTHER"), rows, width, give=(0, 1)).splitlines())


@given(st.text("ab 仕é", max_size=40), st.integers(1, 30))
def test_fit_fills_and_cuts_to_the_width(text: str, width: int) -> None:
    assert cells(fit(text, width)) == width


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", ["> "]),
        ("one", ["> one"]),
        ("one two three", ["> one two", "  three"]),
        ("far-too-long-a-word x", ["> far-too-long-a-word", "  x"]),
    ],
)
def test_wrapped(text: str, lines: list[str]) -> None:
    assert wrapped(text, 10, "> ", "  ") == lines


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-5, "0 s"), (59.9, "59 s"), (60, "1 min"), (3599, "59 min"), (3900, "1 h 05 min"), (180_000, "2 d 2 h")],
)
def test_span(seconds: float, words: str) -> None:
    assert span(seconds) == words


@pytest.mark.parametrize(
    ("seconds", "words"), [(-1, "0s"), (59, "59s"), (61, "1m"), (3599, "59m"), (3900, "1h05m"), (180_000, "2d02h")]
)
def test_brief(seconds: float, words: str) -> None:
    assert brief(seconds) == words


def test_stage_words() -> None:
    times = (StageTime(Stage.DESIGN, 1080, 2, current=False), StageTime(Stage.IMPLEMENT, 7500, 1, current=True))
    assert stage_words(times) == ["design 18 min (2 times)", "implement 2 h 05 min so far"]
    assert stage_lines(times, 40, "Time: ") == ["Time: design 18 min (2 times),", "  implement 2 h 05 min so far"]


def test_counted() -> None:
    assert (counted(1, "block"), counted(0, "block")) == ("1 block", "0 blocks")
