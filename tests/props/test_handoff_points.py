"""Challenges, responses and gates: total, the inverse of writing, and the same however the bytes come."""

from __future__ import annotations

from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st

from teamops.handoff import Document, parse
from teamops.handoff.document import Read
from teamops.handoff.write import append_text, render_block
from teamops.model.handoff import GATES, Block, GateResult
from teamops.model.role import DIRECTOR, HUMAN, NONE, REVIEWER
from teamops.model.text import clean_line

AT = datetime.fromisoformat("2026-03-28T14:30")
PIECES = st.sampled_from(
    [
        "1. a",
        "2) b",
        "**3.** c",
        "C4: d",
        "#5 e",
        "- f",
        "* g",
        "1. ",
        "1 and 2: h",
        "1-3: i",
        "1.",
        "10. j",
        "| 1 | k |",
        "##### 6. l",
        "##### M",
        "##",
        "   1. n",
        "    o",
        "> p",
        "> 1. q",
        "> 2) q",
        "**Bold**",
        "LGTM",
        "runs ✅ (x)<br>",
        "✅ complete",
        "3 failed",
        "None",
        "None: r",
        "No challenges.",
        "-",
        "TODO",
        "```",
        "  ```",
        "~~~ x",
        "<!--",
        "-->",
        "<!-- s -->",
        "---",
        "",
        "text",
        "text:",
        "\t- t",
        "[x] ",
        "- [ ] u",
        "- [x] runs: v",
        "- [ ] complete",
        "correct=pass (w); runs: no",
        "runs",
        "(",
        ")",
        "✅",
        "❌ runs",
        "lint: ok",
        ";",
        "=",
        "#### Challenges",
        "#### Responses",
        "#### Gates",
        "#### Challenge 2",
        "#### No challenges",
        "#### Done",
        "#### X",
        "### [REVIEWER] 2026-03-28 14:31",
        "**Turn**: DIRECTOR",
        "**Gates**: runs=pass (x)",
        "**Gates**:",
        "**Gate**: ✅",
    ]
)
BODY = st.lists(PIECES | st.text(max_size=12), max_size=25).map("\n".join)
HEAD = "### [REVIEWER] 2026-03-28 14:30\n**Status**: review\n**Turn**: DIRECTOR\n**Tier**: 3\n"
TITLES = st.sampled_from(["Challenges", "Responses", "Gates", "Done", "Challenge 3", "Answers: x", "Challenges: none"])


def reading(data: bytes) -> Read:
    return lambda start, end: data[start:end]


def sound(block: Block) -> None:
    """What is read of a block lies in it, and is safe to show."""
    challenges = block.challenges
    points = [*(challenges.points if challenges else ()), *block.responses]
    for point in points:
        assert block.line < point.line <= block.end_line
        assert point.text
        assert clean_line(point.text) == point.text
        assert len(point.text) <= 200
    if challenges is not None:
        assert block.line < challenges.line <= block.end_line
        assert not (challenges.points and challenges.none)
        numbers = [point.number for point in challenges.points]
        assert len(set(numbers)) == len(numbers)
    assert len({gate.name for gate in block.checks}) == len(block.checks)
    for gate in block.checks:
        assert block.line < gate.line <= block.end_line
        assert gate.name == gate.name.lower()
        assert clean_line(gate.evidence) == gate.evidence


@given(TITLES, BODY)
def test_any_section_is_read(title: str, body: str) -> None:
    for block in parse(f"{HEAD}\n#### {title}\n{body}".encode("utf-8", "replace")).blocks:
        sound(block)


@given(TITLES, BODY, st.lists(st.integers(1, 60), max_size=12))
def test_a_section_that_comes_in_portions_reads_the_same(title: str, body: str, portions: list[int]) -> None:
    data = f"{HEAD}\n#### {title}\n{body}".encode("utf-8", "replace")
    document, size = Document(), 0
    for portion in [*portions, len(data)]:
        size = min(len(data), size + portion)
        document.update(size, reading(data))
        assert document.handoff == parse(data[:size])


WORDS = st.from_regex(r"[a-z]{3,8}( [a-z0-9,.()]{1,8}){0,5} [a-z]{2,8}", fullmatch=True).filter(
    lambda text: not text.startswith(("none", "nothing", "pending", "no ")) and text.count("(") == text.count(")") == 0
)
NUMBERS = st.lists(st.integers(1, 99), min_size=1, max_size=8, unique=True)
STYLES = st.sampled_from(
    ["{}. {}", "{}) {}", "**{}.** {}", "C{}: {}", "- **C{}** \u2013 {}", "##### {}. {}", "Point {}: {}"]
)


@given(NUMBERS, st.data(), STYLES)
def test_points_that_are_written_are_read(numbers: list[int], data: st.DataObject, style: str) -> None:
    texts = [data.draw(WORDS) for _ in numbers]
    body = "\n".join(style.format(number, text) for number, text in zip(numbers, texts, strict=True))
    if set(numbers) == {1} or "#####" in style:
        body = body + "\n"
    sections = [("What I Did", "1. not a point"), ("Challenges", body), ("Responses", body), ("For Max", "2. nor this")]
    text = append_text(b"", render_block(REVIEWER, AT, "review", DIRECTOR, 3, sections=sections))
    block = parse(text).blocks[0]
    expected = list(zip(numbers, texts, strict=True))
    assert block.challenges is not None
    assert [(point.number, point.text) for point in block.challenges.points] == expected
    assert [(point.number, point.text) for point in block.responses] == expected


@given(WORDS)
def test_a_none_that_is_written_is_read(reason: str) -> None:
    text = render_block(REVIEWER, AT, "review", DIRECTOR, 3, sections=[("Challenges", f"None: I looked for {reason}")])
    challenges = parse(text.encode()).blocks[0].challenges
    assert challenges is not None
    assert (challenges.points, challenges.none) == ((), f"I looked for {reason}")


Claim = tuple[str, GateResult, str]
RESULTS = st.sampled_from([result for result in GateResult if result is not GateResult.UNKNOWN])
CLAIMS = st.lists(st.tuples(st.sampled_from(GATES), RESULTS, WORDS), unique_by=lambda claim: claim[0], max_size=3)


@given(CLAIMS, CLAIMS)
def test_gates_that_are_written_are_read(field: list[Claim], listed: list[Claim]) -> None:
    gates = "; ".join(f"{name}={result} ({evidence})" for name, result, evidence in field)
    marks = {GateResult.PASS: "x", GateResult.FAIL: " "}
    body = "\n".join(f"- [{marks[result]}] {name}: {evidence}" for name, result, evidence in listed)
    text = render_block(DIRECTOR, AT, "done", NONE, 1, gates=gates or None, sections=[("Gates", body)])
    block = parse(text.encode()).blocks[0]
    expected = {name: (result, evidence) for name, result, evidence in [*listed, *field]}
    assert {gate.name: (gate.result, gate.evidence) for gate in block.checks} == {
        name: (result, evidence.strip(".,")) for name, (result, evidence) in expected.items()
    }


@given(st.lists(st.tuples(TITLES, BODY), max_size=4))
def test_what_stands_in_a_section_never_leaves_it(sections: list[tuple[str, str]]) -> None:
    text = render_block(HUMAN, AT, "ok", NONE, 3, sections=[*sections, ("Responses", "7. the last")])
    (block,) = parse(text.encode("utf-8", "replace")).blocks
    assert len(block.sections) == len(sections) + 1
    assert block.responses[-1].text == "the last"
    sound(block)
