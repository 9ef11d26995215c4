"""The audit, tried: the real watcher and the real judgement, and two changes in a throwaway project."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from pathlib import Path

from teamops.config.settings import AuditMode, RoleSettings, Settings
from teamops.domain.canary import Try, audit_check, no_audit, unruled, untried
from teamops.effects.proving_ground import Ground, ground, repository
from teamops.git.repository import Repository
from teamops.model.check import AUDIT, Check
from teamops.model.events import Event, SourceTroubled, WorkTreeChanged
from teamops.sources.clock import Clock
from teamops.sources.work_tree import POLL_S, WorkTree
from teamops.supervisor.change_judge import Policies, Scene, Suspect, judge_changes

WITHIN_S = 1.0
"""So soon a change is to be found where folders are watched."""
READY_S = 15.0
LATEST_S = 5.0
"""So much later than it should have been, nothing is waited for any more."""
ROUNDS = 3
"""A machine may be busy for a moment: what comes late is tried again."""


def audit(settings: Settings, role: RoleSettings, folder: Path) -> Check:
    """Try whether the role's changes past its boundary are found. Blocks. Raises ``TeamopsError``."""
    del folder
    if settings.guard.audit is AuditMode.OFF:
        return no_audit(role.role, "guard.audit is off", 'say audit = "alert" in [guard] of teamops.toml')
    if role.profile is None:
        return unruled(role.role, AUDIT)
    in_git = Repository.find(role.cwd) is not None
    with ground(settings, role) as made:
        if in_git:
            repository(made, READY_S)
        return asyncio.run(_Trial(made, settings.guard.audit.value).run())


class _Trial:
    """One trial, in a loop of its own."""

    def __init__(self, made: Ground, mode: str) -> None:
        self._made = made
        self._mode = mode
        self._source = WorkTree([made.root], made.handoff, made.state, Clock())
        self._news: asyncio.Queue[WorkTreeChanged] = asyncio.Queue()
        self._troubles: dict[str, str] = {}
        self._policies = Policies()

    async def run(self) -> Check:
        role = self._made.role
        try:
            try:
                async with asyncio.timeout(READY_S):
                    await self._source.start(self._emit)
                    while not self._source.is_ready():  # noqa: ASYNC110 - a condition over threads
                        await asyncio.sleep(0.01)
            except TimeoutError:
                why = "; ".join(filter(None, self._troubles.values())) or "its first look takes too long"
                return untried(role, AUDIT, why, "see whether git status works in a new repository")
            lesser = self._troubles.get(f"{self._source.name} (watching)", "")
            within = WITHIN_S + (POLL_S if lesser else 0.0)
            tries, took = await self._round(0, within)
            for number in range(1, ROUNDS):
                if took <= within:
                    break
                tries, took = await self._round(number, within)
            return audit_check(role, self._mode, tries, took, within, lesser)
        finally:
            await self._source.stop()

    def _emit(self, event: Event) -> None:
        if isinstance(event, WorkTreeChanged):
            self._news.put_nowait(event)
        elif isinstance(event, SourceTroubled):
            self._troubles[event.source] = event.message

    async def _round(self, number: int, within: float) -> tuple[list[Try], float]:
        """Change both files; return what was found of each, and how long the forbidden one took."""
        made, loop = self._made, asyncio.get_running_loop()
        begun = loop.time()
        for name in made.files:
            (made.root / name).write_text(f"changed by teamops doctor: {number}\n", encoding="utf-8")
        seen: set[str] = set()
        rules: dict[str, str] = {}
        took = 0.0
        with suppress(TimeoutError):
            async with asyncio.timeout(within + LATEST_S):
                while not seen.issuperset(made.files):
                    event = await self._news.get()
                    judged = await asyncio.to_thread(
                        judge_changes, self._scene(), event, self._source.bytes_of, self._policies
                    )
                    rules |= {draft.violation.path: draft.violation.rule for draft in judged.drafts}
                    seen |= {change.path for change in event.changes}
                    if made.forbidden in seen and not took:
                        took = loop.time() - begun
        tries = []
        for name in made.files:
            rule, forbidden = rules.get(name, ""), name == made.forbidden
            why = f"a violation of {rule}" if rule else "" if name in seen else "nothing of it was seen"
            done = not rule and (forbidden or name in seen)
            tries.append(Try(f"change {name}", forbidden, done, why))
        return tries, took

    def _scene(self) -> Scene:
        made = self._made
        agent = Suspect(role=made.role, cwd=str(made.root), pid=os.getpid(), light=made.light, lit=True, busy=True)
        return Scene(
            project=str(made.root),
            folder=made.state,
            spool=made.root / ".teamops" / "spool",
            suspects=(agent,),
            past={},
            restoring=frozenset(),
        )
