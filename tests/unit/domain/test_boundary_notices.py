"""Boundaries in words, and when they are worth an alert."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from teamops.domain.alert_rules import pages, severity_of
from teamops.domain.boundary_notices import (
    FEW,
    MANY,
    SPENDING,
    WITHIN_S,
    counts,
    flood_finding,
    is_flood,
    unenforced_finding,
)
from teamops.domain.boundary_rules import Policy, TierRule
from teamops.domain.boundary_words import in_words, unreadable
from teamops.guard import hook
from teamops.model.boundary import Decision, Verdict
from teamops.model.handoff import Severity
from teamops.model.role import CODER, OPTIMIZER

NOW = 10_000.0
REFUSED = Decision(
    role=CODER, wall=NOW, verdict=Verdict.DENY, rule='write.deny "*.py"', about="src/a.py", why="not yours"
)


@pytest.mark.parametrize(
    ("recent", "old", "before", "floods"),
    [
        pytest.param(0, 0, False, False, id="nothing was refused"),
        pytest.param(MANY - 1, 0, False, False, id="an honest search"),
        pytest.param(MANY - 1, 5, False, False, id="the rest is long ago"),
        pytest.param(MANY, 0, False, True, id="a loop"),
        pytest.param(FEW, 0, True, True, id="the loop goes on"),
        pytest.param(FEW - 1, 20, True, False, id="the loop is over"),
        pytest.param(0, 0, True, False, id="nothing any more"),
    ],
)
def test_a_flood_is_many_refusals_and_over_with_few(recent: int, old: int, before: bool, floods: bool) -> None:
    moments = [NOW - WITHIN_S] * old + [NOW - WITHIN_S + 0.1] * recent
    assert is_flood(moments, NOW, before=before) is floods


def test_what_a_spent_budget_refuses_is_no_flood_of_its_boundary() -> None:
    assert counts(REFUSED)
    assert not counts(replace(REFUSED, rule=SPENDING))
    assert SPENDING == hook.SPENDING  # the one who tells it may import nothing


def test_findings_name_the_agent_the_cause_and_what_to_do() -> None:
    flood = flood_finding(CODER, REFUSED)
    assert 'again and again: 10 calls refused within 5 min, by write.deny "*.py": src/a.py' in flood.message
    assert flood_finding(CODER, replace(REFUSED, rule="", about="")).message.endswith("by its hook")
    mine, others = (unenforced_finding(CODER, "there is no bwrap", started=started) for started in (True, False))
    assert mine.message == others.message == "nothing holds CODER to its boundary: there is no bwrap"
    assert mine.do.startswith("see what is missing: teamops run --role CODER --show")
    assert others.do.startswith("restart CODER (r)")
    for found in (flood, mine):
        assert (severity_of(found), found.subject, found.agent, pages(found)) == (Severity.WARNING, CODER, CODER, False)


def test_a_policy_is_read_as_a_person_reads_it() -> None:
    assert in_words(None).words == "may write: anything (its role has no profile)"
    plain = Policy(role=CODER, write_allow=("docs/**", "*.md"), write_deny=("**/*.py",), light=False)
    assert in_words(plain).words == "may write: docs/**, *.md; never: **/*.py"
    assert in_words(Policy(role=CODER)).words == "may write: nothing; only while it holds the light"
    strict = Policy(
        role=OPTIMIZER,
        write_allow=("*",),
        new_files=False,
        delete=False,
        net_lines=20,
        named_files_only=True,
        tiers={
            3: TierRule(deny=("x",)),
            2: TierRule(fix=("*.toml",), fix_lines=3),
            1: TierRule(allow=("*.yml", "*.toml"), fix=("*",)),
        },
    )
    assert in_words(strict).limits == (
        "no new files",
        "deletes nothing",
        "one call grows a file by 20 lines at most",
        "is warned of files that no block of the task names",
        "in tier 1 also *.yml, *.toml, and one line of a file that stands (*)",
        "in tier 2 also 3 lines of a file that stands (*.toml)",
        "only while it holds the light",
    )
    assert unreadable("line 1: bad").words == "may write: nothing; its profile can't be used: line 1: bad"
