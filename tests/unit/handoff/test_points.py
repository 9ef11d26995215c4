"""Challenges and responses: how people number them, and what counts as none."""

from __future__ import annotations

import time

import pytest

from teamops.handoff import parse
from teamops.model.handoff import Block, Challenges

HEAD = "### [REVIEWER] 2026-03-28 14:30\n**Status**: review\n**Turn**: DIRECTOR\n**Tier**: 3\n\n"


def block(body: str, title: str, ending: str = "\n") -> Block:
    text = f"{HEAD}#### {title}\n{body}\n\n#### For Director\n1. Not a point.\n9. Nor this.\n"
    return parse(text.replace("\n", ending).encode()).blocks[0]


def challenges(body: str, title: str = "Challenges") -> Challenges:
    found = block(body, title).challenges
    assert found is not None
    assert found.line == 6
    return found


def points(body: str, title: str = "Challenges") -> list[tuple[int, str]]:
    found = challenges(body, title)
    assert found.none == ""
    return [(point.number, point.text) for point in found.points]


def answers(body: str, title: str = "Responses") -> list[tuple[int, str]]:
    return [(point.number, point.text) for point in block(body, title).responses]


AB = [(1, "a"), (2, "b")]


@pytest.mark.parametrize(
    "body",
    [
        "1. a\n2. b",
        "1) a\n2) b",
        "1: a\n2: b",
        "1 - a\n2 \u2013 b",
        "(1) a\n(2) b",
        "[1] a\n[2] b",
        "1\\. a\n2\\. b",
        "**1.** a\n**2.** b",
        "**1**: a\n**2:** b",
        "**1** a\n\n**2** b",
        "__1.__ a\n__2.__ b",
        "**1. a**\n**2. b**",
        "C1: a\nC2: b",
        "C1. a\nc2) b",
        "**C1**: a\n\n**C2** \u2014 b",
        "[C1] a\n[C2] b",
        "- C1: a\n- **C2:** b",
        "#1 a\n#2 b",
        "#1: a\n**#2**: b",
        "- #1 a\n- #2 b",
        "Point 1: a\nPOINT 2: b",
        "Challenge #1: a\nChallenge 2. b",
        "- [ ] 1. a\n- [x] 2. b",
        "- a\n- b",
        "* a\n* b",
        "- [ ] a\n- [x] b",
        "1. a\n1. b",
        "##### 1. a\n##### 2. b",
        "##### 1\na\n##### 2\nb",
        "##### Challenge 1: a\n\n##### Challenge 2\n\nb",
        "| # | challenge |\n|---|---|\n| 1 | a |\n| C2 | b |",
        "  1. a\n  2. b",
        "1.\n   a\n2.\tb",
        "I have two:\n\n1. a\n2. b",
        "## Twice\n1. a\n2. b",
        "<!-- 7. no -->\n1. a <!-- c -->\n<!--\n8. no\n9. no --> \n2. b",
        "```\n7. no\n```\n1. a\n2. b",
        "> 7. no\n\n1. a\n2. b",
        "1. a\n\n2. b\n\n---",
        "-\n1. a\n2.\n2. b\n3.",
    ],
)
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
def test_two_points_however_they_are_numbered(body: str, ending: str) -> None:
    found = block(body, "Challenges", ending).challenges
    assert found is not None
    if "2.\n2. b" in body:  # an empty one is none, and hides none
        assert [point.text for point in found.points] == ["a", "b"]
    else:
        assert [(point.number, point.text) for point in found.points] == AB


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("3. a\n7. b", [(3, "a"), (7, "b")]),
        ("1. a\n   more\n\n   and more\n2. b", [(1, "a more and more"), (2, "b")]),
        ("1. a\nlazily\n2. b", [(1, "a lazily"), (2, "b")]),
        ("1. a\n   1. x\n   2. y\n2. b", [(1, "a 1. x 2. y"), (2, "b")]),
        ("1. a\n   - x\n- y\n2. b", [(1, "a - x - y"), (2, "b")]),
        ("- a\n  1. x\n- b", [(1, "a 1. x"), (2, "b")]),
        ("C1: a\n1. x\n2. y\nC2: b", [(1, "a 1. x 2. y"), (2, "b")]),
        ("1. a\n   ```\n   2. x\n   ```\n2. b", [(1, "a 2. x"), (2, "b")]),
        ("1. ```\n   x\n   ```\n2. ~~~ py\n   y", [(1, "x"), (2, "y")]),
        ("1. a\n   ```\n   never closed\n2. b", [(1, "a never closed"), (2, "b")]),
        ("1. a\n\nout\n```\n2. x\n```\n", [(1, "a out 2. x")]),
        ("  ```\n1. x\n  ```\n1. a", [(1, "a")]),
        ("1. a\n\n   > 2. quoted\n2. b", [(1, "a > 2. quoted"), (2, "b")]),
        ("1. a\n2. b\n2. c\n1. d", [(1, "a"), (2, "b"), (3, "c"), (4, "d")]),
        ("##### Design\n1. a\n2. b\n##### Code\n1. c", [(1, "a"), (2, "b"), (3, "c")]),
        ("- before\n1. a\n3. b", [(2, "before"), (1, "a"), (3, "b")]),
        ("1 and 2: a", [(1, "a"), (2, "a")]),
        ("**1. Title** and text", [(1, "Title and text")]),
        ("1. a\n10:30 is late\n1.5 MB\n2-3 times\n15% of all", [(1, "a 10:30 is late 1.5 MB 2-3 times 15% of all")]),
        ("Prose only.\n\nAnd more.", [(1, "Prose only. And more.")]),
        ("##### The retry is not tested", [(1, "The retry is not tested")]),
        ("> Quoted only", [(1, "> Quoted only")]),
        ("    1. indented code", [(1, "1. indented code")]),
        ("```\ncode only\n```", [(1, "code only")]),
        ("See `<!--` here\n2. b", [(2, "b")]),
        ("1. \x1b[31mred\x1b[0m " + "w" * 300, [(1, "red " + "w" * 195 + "…")]),
        ("1. a\n2. …\n3.\n4. **", [(1, "a")]),
    ],
)
def test_text_belongs_to_its_point(body: str, expected: list[tuple[int, str]]) -> None:
    assert points(body) == expected


def test_a_point_knows_its_line() -> None:
    assert [point.line for point in challenges("Intro\n\n1. a\nmore\n2. b").points] == [9, 11]
    assert [point.line for point in challenges("\n\nProse").points] == [9]
    assert [point.line for point in challenges("", "Challenges: the retry is bad").points] == [6]


@pytest.mark.parametrize(
    "title",
    [
        "Challenge",
        "challenges",
        "CHALLENGES:",
        "**Challenges**",
        "🔥 Challenges",
        "Challenges for Max",
        "Challenges (round 2)",
        "Challenges #212",
        "Challenges: round 2",
        "Design challenges",
        "My challenges to the design",
    ],
)
def test_titles_of_challenges(title: str) -> None:
    assert points("1. a\n2. b", title) == AB


@pytest.mark.parametrize("title", ["What I Did", "For Director", "The team's challenges", "Challenging times"])
def test_other_titles_hold_no_challenges(title: str) -> None:
    assert block("1. a", title).challenges is None


def test_a_challenge_may_have_a_section_of_its_own() -> None:
    assert points("body\n1. x\n\n#### Challenge 5\nthe second", "Challenge 2: T") == [
        (2, "Challenge 2: T body 1. x"),
        (5, "Challenge 5 the second"),
    ]
    assert points("1. a\n\n#### More challenges\n1. b") == AB


@pytest.mark.parametrize(
    ("body", "none"),
    [
        ("None.", ""),
        ("None", ""),
        ("none!", ""),
        ("**None**", ""),
        ("-", ""),
        ("\u2014", ""),
        ("N/A", ""),
        ("- None", ""),
        ("1. None.", ""),
        ("None: \u2026", ""),
        ("", ""),
        ("<!-- none -->", ""),
        ("```\n```", ""),
        ("None: I looked for x.", "I looked for x."),
        ("**None.** I looked for x.", "I looked for x."),
        ("**None**: I looked\nfor x.", "I looked for x."),
        ("_None_ - I looked", "I looked"),
        ("None \u2014 I looked", "I looked"),
        ("None (I looked for x).", "I looked for x"),
        ("None, I looked", "I looked"),
        ("None because I looked", "because I looked"),
        ("None this time: I looked", "I looked"),
        ("No challenges: I looked", "I looked"),
        ("No further challenges from me. I looked", "I looked"),
        ("No concerns about the design; I looked", "I looked"),
        ("No objections to the plan (I looked)", "I looked"),
        ("Nothing. I looked", "I looked"),
        ("Nothing found: I looked", "I looked"),
        ("- None: I looked", "I looked"),
        ("1. None: I looked", "I looked"),
        ("None: I looked for\n\n```\ncode\n```", "I looked for code"),
        ("None. I looked for:\n- x\n- y", "I looked for: x y"),
        ("None: I tried to break\n\n- the retry\n", None),
    ],
)
def test_an_explicit_none_with_its_reason(body: str, none: str | None) -> None:
    found = challenges(body)
    if none is None:  # a list that nothing announces holds points, whatever stands above it
        assert [point.text for point in found.points] == ["the retry"]
    else:
        assert (found.points, found.none) == ((), none)


@pytest.mark.parametrize(
    ("title", "body", "none"),
    [
        ("Challenges: none, I looked", "", "I looked"),
        ("Challenges \u2013 none", "I looked", "I looked"),
        ("No challenges", "I looked", "I looked"),
        ("No challenges", "", ""),
        ("Challenges: none", "", ""),
    ],
)
def test_a_title_may_say_none(title: str, body: str, none: str) -> None:
    found = challenges(body, title)
    assert found.points == ()
    assert found.none.strip() == none


@pytest.mark.parametrize(
    "body",
    [
        "None of the tests cover the retry.",
        "None, but the retry is not tested.",
        "None. However, the retry is not tested.",
        "None, except the retry.",
        "Nothing tests the retry.",
        "Nothing in the diff tests the retry.",
        "None-the-less the retry is bad.",
        "No: this loses events.",
        "No test covers the retry.",
        "Nonetheless, bad.",
        "No challenges, only that the retry is bad",
    ],
)
def test_an_objection_that_begins_like_none_is_a_point(body: str) -> None:
    assert points(body) == [(1, body)]


def test_points_beat_a_none_above_them() -> None:
    assert points("None blocking:\n- a\n- b") == AB
    assert points("None.\n\n1. a\n2. b") == AB
    assert points("None. I looked for:\n1. a\n2. b") == AB
    assert points("None.\n\n#### Challenges\n1. a") == [(1, "a")]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("1. a\n2. b", AB),
        ("- a\n- b", AB),
        ("1. a\n1. b", AB),
        ("C1: a\nC2: b", AB),
        ("Re 1: a\nRe 2: b", AB),
        ("To 1: a\nAd 2: b", AB),
        ("Response to 1: a\nAnswer 2: b", AB),
        ("- **C1**: a\n- **C2**: b", AB),
        ("1 and 2: a", [(1, "a"), (2, "a")]),
        ("Points 1 and 2: a", [(1, "a"), (2, "a")]),
        ("1, 2. a", [(1, "a"), (2, "a")]),
        ("1, 2 and 4: a", [(1, "a"), (2, "a"), (4, "a")]),
        ("1, 2, and 4: a", [(1, "a"), (2, "a"), (4, "a")]),
        ("1-3: a", [(1, "a"), (2, "a"), (3, "a")]),
        ("1 \u2013 3: a", [(1, "a"), (2, "a"), (3, "a")]),
        ("C1-C3: a", [(1, "a"), (2, "a"), (3, "a")]),
        ("1 to 3: a", [(1, "a"), (2, "a"), (3, "a")]),
        ("1-2, 5: a", [(1, "a"), (2, "a"), (5, "a")]),
        ("1/2) a\n3 & 4: b", [(1, "a"), (2, "a"), (3, "b"), (4, "b")]),
        ("3-1: a", [(3, "a"), (1, "a")]),
        ("1-400: a", [(1, "a"), (400, "a")]),
        ("1.\n2. b", [(2, "b")]),
        ("1. TODO\n2. \u2026\n3. <!-- your answer -->\n4. -\n5. tbd.", []),
        ("1. n/a: it was removed", [(1, "n/a: it was removed")]),
        ("1. > what was said\n2. > said\n   b", [(2, "b")]),
        ("> 1. what was said\n\nAgreed.", [(1, "Agreed.")]),
        ("> 1. what was said", []),
        ("Agreed.", [(1, "Agreed.")]),
        ("", []),
        ("1. a\n2. b\n2. c", [(1, "a"), (2, "b"), (2, "c")]),
        ("##### Design\n1. a\n2. b\n##### Code\n1. c", [(1, "a"), (2, "b"), (3, "c")]),
        ("> 1. a?\n\nFixed.\n\n> 2. b?\n\n- Declined\n- twice", [(1, "Fixed."), (2, "- Declined - twice")]),
        ("> **C1**: a?\nFixed\n> > 2) b?\n```\ncode\n```", [(1, "Fixed"), (2, "code")]),
        ("> 1. a?\n> 2. b?\n> and more\n\nAgreed.", [(1, "Agreed."), (2, "Agreed.")]),
        ("Hi.\n> 1. a?\n\nYes.\n> 2. b?", [(1, "Yes.")]),
        ("> 7. quoted\n\n1. a\n2. b", AB),
        ("> no number\n\nAgreed.", [(1, "Agreed.")]),
    ],
)
def test_answers(body: str, expected: list[tuple[int, str]]) -> None:
    assert answers(body) == expected


@pytest.mark.parametrize(
    ("body", "numbers"),
    [
        ("##### Critical\n1. a\n##### Minor\n1. b\n2. c", [1, 2, 3]),
        ("**Critical**\n1. a\n\n**Minor:**\n1. b\n2. c", [1, 2, 3]),
        ("##### Critical\nC1: a\nC2: b\n##### Minor\nC1: c", [1, 2, 3]),
        ("##### A\n1. a\n##### B\n1. b\n##### C\n1. c\n3. d", [1, 2, 3, 5]),
        ("##### A\n1. a\n3. b\n##### B\n2. c\n3. d", [1, 3, 5, 6]),
        ("##### A\n1. a\n2. b\n##### B\n3. c", [1, 2, 3]),
        ("1. a\n   **Why**\n2. b\n   **Why**\n3. c", [1, 2, 3]),
    ],
)
def test_a_list_that_begins_again_under_a_heading_counts_on_alike_in_both(body: str, numbers: list[int]) -> None:
    assert [number for number, _ in points(body)] == numbers
    assert [number for number, _ in answers(body)] == numbers


def test_a_line_in_bold_stays_text() -> None:
    assert points("1. a\n\n**Minor**\n\n1. b") == [(1, "a **Minor**"), (2, "b")]
    assert answers("1. a\n2. b\n   **Note**\n2. c") == [(1, "a"), (2, "b **Note**"), (2, "c")]


@pytest.mark.parametrize(
    "body",
    ["LGTM", "lgtm!", "All good.", "Looks good", "Looks good to me 👍", "It looks fine.", "TODO", "tbd", "ok",
     "OK, fine.", "Fine", "✅", "👍", ":+1:", "+1", ":white_check_mark: approved", "1. LGTM", "- ok\n- fine",
     "1. All good\n2. The design looks solid", "None, LGTM", "None: all good, ship it!", "None.\n\nLGTM", "None: ok",
     "No comments.", "Nothing to add", "None: nothing found", "No challenges — looks very good here", "**LGTM** ✅",
     "Good work.", "##### LGTM", "> LGTM"],
)  # fmt: skip
def test_praise_and_placeholders_are_neither_points_nor_reasons(body: str) -> None:
    found = challenges(body)
    assert (found.points, found.none) == ((), "")


@pytest.mark.parametrize(
    "body",
    ["Looks good, but the retry is not tested", "LGTM?", "Is it all fine?", "TODO: test the retry", "Nothing is done",
     "ok rows are lost", "All good rows are lost", "The approved design differs", "fine-tune the limit",
     "ok, " * 25 + "ok"],
)  # fmt: skip
def test_praise_with_an_objection_is_a_point(body: str) -> None:
    assert points(body) == [(1, body)]


def test_praise_beside_a_point_hides_it_not() -> None:
    assert points("1. LGTM\n2. b") == [(2, "b")]
    assert challenges("", "Challenges: LGTM").points == ()


def test_praise_without_end_costs_its_length() -> None:
    begun = time.process_time()
    for text in ("all good ", "ok", "it is all very good to me ", "+1 ", "the code all looks all ", "n/a-", "no "):
        for end in ("", "x", "?"):
            challenges((text * 90)[:79] + end)
            challenges(f"None: {text * 9000}{end}")
    assert time.process_time() - begun < 2.0


@pytest.mark.parametrize(
    "title",
    ["Response", "RESPONSES", "Answers", "Replies", "My responses", "Responses to Sarah", "Responses to challenges",
     "Challenge responses", "Challenges answered", "Challenges: addressed"],
)  # fmt: skip
def test_titles_of_responses(title: str) -> None:
    found = block("1. a\n2. b", title)
    assert ([(point.number, point.text) for point in found.responses], found.challenges) == (AB, None)


@pytest.mark.parametrize(
    ("title", "body", "expected"),
    [
        ("Response to challenge 2", "agreed\n1. x", [(2, "agreed 1. x")]),
        ("Response to challenges 1 and 3", "agreed", [(1, "agreed"), (3, "agreed")]),
        ("Responses to challenges 1-3", "1. a", [(1, "a")]),
        ("Response to challenge 2", "> quoted", []),
    ],
)
def test_a_title_may_say_what_is_answered(title: str, body: str, expected: list[tuple[int, str]]) -> None:
    assert answers(body, title) == expected


def test_sections_of_responses_count_together() -> None:
    assert answers("1. a\n\n#### Other responses\n2. no\n\n#### More responses\n2. b") == AB
    assert answers("\n\n#### Response\n1. a") == [(1, "a")]
