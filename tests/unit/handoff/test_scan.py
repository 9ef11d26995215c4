"""What the scanner does where it can't tell by a line alone."""

from __future__ import annotations

import pytest

from teamops.handoff import scan

Y = "### [Y]"


def lines_of(text: str) -> list[int]:
    """1-based lines of the headings found."""
    data = scan.normalized(text.encode())
    return [data.count(b"\n", 0, found.start) + 1 for found in scan.scan(data).headings]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (f"- a\n  ### [X]\n\n{Y}", [4]),
        (f"- a\n ### [X]\n{Y}", [2, 3]),
        (f"text\n ### [X]\n{Y}", [2, 3]),
        (f"- a\n\n  ```\n{Y}\n  ```\n### [Z]", [4]),
        (f"- a\n  <div>\n### [X]\n\n{Y}", [3, 5]),
        (f"- a\n  <!-- x\n### [X]\n-->\n{Y}", [3, 5]),
        (f"text\n<b>\n### [X]\n\n{Y}", [3, 5]),
        (f"text\n\n<b>\n### [X]\n\n{Y}", [6]),
        (f"# h\n<b>\n### [X]\n\n{Y}", [1, 5]),
        (f"<b>text\n{Y}", [2]),
        (f"``` `x`\n{Y}", [2]),
        (f"- a\n  b\n<b>\n\n  c\n{Y}", [6]),
        (f"- a\n\n ```\n{Y}\n ```\n### [Z]", [6]),
        (f"- a\n\n ```\n{Y}\n", []),
        (f"- a\n\n <!--\n{Y}\n", []),
        (f"text\n<b>\n\n\n <?\n{Y}\n?>\n{Y}", [8]),
        ("- a\n\n  - b\n\n  ### [X]", []),
        ("- a\n\n  ### [X]\n\n" + "  b\n" * 100 + f"```\n{Y}\n```\n" + Y, [108]),
    ],
)
@pytest.mark.parametrize("ending", ["", "\n"], ids=["torn", "whole"])
def test_headings_in_lists_and_html(text: str, lines: list[int], ending: str) -> None:
    assert lines_of(text + ending) == lines


@pytest.mark.parametrize(
    ("text", "comment"),
    [("- a\n\n ```\n### [Y]\n", False), ("- a\n\n <!--\n### [Y]\n", True)],
    ids=["fence", "comment"],
)
def test_what_is_left_open_after_a_list_is_told(text: str, *, comment: bool) -> None:
    assert scan.scan(text.encode()).unclosed == scan.Unclosed(5, comment)


@pytest.mark.parametrize(
    ("opening", "lines"),
    [
        ("- list\n  ```\n", [33]),
        ("- list\n\n ```\n", []),
        ("- list\n\n <div>\n", [34]),
        ("- list\n  ### [X]\n", [33]),
        ("text\n<b>\n", [33]),
    ],
    ids=["fence in a list", "fence after a list", "html after a list", "heading in a list", "tag under text"],
)
def test_past_a_long_piece_it_goes_on_by_lines_alone(
    monkeypatch: pytest.MonkeyPatch, opening: str, lines: list[int]
) -> None:
    monkeypatch.setattr(scan, "PIECE", 64)
    filler = "  filler\n" * 29
    assert lines_of(f"{opening}{filler}\n{Y}\n") == lines


def test_past_a_long_piece_indented_marks_count() -> None:
    filler = "  filler\n" * (scan.PIECE // 9 + 1)
    text = f"- list\n  ### [X]\n{filler}<b>\n  <b>\n  ### [Y]\n\n### [Z]\n"
    count = text.count("\n")
    assert lines_of(text) == [count - 2, count]


def test_a_heading_without_a_blank_is_found_after_a_list_with_a_fence() -> None:
    text = b"- item\n  ```\n```\n### [X]\n```\n### [Y]\n###[CODER]\n### [Z]\n"
    assert [(heading.start, heading.level) for heading in scan.scan(text).headings] == [(29, 3), (37, 0), (48, 3)]
