"""The scanner agrees with markdown-it over whole documents."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from teamops.handoff import markdown, scan

LINES = st.sampled_from(
    [
        "### [DIRECTOR] 2026-03-28 14:30",
        " ### [CODER] 2026-03-28 14:30 ###",
        "   ### [CODER] 2026-03-28 14:30",
        "    ### [CODER] 2026-03-28 14:30",
        "\t### [CODER]",
        "###\t[CODER]",
        "####### seven",
        "#### What I Did",
        "  #### Part",
        "#",
        "###",
        "```",
        "```python",
        "``` `x`",
        "````",
        "  ```",
        "   ````  ",
        "    ```",
        "~~~",
        "~~~ `x`",
        " ~~~~",
        "- item",
        "- ```",
        "-",
        "  - inner",
        "  more",
        "   more",
        "1. first",
        "   ```",
        "2) second",
        "10. tenth",
        "* * *",
        "---",
        "===",
        "> quote",
        "> ```",
        "> - in",
        "<!-- comment",
        "<!-- whole -->",
        "  <!-- in",
        "-->",
        "<div>",
        "</div>",
        "  <div>",
        "<pre>",
        "</pre>",
        "<b>",
        "  <b x='1'>",
        "</b>",
        "<b> text",
        "<?php",
        "?>",
        "<!DOCTYPE",
        ">",
        "<![CDATA[",
        "]]>",
        "text",
        "text\\",
        "[foo]: /url",
        "[foo]:",
        "'title",
        "",
        "  ",
        "\t",
        "\x0b",
        "\xa0",
        "| a | b |",
        "|---|---|",
    ]
)
DOCUMENTS = st.lists(LINES, max_size=14).map("\n".join)
WILD = st.text(alphabet="#`~<>-+*1.) \t\n\r[]!?/bdivpre=x", max_size=80)


def by_markdown_it(text: str) -> list[tuple[int, int]]:
    """Line and level of each ATX heading at the top level."""
    parser = MarkdownIt("commonmark", {"maxNesting": markdown.MAX_NESTING})
    return [
        (token.map[0], len(token.markup))
        for token in parser.parse(text)
        if token.type == "heading_open" and token.level == 0 and token.map and token.markup.startswith("#")
    ]


def by_scan(text: str) -> list[tuple[int, int]]:
    data = scan.normalized(text.encode())
    return [(data.count(b"\n", 0, found.start), found.level) for found in scan.scan(data).headings if found.level > 0]


@given(DOCUMENTS)
@settings(max_examples=400)
@example("- a\n  ### [X]\n\n### [Y]")
@example("- a\n\n  ```\n### [Y]\n  ```\n### [Z]")
@example("- a\n  <div>\n### [X]\n\n### [Y]")
@example("- a\n  <!-- x\n### [X]\n-->\n### [Y]")
@example("1. a\n   ```\n### [X]\n```\n### no\n```\n### [Y]")
@example("text\n<b>\n### [X]\n\n### [Y]")
@example("1. a\n\n   ```\n   ### no\n   ```\n\n   ### inner\n\n ### [Z]")
@example("<!-->\n### [X]")
@example("<!--\n\n### [X]\n-->\n### [Y]")
@example("- <!-- x\n### [X]")
@example("~~~\n```\n### no\n~~~\n### yes")
def test_the_scan_finds_the_headings_that_markdown_it_finds(text: str) -> None:
    assert by_scan(text) == by_markdown_it(text)


@given(WILD)
@settings(max_examples=400)
def test_the_scan_agrees_on_wild_text(text: str) -> None:
    assert by_scan(text) == by_markdown_it(text)


@given(st.binary(max_size=200))
def test_the_scan_takes_any_bytes(data: bytes) -> None:
    text = scan.normalized(data)
    assert len(text) == len(data)
    scan.scan(text)


@given(DOCUMENTS, st.integers(0, 400))
def test_what_a_line_is_depends_on_the_lines_before_it(text: str, cut: int) -> None:
    data = text.encode()
    cut = data.rfind(b"\n", 0, cut) + 1
    whole, part = scan.scan(data), scan.scan(data[:cut])
    assert part.headings == [found for found in whole.headings if found.start < cut]


@given(DOCUMENTS)
def test_a_scan_may_begin_at_any_heading(text: str) -> None:
    data = text.encode()
    headings = scan.scan(data).headings
    for number, heading in enumerate(headings):
        if heading.level > 0:
            again = [
                scan.Heading(found.start + heading.start, found.end + heading.start, found.level)
                for found in scan.scan(data[heading.start :]).headings
            ]
            assert again == headings[number:]


@pytest.mark.parametrize("opening", ["  ```", "  <div>\n  x", "- a\n\n  ### [X]"], ids=["fence", "html", "list"])
def test_a_piece_too_long_for_markdown_it_is_still_scanned(monkeypatch: pytest.MonkeyPatch, opening: str) -> None:
    monkeypatch.setattr(scan, "PIECE", 64)
    filler = "\n".join(["  filler"] * 30)
    text = f"- list\n{opening}\n{filler}\n\n### [Y]\n"
    assert by_scan(text)[-1] == (text.count("\n") - 1, 3)
