from __future__ import annotations

import pytest

from teamops.domain.statuses import is_blocked, is_done, is_withdrawn


@pytest.mark.parametrize(
    ("status", "means"),
    [
        (None, ""),
        ("", ""),
        ("in progress", ""),
        ("not done", ""),
        ("half done", ""),
        ("completely rewriting it", ""),
        ("already fixed", ""),
        ("unblocked", ""),
        ("signed off", ""),
        ("done", "done"),
        ("✅ done (all of it)", "done"),
        ("**done**", "done"),
        ("done?", "done"),
        ("all done", "done"),
        ("implementation complete", "done"),
        ("the work is done", "done"),
        ("first half done", ""),
        ("nothing is done", ""),
        ("obsolete", "withdrawn"),
        ("task withdrawn", "withdrawn"),
        ("complete", "done"),
        ("completed", "done"),
        ("finished", "done"),
        ("ready for review", "done"),
        ("closed", "done"),
        ("blocked", "blocked"),
        ("🚧 blocked: no key", "blocked"),
        ("stuck", "blocked"),
        ("questions about point 2", "blocked"),
        ("waiting for an answer", "blocked"),
        ("waiting for the reviewers' key", ""),
        ("waiting for review", ""),
        ("waiting for your code review", ""),
        ("waiting on verification", ""),
        ("withdrawn", "withdrawn"),
        ("cancelled by the customer", "withdrawn"),
        ("canceled", "withdrawn"),
        ("dropped", "withdrawn"),
        ("abandoned", "withdrawn"),
        ("rejected", "withdrawn"),
        ("wontfix", "withdrawn"),
        ("won't fix", "withdrawn"),
        ("superseded by billing-2", "withdrawn"),
        ("closed as won't-fix", "withdrawn"),
        ("closed: superseded", "withdrawn"),
        ("done: superseded the old module", "done"),
    ],
)
def test_what_a_status_means(status: str | None, means: str) -> None:
    found = [("done", is_done), ("blocked", is_blocked), ("withdrawn", is_withdrawn)]
    assert [name for name, is_so in found if is_so(status)] == ([means] if means else [])
