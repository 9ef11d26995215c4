"""The report of each day, written after its midnight: once, whatever was killed or slept, and what was missed later."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from teamops.domain.days import today
from teamops.domain.secrets import without_secrets
from teamops.model.actions import WriteReport
from teamops.model.errors import TeamopsError
from teamops.model.handoff import Severity
from teamops.model.page import Page, Transition
from teamops.sources.kept_bytes import digest_of

if TYPE_CHECKING:
    from teamops.model.day_report import DayReport
    from teamops.supervisor.book import Book
    from teamops.supervisor.core import Core

AFTER_S = 60.0
"""So long after midnight a day is told: what its last seconds left behind has been read by then."""
MOST_BACK = 7
"""Older days are not written any more; ``teamops report`` tells them."""
RETRY_S = 3600.0
"""Observed seconds until a day that could not be written is tried again."""
_DAY_S = 86_400.0
NOTE = "reports"


class Reporting:
    """Belongs to the supervisor's loop; reads, renders and writes in threads."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._looked: date | None = None
        """The day on which the days before it were seen to."""
        self._again: float | None = None
        self._busy = False

    def go_on(self, book: Book) -> None:
        """See to the days that have ended. Only of the one that acts, once all is known."""
        if self._busy or not book.settings.report.daily or book.settings.watch_only:
            return
        present = today(book.stamp.wall - AFTER_S, book.settings.budgets.zone)
        if present == self._looked and (self._again is None or book.stamp.now < self._again):
            return
        self._looked, self._again, self._busy = present, None, True
        self._core.spawn(self._see_to(book, present), "daily report")

    async def _see_to(self, book: Book, present: date) -> None:
        try:
            trouble = await self._write_missing(book, present)
        except TeamopsError as error:
            trouble = str(error)
        finally:
            self._busy = False
        if trouble:
            self._again = book.stamp.now + RETRY_S
            book.notes[NOTE] = f"a day's report is missing: {trouble}"
        else:
            book.notes.pop(NOTE, None)

    async def _write_missing(self, book: Book, present: date) -> str:
        """Write the reports of the last days that are not written; return why one could not be."""
        from teamops.supervisor import day_reports  # not before the first frame

        memory, settings = self._core.memory, book.settings.report
        since = book.stamp.wall - (MOST_BACK + 2) * _DAY_S
        written, trouble = memory.days.written(since), ""
        first = memory.days.first_watched()
        begun = present if first is None else today(first, book.settings.budgets.zone)
        for back in range(MOST_BACK, 0, -1):
            day = present - timedelta(days=back)
            newest = back == 1
            if day < begun or (day.isoformat() in written and not (newest and settings.send)):
                continue
            question = day_reports.question_of(self._core, day, 1)
            report = await asyncio.to_thread(day_reports.read_days, memory.path, question)
            if report.empty:
                continue  # nobody was there
            if day.isoformat() not in written:
                files = await asyncio.to_thread(_files, report, settings.formats)
                action = WriteReport(day=day.isoformat(), folder=settings.folder, files=files)
                self._record(book, settings.folder, files)
                outcome = await self._core.acts.begin(action)
                trouble = trouble if outcome.ok else outcome.message
                if not outcome.ok:
                    continue
            if newest and settings.send:
                hand_over(self._core, report)
        return trouble

    def _record(self, book: Book, folder: str, files: Iterable[tuple[str, str]]) -> None:
        """Let the audit know what is about to be written: in a folder that git sees it is no agent's change."""
        boundaries = self._core.memory.boundaries
        where = (book.settings.root / folder).resolve()
        for name, text in files:
            digest = digest_of(text.encode("utf-8", "replace"))
            write = partial(boundaries.add_own, str(where / name), digest, "report", book.stamp.wall)
            self._core.memory.store(book, write)


def hand_over(core: Core, report: DayReport) -> None:
    """Tell the person away from the screen of a day's report, in one line: the one place where a report is sent."""
    from teamops.report.day import SUFFIXES

    settings = core.book.settings.report
    where = Path(settings.folder) / f"{report.title}{SUFFIXES[settings.formats[0]]}"
    core.paging.tell(
        core.book,
        Page(
            id=f"report {report.days[-1].isoformat()}",
            transition=Transition.REPORT,
            keys=(),
            thread="report",
            severity=Severity.INFO,
            project=report.project,
            title=f"{report.project}: report of {report.title}",
            body=f"{without_secrets(report.summary)}. {where}",
            do="read it: teamops report, or D on the screen",
            wall=core.book.stamp.wall,
        ),
    )


def _files(report: DayReport, formats: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    from teamops.report.day import FORMATS, SUFFIXES

    return tuple((f"{report.title}{SUFFIXES[one]}", FORMATS[one](report)) for one in formats)
