"""What the events of the clients' hooks tell of an agent.

Source: the clients' own events, of Claude Code 2.1, Codex 0.169 (the same names), Gemini CLI 0.61 and opencode 1.18.
None of them tells of Escape, a rejected dialog, retries or a hang: a word stands until a better one comes.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Told(StrEnum):
    """What an event says of its agent."""

    READY = "ready"
    """At its prompt, nothing done so far."""
    TAKEN = "taken"
    """It took a prompt."""
    WORKING = "working"
    TOOL = "tool"
    """It works, and a tool of its own runs."""
    WAITING = "waiting"
    """It asks its person."""
    IDLE = "idle"
    """It has finished its turn."""
    FAILED = "failed"
    """Its call of the model has failed for good."""
    ENDED = "ended"
    """The client leaves."""


BUSY = frozenset({Told.TAKEN, Told.WORKING, Told.TOOL})
"""What is a sign of work in the moment it is told."""

_EVENTS: Mapping[str, Told] = {
    # Claude Code, and Codex in the same words
    "SessionStart": Told.READY,
    "UserPromptSubmit": Told.TAKEN,
    "PreToolUse": Told.TOOL,
    "Denied": Told.WORKING,  # a tool call that its role's boundary refused: the client asks its model what now
    "PermissionRequest": Told.WAITING,
    "PostToolUse": Told.WORKING,
    "PostToolUseFailure": Told.WORKING,
    "SubagentStart": Told.WORKING,
    "SubagentStop": Told.WORKING,
    "PreCompact": Told.WORKING,
    "PostCompact": Told.WORKING,
    "Stop": Told.IDLE,
    "Interrupt": Told.IDLE,
    "StopFailure": Told.FAILED,
    "SessionEnd": Told.ENDED,
    # Gemini CLI
    "BeforeAgent": Told.TAKEN,
    "BeforeModel": Told.WORKING,
    "AfterModel": Told.WORKING,
    "BeforeToolSelection": Told.WORKING,
    "BeforeTool": Told.TOOL,
    "AfterTool": Told.WORKING,
    "AfterAgent": Told.IDLE,
    "PreCompress": Told.WORKING,
    # opencode
    "session.created": Told.READY,
    "chat.message": Told.TAKEN,
    "tool.execute.before": Told.TOOL,
    "tool.execute.after": Told.WORKING,
    "permission.asked": Told.WAITING,
    "permission.updated": Told.WAITING,
    "permission.replied": Told.WORKING,
    "session.idle": Told.IDLE,
    "session.error": Told.FAILED,
}
_NOTICES: Mapping[str, Told] = {
    "permission_prompt": Told.WAITING,
    "elicitation_dialog": Told.WAITING,
    "ToolPermission": Told.WAITING,
    "idle_prompt": Told.IDLE,
}
TAKES_PROMPT = frozenset(name for name, told in _EVENTS.items() if told is Told.TAKEN)
"""Events whose detail is the text of a prompt that the client took."""


def told(event: str, detail: str) -> Told | None:
    """Return what an event tells, or ``None`` where it tells nothing of the agent's state.

    ``detail`` of a notice begins with its type.
    """
    if event == "Notification":
        return _NOTICES.get(detail.partition(":")[0].strip())
    return _EVENTS.get(event)
