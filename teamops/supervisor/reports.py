"""What is asked of the supervisor now and then: a task's whole chain, the difference of a rewrite."""

from __future__ import annotations

from typing import TYPE_CHECKING

from teamops.model.protocol import TaskReport

if TYPE_CHECKING:
    from teamops.supervisor.core import Core


async def task_report(core: Core, task: str | None) -> TaskReport:
    """Return the whole chain of a task."""
    raise NotImplementedError


def tamper_diff(core: Core, tamper: int) -> tuple[str, ...]:
    """Return a unified diff of a rewritten block."""
    raise NotImplementedError
