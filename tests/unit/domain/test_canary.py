"""From what was tried in a boundary to one word, with its reason."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from teamops.domain.alert_rules import pages, severity_of
from teamops.domain.canary import (
    PATIENCE_S,
    SEEN,
    Answer,
    Asked,
    Client,
    Try,
    audit_check,
    broken,
    broken_findings,
    commit_check,
    hindrance,
    hold_check,
    hook_check,
    kernel_check,
    no_audit,
    no_commit,
    no_hook,
    no_repository,
    not_started,
    not_tried,
    unheld,
    unproven,
    unruled,
    untried,
    version_in,
)
from teamops.effects.recipe import HOOK_TIMEOUT_S
from teamops.guard.hook import REFUSED
from teamops.model.check import AUDIT, COMMIT, Check, Word
from teamops.model.handoff import Severity
from teamops.model.role import Role

R = Role("REVIEWER")
CLAUDE = Client("claude", "2.1.330")
NO, YES = Answer(2, "", "teamops: no"), Answer(0)


def asked(*answers: Answer, seal: str = "") -> list[Asked]:
    return [Asked(what=f"Write /p/{at}", answer=answer, seal=seal) for at, answer in enumerate(answers)]


KERNEL = [
    ([Try("write /a", True, False), Try("write /b", False, True)], Word.WORKS, "both: 1 held, 1 allowed"),
    ([Try("write /a", True, True)], Word.BROKEN, "lets through what is forbidden: write /a"),
    (
        [Try("write /a", True, True), Try("write /c", True, True)],
        Word.BROKEN,
        "lets through what is forbidden: write /a, and 1 more",
    ),
    (
        [Try("write /b", False, False, "Read-only file system")],
        Word.BROKEN,
        "refuses what is allowed: write /b (Read-only file system)",
    ),
    (
        [Try("write /a", True, True, held_here=False), Try("write /b", False, True)],
        Word.WORKS,
        "both: 0 held, 1 allowed; open: write /a",
    ),
    (
        [Try("empty /a", True, True, held_here=False, whole=False), Try("write /b", False, True)],
        Word.NOT_SUPPORTED,
        "both: 0 held, 1 allowed; open: empty /a",
    ),
    ([Try("empty /a", True, False, held_here=False, whole=False)], Word.WORKS, "both: 1 held, 0 allowed"),
    # What lets through is said first: it is the worse fault.
    ([Try("b", False, False, "x"), Try("a", True, True)], Word.BROKEN, "lets through what is forbidden: a"),
]


@pytest.mark.parametrize(("tries", "word", "why"), KERNEL)
def test_what_the_kernel_s_layer_is_worth(tries: list[Try], word: Word, why: str) -> None:
    check = kernel_check(R, "both", tries, 60, ("x is missing",))
    assert (check.layer, check.role, check.word, check.why, check.ms) == ("kernel", R, word, why, 60)
    assert check.do


def test_settings_that_are_links_are_said_and_broken_for_who_is_strict() -> None:
    tries = [Try("write /a", True, False), Try("write /b", True, True, held_here=False)]
    check = kernel_check(R, "both", tries, 60, links=("/h/x is a link",))
    assert (check.word, check.why) == (Word.WORKS, "both: 1 held, 0 allowed; open: write /b, /h/x is a link")
    strict = kernel_check(R, "both", tries, 60, links=("/h/x is a link",), strict=True)
    assert (strict.word, strict.why) == (Word.BROKEN, "lets through what is forbidden: /h/x is a link")
    assert "strict = false" in strict.do
    assert kernel_check(R, "both", tries, 60, strict=True).word is Word.WORKS


def test_what_the_kernel_does_not_hold_is_told_with_what_was_tried() -> None:
    check = kernel_check(R, "both", [Try("write /a", True, False, "Read-only file system")], 60, (), ("a hole",))
    assert check.tried == ("write /a: Read-only file system", "not held: a hole")


def test_a_boundary_in_which_nothing_starts_refuses_what_is_allowed() -> None:
    check = not_started(R, "the plan is damaged", "look")
    assert (check.word, check.why) == (
        Word.BROKEN,
        "refuses what is allowed: nothing starts in it (the plan is damaged)",
    )


def test_a_trial_that_fails_proves_nothing() -> None:
    check = not_tried(R, "KeyError: x")
    assert (check.word, check.why) == (Word.BROKEN, "could not be tried: KeyError: x")


HOOK = [
    ((asked(NO), asked(YES), ()), Word.WORKS, "claude 2.1.330: 1 refused, 1 let through"),
    ((asked(NO), asked(YES), asked(NO)), Word.WORKS, "claude 2.1.330: 2 refused, 1 let through"),
    (
        (asked(YES), asked(YES), ()),
        Word.BROKEN,
        "lets through what is forbidden: Write /p/0 (exit status 0)",
    ),
    (
        (asked(NO, Answer(1, "", "\nTraceback\nx")), asked(YES), ()),
        Word.BROKEN,
        "lets through what is forbidden: Write /p/1 (exit status 1: Traceback)",
    ),
    (
        (asked(Answer(None)), asked(YES), ()),
        Word.BROKEN,
        "lets through what is forbidden: Write /p/0 (no answer within 6 s)",
    ),
    (
        (asked(Answer(0, '{"decision')), asked(YES), ()),
        Word.BROKEN,
        "lets through what is forbidden: Write /p/0 (exit status 0, and it prints '{\"decision')",
    ),
    (
        (asked(NO), asked(YES), asked(YES)),
        Word.BROKEN,
        "lets through what is forbidden: Write /p/0, although it can't see its policy (exit status 0)",
    ),
    (
        (asked(NO), asked(Answer(2, "", "teamops: its hook failed (1)")), ()),
        Word.BROKEN,
        "refuses what is allowed: Write /p/0 (exit status 2: teamops: its hook failed (1))",
    ),
    (
        (asked(NO), asked(YES, NO, NO), ()),
        Word.BROKEN,
        "refuses what is allowed: Write /p/1 (exit status 2: teamops: no), and 1 more",
    ),
    ((asked(NO), asked(Answer(None)), ()), Word.BROKEN, "refuses what is allowed: Write /p/0 (no answer within 6 s)"),
]


@pytest.mark.parametrize(("calls", "word", "why"), HOOK)
def test_what_the_hooks_layer_is_worth(
    calls: tuple[list[Asked], list[Asked], list[Asked]], word: Word, why: str
) -> None:
    check = hook_check(R, CLAUDE, *calls)
    assert (check.layer, check.word, check.why) == ("hook", word, why)
    assert bool(check.do) is (word is Word.BROKEN)


def test_a_hook_that_was_not_asked_is_not_said_to_work() -> None:
    assert hook_check(R, CLAUDE, (), asked(YES)).word is Word.NOT_SUPPORTED


def test_where_the_client_looks_for_a_seal_all_else_refuses() -> None:
    sealed = asked(Answer(0, "teamops:ok"), seal="teamops:ok")
    assert hook_check(R, CLAUDE, asked(Answer(0, "x"), Answer(1), seal="teamops:ok"), sealed).word is Word.WORKS
    assert hook_check(R, CLAUDE, sealed, sealed).why.startswith("lets through")
    assert hook_check(R, CLAUDE, asked(NO), asked(YES, seal="teamops:ok")).why.startswith("refuses")


def test_what_turns_hooks_off_is_a_choice_or_a_fault() -> None:
    chosen = Client("claude", off="its own command turns hooks off (--bare)", do="take that out", chosen=True)
    found = Client("claude", off="/etc/x says disableAllHooks: true", do="take that out of /etc/x")
    assert hook_check(R, chosen, asked(NO), asked(YES)).word is Word.OFF
    check = hook_check(R, found, asked(NO), asked(YES))
    assert (check.word, check.why) == (
        Word.BROKEN,
        "lets through what is forbidden: /etc/x says disableAllHooks: true",
    )


@pytest.mark.parametrize(
    ("client", "version", "says"),
    [
        ("claude", "2.1.330", ""),
        ("claude", "2.9", "unproven with 2.9: seen with 2.1.330"),
        ("claude", "1.0.9", "unproven with 1.0.9: seen with 2.1.330"),
        ("claude", "", "unproven: its version is not known"),
        ("codex", "0.170.2", ""),
        ("codex", "0.172.0", "unproven with 0.172.0: seen with 0.169.0 to 0.171.0"),
        ("sdk", "9", ""),
    ],
)
def test_a_version_that_nobody_tried_is_said(client: str, version: str, says: str) -> None:
    assert unproven(client, version) == says


def test_a_version_that_nobody_tried_works_and_is_said() -> None:
    check = hook_check(R, Client("claude", "2.9"), asked(NO), asked(YES))
    assert check.word is Word.WORKS
    assert check.why.endswith("; unproven with 2.9: seen with 2.1.330")
    assert check.do
    silent = hook_check(R, Client("claude", "", "claude --version says none"), asked(NO), asked(YES))
    assert (silent.word, silent.do) == (Word.WORKS, "claude --version says none")
    assert "its version is not known" in silent.why
    quick = hook_check(R, Client("claude"), asked(NO), asked(YES))  # it was not asked
    assert quick.why == "claude: 1 refused, 1 let through"


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("2.1.330 (Claude Code)", "2.1.330"),
        ("codex-cli 0.171.0", "0.171.0"),
        ("WARNING: proceeding without 1.2.3\ncodex-cli 0.171.0", "0.171.0"),
        ("v1.18.33\n", "1.18.33"),
        ("a tool", ""),
        ("", ""),
    ],
)
def test_the_version_that_a_program_prints(text: str, version: str) -> None:
    assert version_in(text) == version


def test_a_held_agent_is_refused() -> None:
    assert hold_check(R, None).word is Word.NOT_SUPPORTED
    assert hold_check(R, asked(NO)[0]).word is Word.WORKS
    check = hold_check(R, asked(YES)[0])
    assert (check.layer, check.word) == ("budget hold", Word.BROKEN)
    assert check.why == "lets through what is forbidden: a tool call of a held agent (exit status 0)"


FOUND, MISSED = Try("change src/x", True, False, "a violation of write.allow"), Try("change src/x", True, True)
STANDS, BLAMED = Try("change a.md", False, True), Try("change a.md", False, False, "a violation of light")
UNSEEN = [Try("change src/x", True, True, "nothing of it was seen"), Try("change a.md", False, False)]
MADE, HELD = Try("commit src/x", True, True), Try("commit src/x", True, False, "deny src/x")
SHUT = Try("commit a.md", False, False, "no module")
LETS, REFUSES = "lets through what is forbidden", "refuses what is allowed"


@pytest.mark.parametrize(
    ("check", "word", "why"),
    [
        (audit_check(R, "alert", [FOUND, STANDS], 0.2, 1.0), Word.WORKS, "alert: 1 found, 1 let stand"),
        (audit_check(R, "alert", [FOUND], 0.2, 1.0), Word.WORKS, "alert: 1 found, 0 let stand"),
        (audit_check(R, "alert", [FOUND], 4.0, 6.0, "seldom"), Word.WORKS, "alert: 1 found, 0 let stand; seldom"),
        (audit_check(R, "alert", [FOUND], 1.4, 1.0), Word.BROKEN, "too late: what is forbidden was found after 1.4 s"),
        (audit_check(R, "alert", [MISSED, STANDS], 0.2, 1.0), Word.BROKEN, f"{LETS}: change src/x (no violation)"),
        (audit_check(R, "alert", UNSEEN, 0.0, 1.0), Word.BROKEN, f"{LETS}: change src/x (nothing of it was seen)"),
        (audit_check(R, "alert", [FOUND, BLAMED], 0.2, 1.0), Word.BROKEN, f"{REFUSES}: change a.md (a violation of l"),
        (audit_check(R, "alert", UNSEEN[1:], 0.2, 1.0), Word.BROKEN, f"{REFUSES}: change a.md (it is called a viol"),
        (no_audit(R, "guard.audit is off", "x"), Word.OFF, "guard.audit is off"),
        (unruled(R, AUDIT), Word.OFF, "its role has no profile, so no boundary"),
        (untried(R, COMMIT, "no disk", "free it"), Word.BROKEN, "could not be tried: no disk"),
        (no_repository(R), Word.NOT_SUPPORTED, "its folder is in no git repository"),
        (no_commit(R, "", "x"), Word.OFF, "git's pre-commit hook is not installed"),
        (no_commit(R, "/h", "x"), Word.OFF, "another hook stands there: /h"),
        (commit_check(R, [HELD, replace(MADE, forbidden=False)], 9), Word.WORKS, "git's pre-commit hook: 1 refused, 1"),
        (commit_check(R, [MADE], 9), Word.BROKEN, f"{LETS}: commit src/x"),
        (commit_check(R, [HELD, SHUT], 9), Word.BROKEN, f"{REFUSES}: commit a.md (no module)"),
    ],
)
def test_what_the_layers_afterwards_are_worth(check: Check, word: Word, why: str) -> None:
    assert (check.role, check.word, check.why[: len(why)]) == (R, word, why)
    assert bool(check.do) is (word is not Word.WORKS)


def test_a_role_that_may_commit_nothing_is_named() -> None:
    check = commit_check(R, [HELD, replace(MADE, forbidden=False)], 9, nothing=True)
    assert (
        check.why
        == f"git's pre-commit hook: 1 refused, 1 made; by its policy {R} may commit nothing: the one made is yours"
    )
    assert commit_check(R, [HELD, SHUT], 9, nothing=True).word is Word.BROKEN


def test_what_was_tried_afterwards_is_told() -> None:
    assert audit_check(R, "alert", [FOUND, STANDS], 0.2, 1.0).tried == (
        "change src/x: a violation of write.allow",
        "change a.md: no violation",
    )
    assert audit_check(R, "alert", UNSEEN, 0.0, 1.0).tried[1] == "change a.md: a violation"
    assert commit_check(R, [replace(HELD, why=""), MADE], 9).tried == ("commit src/x: refused", "commit src/x: made")


WORKS = Check(layer="kernel", word=Word.WORKS, why="both", role=R)
STRICT: list[tuple[list[Check], str]] = [
    ([], ""),
    ([WORKS], ""),
    ([WORKS, no_hook(R, Word.NOT_SUPPORTED, "a bot")], ""),
    ([unheld(R, Word.OFF, "sandbox.mode is off", "x"), hook_check(R, CLAUDE, asked(NO), asked(YES))], ""),
    (
        [unheld(R, Word.NOT_SUPPORTED, "no bwrap", "x"), no_hook(R, Word.OFF, "its command is not claude")],
        "nothing can hold its boundary here: kernel: no bwrap; hook: its command is not claude",
    ),
    (
        [WORKS, hook_check(R, CLAUDE, asked(YES), asked(YES))],
        "hook lets through what is forbidden: Write /p/0 (exit status 0)",
    ),
]


@pytest.mark.parametrize(("checks", "why"), STRICT)
def test_what_hinders_a_strict_start(checks: list[Check], why: str) -> None:
    assert hindrance(checks) == why


def test_a_broken_boundary_is_an_alert() -> None:
    checks = [WORKS, not_started(R, "x")]
    assert broken(checks) == (checks[1],)
    (finding,) = broken_findings(R, broken(checks))
    assert (finding.code, severity_of(finding), finding.agent, pages(finding)) == (
        "boundary-broken",
        Severity.CRITICAL,
        R,
        True,
    )
    assert "kernel refuses what is allowed" in finding.message
    assert finding.do.endswith("teamops doctor --role REVIEWER")
    assert broken_findings(R, ()) == []


def test_the_figures_are_those_of_who_acts_by_them() -> None:
    assert PATIENCE_S == HOOK_TIMEOUT_S
    assert NO.status == REFUSED


def test_the_versions_are_those_of_the_documentation() -> None:
    text = (Path(__file__).parents[3] / "docs" / "boundaries.md").read_text("utf-8")
    told = dict(re.findall(r"^\| (claude|codex|gemini|opencode) \| ([0-9.]+(?: to [0-9.]+)?) \|$", text, re.MULTILINE))
    shown = {}
    for client, seen in SEEN.items():
        first, last = (".".join(map(str, each)) for each in (seen.first, seen.last))
        shown[client] = first if first == last else f"{first} to {last}"
    assert told == shown


def test_what_could_be_planted_in_the_project_never_works() -> None:
    tries = [Try("write /a", True, False)]
    check = kernel_check(R, "both", tries, 60, links=("a link",), planted=("/x could be made",))
    assert (check.word, check.why) == (Word.NOT_SUPPORTED, "both: 1 held, 0 allowed; open: a link, /x could be made")
    strict = kernel_check(R, "both", tries, 60, planted=("/x could be made",), strict=True)
    assert (strict.word, strict.why) == (Word.BROKEN, "lets through what is forbidden: /x could be made")
    assert "strict = false" in strict.do
