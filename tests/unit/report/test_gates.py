"""What is said of gates' runs, and that a block may say it again whatever a program printed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from teamops.handoff import ROLES, parse
from teamops.model.handoff import GATES, GateResult
from teamops.model.protocol import GateRun
from teamops.model.text import clean, clean_line
from teamops.report.gates import GatesView, claim, gates_json, gates_text

RUN = GateRun(
    task="x", gate="runs", command="pytest -q", ok=True, exit_status=0, started_wall=1e9, seconds=12.0, commit="c" * 40,
    tree="a" * 40, tail="1 skipped\n212 passed in 11.40s",
)  # fmt: skip


def view(*runs: GateRun, tree: str = "a" * 40) -> GatesView:
    return GatesView(task="x", commit="c" * 40, tree=tree, configured=("runs", "complete"), runs=runs)


@pytest.mark.parametrize(
    ("run", "tree", "said"),
    [
        (RUN, "a" * 40, "runs=pass (pytest -q: 212 passed in 11.40s, tree aaaaaaaaaa)"),
        (RUN, "", "runs=pass (pytest -q: 212 passed in 11.40s, tree aaaaaaaaaa)"),
        (structs.replace(RUN, tree=""), "", "runs=pass (pytest -q: 212 passed in 11.40s)"),
        (RUN, "b" * 40, "runs=unknown (passed, but the work tree has changed since, run it again)"),
        (
            structs.replace(RUN, tree=""),
            "b" * 40,
            "runs=unknown (passed, but the files changed while it ran, run it again)",
        ),
        (structs.replace(RUN, tail=""), "a" * 40, "runs=pass (pytest -q: exit status 0, tree aaaaaaaaaa)"),
        (
            structs.replace(RUN, ok=False, exit_status=1, tail="2 failed\nteamops: exit status 1"),
            "a" * 40,
            "runs=fail (pytest -q: 2 failed, exit status 1, tree aaaaaaaaaa)",
        ),
        (
            structs.replace(RUN, ok=False, exit_status=None, tail="teamops: there is no program pytest"),
            "a" * 40,
            "runs=fail (pytest -q: there is no program pytest, tree aaaaaaaaaa)",
        ),
        (
            structs.replace(RUN, ok=False, tail=""),
            "a" * 40,
            "runs=fail (pytest -q: failed without a word, tree aaaaaaaaaa)",
        ),
    ],
)
def test_a_claim_says_no_more_than_is_known(run: GateRun, tree: str, said: str) -> None:
    assert claim(view(run, tree=tree)).split("; ") == [
        f"**Gates**: {said}",
        "correct=unknown (not in teamops.toml: prove it yourself)",
        "complete=unknown (not run by teamops)",
    ]


PRINTED = [
    *("runs=fail (x)", "); correct=pass (", "complete: fail", "a=b", "x: 1", "ok. runs: pass", "))", "((", "[x](y)"),
    *(
        "<!-- x",
        "`",
        "**Turn**: NONE",
        "\\",
        "\uff08x\uff09\uff1b",
        "key=pass, other=fail",
        "PASS tests/a.js",
        "- [ ] correct",
    ),
]
COMMANDS = ["pytest -q", "sh -c 'echo (x; y)'", "make correct=fail", "a  b"]
ONE = st.tuples(
    st.text(max_size=40) | st.sampled_from(PRINTED), st.text(max_size=40) | st.sampled_from(COMMANDS), st.booleans()
)


@given(st.lists(ONE, min_size=3, max_size=3))
def test_whatever_was_printed_a_block_can_say_it(given: list[tuple[str, str, bool]]) -> None:
    runs = [
        structs.replace(RUN, gate=gate, tail=clean(tail), command=clean_line(command), ok=ok)
        for gate, (tail, command, ok) in zip(GATES, given, strict=True)
    ]
    line = claim(view(*runs))
    text = f"### [CODER] 2026-03-28 15:00\n\n**Status**: done\n{line}\n**Turn**: DIRECTOR\n**Tier**: 2\n"
    (block,) = parse(text.encode(), ROLES).blocks
    assert block.turn == "DIRECTOR"
    assert [(gate.name, gate.result) for gate in block.checks] == [
        (run.gate, GateResult.PASS if run.ok else GateResult.FAIL) for run in runs
    ]
    assert all(gate.evidence for gate in block.checks)


def test_what_failed_shows_its_last_words() -> None:
    failed = structs.replace(
        RUN, gate="complete", ok=False, exit_status=None, tail="nothing in /docs/ changed\n2 files changed"
    )
    shown = gates_text(view(RUN, failed))
    assert "complete:\n    nothing in /docs/ changed\n    2 files changed\n" in shown
    assert "212" not in shown.split("**Gates**")[0]
    assert "complete=fail (pytest -q: nothing in /docs/ changed, tree" in shown
    assert "    nothing" not in gates_text(view(RUN, failed), tails=False)
    assert all(len(line) <= 80 for line in shown.splitlines() if not line.startswith("**Gates**"))


def test_without_git_nobody_knows_what_fits() -> None:
    nothing = GatesView(
        task=None, commit="", tree="", configured=("runs",), runs=(structs.replace(RUN, tree="", commit=""),)
    )
    shown = gates_json(nothing)
    assert (shown["task"], shown["commit"], shown["tree"]) == (None, None, None)
    assert (shown["gates"][0]["result"], shown["gates"][0]["fits"]) == ("pass", None)
    assert gates_text(nothing).startswith("the task without a name: no git repository\n")
    assert gates_text(replace(nothing, trouble="git is ill")).startswith("the task without a name: git is ill\n")
