"""Whose violation is a change? The one judgement of the roles' boundaries, asked for each who could have made it.

Blocks: called in a thread, with all that only the loop knows as values.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from teamops.domain.attribution import Blame, Candidate, Refusal, attribute, of_several
from teamops.domain.boundary_alerts import NOT_UNDONE
from teamops.effects import patches
from teamops.effects.patches import Patch
from teamops.effects.quarantine import matches
from teamops.guard import policy as policies
from teamops.guard.act import DELETE, WRITE, Act
from teamops.guard.judge import DENY, WARN, Decision, Light, judge
from teamops.guard.places import Looking
from teamops.model.boundary import ChangeKind, FileChange, FileKind, FileState, OwnWrite, Violation, ViolationState
from teamops.model.errors import TeamopsError
from teamops.model.events import WorkTreeChanged
from teamops.model.role import Role
from teamops.model.text import clean_line
from teamops.sources.kept_bytes import digest_of, read_kept
from teamops.sources.tree_facts import kind_of
from teamops.supervisor.change_evidence import Hold, HookWord, hold_of, hook_words, spoken

MAX_UNDONE = 20
"""More changes at once are not undone by rule: that is how a checkout looks, and it may be the person's."""
MAX_LISTED = 200
"""Of one moment so many violations are kept singly: a checkout over a whole tree is told by its count."""
_DOUBLES = 400
PROTECTED = "protected"
"""The rule of what nobody changes: among many other changes it is listed all the same."""
UNSAID = "policy"
"""The rule by which a role may change nothing, as long as nobody can say what it may."""

_STANDS = frozenset({ViolationState.ACCEPTED, ViolationState.RESTORED})
OWN_S = 10.0
"""What teamops writes for the person is written so soon after it was stored that it is about to be."""
_EARLY_S = 0.5
"""A file's time is of a coarser clock."""

BytesOf = Callable[[str, FileState], bytes | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """An agent at the moment of a change, as the loop knows it."""

    role: Role
    cwd: str
    """With its links followed."""
    pid: int
    light: Light
    lit: bool
    busy: bool


@dataclass(frozen=True, slots=True)
class Past:
    """A violation that is known."""

    violation: Violation
    patch: str
    """Its patch's name; empty = none is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """All that is known at the moment of a change."""

    project: str
    folder: Path
    """The project's in the person's state directory."""
    spool: Path
    suspects: tuple[Suspect, ...]
    past: Mapping[str, tuple[Past, ...]]
    """The last violations of each path, as a person knows it, newest first."""
    restoring: frozenset[int]
    """Violations that a person puts back now."""
    own: tuple[OwnWrite, ...] = ()
    """What teamops wrote for the person."""
    room: int = MAX_LISTED
    """So many violations of this moment may still be kept singly."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A violation that is to be stored."""

    violation: Violation
    patch: str
    blame: Blame
    follows: int = 0
    """The violation that goes on in this one; 0 = none."""
    single: bool = True
    """What stood just before the change is known: no more than one act made it."""


@dataclass(slots=True)
class Judged:
    """What became of the changes."""

    drafts: list[Draft] = field(default_factory=list)
    gone: list[int] = field(default_factory=list)
    """Violations whose file is as it was before."""
    unlisted: int = 0
    trouble: str = ""
    """Why a change could not be kept."""
    unsaid: str = ""
    """Of which role it can't be said what it may change, and why."""


class Policies:
    """The policies that the hooks ask, read again when they are others."""

    def __init__(self) -> None:
        self._read: dict[str, tuple[tuple[int, ...], policies.Policy]] = {}

    def of(self, folder: Path, role: Role) -> policies.Policy | policies.NoPolicy:
        """Return the policy of a role, or why it can't be had: then all that it changes counts as forbidden."""
        path = policies.path_of(str(folder), role)
        try:
            told = os.stat(path)  # noqa: PTH116 - a text
            key = (told.st_ino, told.st_size, told.st_mtime_ns, told.st_ctime_ns)
            known = self._read.get(path)
            if known is None or known[0] != key:
                known = self._read[path] = (key, policies.read(path))
        except OSError as error:
            return policies.NoPolicy(f"its policy can't be read ({error.strerror or error})")
        except policies.NoPolicy as error:
            return error
        return known[1]


def judge_changes(scene: Scene, told: WorkTreeChanged, bytes_of: BytesOf, policies_: Policies) -> Judged:
    """Return the violations among changes of one work tree."""
    judged = Judged()
    here = [one for one in scene.suspects if lives_in(one.cwd, told.root, scene.project)]
    writers = {role for change in told.changes for role in change.writers}
    here += [one for one in scene.suspects if one.role in writers and one not in here]
    held = {one.role: hold_of(one.pid) for one in here}
    words = {one.role: hook_words(scene.spool / one.role, told.stamp.wall) for one in here}
    for change in told.changes:
        name = shown(told.root, change.path, scene.project)
        full = f"{told.root}/{change.path}"
        open_ones = _open_ones(scene, judged, told.root, scene.past.get(name, ()), change)
        if open_ones is None or _is_own(scene.own, told.root, full, change, bytes_of):
            continue
        candidates = [
            _candidate(scene, one, change, full, name, words[one.role], told.stamp.wall, policies_, held)
            for one in here
        ]
        blame = attribute(candidates)
        for one in candidates:
            if one.refusal is not None and one.refusal.unsaid:
                judged.unsaid = judged.unsaid or f"{one.role}: {one.refusal.why}"
        if blame is None:
            continue
        most = scene.room + (MAX_LISTED if blame.refusal.rule.startswith(PROTECTED) else 0)
        if len(judged.drafts) >= most:
            judged.unlisted += 1
            continue
        blame = blame if change.single else of_several(blame)
        before, follows = _begun(scene, open_ones, told.root, change, blame, bytes_of)
        judged.drafts.append(_draft(scene, told, change, name, before, follows, blame, bytes_of, judged))
    return judged


def lives_in(cwd: str, root: str, project: str) -> bool:
    """Return whether an agent that was started in ``cwd`` works in the tree ``root``."""
    own = cwd if not _within(cwd, project) else project
    return own == root or (root != project and _within(cwd, root))


def shown(root: str, path: str, project: str) -> str:
    """Return a path as a person knows it: in the project, else absolute."""
    name = path if root == project else f"{root}/{path}"
    return clean_line(name.encode("utf-8", "surrogateescape").decode("utf-8", "replace"), 300)


def _within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _is_own(own: Sequence[OwnWrite], root: str, full: str, change: FileChange, bytes_of: BytesOf) -> bool:
    """Return whether teamops itself made the change for the person: these very bytes, there, and then."""
    for one in own:
        if (one.path, one.digest) != (full, change.after.digest):
            continue
        if not one.wall - _EARLY_S <= change.since <= one.wall + OWN_S:
            continue
        if not one.made_of or (change.before is not None and _known(root, change.before, bytes_of) == one.made_of):
            return True
    return False


def _known(root: str, state: FileState, bytes_of: BytesOf) -> str:
    """Return the digest of what a file held; empty where nobody knows it."""
    if state.digest or state.kind is not FileKind.FILE:
        return state.digest
    raw = bytes_of(root, state)
    return "" if raw is None else digest_of(raw)


def _open_ones(
    scene: Scene, judged: Judged, root: str, past: Sequence[Past], change: FileChange
) -> list[tuple[Past, Patch]] | None:
    """Return a path's open violations, newest first; ``None`` where the change is no news.

    It is none where the file became what it was before them, or what a person let stand or put back.
    """
    newest = on_top = True
    found: list[tuple[Past, Patch]] = []
    for one in past:
        violation = one.violation
        try:
            patch = patches.read(scene.folder, one.patch)
        except TeamopsError:
            continue
        if (patch.root, patch.path) != (root, change.path):
            continue  # another file, whose name is shown alike
        is_open = violation.state is ViolationState.OPEN
        if is_open:
            found.append((one, patch))
            on_top = on_top and (len(found) == 1 or matches(found[-2][1].before, patch.after))
        if (newest or (on_top and is_open)) and matches(change.after, patch.before):
            judged.gone += [each.violation.id for each, _ in found]
            return None
        stands = violation.state in _STANDS or violation.id in scene.restoring or (on_top and is_open)
        if stands and matches(change.after, patch.after):
            return None
        newest = False
        on_top = on_top and violation.state not in _STANDS
    return found


def _begun(
    scene: Scene,
    open_ones: Sequence[tuple[Past, Patch]],
    root: str,
    change: FileChange,
    blame: Blame,
    bytes_of: BytesOf,
) -> tuple[FileState | None, int]:
    """Return what stood before a change, and which open violation goes on in it; 0 = none.

    One goes on where it was the same one's, as surely, and nothing came between. All else that stood there just before
    is another's, it may be the person's: it is nothing that this change is undone with.
    """
    if not open_ones or change.before is None:
        return change.before, 0
    one, patch = open_ones[0]
    violation, before = one.violation, change.before
    if (violation.roles[:1], violation.sure, violation.direct) != (blame.roles[:1], blame.sure, blame.direct):
        return before, 0
    if not matches(replace(before, digest=_known(root, before, bytes_of)), patch.after):
        return change.before, 0
    kept = scene.folder / patches.FOLDER / f"{one.patch.removesuffix(patches.DIFF)}{patches.BEFORE}"
    return replace(patch.before, kept=str(kept) if patch.before.kept else ""), violation.id


def _candidate(
    scene: Scene,
    one: Suspect,
    change: FileChange,
    full: str,
    name: str,
    words: tuple[HookWord, ...],
    wall: float,
    policies_: Policies,
    held: Mapping[Role, Hold | None],
) -> Candidate:
    let, refused = spoken(words, name, full, min(wall, max(change.since, wall - 5.0)))
    hold = held[one.role]
    return Candidate(
        role=one.role,
        refusal=refusal_of(policies_.of(scene.folder, one.role), one.light, change.change, full, change),
        held_off=hold is not None and hold.keeps_from(full),
        opened=one.role in change.writers,
        let=let,
        refused=refused,
        light=one.lit,
        busy=one.busy,
    )


def refusal_of(
    policy: policies.Policy | policies.NoPolicy,
    light: Light,
    kind: ChangeKind,
    full: str,
    change: FileChange | None = None,
) -> Refusal | None:
    """Return why a role may not make a change at ``full``; ``None`` = it may.

    How many lines a file grows by is judged by the whole turn, not here.
    """
    said = decision_of(policy, light, kind, full)
    if said is None or said.verdict != DENY:
        return None
    if change is not None and light.tiers and not said.rule.startswith(PROTECTED):
        fixed = decision_of(policy, light, kind, full, 1)
        if fixed is not None and fixed.verdict != DENY:
            return None  # few lines may be mended in this tier; how many they came to is judged by the turn
    return refused(said)


def decision_of(
    policy: policies.Policy | policies.NoPolicy, light: Light, kind: ChangeKind, full: str, changed: int = _DOUBLES
) -> Decision | None:
    """Return what the role's boundary says of a change that was made; ``None`` where it has none.

    What can't be said is refused, by the rule ``UNSAID``.
    """
    if isinstance(policy, policies.NoPolicy):
        return Decision(DENY, UNSAID, f"what it may change can't be said: {policy}")
    if policy.get("unruled"):
        return None
    act = Act(DELETE if kind is ChangeKind.DELETED else WRITE, full, added=0, changed=changed)
    try:
        place = Looking(tuple(policy["roots"]), policy["home"]).at(full, ())
        place.exists = kind is not ChangeKind.CREATED
        return judge(policy, light, act, place)
    except (OSError, LookupError, TypeError, ValueError, AttributeError) as error:
        return Decision(DENY, UNSAID, f"what it may change can't be said: {error!r}")


def refused(said: Decision) -> Refusal:
    """Return what a decision that refuses is told by."""
    return Refusal(rule=clean_line(said.rule, 200), why=clean_line(said.why, 200), unsaid=said.rule == UNSAID)


def hint_of(said: Decision | None) -> Refusal | None:
    """Return what a decision that only warns is told by."""
    if said is None or said.verdict != WARN:
        return None
    return Refusal(rule=clean_line(said.rule, 200), why=clean_line(said.why, 200), hint=True)


def _draft(
    scene: Scene,
    told: WorkTreeChanged,
    change: FileChange,
    name: str,
    before: FileState | None,
    follows: int,
    blame: Blame,
    bytes_of: BytesOf,
    judged: Judged,
) -> Draft:
    state = before if before is not None else FileState(kind=FileKind.FILE)
    kind = kind_of(state, change.after)
    written = patches.Written("", None, None)
    note = ""
    raw = read_kept(state) if follows else bytes_of(told.root, state)
    patch = Patch(root=told.root, path=change.path, before=state, after=change.after)
    try:
        written = patches.write(scene.folder, patch, raw, bytes_of(told.root, change.after), kind)
    except TeamopsError as error:
        note = f"could not be kept: {error.message}"
        judged.trouble = error.message
    violation = Violation(
        id=0,
        wall=told.stamp.wall,
        path=name,
        change=kind,
        roles=blame.roles,
        rule=blame.refusal.rule,
        why=blame.refusal.why,
        evidence=blame.evidence,
        added=written.added,
        removed=written.removed,
        note=note,
        direct=blame.direct,
        sure=blame.sure,
    )
    return Draft(violation, written.name, blame, follows, change.single)


def with_more(violation: Violation, judged: Judged) -> Violation:
    """Return a violation that says how many there are beside it that are not listed."""
    if not judged.unlisted:
        return violation
    more = f"{judged.unlisted} more files changed in the same moment and are not listed"
    return replace(violation, evidence=(*violation.evidence, more))


def left(draft: Draft, many: int) -> str:
    """Return why a change is not undone by rule; empty = it is. ``many``: so many changed in the same moment."""
    if many > MAX_UNDONE:
        return f"{NOT_UNDONE}{many} files at once look like a checkout"
    if not draft.single:
        return f"{NOT_UNDONE}it came by more than one step, or unseen: what stood there just before is not known"
    return "" if draft.blame.sure else f"{NOT_UNDONE}it is not sure enough whose change it is"
