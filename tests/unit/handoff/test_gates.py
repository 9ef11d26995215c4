"""Gates: the field, the checklist, and what counts as evidence."""

from __future__ import annotations

import pytest

from teamops.handoff import parse
from teamops.model.handoff import Gate

HEAD = "### [CODER] 2026-03-28 14:30\n**Status**: done\n**Turn**: DIRECTOR\n**Tier**: 2\n"
P, F, U = "pass", "fail", "unknown"
Row = tuple[str, str, str]


def gates(field: str | None = None, section: str | None = None, title: str = "Gates") -> tuple[Gate, ...]:
    text = HEAD + (f"**Gates**: {field}\n" if field is not None else "")
    text += f"\n#### {title}\n{section}\n" if section is not None else ""
    return parse(text.encode()).blocks[0].checks


def rows(found: tuple[Gate, ...]) -> list[Row]:
    return [(gate.name, gate.result.value, gate.evidence) for gate in found]


THREE = [("runs", P, "pytest: 3 passed"), ("correct", P, "tried a, b (and c)"), ("complete", F, "docs")]


@pytest.mark.parametrize(
    "field",
    [
        "runs=pass (pytest: 3 passed); correct=pass (tried a, b (and c)); complete=fail (docs)",
        "runs=pass (pytest: 3 passed), correct=pass (tried a, b (and c)), complete=fail (docs)",
        "runs=pass (pytest: 3 passed) correct=pass (tried a, b (and c)) complete=fail (docs)",
        "runs: pass - pytest: 3 passed; correct: pass \u2013 tried a, b (and c); complete: fail \u2014 docs",
        "RUNS = PASSED: pytest: 3 passed; Correct = Ok, tried a, b (and c); Complete = no: docs",
        "runs: ✓ pytest: 3 passed | correct: ✅ tried a, b (and c) | complete: ✗ docs",
        "✅ runs: pytest: 3 passed; ✔️ correct: tried a, b (and c); ❌ complete: docs",
        "[x] runs: pytest: 3 passed; [X] correct: pass (tried a, b (and c)); [ ] complete: docs",
        "**runs**: **pass** (pytest: 3 passed); `correct`: `yes` (tried a, b (and c)); complete → red (docs)",
        "runs gate: true (pytest: 3 passed); correct gate: done (tried a, b (and c)); complete gate: failed (docs)",
        "runs=:white_check_mark: pytest: 3 passed; correct=:heavy_check_mark: tried a, b (and c); complete=:x: docs",
        "✅ runs (pytest: 3 passed), ✅ correct (tried a, b (and c)), ❌ complete (docs)",
        "✅ runs pytest: 3 passed; 🟢 correct tried a, b (and c); 🔴 complete docs",
        "runs ✅ (pytest: 3 passed), correct ✅ (tried a, b (and c)), complete ❌ (docs)",
        "runs 🟢 pytest: 3 passed | correct 🟢 tried a, b (and c) | complete 🔴 docs",
        "runs=pass (pytest: 3 passed)<br>correct=pass (tried a, b (and c))<br />complete=fail (docs)",
        "✅ runs pytest: 3 passed<br>correct ✅ tried a, b (and c)<BR>complete: no (docs)",
        "\n\n- runs=pass (pytest: 3 passed)\n- correct=pass (tried a, b (and c))\n- complete=fail (docs)",
        "\n- runs=pass (pytest: 3 passed)\n- correct: pass (tried a, b (and c))\n- complete: not met (docs)",
        "runs=pass pytest: 3 passed; correct=ok tried a, b (and c); complete=fails docs",
    ],
)
@pytest.mark.parametrize("name", ["Gates", "Gate"])
def test_the_field_however_it_is_written(field: str, name: str) -> None:
    found = parse(f"{HEAD}**{name}**: {field}\n".encode()).blocks[0].checks
    assert rows(found) == THREE
    assert {gate.line for gate in found} == {5}


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("", []),
        ("all pass", []),
        ("see below", []),
        ("note: nothing", []),
        ("runs", []),
        ("runs=", [("runs", U, "")]),
        ("runs=212 passed", [("runs", U, "212 passed")]),
        ("runs=pass?", [("runs", U, "")]),
        ("runs=pass|fail (x)", [("runs", U, "pass|fail (x)")]),
        ("runs=pass/fail (pytest)", [("runs", U, "pass/fail (pytest)")]),
        ("runs=passable (pytest)", [("runs", U, "passable (pytest)")]),
        ("runs=pass-ish (pytest)", [("runs", U, "pass-ish (pytest)")]),
        ("runs=no errors", [("runs", U, "no errors")]),
        ("runs=not yet", [("runs", F, "")]),
        ("runs=not   run (no time)", [("runs", F, "no time")]),
        ("runs=not sure (maybe)", [("runs", U, "not sure (maybe)")]),
        ("runs=skipped (no time)", [("runs", U, "skipped (no time)")]),
        ("runs: ✅ fail (3 tests)", [("runs", F, "3 tests")]),
        ("✅ runs: ❌ 3 tests", [("runs", F, "3 tests")]),
        ("[x] runs: failed tests were mended", [("runs", P, "failed tests were mended")]),
        ("[x] runs: failed (3 tests)", [("runs", F, "3 tests")]),
        ("[-] runs: pytest", [("runs", U, "pytest")]),
        ("[✓] runs: pytest", [("runs", P, "pytest")]),
        ("runs=pass (a test); runs=fail (b)", [("runs", F, "b")]),
        ("runs=fail (a); runs=pass (b test)", [("runs", F, "a")]),
        ("runs=pass; runs=pass (b test)", [("runs", P, "b test")]),
        ("runs=pass (exit: 0, correct: yes, lint: ok)", [("runs", P, "exit: 0, correct: yes, lint: ok")]),
        ("runs=pass (a), exit: 0, note: x", [("runs", P, "(a), exit: 0, note: x")]),
        ("runs=pass: the output is correct: 12 rows", [("runs", P, "the output is correct: 12 rows")]),
        ("runs=pass (sad :( face); correct=pass (b test)", [("runs", P, "sad :( face"), ("correct", P, "b test")]),
        ("runs=pass (open; correct=pass (b test)", [("runs", P, "open"), ("correct", P, "b test")]),
        ("runs=pass ) odd ( ; correct=pass (b test)", [("runs", P, ") odd ("), ("correct", P, "b test")]),
        ("runs=pass (one) and (two)", [("runs", P, "(one) and (two)")]),
        ("lint=ok (ruff); runs=pass (pytest), security: fail", [
            ("lint", P, "ruff"), ("runs", P, "pytest"), ("security", F, ""),
        ]),
        ("✅ runs ✅ correct ❌ complete", [("runs", P, ""), ("correct", P, ""), ("complete", F, "")]),
        ("✅ runs correct complete", [("runs", P, "correct complete")]),
        ("runs ✅ correct ✅ complete ❌", [("runs", P, ""), ("correct", P, ""), ("complete", F, "")]),
        ("runs=pass (a); then ✅ correct output is shown", [("runs", P, "(a); then ✅ correct output is shown")]),
        ("runs=pass (a) ✅ correct output", [("runs", P, "(a) ✅ correct output")]),
        ("✅ completely written", []),
        ("tests ✅, ✅ tests (a)", []),
        ("lint=maybe (ruff); runs=pass (pytest)", [("runs", P, "pytest")]),
        ("pass=pass (ruff)", []),
        ("runs=pass. Correct=pass. Complete=ok.", [("runs", P, ""), ("correct", P, ""), ("complete", P, "")]),
    ],
)  # fmt: skip
def test_what_a_field_says(field: str, expected: list[Row]) -> None:
    assert rows(gates(field)) == expected


@pytest.mark.parametrize(
    "evidence",
    ["", "n/a", "N.A.", "-", "\u2014", "none", "todo", "TODO:", "tbd", "yes", "ok", "passed", "\u2026", "...", "?", "_",
     "see above", "pending", "evidence", "✓", "()", "( )", "trust me"],
)  # fmt: skip
def test_words_that_prove_nothing(evidence: str) -> None:
    assert rows(gates(f"runs=pass ({evidence})")) == [("runs", P, "")]
    assert rows(gates(section=f"- [x] runs: {evidence}")) == [("runs", P, "")]


@pytest.mark.parametrize(
    "evidence",
    ["N/A - no tests in this repo", "n/a: it was removed", "N.A. here", "not applicable to this change",
     "Not applicable.", "does not apply here", "doesn't apply", "is not applicable", "TODO: run it", "tbd - later"],
)  # fmt: skip
def test_evidence_that_says_why_there_is_none(evidence: str) -> None:
    assert rows(gates(f"runs=pass ({evidence})")) == [("runs", P, "")]
    assert rows(gates(section=f"- [x] runs: {evidence}")) == [("runs", P, "")]


@pytest.mark.parametrize(
    "evidence",
    ["pytest: 3 failed", "3 failed, 9 passed in 4.1s", "212 passed, 1 failed in 3s", "1 test failed", "2 of 9 failed",
     "2/9 tests failing", "unittest: failures=2", "9 run, failed: 3", "0 failed; e2e: 1 failure", "3 failed and 9 ok"],
)  # fmt: skip
def test_a_pass_whose_evidence_says_that_tests_failed_fails(evidence: str) -> None:
    assert rows(gates(f"runs=pass ({evidence})")) == [("runs", F, evidence)]
    assert rows(gates(section=f"- [x] runs: {evidence}")) == [("runs", F, evidence)]


@pytest.mark.parametrize(
    "evidence",
    ["0 failed, 212 passed", "failed: 0", "3 failed before, 212 passed now", "without the mend 2 failed, with it 0",
     "first run: 3 failed, then 0 failed", "replayed 3 failed deliveries", "3 xfailed", "v1.3 failed over",
     "todo.py adds", "red: 1 failed, green: 0 failed", "2 failing inputs are refused", "fails=3", "NaN rows are kept"],
)  # fmt: skip
def test_a_word_of_failures_alone_does_not(evidence: str) -> None:
    assert rows(gates(f"runs=pass ({evidence})")) == [("runs", P, evidence)]


@pytest.mark.parametrize("evidence", ["no 3xx", "12", "x.py", "ok: 12 rows", "ran it", "見た"])
def test_other_words_do(evidence: str) -> None:
    assert rows(gates(f"runs=pass ({evidence})")) == [("runs", P, evidence)]


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        (
            "- [x] runs: pytest -q: 212 passed\n- [ ] complete: docs missing\n- **correct**: pass (tried)",
            [("runs", P, "pytest -q: 212 passed"), ("complete", F, "docs missing"), ("correct", P, "tried")],
        ),
        ("1. [x] Runs\n2. [X] **Correct**: tried\n3. [x] complete docs, tests", [
            ("runs", P, ""), ("correct", P, "tried"), ("complete", P, "docs, tests"),
        ]),
        ("runs: pass (pytest)\ncorrect - ok (tried)", [("runs", P, "pytest"), ("correct", P, "tried")]),
        ("* ✅ runs: pytest\n* **Correct:** pass (tried)\n* complete ❌", [
            ("runs", P, "pytest"), ("correct", P, "tried"), ("complete", F, ""),
        ]),
        ("- [x] runs:\n  ```console\n  pytest: 3 passed\n  ```\n- [x] correct:\n  - tried a\n  - tried b", [
            ("runs", P, "pytest: 3 passed"), ("correct", P, "tried a tried b"),
        ]),
        ("- [x] runs: pytest\n  and more\n\n  > quoted\n- [x] docs", [("runs", P, "pytest and more"), ("docs", P, "")]),
        ("| gate | result | evidence |\n|---|---|---|\n| runs | pass | pytest -q |\n| **correct** | ✅ | tried |\n|", [
            ("runs", P, "pytest -q"), ("correct", P, "tried"),
        ]),
        ("##### Runs\npass: pytest\n##### Complete: no", [("runs", P, "pytest"), ("complete", F, "")]),
        ("- runs (pytest: 3 passed)", [("runs", U, "pytest: 3 passed")]),
        ("- runs: pytest: 3 passed", [("runs", U, "pytest: 3 passed")]),
        ("- [x] lint: ruff\n- security: pass (tried)\n- note: see\n- pass: x", [
            ("lint", P, "ruff"), ("security", P, "tried"),
        ]),
        ("- [x] runs: pass; correct: pass (tried)", [("runs", P, ""), ("correct", P, "tried")]),
        ("Text before.\n> runs: pass\n\n<!-- runs: pass -->", []),
        ("```\nruns=pass (make)\n- [x] correct: tried\n```", [("runs", P, "make"), ("correct", P, "tried")]),
        ("- [x] runs: pytest\n\n```\ncorrect: 3 rows\n```", [("runs", P, "pytest correct: 3 rows")]),
        ("- ✅ runs pytest\n- correct ✅ tried\n- 🔴 complete", [
            ("runs", P, "pytest"), ("correct", P, "tried"), ("complete", F, ""),
        ]),
        ("- [x] it runs on my machine\n- [x] 212 tests", []),
        ("", []),
    ],
)  # fmt: skip
def test_a_checklist(section: str, expected: list[Row]) -> None:
    assert rows(gates(section=section)) == expected


def test_a_gate_of_a_checklist_knows_its_line() -> None:
    assert [gate.line for gate in gates(section="\nText\n- [x] runs: a test\n  more\n- [ ] correct")] == [9, 11]


@pytest.mark.parametrize(
    "title",
    ["Gates", "GATES:", "Gate", "✅ Gates", "**Gates**", "The three gates", "Completion", "Completion Gates",
     "Completion gates checklist", "Completion checklist", "Gates status", "Quality gates"],
)  # fmt: skip
def test_titles_of_gates(title: str) -> None:
    assert rows(gates(section="- [x] runs: pytest\n- [x] docs: written", title=title)) == [
        ("runs", P, "pytest"),
        ("docs", P, "written"),
    ]


@pytest.mark.parametrize("title", ["Done", "Definition of done", "Done:"])
def test_under_done_only_the_three_are_gates(title: str) -> None:
    assert rows(gates(section="- [x] runs: pytest\n- [x] docs: written", title=title)) == [("runs", P, "pytest")]


@pytest.mark.parametrize("title", ["What I Did", "Done today", "Gatekeeping", "For Director", "Completion of the task"])
def test_other_titles_hold_none(title: str) -> None:
    assert gates(section="- [x] runs: pytest", title=title) == ()


def test_the_field_wins_and_the_checklist_fills_in() -> None:
    checklist = "- [x] runs: pytest\n- [x] correct: tried\n- [x] complete: docs"
    assert rows(gates("runs=pass; correct=fail", checklist)) == [
        ("runs", P, "pytest"),
        ("correct", F, ""),
        ("complete", P, "docs"),
    ]
    assert rows(gates("runs=pass (make)", checklist))[0] == ("runs", P, "make")
