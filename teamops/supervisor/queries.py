"""What a core is asked now and then, beside its loop's work."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, cast

from teamops.model.agent_report import AgentReport
from teamops.model.boundary import Decision
from teamops.model.cost_report import CostReport
from teamops.model.day_report import DayReport
from teamops.model.protocol import TaskReport
from teamops.model.role import Role
from teamops.supervisor import agent_reports, cost_reports, day_reports, reports

if TYPE_CHECKING:
    from teamops.supervisor.core import Core


class Queries:
    """The part of a core that answers. All its methods belong to the loop."""

    @property
    def _core(self) -> Core:
        return cast("Core", self)

    async def task_report(self, task: str | None) -> TaskReport:
        """Return the whole chain of a task. Raises ``UsageError`` for one that the file doesn't have."""
        return await reports.task_report(self._core, task)

    async def agent_report(self, role: Role) -> AgentReport:
        """Return all that is remembered of an agent. Raises ``UsageError`` for one that is not of the team."""
        return await agent_reports.agent_report(self._core, role)

    async def cost_report(self) -> CostReport:
        """Return what the project's agents cost. Raises ``LedgerError`` where the ledger can't be read."""
        return await cost_reports.cost_report(self._core)

    async def day_report(self, last: date | None, days: int = 1, only: Role | None = None) -> DayReport:
        """Return the report of the days that end with ``last``, or today. Raises ``UsageError``, ``LedgerError``."""
        return await day_reports.report_of_days(self._core, last, days, only)

    def tamper_diff(self, tamper: int) -> tuple[str, ...]:
        """Return a unified diff of a rewritten block, cleaned. Raises ``TeamopsError`` where there is none."""
        return reports.tamper_diff(self._core, tamper)

    def decisions(self, role: Role | None = None) -> tuple[Decision, ...]:
        """Return what the agents' hooks refused or warned of lately, newest first. Raises ``LedgerError``."""
        return reports.decisions(self._core, role)

    def violation_diff(self, violation: int) -> tuple[str, ...]:
        """Return a unified diff of a change past a boundary, cleaned. Raises ``TeamopsError`` where none is kept."""
        return reports.violation_diff(self._core, violation)
