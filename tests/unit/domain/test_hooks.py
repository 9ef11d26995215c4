"""What the events of the clients' hooks tell of their agent."""

from __future__ import annotations

import pytest

from teamops.domain.hooks import TAKES_PROMPT, Told, told


@pytest.mark.parametrize(
    ("event", "detail", "said"),
    [
        ("UserPromptSubmit", "fix it", Told.TAKEN),
        ("BeforeAgent", "", Told.TAKEN),
        ("tool.execute.before", "bash", Told.TOOL),
        ("PermissionRequest", "Bash", Told.WAITING),
        ("Notification", "permission_prompt: Claude needs your permission", Told.WAITING),
        ("Notification", "ToolPermission", Told.WAITING),
        ("Notification", "idle_prompt: waiting for your input", Told.IDLE),
        ("Notification", "auth_success: signed in", None),
        ("Notification", "", None),
        ("StopFailure", "rate_limit", Told.FAILED),
        ("SessionEnd", "logout", Told.ENDED),
        ("", "", None),
        ("ShinyNewEvent", "x", None),
    ],
)
def test_what_an_event_tells(event: str, detail: str, said: Told | None) -> None:
    assert told(event, detail) is said


def test_each_client_has_an_event_that_proves_a_prompt() -> None:
    assert {"UserPromptSubmit", "BeforeAgent", "chat.message"} == TAKES_PROMPT
