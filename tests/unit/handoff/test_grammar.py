"""The grammar: a corpus of named cases."""

from __future__ import annotations

import re
import time
from datetime import datetime

import pytest

from teamops.handoff import ROLES, parse
from teamops.model.handoff import Block, Severity
from teamops.model.role import Role

HEAD = "### [DIRECTOR] 2026-03-28 14:30\n\n"
FIELDS = "**Status**: done\n**Turn**: CODER\n**Tier**: 2\n"
WHOLE = HEAD + FIELDS


def only(text: str | bytes) -> Block:
    blocks = parse(text.encode() if isinstance(text, str) else text).blocks
    assert len(blocks) == 1
    return blocks[0]


def codes(text: str | bytes) -> list[tuple[str, int, int]]:
    read = parse(text.encode() if isinstance(text, str) else text)
    return [(problem.code, problem.line, problem.column) for problem in read.problems]


@pytest.mark.parametrize(
    "fields",
    [
        FIELDS,
        "**Status:** done\n**Turn:** CODER\n**Tier:** 2\n",
        "__Status__: done\n__Turn:__ CODER\n__Tier__: 2\n",
        "**Status**： done\n**Turn：** CODER\n**Tier**：2\n",  # noqa: RUF001 - the full-width colon
        "**STATUS**: Done\n\n**turn**: coder\n\n**tIER**: 2\n",
        "**Status**:\tdone  \n**Turn**:CODER\\\n**Tier** :  2\t\n",
        "- **Status**: done\n- **Turn**: CODER\n* **Tier**: 2\n",
        "**Status**: done<br>\n**Turn**: CODER<br/>\n**Tier**: 2 <BR />\n",
        "**✅ Status**: done\n**🚦 Turn:** CODER\n__🚦Tier__: 2\n",
        "---\n**Status**: done\n**Turn**: CODER\n**Tier**: 2\n",
        "**Status**: done\n<!-- a\nb -->\n**Turn**: CODER\n**Tier**: 2\n",
        "1. **Status**: done\n2. **Turn**: CODER\n3) **Tier**: 2\n",
        "**Status**\u00a0: done\n**Turn**:\u00a0CODER\n**\u00a0Tier**: 2\n",
        "<!-- who: Max\nand more -->\n**Status**: done\n\n<!-- y -->\n**Turn**: CODER\n**Tier**: 2\n",
        "  **Status**: done\n   **Turn**: CODER\n      **Tier**: 2\n",
        "**Status**: done\n**Turn**: **CODER** (Kevin)\n**Tier**: Tier 2 (usual)\n",
        "**Status**: done\n**Turn**: `@coder`\n**Tier**: **2**\n",
        "**Status**: done\n**Turn**: CODER, please\n**Tier**: 2 – as agreed\n",  # noqa: RUF001 - a dash as people write it
    ],
    ids=[
        "plain",
        "colon inside",
        "underscores",
        "full-width colon",
        "case, own paragraphs",
        "blanks, tabs, hard breaks",
        "list",
        "numbered list",
        "breaks of HTML",
        "symbols before names",
        "a line under the heading",
        "comment in the paragraph",
        "no-break spaces",
        "comments between",
        "indented",
        "decorated",
        "code and at",
        "with words after",
    ],
)
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
@pytest.mark.parametrize("start", ["", "\ufeff", "# Team\n\nOur file.\n\n"], ids=["bare", "BOM", "title"])
def test_fields_are_read_however_they_are_written(fields: str, ending: str, start: str) -> None:
    text = (start + HEAD + fields + "\n#### For Coder\nDo it.\n").replace("\n", ending)
    block = only(text)
    assert (block.status, block.turn, block.tier) == ("done", "CODER", 2)
    assert list(block.fields) == ["Status", "Turn", "Tier"]
    assert block.at == datetime.fromisoformat("2026-03-28T14:30")
    assert block.complete
    line = (start + HEAD + fields).count("\n") + 2
    assert [(section.title, section.line) for section in block.sections] == [("For Coder", line)]
    assert codes(text) == []


@pytest.mark.parametrize(
    ("line", "role", "at"),
    [
        ("### [DIRECTOR] 2026-03-28 14:30", "DIRECTOR", "2026-03-28T14:30"),
        ("### [director] 2026-03-28 9:05", "DIRECTOR", "2026-03-28T09:05"),
        ("   ###\t[ Director ]  2026-03-28T14:30:59 ###  ", "DIRECTOR", "2026-03-28T14:30"),
        ("### **[CODER]** 2026-03-28 14:30 — the webhook", "CODER", "2026-03-28T14:30"),
        ("### [DIRECTOR]: 2026-03-28\u00a014:30", "DIRECTOR", "2026-03-28T14:30"),
        ("### [**Director**] 2026-03-28 14:30", "DIRECTOR", "2026-03-28T14:30"),
        ("### [`CODER`] 2026-03-28 14:30 ######", "CODER", "2026-03-28T14:30"),
        ("### [QA lead] 2026-03-28 14:30", "QA LEAD", "2026-03-28T14:30"),
        ("### [écrivain] 2026-03-28 14:30", "ÉCRIVAIN", "2026-03-28T14:30"),
    ],
    ids=[
        "plain",
        "lower case",
        "tabs and closing",
        "bold with a title",
        "colon",
        "bold",
        "code",
        "two words",
        "accented",
    ],
)
def test_headings_that_open_a_block(line: str, role: str, at: str) -> None:
    read = parse(f"{line}\n{FIELDS}".encode(), {*ROLES, Role("QA LEAD"), Role("ÉCRIVAIN")})
    assert [(block.role, block.at and block.at.isoformat(timespec="minutes")) for block in read.blocks] == [(role, at)]
    assert read.problems == ()


@pytest.mark.parametrize(
    "text",
    [
        "```\n### [CODER] 2026-03-28 14:31\n```\n",
        "````md\n```\n### [CODER] 2026-03-28 14:31\n```\n````\n",
        "~~~\n```\n### [CODER] 2026-03-28 14:31\n~~~\n",
        "> ### [CODER] 2026-03-28 14:31\n",
        "> ```\n> ### [CODER] 2026-03-28 14:31\n> ```\n",
        "- ### [CODER] 2026-03-28 14:31\n",
        "- a\n\n  ### [CODER] 2026-03-28 14:31\n",
        "1. a\n\n   ```\n   ### [CODER] 2026-03-28 14:31\n   ```\n",
        "<!--\n\n### [CODER] 2026-03-28 14:31\n\n-->\n",
        "<div>\n### [CODER] 2026-03-28 14:31\n</div>\n",
        "<pre>\n\n### [CODER] 2026-03-28 14:31\n\n</pre>\n",
        "    ### [CODER] 2026-03-28 14:31\n",
        "\t### [CODER] 2026-03-28 14:31\n",
        "\\### [CODER] 2026-03-28 14:31\n",
        "### \\[CODER] 2026-03-28 14:31\n",
        "### [CODER](url) 2026-03-28 14:31\n",
        "### [x] a finished point\n",
        "### What happened in 2026-03\n",
        "#### [CODER] what is yours\n",
        "[CODER] 2026-03-28 14:31\n---\n",
        "text ### [CODER] 2026-03-28 14:31\n",
        "####### [CODER] 2026-03-28 14:31\n",
    ],
)
def test_what_looks_like_a_heading_but_is_text(text: str) -> None:
    assert codes(f"{WHOLE}\n#### Notes\n{text}") == []
    assert only(f"{WHOLE}\n#### Notes\n{text}").role == "DIRECTOR"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (HEAD + "**Status**: done\n**Tier**: 2\n\n#### X\n", [("missing-turn", 1, 1)]),
        (HEAD + "**Status**: done\n**Turn**: —\n**Tier**: 2\n", [("bad-turn", 4, 11)]),
        (HEAD + "**Status**: done\n**Turn**:\n**Tier**: 2\n", [("bad-turn", 4, 10)]),
        (HEAD + "**Status**: done\n**Turn**: CODER → REVIEWER\n**Tier**: 2\n", [("several-turns", 4, 11)]),
        (HEAD + "**Status**: done\n**Turn**: CODR\n**Tier**: 2\n", [("unknown-turn", 4, 11)]),
        (HEAD + "**Status**: done\n**Turn**: CODER\n**Tier**: 4\n", [("bad-tier", 5, 11)]),
        (HEAD + "**Status**: done\n**Turn**: CODER\n**Tier**: two\n", [("bad-tier", 5, 11)]),
        (HEAD + "**Status**: done\n**Turn**: CODER\n", [("missing-tier", 1, 1)]),
        (WHOLE + "**Gates**: all pass\n", [("unreadable-gates", 6, 12)]),
        (WHOLE + "**Gates**: all pass", []),
        (WHOLE + "**Gate**: ✅\n\n#### Gates\nSee the log.\n", [("unreadable-gates", 6, 11)]),
        (WHOLE + "**Gates**: n/a\n\n#### Gates\nSee the log.\n", [("unreadable-gates", 8, 1)]),
        (WHOLE + "\n#### Gates\n- [x] all three\n", [("unreadable-gates", 7, 1)]),
        (WHOLE + "\n#### Gates\n- [x] all thr", []),
        (WHOLE + "\n#### Gates\n- [x] all thr\n\n" + WHOLE, [("unreadable-gates", 7, 1)]),
        (WHOLE + "**Gates**: none yet\n", []),
        (WHOLE + "**Gates**: -\n\n#### Gates\n\n#### Completion\nAll of it.\n\n#### Done\nThis.\n", []),
        (WHOLE + "**Gates**: fine\n\n#### Gates\n- [x] runs: make\n", []),
        (WHOLE + "\n### [CODER] 2026-03-28 14:31\n\n**Status**: x\n**Turn**: NONE\n", [("inherited-tier", 7, 1)]),
        (HEAD + "**Turn**: CODER\n**Tier**: 2\n", [("missing-status", 1, 1)]),
        (WHOLE + "**Turn**: HUMAN\n", [("duplicate-field", 6, 3)]),
        (WHOLE + "**Note**: a\n**note**: b\n", [("duplicate-field", 7, 3)]),
        (HEAD + "**Status**: done\n**Tier**: 2\n\nProse.\n\n  **Turn**: CODER\n**Turn**: CODER\n", None),
        (HEAD + "**Status**: done\n**Tier**: 2\nTurn: CODER\n\nProse\n", None),
        (HEAD + "**Status**: done\n**Tier**: 2\n\n**Turn** CODER\n", None),
        (HEAD.replace("14:30", "25:30") + FIELDS, [("bad-date", 1, 16)]),
        (HEAD.replace("2026-03-28 14:30", "28.3.2026") + FIELDS, [("bad-date", 1, 16)]),
        (HEAD.replace(" 2026-03-28 14:30", "") + FIELDS, [("missing-date", 1, 15)]),
        (WHOLE + "\n### DIRECTOR 2026-03-28 14:31\n", [("heading-brackets", 7, 5)]),
        (WHOLE + "\n### **CODER** 2026-03-28 14:31\n", [("heading-brackets", 7, 5)]),
        (WHOLE + "\n### [CODER (Kevin)] 2026-03-28 14:31\n", [("heading-brackets", 7, 5)]),
        (WHOLE + "\n### [CODER/DEVELOPER] 2026-03-28 14:31\n", [("heading-brackets", 7, 5)]),
        (WHOLE + "\n### 🚦 [CODER] 2026-03-28 14:31\n", [("heading-brackets", 7, 5)]),
        (WHOLE + "\n###\u00a0[CODER] 2026-03-28 14:31\n", [("heading-brackets", 7, 4)]),
        (WHOLE + "\n<details>\n\nx\n\n</details>\n### [CODER] 2026-03-28 14:31\n", [("heading-html", 12, 5)]),
        (WHOLE + "\n<details>x</details> \n ### [CODER] 2026-03-28 14:31\n", [("heading-html", 8, 6)]),
        (WHOLE + "\n<script>\n\n</script>\n### [CODER] 2026-03-28 14:31\n" + FIELDS, []),
        (WHOLE.replace("14:30", "2:30 PM"), [("bad-date", 1, 16)]),
        (WHOLE.encode() + b"\n#### X\nab\0\0\n", [("nul-bytes", 8, 3)]),
        (HEAD + "**Status**:\n**Turn**: CODER\n**Tier**: 2\n", [("missing-status", 1, 1)]),
        (HEAD + "**Status**: done\n**Turn**:\n**Turn**: CODER\n**Tier**: 2\n", []),
        (HEAD + "**Status**: done\n**Turn**: n/a\n**Tier**: 2\n", [("bad-turn", 4, 11)]),
        (HEAD + "**Status**: done\n**Turn**: 🚀\n**Tier**: 2\n", [("bad-turn", 4, 11)]),
        (HEAD + "**Status**: done\n**Turn**: the CODER\n**Tier**: 2\n", [("unknown-turn", 4, 11)]),
        (HEAD + "**Status**: done\n**Turn**: CODER\n**Tier**: 2/3\n", [("bad-tier", 5, 11)]),
        (HEAD + "**Status**: done\n**Turn**: CODER\n**Tier**: 2 or tier 3\n", [("bad-tier", 5, 11)]),
        (HEAD + "**Status**: done\n**Turn**: CODER\n**Tier**: -2\n", [("bad-tier", 5, 11)]),
        (
            HEAD + "**Status**: done **Turn**: CODER\n**Tier**: 2\n\nDo it.\n",
            [("missing-turn", 1, 1), ("malformed-field", 3, 18)],
        ),
        (
            HEAD + "**Status**: done\n**Turn: CODER**\n**Tier**: 2\n\nDo it.\n",
            [("missing-turn", 1, 1), ("malformed-field", 4, 1)],
        ),
        (
            HEAD + "> **Turn**: CODER\n\nDo it.\n",
            [("missing-turn", 1, 1), ("missing-status", 1, 1), ("missing-tier", 1, 1), ("malformed-field", 3, 3)],
        ),
        (WHOLE + "\n## [CODER] 2026-03-28 14:31\n", [("heading-level", 7, 1)]),
        (WHOLE + "\n###[CODER] 2026-03-28 14:31\n", [("heading-space", 7, 4)]),
        ("### [CODR] 2026-03-28 14:31\n" + FIELDS, [("unknown-role", 1, 6)]),
        (WHOLE + "\n#### X\n```\n### [CODER] 2026-03-28 14:31\n", [("unclosed-fence", 8, 1)]),
        (WHOLE + "\n#### X\n<!--\n### [CODER] 2026-03-28 14:31\n", [("unclosed-comment", 8, 1)]),
        (WHOLE.replace("28", "29") + "\n" + WHOLE, [("time-backwards", 7, 1)]),
        (HEAD, [("unfinished-block", 1, 1)]),
        (WHOLE.encode() + b"\n#### X\ncaf\xe9 \xff\n", [("not-utf8", 8, 4)]),
    ],
)
def test_problems_have_a_code_and_a_place(text: str | bytes, expected: list[tuple[str, int, int]] | None) -> None:
    found = codes(text)
    if expected is None:
        assert {code for code, _, _ in found} == {"missing-turn", "misplaced-field"} or {
            code for code, _, _ in found
        } == {"missing-turn", "malformed-field"}
        assert len(found) == 2
    else:
        assert found == expected


def test_an_unclosed_fence_says_what_it_swallows() -> None:
    read = parse((WHOLE + "\n#### X\n```\n" + WHOLE + WHOLE).encode())
    assert len(read.blocks) == 1
    assert "2 block headings" in read.problems[0].message
    assert read.problems[0].severity is Severity.WARNING


@pytest.mark.parametrize(
    ("written", "hint"),
    [("CODR", "did you mean CODER?"), ("ZZZZ", "roles: CODER, DEVELOPER")],
    ids=["near", "far"],
)
def test_an_unknown_role_is_kept_with_a_hint(written: str, hint: str) -> None:
    read = parse((HEAD + f"**Status**: done\n**Turn**: {written}\n**Tier**: 2\n").encode())
    assert read.blocks[0].turn == written
    assert read.problems[0].hint.startswith(hint)


@pytest.mark.parametrize(
    "written",
    [
        "[DEVELOPER](https://a.example/x_y)",
        "Developer (Isabelle)",
        "Isabelle (DEVELOPER)",
        "(DEVELOPER)",
        "→ DEVELOPER",
        "➡️ DEVELOPER",
        "🚀 DEVELOPER",
        "✅ @developer",
        '"DEVELOPER"',
        "<DEVELOPER>",
        "{DEVELOPER}",
        "~~CODER~~ DEVELOPER",
        "<!-- not CODER --> DEVELOPER",
        "DEVELOPER <!-- CODER later -->",
        "DEVELOPER's turn",
        "DEVELOPER (then REVIEWER)",
        "DEVELOPER — implement it",
        "Ｄeveloper",  # noqa: RUF001 - full width
    ],
)
def test_a_turn_is_read_through_what_people_put_around_it(written: str) -> None:
    text = f"{HEAD}**Status**: done\n**Turn**: {written}\n**Tier**: 2\n"
    assert only(text).turn == "DEVELOPER"
    assert codes(text) == []


@pytest.mark.parametrize(
    ("written", "turn"),
    [
        ("Kevin", "CODER"),
        ("@isabelle", "DEVELOPER"),
        ("Max, please confirm", "DIRECTOR"),
        ("**Sarah** → review", "REVIEWER"),
        ("Sam", "OPTIMIZER"),
        ("ALEX", "PARTNER"),
        ("Kevin (DEVELOPER)", "DEVELOPER"),
        ("CODER, Max is away", "CODER"),
    ],
)
def test_a_persona_s_name_is_its_role_where_no_role_is_named(written: str, turn: str) -> None:
    text = f"{HEAD}**Status**: x\n**Turn**: {written}\n**Tier**: 2\n"
    assert only(text).turn == turn
    assert codes(text) == []


@pytest.mark.parametrize(
    ("written", "roles", "code", "turn", "hint"),
    [
        ("Kevin", {"DIRECTOR", "DEVELOPER"}, "unknown-turn", "KEVIN", "roles: DEVELOPER, DIRECTOR"),
        ("Kevin the DEVELOPER", {"CODER", "DEVELOPER"}, "unknown-turn", "KEVIN", "write **Turn**: DEVELOPER"),
        ("Kevni", {"CODER", "MAX"}, "unknown-turn", "KEVNI", "did you mean CODER?"),
        ("Maxx", {"CODER", "MAX", "DIRECTOR"}, "unknown-turn", "MAXX", "did you mean MAX?"),
        (
            "Kevin or Isabelle",
            set(ROLES),
            "several-turns",
            "CODER",
            "name one role; the next one gets the light from it",
        ),
    ],
)
def test_a_persona_that_is_not_clear_is_a_problem(
    written: str, roles: set[str], code: str, turn: str, hint: str
) -> None:
    text = f"{HEAD}**Status**: x\n**Turn**: {written}\n**Tier**: 2\n"
    read = parse(text.encode(), {*map(Role, roles), Role("DIRECTOR")})
    assert (read.blocks[0].turn, [(one.code, one.hint) for one in read.problems]) == (turn, [(code, hint)])


def test_a_role_of_a_persona_s_name_is_that_role() -> None:
    text = f"### [Max] 2026-03-28 14:30\n{FIELDS.replace('CODER', 'max')}"
    read = parse(text.encode(), {*ROLES, Role("MAX")})
    assert [(block.role, block.turn) for block in read.blocks] == [("MAX", "MAX")]
    assert read.problems == ()


def test_a_persona_writes_as_its_role() -> None:
    text = HEAD.replace("DIRECTOR", "Max") + FIELDS
    assert only(text).role == "DIRECTOR"
    assert codes(text) == []
    assert codes(WHOLE + "\n### Kevin 2026-03-28 14:31\n") == [("heading-brackets", 7, 5)]
    assert only(WHOLE + "\n### [Kevin] what is yours\n").role == "DIRECTOR"


def test_a_persona_s_name_may_go_on() -> None:
    text = HEAD + "**Status**: done\n**Tier**: 2\n**Turn**: Max"
    assert not only(text).complete
    assert only(text + "\n").complete


@pytest.mark.parametrize(
    ("tiers", "message"),
    [
        (["DIRECTOR CODER 3", "CODER DIRECTOR 2", "DIRECTOR CODER -"], "3 holds"),
        (["DIRECTOR CODER 2", "CODER DIRECTOR 3", "DIRECTOR CODER -"], "3 holds"),
        (["DIRECTOR CODER 3", "HUMAN DIRECTOR 2", "DIRECTOR CODER -"], "2 holds"),
        (["DIRECTOR CODER 3", "HUMAN NONE -", "DIRECTOR CODER 1", "CODER CODER -"], "1 holds"),
        (["DIRECTOR CODER 3", "HUMAN NONE -", "DIRECTOR NONE 1", "CODER CODER -"], "3 holds"),
        (["DIRECTOR CODER 3", "HUMAN NONE -", "DIRECTOR - 1", "CODER CODER -"], "3 holds"),
        (["DIRECTOR CODER 3", "HUMAN NONE -", "DIRECTOR - 3", "DIRECTOR CODER 1", "CODER CODER -"], "1 holds"),
    ],
)
def test_the_tier_that_holds_is_the_highest_that_nobody_took_back(tiers: list[str], message: str) -> None:
    text = ""
    for role, turn, tier in map(str.split, tiers):
        text += f"### [{role}] 2026-03-28 14:30\n**Status**: x\n"
        text += f"**Turn**: {turn}\n" * (turn != "-") + f"**Tier**: {tier}\n" * (tier != "-") + "\n"
    last = [problem for problem in parse(text.encode()).problems if problem.code == "inherited-tier"][-1]
    assert last.message == f"the block has no Tier; {message}"


def test_a_tier_that_nobody_said_is_told_once_for_each_task() -> None:
    text = "".join(
        f"### [CODER] 2026-03-28 14:30\n**Status**: x\n**Turn**: CODER\n{more}\n"
        for more in ("", "", "**Task**: a\n", "**Task**: b\n**Tier**: 9\n", "", "**Task**: A\n", "**Task**: b\n")
    )
    found = [(code, line) for code, line, _ in codes(text)]
    assert found == [("missing-tier", 1), ("missing-tier", 9), ("bad-tier", 18), ("missing-tier", 20)]


STAND = WHOLE.replace("DIRECTOR", "CODER")
EDITS = re.compile(r"\badd\b|\bmove\b|\bkeep\b|\bput\b|take them out|save the file")


@pytest.mark.parametrize(
    "text",
    [
        HEAD,
        HEAD + "**Status**: x\n\n#### X\n",
        HEAD + "**Turn**: ?\n**Tier**: 7\n",
        HEAD + "**Status**: x\n**Turn**: CODER or HUMAN\n**Tier**: 2\n**Tier**: 3\n",
        HEAD + "**Status**: x\n**Turn**: DIRECTER\n**Tier**: 2\n**Gates**: fine\n",
        HEAD + "**Status**: x\n**Tier**: 2\nTurn: CODER\n\nText.\n\n**Task**: x\n",
        HEAD.replace("DIRECTOR", "CODR").replace("14:30", "25:30") + FIELDS,
        HEAD.replace(" 2026-03-28 14:30", "") + FIELDS,
        WHOLE + "\n### CODER 2026-03-28 14:31\n\n## [CODER] 2026-03-28 14:31\n\n###[CODER] 2026-03-28 14:31\n",
        WHOLE + "\n</details>\n### [CODER] 2026-03-28 14:31\n",
        WHOLE.encode() + b"\n#### X\nab\0\0 caf\xe9\n",
    ],
)
def test_no_hint_says_to_edit_a_block_that_others_follow(text: str | bytes) -> None:
    data = text.encode() if isinstance(text, str) else text
    alone = parse(data).problems
    found = [one for one in parse(data + b"\n" + STAND.encode()).problems if one.line < data.count(b"\n") + 1]
    assert {one.code for one in found} >= {one.code for one in alone} - {"unfinished-block"}
    for one in found:
        assert not EDITS.search(one.hint), one
    assert not any("done" in one.hint for one in (*alone, *found))


def test_what_stood_last_is_told_otherwise_once_a_block_follows() -> None:
    text = HEAD + "**Status**: x\n**Turn**: DIRECTER\n**Tier**: 2\n"
    assert parse(text.encode()).problems[0].hint == "did you mean DIRECTOR?"
    followed = parse((text + "\n" + WHOLE).encode())
    assert followed.problems[0].hint == "did you mean DIRECTOR? append a block with the right **Turn**"


@pytest.mark.parametrize("written", ["T2", "Tier 2", "2.", "2 of 3", "(2)", "#2", "２", "2 (was 3)", "level 2", "2,"])  # noqa: RUF001 - full width
def test_a_tier_is_read_through_what_people_put_around_it(written: str) -> None:
    text = f"{HEAD}**Status**: done\n**Turn**: CODER\n**Tier**: {written}\n"
    assert only(text).tier == 2
    assert codes(text) == []


@pytest.mark.parametrize("written", ["`Retry ladder`", "**Retry ladder**", '"retry ladder"', "_RETRY LADDER_"])
def test_marks_around_a_task_make_it_no_other_task(written: str) -> None:
    text = f"{WHOLE}**Task**: Retry ladder\n\n{WHOLE}**Task**: {written}\n\n{WHOLE}**Task**: ``\n"
    assert [block.task for block in parse(text.encode()).blocks] == ["Retry ladder"] * 3


@pytest.mark.parametrize("noise", [" " * 500_000 + "x", "# " * 250_000 + "x", "#" * 500_000 + "x", " #" * 250_000])
def test_a_heading_of_half_a_megabyte_costs_its_length(noise: str) -> None:
    begun = time.process_time()
    assert only(HEAD.strip() + " " + noise + "\n" + FIELDS).role == "DIRECTOR"
    assert time.process_time() - begun < 1.0


@pytest.mark.parametrize(
    "text",
    [
        "### [a" + "_" * 500_000,
        "### [a" + " " * 500_000,
        "### a" + "-" * 500_000,
        "### " + "*" * 500_000 + "[CODER",
        HEAD + "**Status**: x" + " " * 60_000 + "y",
        HEAD + "**Status" + " " * 60_000 + "y",
        HEAD + "**" + " " * 60_000 + "y",
        HEAD + "**Turn**: " + "(" * 60_000,
        HEAD + "**Turn**: " + "CODER or " * 6_000,
        HEAD + "**Tier**: " + "2 " * 30_000,
        HEAD + "- " * 30_000 + "x",
        HEAD + "**Status**: " + "<br " * 15_000,
        HEAD + "**Status**: x\n" + "y\n" * 30_000,
    ],
    ids=lambda text: text[-60_100:][:20].strip() or "blanks",
)
def test_no_line_costs_more_than_its_length(text: str) -> None:
    begun = time.process_time()
    parse(text.encode())
    assert time.process_time() - begun < 1.0


def test_the_hint_for_a_turn_names_the_role_that_stands_in_it() -> None:
    read = parse((HEAD + "**Status**: done\n**Turn**: back to the coder\n**Tier**: 2\n").encode())
    assert read.problems[0].hint == "write **Turn**: CODER"


def test_a_field_after_prose_is_text() -> None:
    block = only(HEAD + "**Status**: done\n\nSome prose.\n\n**Turn**: CODER\n")
    assert block.turn is None
    assert list(block.fields) == ["Status"]


@pytest.mark.parametrize("fence", ["```", "~~~"])
def test_a_field_in_a_fence_is_no_misplaced_field(fence: str) -> None:
    text = f"{HEAD}**Status**: done\n**Tier**: 2\n\n{fence}\n**Turn**: CODER\n{fence}\n\n    **Turn**: CODER\n"
    assert codes(text) == [("missing-turn", 1, 1)]


@pytest.mark.parametrize("name", ["Session", "session", "SESSION"])
def test_a_session_is_kept_under_one_name(name: str) -> None:
    text = f"{HEAD}{FIELDS}**{name}**: team-coder-1\n\n#### What I Did\nText.\n"
    assert only(text).fields["Session"] == "team-coder-1"
    assert codes(text) == []


def test_a_session_in_the_text_is_text() -> None:
    text = f"{WHOLE}\nText.\n\n**Session**: two hours\nSession: one more\n"
    assert "Session" not in only(text).fields
    assert codes(text) == []


def test_unknown_fields_are_kept_as_written_and_values_go_on_over_lines() -> None:
    block = only(WHOLE + "**Gates**: runs=pass (pytest:\n212 passed);\ncorrect=pass\n**Review by**: Sarah\n\nEnd.\n")
    assert block.gates == "runs=pass (pytest: 212 passed); correct=pass"
    assert block.fields["Review by"] == "Sarah"
    assert list(block.fields) == ["Status", "Turn", "Tier", "Gates", "Review by"]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        (
            "**Gates**:\n- runs=pass (x)\n- correct=pass\n  (y,\n  z)\n1. complete=fail\n",
            "runs=pass (x); correct=pass (y, z); complete=fail",
        ),
        ("**Gates**:\n- runs=pass\n- **Note**: x\n- correct=pass\n", "runs=pass"),
        ("**Gates**: runs=pass\n- correct=pass\n", "runs=pass"),
        ("**Gates**:\n\n\n- runs=pass\n- correct=pass\n", "runs=pass; correct=pass"),
        ("**Gates**:\n\n- **Note**: x\n- runs=pass\n", None),
        ("**Gates**:\n\nText.\n- runs=pass\n", None),
        ("**Gates**: x\n\n- runs=pass\n", "x"),
        ("**Gate**: runs=pass (x)\n**Gate**: correct=pass\n**gate**:\n", "runs=pass (x); correct=pass;"),
        ("**Gates**: runs=pass\n**Gates**: correct=pass\n", "runs=pass"),
    ],
    ids=["list", "a field in it", "under a value", "after blanks", "a field", "text", "after a value", "Gate", "twice"],
)
def test_a_list_right_under_an_empty_field_is_its_value(written: str, value: str | None) -> None:
    assert only(WHOLE + written).gates == value


@pytest.mark.parametrize("stop", ["> quote", "- point", "---", "```\nx\n```", "# Title"])
def test_what_begins_something_new_ends_the_fields(stop: str) -> None:
    block = only(f"{WHOLE}{stop}\n**Gates**: x\n")
    assert block.gates is None
    assert block.fields["Tier"] == "2"


@pytest.mark.parametrize(
    ("text", "complete"),
    [
        ("### [CODER] 2026-03-28 14:31", False),
        ("### [CODER] 2026-03-28 14:31\n", False),
        (HEAD + "**Status**: done\n", False),
        (HEAD + "**Status**: done\n**Turn**: DEV", False),
        (HEAD + "**Status**: done\n**Tier**: 2\n**Turn**: DEV", False),
        (HEAD + "**Status**: done\n**Tier**: 2\n**Turn**:", False),
        (HEAD + "**Status**: done\n**Tier**: 2\n**Turn**: CODER", True),
        (HEAD + "**Tier**: 2\n**Turn**: CODER", False),
        (WHOLE.rstrip(), True),
        (WHOLE.replace("CODER", "NONE").rstrip(), True),
        (HEAD + "**Status**: done\n**Turn**: CODER\n", True),
        (WHOLE, True),
        (WHOLE + "\n#### What I D", True),
        (HEAD + "No fields at all.\n", True),
        (HEAD + "\n#### Only a section", True),
    ],
)
def test_the_last_block_may_still_be_in_writing(text: str, *, complete: bool) -> None:
    assert only(text).complete is complete
    assert ("unfinished-block" in {code for code, _, _ in codes(text)}) is not complete
    followed = parse((text + "\n\n" + WHOLE).encode())
    assert followed.blocks[0].complete


def test_a_character_cut_in_two_at_the_end_is_no_problem() -> None:
    assert codes(WHOLE.encode() + "\n#### X\ncafé".encode()[:-1]) == []


def test_tasks_go_on_and_keep_their_first_spelling() -> None:
    text = "".join(
        f"### [CODER] 2026-03-28 14:3{number}\n\n{field}\n"
        for number, field in enumerate(["", "**Task**: Webhooks", "", "**Task**: other", "**Task**: WEBHOOKS", ""])
    )
    assert [block.task for block in parse(text.encode()).blocks] == [
        None,
        "Webhooks",
        "Webhooks",
        "other",
        "Webhooks",
        "Webhooks",
    ]


def test_every_block_knows_its_place() -> None:
    text = ("\ufeff# Team\r\n\r\n" + WHOLE.replace("\n", "\r\n") + "### [CODER] 2026-03-28 14:31\n").encode()
    first, second = parse(text).blocks
    assert text[first.start : first.end].startswith(b"### [DIRECTOR]")
    assert text[second.start : second.end] == b"### [CODER] 2026-03-28 14:31\n"
    assert (first.line, first.end_line, second.line, second.end_line) == (3, 7, 8, 8)
    assert (first.index, second.index) == (0, 1)


def test_the_digest_tells_a_rewritten_block_but_not_white_space_after_it() -> None:
    assert only(WHOLE).digest == only(WHOLE + "\n\n").digest
    assert only(WHOLE).digest != only(WHOLE.replace("2026", "2027")).digest


def test_outside_text_is_cleaned() -> None:
    block = only(HEAD + "**Status**: \x1b[31mdone\x07\n**Turn**: CODER\n**Tier**: 2\n\n#### \x1b]0;x\x07Title\u202e\n")
    assert block.status == "done"
    assert block.sections[0].title == "Title"


@pytest.mark.parametrize("text", ["", "\ufeff", "\n", "no blocks here\n"])
def test_a_file_without_blocks(text: str) -> None:
    read = parse(text.encode())
    assert read.blocks == ()
    assert read.problems == ()
    assert read.lines == text.count("\n") + (bool(text) and not text.endswith("\n"))
