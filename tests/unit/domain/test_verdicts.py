"""Verdicts as people and agents write them."""

from __future__ import annotations

import pytest

from teamops.domain.verdicts import Verdict, said_in_passing, verdict_of

BACK = [
    "fail",
    "failed",
    "❌",
    "✗",
    "revise",
    "rework",
    "sent back",
    "send back",
    "disapproved",
    "blocked",
    "not yet",
    "not yet approved",
    "cannot be approved yet",
    "can't be approved",
    "needs work",
    "needs rework",
    "nack",
    "nak",
    "changes requested",
    "changes-requested",
    "changes_requested",
    "request changes",
    "requested changes",
    "changes required",
    "not approved",
    "rejected",
    "reject",
    "denied",
    "no",
    "no.",
    "not ok",
    "❌ changes requested",
    "**fail**",
    "unapproved",
    "-1",
    "👎",
    "needs more work",
    "needs a fix",
    "changes are needed",
    "not accepted",
    "the tests fail",
    "fail: approved nothing",
    "cannot approve",
    "do not approve",
    "i can't approve this",
    "round 2: changes requested",
    "not lgtm",
    "no, changes requested",
    "no tests, changes requested",
    "returned to director",
    "❌ not approved",
    "don't ship it",
    "not good enough",
    "design rejected",
    "revision needed",
    "requires changes",
    "requesting changes",
    "blocked by 2 bugs",
    "code: fail",
    "no approval",
    "no-go",
    "never",
    "needs fixes",
    "needs fixing",
    "changes",
    "needs one change",
]
PASSES = [
    "approved",
    "approve",
    "approves",
    "lgtm",
    "ok",
    "okay",
    "pass",
    "passed",
    "✅",
    "✔",
    "✓",
    "accept",
    "accepted",
    "+1",
    "ship it",
    "approved with nits",
    "approved with comments",
    "approved with minor changes requested",
    "✅ approved",
    "**approved**",
    "approved, no changes needed",
    "no changes requested",
    "no changes needed",
    "no further changes requested",
    "no issues",
    "no objections",
    "👍",
    "looks good",
    "looks good to me",
    "approved: the retry was rejected in round 1",
    "approved. changes requested in round 1 are in",
    "design approved",
    "code approved",
    "yes",
    "go",
    "all good",
    "signed off",
    "passes",
    "approved (changes-requested earlier)",
    "no blockers, approved",
    "i approve",
    "good to go",
    "approved!",
    "approved - not blocked",
    "approved - 0 changes required",
]
UNCLEAR = [
    "hm",
    "see below",
    "sound, with two conditions",
    "approved?",
    "approved or changes-requested",
    "approved / changes-requested",
    "approved | changes-requested",
    "would approve",
    "pending",
    "done",
    "reviewed",
    "to be approved",
    "tbd",
    "ok?",
    "?",
    "5 points",
]


@pytest.mark.parametrize("text", BACK)
def test_it_is_sent_back(text: str) -> None:
    assert verdict_of(text) is Verdict.BACK


@pytest.mark.parametrize("text", PASSES)
def test_it_passes(text: str) -> None:
    assert verdict_of(text) is Verdict.PASSES


@pytest.mark.parametrize("text", UNCLEAR)
def test_it_says_neither(text: str) -> None:
    assert verdict_of(text) is Verdict.UNCLEAR


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (None, None),
        ("ok", None),
        ("done", None),
        ("failed twice, works now", None),
        ("approved", Verdict.PASSES),
        ("reviewed: changes requested", Verdict.BACK),
        ("reviewed, no changes requested", Verdict.PASSES),
        ("not rejected", Verdict.PASSES),
        ("not approved", Verdict.BACK),
        ("to be approved, changes requested", Verdict.BACK),
    ],
)
def test_a_status_says_it_where_it_is_unmistakable(status: str | None, said: Verdict | None) -> None:
    assert said_in_passing(status) is said
