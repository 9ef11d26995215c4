"""What a supervisor is asked now and then. What answers is imported when it is asked, not before the first frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from datetime import date

    from teamops.model.agent_report import AgentReport
    from teamops.model.boundary import Decision
    from teamops.model.cost_report import CostReport
    from teamops.model.day_report import DayReport
    from teamops.model.protocol import TaskReport
    from teamops.model.role import Role
    from teamops.supervisor.core import Core


class Questions:
    """The questions that a core answers; a part of it."""

    async def task_report(self, task: str | None) -> TaskReport:
        """Return the whole chain of a task. Raises ``UsageError`` for one that the file doesn't have."""
        from teamops.supervisor import reports

        return await reports.task_report(_core(self), task)

    async def agent_report(self, role: Role) -> AgentReport:
        """Return all that is remembered of an agent. Raises ``UsageError`` for one that is not of the team."""
        from teamops.supervisor import agent_reports

        return await agent_reports.agent_report(_core(self), role)

    async def cost_report(self) -> CostReport:
        """Return what the project's agents cost. Raises ``LedgerError`` where the ledger can't be read."""
        from teamops.supervisor import cost_reports

        return await cost_reports.cost_report(_core(self))

    async def day_report(self, last: date | None, days: int = 1, only: Role | None = None) -> DayReport:
        """Return the report of the days that end with ``last``, or today. Raises ``UsageError``, ``LedgerError``."""
        from teamops.supervisor import day_reports

        return await day_reports.report_of_days(_core(self), last, days, only)

    def tamper_diff(self, tamper: int) -> tuple[str, ...]:
        """Return a unified diff of a rewritten block, cleaned. Raises ``TeamopsError`` where there is none."""
        from teamops.supervisor import reports

        return reports.tamper_diff(_core(self), tamper)

    def decisions(self, role: Role | None = None) -> tuple[Decision, ...]:
        """Return what the agents' hooks refused or warned of lately, newest first. Raises ``LedgerError``."""
        from teamops.supervisor import reports

        return reports.decisions(_core(self), role)

    def violation_diff(self, violation: int) -> tuple[str, ...]:
        """Return a unified diff of a change past a boundary, cleaned. Raises ``TeamopsError`` where none is kept."""
        from teamops.supervisor import reports

        return reports.violation_diff(_core(self), violation)


def _core(asked: Questions) -> Core:
    return cast("Core", asked)
