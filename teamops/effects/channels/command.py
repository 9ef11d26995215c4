"""The channel ``command``: the person's own program, with the page as JSON on its standard input.

It runs without a shell, in the project's folder, in a session of its own that is ended with it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from teamops.config.channels import CommandSettings
from teamops.effects.channels.running import run_beside
from teamops.effects.channels.words import safe_line, words_of
from teamops.model.page import Answer, Page, Receipt

SCHEMA = "teamops.page/1"
TRY_AGAIN = 75
"""The exit status by which a program says "not now": EX_TEMPFAIL of sysexits.h."""
ENDING_S = 5.0
"""So long the end of a program and of all that it started may take beyond its own time."""


class CommandChannel:
    """Fulfils ``port.Channel``. It knows no page of earlier: who must not act twice looks at the id."""

    name = "command"

    def __init__(self, settings: CommandSettings) -> None:
        self._settings = settings
        self.limit_s = settings.timeout_s + ENDING_S

    async def start(self, hear: Callable[[Answer], None]) -> str:  # noqa: ARG002 - it carries no answers
        """Say whether there is a program at all; whether it works shows when it is run."""
        return "" if self._settings.command else "no command is set"

    async def deliver(self, page: Page) -> Receipt:
        """Run the program with ``page``; exit status 0 is its word that the page arrived."""
        settings = self._settings
        if not settings.command:
            return Receipt(ok=False, message="no command is set", absent=True, hint="set [notify.command] command")
        told = page_json(page)
        given = json.dumps(told, ensure_ascii=False).encode() + b"\n"
        env = {**os.environ, **_variables(told)}
        ended = await run_beside(settings.command, settings.cwd, env, settings.timeout_s, given)
        program = safe_line(Path(settings.command[0]).name, 60)
        said = safe_line(ended.tail[-1]) if ended.tail else ""
        if ended.ok:
            return Receipt(ok=True, message=f"{program} took it", evidence=f"exit status 0{said and f': {said}'}")
        why = safe_line(ended.why)
        return Receipt(
            ok=False,
            message=f"{program}: {why}{said and f' ({said})'}",
            retry=ended.status == TRY_AGAIN,
            hint=f"run it by hand: its standard input is a page as JSON ({SCHEMA}); 0 means delivered, 75 try again",
        )

    async def close(self) -> None:
        """Nothing was opened."""


def page_json(page: Page) -> dict[str, Any]:
    """Return ``page`` in the shape ``teamops.page/1``."""
    words = words_of(page)
    return {
        "schema": SCHEMA,
        "id": page.id,
        "transition": page.transition.value,
        "severity": page.severity.value,
        "critical": page.critical,
        "project": safe_line(page.project),
        "title": words.title,
        "body": words.body,
        "do": words.do,
        "line": words.line,
        "role": page.role,
        "thread": safe_line(page.thread),
        "alerts": [{"code": safe_line(code), "subject": safe_line(subject)} for code, subject in page.keys],
        "at": datetime.fromtimestamp(page.wall, UTC).isoformat(timespec="seconds"),
    }


def _variables(told: dict[str, Any]) -> dict[str, str]:
    """Return the same for a shell script. Not TEAMOPS_ROLE: that says whose an agent's beats are."""
    names = ("id", "transition", "severity", "project", "title", "body", "do", "line", "role")
    return {f"TEAMOPS_PAGE_{name.upper()}": str(told[name] or "") for name in names}
