"""What is seen afterwards: changes in the work trees judged, told, undone by rule or by a person, put back."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from teamops.config.settings import AuditMode
from teamops.domain.attribution import Blame
from teamops.domain.boundary_alerts import NOT_UNDONE, violation_findings
from teamops.ledger.store import LedgerError
from teamops.model.actions import By, Outcome, Poke, Quarantine
from teamops.model.alert import Finding
from teamops.model.boundary import SETTLED_FROM, Violation, ViolationState, undo_rank
from teamops.model.errors import TeamopsError
from teamops.model.events import Event, HandoffChanged, SourceTroubled, Ticked, WorkTreeChanged
from teamops.model.role import HUMAN, Role
from teamops.model.snapshot import LogLine, SettleViolation
from teamops.supervisor.book import Book

if TYPE_CHECKING:  # the first frame does not pay for what judges: it is imported where it is first needed
    from teamops.supervisor.change_judge import BytesOf, Draft, Judged, Past, Policies, Scene
    from teamops.supervisor.core import Core
    from teamops.supervisor.turn_audit import TurnAudit

SHOWN_S = 24 * 3600.0
MAX_SHOWN = 100
REMEMBERED = 2000
LATE_S = 600.0
"""Another process may store what it settled so much later than the time it gives it."""
MAX_PAST = 10
STORM_S = 30.0
"""What changes within so long is one moment: of a storm only so many violations are kept singly."""
AT_ONCE = 50
"""So many violations are stored in one step, before the loop does something else."""
MAX_WAITING = 10_000
"""While more changes than this wait to be judged, no work tree is looked at: what it tells would only wait, too."""
NAME = "audit"


class Auditing:
    """Judges changes one after the other, beside the loop."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self.folder: Path | None = None
        """The project's in the person's state directory."""
        self._bytes_of: BytesOf | None = None
        """Gives the bytes that a file held; ``None`` = no tree is watched in this life."""
        self.ready: Callable[[], bool] = lambda: False
        """Says whether every tree was looked at once and is watched."""
        self._policies: Policies | None = None
        self._turns: TurnAudit | None = None
        self._handoff: HandoffChanged | None = None
        """The last one that came before the trees were watched."""
        self._waiting: deque[tuple[Scene, WorkTreeChanged]] = deque()
        self._unjudged = 0
        """So many changes wait, or are being judged."""
        self._working = False
        self._unsaid = ""
        """What was said last of policies that can't be had."""
        self._moment = (float("-inf"), 0)
        """When the moment began that is judged (observed seconds), and how many violations of it were kept singly."""
        self._all: tuple[Violation, ...] = ()
        """Open ones, and those of the last day."""
        self._patches: dict[int, str] = {}
        self._mark: tuple[int, float, int] | None = None
        self._lit: dict[Role, tuple[float, tuple[int, ...]]] = {}
        """Until when (observed seconds) each role last held a light, and of which tiers."""

    @property
    def shown(self) -> tuple[Violation, ...]:
        """Return the violations for the screen: open ones first, newest first."""
        return self._all[:MAX_SHOWN]

    @property
    def known(self) -> tuple[Violation, ...]:
        """Return all that are open or of the last day."""
        return self._all

    # what happens

    def load(self, book: Book) -> None:
        """Know what earlier lives found."""
        self._read(book)

    def follow(self, bytes_of: BytesOf, ready: Callable[[], bool]) -> None:
        """Take it that work trees are watched from now on, by who gives the bytes that files held."""
        self._bytes_of, self.ready = bytes_of, ready
        self._reconcile(self._core.book)

    def see(self, book: Book, event: Event) -> None:
        """Take an event."""
        if isinstance(event, HandoffChanged | Ticked):
            self._see_lights(book)
        if isinstance(event, Ticked):
            self._read(book)
        if isinstance(event, HandoffChanged):
            self._handoff = event
        if isinstance(event, HandoffChanged | Ticked) and self._handoff is not None and self.ready():
            self._see_turns(book, self._handoff)
            self._handoff = None
        if isinstance(event, WorkTreeChanged) and self.folder is not None and book.supervisor.acting:
            self._read(book)
            self._waiting.append((self._scene(book, self.folder), event))
            self._unjudged += len(event.changes)
            self._go_on(book)

    def has_room(self) -> bool:
        """Return whether more changes may be told: those that were are judged, all but a few."""
        return self._unjudged < MAX_WAITING

    def _go_on(self, book: Book) -> None:
        if self._waiting and not self._working:
            self._working = True
            self._core.spawn(self._work(book), NAME)

    def findings(self, book: Book) -> list[Finding]:
        """Return what a person has to know now."""
        del book
        return violation_findings(self._all)

    def _reconcile(self, book: Book) -> None:
        """Follow up what an earlier life was cut off in: blocks, for a moment."""
        still = [one for one in self.shown if one.state is ViolationState.OPEN]
        if self.folder is None or not still:
            return
        from teamops.effects import patches
        from teamops.effects.quarantine import matches, stands, tidy

        for violation in still:
            name = self._patches.get(violation.id, "")
            try:
                patch = patches.read(self.folder, name)
                tidy(self.folder, name)
                now = stands(patch.root, patch.path)
            except (TeamopsError, OSError):
                continue
            if matches(now, patch.before):
                note = "the file is as it was before; the change is kept"
                self._settle(book, violation.id, ViolationState.GONE, note, ViolationState.OPEN)
        self._read(book)

    def _see_turns(self, book: Book, event: HandoffChanged) -> None:
        from teamops.supervisor.turn_audit import TurnAudit

        if self.folder is not None:
            self._turns = self._turns or TurnAudit(self._core)
            self._turns.see(book, event, self.folder)

    def _see_lights(self, book: Book) -> None:
        for role, lights in book.holders().items():
            tiers = tuple(one.tier for one in lights if one.tier is not None)
            self._lit[role] = (book.stamp.now, tiers)

    def _read(self, book: Book) -> None:
        """Read the violations where any is new or settled, by whichever process."""
        kept = self._core.memory.boundaries
        mark = self._core.memory.ask(book, kept.mark)
        if mark is None or mark == self._mark:
            return
        since = book.stamp.wall - SHOWN_S
        news: list[Violation] | None = []
        if self._mark is not None:
            news = self._core.memory.ask(book, partial(kept.news, self._mark[0], self._mark[1] - LATE_S))
        if news:
            merged = {one.id: one for one in (*self._all, *news)}
            still = [one for one in merged.values() if one.state is ViolationState.OPEN or one.wall >= since]
            found = sorted(still, key=lambda one: (one.state is not ViolationState.OPEN, -one.wall, -one.id))
            found = found[:REMEMBERED]
        else:
            news = found = self._core.memory.ask(book, partial(kept.violations, since, REMEMBERED)) or []
        unknown = [one.id for one in news if one.id not in self._patches]
        patches = self._core.memory.ask(book, partial(kept.patches_of, unknown)) if unknown else {}
        if patches is None:
            return  # it is asked again at the next tick
        self._patches |= patches
        self._mark, self._all = mark, tuple(found)

    def _scene(self, book: Book, folder: Path) -> Scene:
        from teamops.supervisor.change_judge import Scene
        from teamops.supervisor.suspects import suspects_of

        begun = self._core.memory.ask(book, self._core.memory.unfinished) or []
        restoring = {each.violation for each in begun if isinstance(each, Quarantine) and each.back}
        return Scene(
            project=str(book.settings.root.resolve()),
            folder=folder,
            spool=book.settings.spool,
            suspects=tuple(suspects_of(book, self._lit)),
            past={},  # asked when it is judged
            restoring=frozenset(restoring),
            own=(),  # as is this
        )

    def _past(self) -> dict[str, tuple[Past, ...]]:
        """Return the last violations of each path, newest first."""
        from teamops.supervisor.change_judge import Past

        found: dict[str, tuple[Past, ...]] = {}
        for one in sorted(self._all, key=lambda each: -each.id):
            so_far = found.get(one.path, ())
            if len(so_far) < MAX_PAST:
                found[one.path] = (*so_far, Past(one, self._patches.get(one.id, "")))
        return found

    # what is done about it

    async def _work(self, book: Book) -> None:
        from teamops.supervisor.change_judge import MAX_LISTED, OWN_S, Policies, judge_changes

        self._policies = self._policies or Policies()
        failed = False
        try:
            while self._waiting and self._bytes_of is not None:
                scene, event = self._waiting.popleft()
                try:
                    if event.stamp.now - self._moment[0] > STORM_S:
                        self._moment = event.stamp.now, 0
                    begun, listed = self._moment
                    since = event.stamp.wall - OWN_S - STORM_S
                    own = self._core.memory.ask(book, partial(self._core.memory.boundaries.own_writes, since))
                    scene = replace(scene, past=self._past(), own=own or (), room=max(0, MAX_LISTED - listed))
                    judged = await asyncio.to_thread(judge_changes, scene, event, self._bytes_of, self._policies)
                    self._moment = begun, listed + len(judged.drafts)
                    await self.take(book, judged, beside=event.beside)
                finally:
                    self._unjudged -= len(event.changes)
        except Exception:
            failed = True
            raise
        finally:
            self._working = False
            if failed:
                self._go_on(book)  # a defect in one moment's judgement, which is said, keeps no other from it

    async def take(self, book: Book, judged: Judged, *, undo: bool = True, beside: int = 0) -> None:
        """Store what was judged, tell it, and undo it where that is configured and sure.

        ``beside``: so many more files changed in the same moment.
        """
        from teamops.supervisor.change_judge import MAX_UNDONE, left, with_more

        self._are_gone(book, dict.fromkeys(judged.gone, "the file is as it was before"))
        many = len(judged.drafts) + judged.unlisted + beside
        undo = undo and book.settings.guard.audit is AuditMode.QUARANTINE
        stored: list[tuple[Violation, Draft]] = []
        for start in range(0, len(judged.drafts), AT_ONCE):
            rows = [(with_more(draft.violation, judged), draft) for draft in judged.drafts[start : start + AT_ONCE]]
            if many > MAX_UNDONE:  # nor is a later change of the same file undone together with it
                rows = [(replace(one, sure=False), draft) for one, draft in rows]
            if undo:
                rows = [(replace(one, note=one.note or left(draft, many)), draft) for one, draft in rows]
            stored += self._add(book, rows)
            await asyncio.sleep(0)
        if judged.trouble or judged.drafts or judged.unlisted:
            said = f"changes past a boundary are not kept: {judged.trouble}" if judged.trouble else ""
            if judged.unlisted and not judged.drafts:
                said = said or f"{judged.unlisted} more changes past a boundary are not listed: too many at once"
            self._core.emit(SourceTroubled(self._core.stamp(), NAME, said, "they stand in the files themselves"))
        self._say_unsaid(judged)
        self._read(book)
        self._core.wake()
        if undo and many <= MAX_UNDONE:
            for violation, draft in sorted(stored, key=lambda one: undo_rank(one[0])):
                await self._undo(book, violation, draft.patch, draft.blame)
            self._read(book)
            self._core.wake()

    def _say_unsaid(self, judged: Judged) -> None:
        """Say it once, and when it is over, where a role's policy can't be had."""
        if judged.unsaid != self._unsaid:
            self._unsaid = judged.unsaid
            hint = "all that it changes counts as forbidden; teamops writes the policies anew when it starts"
            self._core.emit(SourceTroubled(self._core.stamp(), f"{NAME} (policies)", judged.unsaid, hint))

    def _add(self, book: Book, rows: list[tuple[Violation, Draft]]) -> list[tuple[Violation, Draft]]:
        """Store violations; return those that are stored, with their rows."""
        try:
            ids = self._core.memory.boundaries.add_all((one, draft.patch) for one, draft in rows)
        except LedgerError as error:
            book.ledger_trouble = str(error)
            return []
        followed = {}
        for row, (_, draft) in zip(ids, rows, strict=True):
            self._patches[row] = draft.patch
            if draft.follows:
                followed[draft.follows] = f"it was changed further: see violation {row}"
        self._are_gone(book, followed)
        return [(replace(one, id=row), draft) for row, (one, draft) in zip(ids, rows, strict=True)]

    def _are_gone(self, book: Book, notes: dict[int, str]) -> None:
        """Store that open violations don't stand any more, each with its note."""
        kept = self._core.memory.boundaries
        if notes:
            write = partial(kept.settle_all, notes, ViolationState.GONE, book.stamp.wall, ViolationState.OPEN)
            self._core.memory.store(book, write)

    async def _undo(self, book: Book, violation: Violation, patch: str, blame: Blame) -> None:
        """Undo a change by rule, and say how that went."""
        role = violation.roles[0]
        if not blame.sure:
            return  # its note says so
        if not patch:
            note = violation.note or f"{NOT_UNDONE}it could not be kept"
            self._settle(book, violation.id, ViolationState.OPEN, note)
            return
        action = Quarantine(
            violation=violation.id, patch=patch, path=violation.path, role=role, by=By.RULE, reason=violation.rule
        )
        outcome = await self._core.acts.begin(action)
        if not outcome.ok:
            note = f"could not be undone: {outcome.message}"
            self._settle(book, violation.id, ViolationState.OPEN, note)
            return
        self._settle(book, violation.id, ViolationState.QUARANTINED, "undone by rule")
        self._core.spawn(self._tell(book, violation, role), f"telling {role} of a quarantine")

    async def _tell(self, book: Book, violation: Violation, role: Role) -> None:
        """Tell the agent, by the way of every poke: not into a dialog, not over a half-typed line."""
        own = book.settings.role(role)
        if own is None or not (own.auto_poke and book.settings.auto_poke):
            note = f"undone by rule; {role} was not told: it is not poked by rule"
        else:
            outcome = await self._core.acts.begin(
                Poke(role=role, text=told_line(violation), by=By.RULE, reason=f"quarantine {violation.id}")
            )
            note = f"undone by rule; {role} was told" if outcome.ok else f"undone by rule; not told: {outcome.message}"
        self._settle(book, violation.id, ViolationState.QUARANTINED, note, ViolationState.QUARANTINED)
        self._read(book)
        self._core.wake()

    def _settle(
        self, book: Book, row: int, state: ViolationState, note: str, was: ViolationState | None = None
    ) -> None:
        kept = self._core.memory.boundaries
        self._core.memory.store(book, partial(kept.settle, row, state, note, book.stamp.wall, was))

    # what a person does

    async def settle(self, book: Book, wish: SettleViolation, who: str) -> Outcome:
        """Accept a violation, undo it or put it back. Raises ``TeamopsError``."""
        kept = self._core.memory.boundaries
        violation = kept.violation(wish.violation)
        if violation is None:
            return Outcome(
                ok=False, message=f"there is no violation {wish.violation}", hint="see: teamops guard violations"
            )
        if violation.state not in SETTLED_FROM.get(wish.to, frozenset()):
            return Outcome(
                ok=False,
                message=f"violation {violation.id} is {violation.state.value}, and can't become {wish.to.value}",
                hint=f"look at it: teamops guard diff {violation.id}",
            )
        message, note = f"violation {violation.id} is accepted: {violation.path} stands", f"accepted by {who}"
        evidence = ""
        if wish.to is not ViolationState.ACCEPTED:
            patch = kept.patch_of(violation.id)
            back = wish.to is ViolationState.RESTORED
            outcome = await self._core.acts.begin(
                Quarantine(
                    violation=violation.id,
                    patch=patch,
                    path=violation.path,
                    role=violation.roles[0] if violation.roles else None,
                    by=By.PERSON,
                    back=back,
                    force=wish.force and back,
                )
            )
            if not outcome.ok:
                return outcome
            message, evidence = outcome.message, outcome.evidence
            note = f"{'put back' if back else 'undone'} by {who}"
        kept.settle(violation.id, wish.to, note, self._core.stamp().wall)
        book.note(LogLine(book.stamp.wall, "action", f"violation {violation.id}: {note}", HUMAN))
        self._read(book)
        return Outcome(ok=True, message=message, evidence=evidence)


def told_line(violation: Violation) -> str:
    """Return the line that an agent is told by that its change was undone. Nothing of the file's name can act in it."""
    plain = violation.path if all(one.isalnum() or one in "/._-+ " for one in violation.path) else "a file"
    whose = "your change of" if violation.direct else "a change, which seems to be yours, of"
    return (
        f"teamops undid {whose} {plain[:120]}: it is past your role's boundary (violation {violation.id}). The "
        "change is kept for your person. Do not make it again by another way; report it in your block"
    )
