"""Changes judged for each agent who could have made them, by the policies that the hooks ask."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from teamops.config.load import load
from teamops.effects import patches
from teamops.effects.policies import write_policies
from teamops.guard.judge import Light
from teamops.guard.policy import NoPolicy
from teamops.model.boundary import ChangeKind, FileChange, FileKind, FileState, OwnWrite, Violation, ViolationState
from teamops.model.clock import Stamp
from teamops.model.events import WorkTreeChanged
from teamops.model.role import CODER, DIRECTOR, OPTIMIZER, REVIEWER, Role
from teamops.sources.kept_bytes import digest_of, read_state
from teamops.supervisor.change_judge import (
    MAX_LISTED,
    OWN_S,
    Judged,
    Past,
    Policies,
    Scene,
    Suspect,
    judge_changes,
    left,
    lives_in,
    shown,
)

NOW = 1_775_000_000.0
TOML = '[roles.DIRECTOR]\n[roles.CODER]\n[roles.REVIEWER]\n[roles.OPTIMIZER]\n[roles.DEVELOPER]\ncwd = "../own"\n'


class Yard:
    def __init__(self, folder: Path) -> None:
        self.root, self.state, self.own = folder / "p", folder / "state", folder / "own"
        (self.root / "src").mkdir(parents=True)
        self.own.mkdir()
        (self.root / "teamops.toml").write_text(TOML)
        write_policies(load(self.root), self.state)
        self.bytes: dict[str, bytes] = {}
        self.past: dict[str, tuple[Past, ...]] = {}
        self.restoring: frozenset[int] = frozenset()
        self.own_writes: tuple[OwnWrite, ...] = ()

    def suspect(self, role: Role, *, lit: bool = False, busy: bool = False, cwd: Path | None = None) -> Suspect:
        light = Light(held=lit, tiers=(2,) if lit else ())
        return Suspect(role=role, cwd=str(cwd or self.root), pid=0, light=light, lit=lit, busy=busy)

    def change(self, path: str, before: bytes | None, after: bytes | None, *writers: Role) -> FileChange:
        """Make a change, as its watcher tells it."""
        full = self.root / path
        full.parent.mkdir(parents=True, exist_ok=True)
        if after is None:
            full.unlink(missing_ok=True)
        else:
            full.write_bytes(after)
        kind = ChangeKind.CREATED if before is None else ChangeKind.DELETED if after is None else ChangeKind.CHANGED
        return FileChange(
            path=path, change=kind, before=self.state_of(before), after=self.state_of(after), since=NOW, writers=writers
        )

    def state_of(self, raw: bytes | None) -> FileState:
        if raw is None:
            return FileState()
        self.bytes[digest_of(raw)] = raw
        return FileState(kind=FileKind.FILE, mode=0o644, size=len(raw), digest=digest_of(raw), kept="somewhere")

    def judge(
        self, suspects: list[Suspect], *changes: FileChange, root: Path | None = None, room: int = MAX_LISTED
    ) -> Judged:
        scene = Scene(
            project=str(self.root),
            folder=self.state,
            spool=self.root / ".teamops" / "spool",
            suspects=tuple(suspects),
            past=self.past,
            restoring=self.restoring,
            own=self.own_writes,
            room=room,
        )
        told = WorkTreeChanged(Stamp(1.0, NOW), str(root or self.root), changes)
        return judge_changes(scene, told, lambda _, state: self.bytes.get(state.digest), Policies())

    def remember(self, judged: Judged, state: ViolationState, number: int = 1) -> None:
        """Take a violation as one that the ledger knows."""
        draft = judged.drafts[0]
        known = Past(replace(draft.violation, id=number, state=state), draft.patch)
        self.past[draft.violation.path] = (known, *self.past.get(draft.violation.path, ()))


@pytest.fixture
def yard(tmp_path: Path) -> Yard:
    return Yard(tmp_path)


def violations(judged: Judged) -> list[Violation]:
    return [draft.violation for draft in judged.drafts]


def test_a_violation_is_kept_with_its_change(yard: Yard) -> None:
    judged = yard.judge([yard.suspect(REVIEWER, lit=True)], yard.change("src/a.py", b"1\n", b"1\n2\n"))
    (one,) = violations(judged)
    assert (one.path, one.rule, one.roles, one.added, one.removed) == ("src/a.py", "write.allow", (REVIEWER,), 1, 0)
    name = judged.drafts[0].patch
    assert patches.bytes_of(yard.state, name, patches.BEFORE) == b"1\n"
    assert patches.bytes_of(yard.state, name, patches.AFTER) == b"1\n2\n"


@pytest.mark.parametrize(
    ("role", "path", "before", "after", "rule"),
    [
        (CODER, "src/a.py", b"1", b"2", ""),
        (CODER, "reviews/x.md", b"1", b"2", 'write.deny "/reviews/"'),
        (CODER, ".claude/settings.json", None, b"{}", 'protected "**/.claude/settings*.json"'),
        (CODER, "teamops.toml", TOML.encode(), b"", 'protected "/teamops.toml"'),
        (OPTIMIZER, "src/new.py", None, b"1", "write.new_files"),
        (OPTIMIZER, "src/a.py", b"1\n", b"1\n" * 99, ""),  # lines are counted over the whole turn
        (OPTIMIZER, "src/a.py", b"1\n", None, ""),
        (REVIEWER, "reviews/x.md", None, b"x", ""),
        (DIRECTOR, "src/a.py", b"1\n", b"2\n", "write"),
    ],
)
def test_what_each_role_may(
    yard: Yard, role: Role, path: str, before: bytes | None, after: bytes | None, rule: str
) -> None:
    found = violations(yard.judge([yard.suspect(role, lit=True)], yard.change(path, before, after)))
    assert [one.rule.startswith(rule) for one in found] == ([True] if rule else [])


def test_without_the_light_nobody_may(yard: Yard) -> None:
    (one,) = violations(yard.judge([yard.suspect(CODER, busy=True)], yard.change("src/a.py", b"1", b"2")))
    assert one.rule == "light"


def test_a_fix_of_a_line_in_tier_1_is_the_turn_s_to_judge(yard: Yard) -> None:
    director = replace(yard.suspect(DIRECTOR, lit=True), light=Light(held=True, tiers=(1,)))
    assert violations(yard.judge([director], yard.change("src/a.py", b"1\n", b"2\n"))) == []


def test_a_hook_s_word_is_evidence(yard: Yard) -> None:
    spool = yard.root / ".teamops" / "spool" / "REVIEWER"
    spool.mkdir(parents=True)
    (spool / "hooks.jsonl").write_text(json.dumps({"t": NOW - 2, "verdict": "deny", "about": "src/a.py"}) + "\n")
    (one,) = violations(
        yard.judge([yard.suspect(OPTIMIZER), yard.suspect(REVIEWER)], yard.change("src/a.py", b"1", b"2"))
    )
    assert one.roles == (REVIEWER,)
    assert one.evidence[0] == "REVIEWER's hook refused a call about it 2 s before"


def test_who_writes_from_another_tree_is_asked_too(yard: Yard) -> None:
    developer = yard.suspect(Role("DEVELOPER"), busy=True, cwd=yard.own)
    assert violations(yard.judge([developer], yard.change("src/a.py", b"1", b"2"))) == []
    (one,) = violations(yard.judge([developer], yard.change("src/a.py", b"1", b"3", Role("DEVELOPER"))))
    assert one.roles == (Role("DEVELOPER"),)


def test_an_own_work_tree_is_named_by_its_path(yard: Yard) -> None:
    (yard.own / "x.py").write_text("2")
    change = yard.change("x.py", b"1", b"2")
    reviewer = yard.suspect(REVIEWER, lit=True)
    developer = yard.suspect(Role("DEVELOPER"), busy=True, cwd=yard.own)
    (one,) = violations(yard.judge([reviewer, developer], change, root=yard.own))
    assert (one.path, one.roles) == (f"{yard.own}/x.py", (Role("DEVELOPER"),))


def spoil(yard: Yard, how: str) -> None:
    """Make it that nobody can say what REVIEWER may."""
    path = yard.state / "policy" / "REVIEWER.json"
    told = json.loads(path.read_text())
    match how:
        case "missing":
            path.unlink()
        case "torn":
            path.write_text(path.read_text()[:20])
        case "another version's":
            path.write_text(json.dumps(told | {"v": 99}))
        case "without roots":
            path.write_text(json.dumps({name: value for name, value in told.items() if name != "roots"}))
        case "of wrong values":
            path.write_text(json.dumps(told | {"allow": 7, "deny": 7, "protected": 7}))
        case "a loop of links":
            path.unlink()
            path.symlink_to(path)
        case _:
            path.unlink()
            path.mkdir()


HOW = ["missing", "torn", "another version's", "without roots", "of wrong values", "a loop of links", "a folder"]


@pytest.mark.parametrize("how", HOW)
def test_where_it_can_t_be_said_what_a_role_may_its_change_counts_as_forbidden(yard: Yard, how: str) -> None:
    spoil(yard, how)
    judged = yard.judge([yard.suspect(REVIEWER, lit=True)], yard.change("reviews/a.md", b"1", b"2", REVIEWER))
    (one,) = violations(judged)
    assert (one.rule, one.roles) == ("policy", (REVIEWER,))
    assert one.why.startswith("what it may change can't be said: ")
    assert "what REVIEWER may change can't be said, so it counts as forbidden" in one.evidence
    assert not judged.drafts[0].blame.sure  # told, and not undone
    assert judged.unsaid.startswith("REVIEWER: what it may change can't be said")
    # Who may all the same is believed: nothing shows that it was the other one.
    coder = yard.suspect(CODER, lit=True)
    judged = yard.judge([yard.suspect(REVIEWER, lit=True), coder], yard.change("src/a.py", b"1", b"2"))
    assert (violations(judged), bool(judged.unsaid)) == ([], True)


def test_a_policy_that_is_mended_counts_again(yard: Yard) -> None:
    path = yard.state / "policy" / "REVIEWER.json"
    told = path.stat()
    good = path.read_bytes()
    policies = Policies()
    assert not isinstance(policies.of(yard.state, REVIEWER), NoPolicy)
    path.write_bytes(b"x" * len(good))
    os.utime(path, ns=(told.st_atime_ns, told.st_mtime_ns))
    assert isinstance(policies.of(yard.state, REVIEWER), NoPolicy)
    path.write_bytes(good)
    assert not isinstance(policies.of(yard.state, REVIEWER), NoPolicy)


def test_who_has_no_boundary_crosses_none(yard: Yard) -> None:
    (yard.state / "policy" / "REVIEWER.json").write_text('{"v": 1, "unruled": true}')
    assert violations(yard.judge([yard.suspect(REVIEWER, lit=True)], yard.change("src/a.py", b"1", b"3"))) == []


def test_a_checkout_over_everything_is_counted(yard: Yard) -> None:
    changes = [yard.change(f"src/{number}.py", b"1", b"2") for number in range(5)]
    for room in (3, 0):
        judged = yard.judge([yard.suspect(REVIEWER, lit=True)], *changes, room=room)
        assert (len(judged.drafts), judged.unlisted) == (room, 5 - room)


def test_among_many_what_nobody_may_change_is_listed(yard: Yard) -> None:
    changes = [yard.change("src/a.py", b"1", b"2"), yard.change(".codex/config.toml", b"1", b"2")]
    judged = yard.judge([yard.suspect(REVIEWER, lit=True)], *changes, room=0)
    assert ([one.path for one in violations(judged)], judged.unlisted) == ([".codex/config.toml"], 1)


def test_what_can_t_be_kept_is_told_all_the_same(yard: Yard) -> None:
    (yard.state / "patches").write_text("in the way")
    judged = yard.judge([yard.suspect(REVIEWER, lit=True)], yard.change("src/a.py", b"1", b"2"))
    (one,) = violations(judged)
    assert one.note.startswith("could not be kept")
    assert judged.drafts[0].patch == ""
    assert judged.trouble


def test_what_goes_on_keeps_its_beginning(yard: Yard) -> None:
    reviewer = [yard.suspect(REVIEWER, lit=True)]
    yard.remember(yard.judge(reviewer, yard.change("src/a.py", b"one\n", b"two\n")), ViolationState.OPEN)
    judged = yard.judge(reviewer, yard.change("src/a.py", b"two\n", b"three\n"))
    (draft,) = judged.drafts
    assert draft.follows == 1
    assert patches.bytes_of(yard.state, draft.patch, patches.BEFORE) == b"one\n"
    # Told twice it is one, and back at its beginning it is gone.
    assert violations(yard.judge(reviewer, yard.change("src/a.py", b"x", b"two\n"))) == []
    back = yard.judge(reviewer, yard.change("src/a.py", b"two\n", b"one\n"))
    assert (violations(back), back.gone) == ([], [1])


@pytest.mark.parametrize("state", list(ViolationState))
def test_what_a_person_put_back_or_let_stand_is_no_news(yard: Yard, state: ViolationState) -> None:
    reviewer = [yard.suspect(REVIEWER, lit=True)]
    yard.remember(yard.judge(reviewer, yard.change("src/a.py", b"one\n", b"two\n")), state)
    again = violations(yard.judge(reviewer, yard.change("src/a.py", b"one\n", b"two\n")))
    stands = {ViolationState.OPEN, ViolationState.ACCEPTED, ViolationState.RESTORED}
    assert bool(again) is (state not in stands)
    undone = yard.judge(reviewer, yard.change("src/a.py", b"two\n", b"one\n"))
    assert (violations(undone), undone.gone) == ([], [1] if state is ViolationState.OPEN else [])


def test_a_person_s_restore_that_is_under_way_is_no_news(yard: Yard) -> None:
    reviewer = [yard.suspect(REVIEWER, lit=True)]
    first = yard.judge(reviewer, yard.change("src/a.py", b"one\n", b"two\n"))
    yard.remember(first, ViolationState.QUARANTINED, 1)
    second = yard.judge(reviewer, yard.change("src/a.py", b"one\n", b"2\n"))
    yard.remember(second, ViolationState.QUARANTINED, 2)
    yard.restoring = frozenset({1})
    assert violations(yard.judge(reviewer, yard.change("src/a.py", b"one\n", b"two\n"))) == []


@pytest.mark.parametrize(
    ("cwd", "root", "lives"),
    [
        ("/p", "/p", True),
        ("/p/src", "/p", True),
        ("/own", "/p", False),
        ("/own", "/own", True),
        ("/own/x", "/own", True),
        ("/p", "/own", False),
        ("/px", "/p", False),
    ],
)
def test_where_an_agent_lives(cwd: str, root: str, lives: bool) -> None:
    assert lives_in(cwd, root, "/p") is lives


def test_paths_are_shown_cleaned() -> None:
    assert shown("/p", "a\x1b[31m\n", "/p") == shown("/p", "a\x1b[31m\n", "/p").replace("\x1b", "")
    assert shown("/own", "a", "/p") == "/own/a"


def test_state_of_a_real_file(tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(b"x" * 100)
    assert read_state(str(tmp_path / "big"), 10)[1] is None
    assert read_state(str(tmp_path))[0].kind is FileKind.OTHER
    assert read_state(str(tmp_path / "none"))[0].kind is FileKind.NOTHING


def test_files_whose_names_are_shown_alike_are_two(yard: Yard) -> None:
    reviewer = [yard.suspect(REVIEWER, lit=True)]
    one, two = (os.fsdecode(name) for name in (b"src/a\xff.py", b"src/a\xfe.py"))
    assert shown("/p", one, "/p") == shown("/p", two, "/p") == "src/a\ufffd.py"
    yard.remember(yard.judge(reviewer, yard.change(one, b"1", b"2")), ViolationState.ACCEPTED)
    judged = yard.judge(reviewer, yard.change(two, b"1", b"2"))
    assert len(judged.drafts) == 1
    assert patches.read(yard.state, judged.drafts[0].patch).path == two


def bytes_before(yard: Yard, judged: Judged) -> bytes | None:
    (draft,) = judged.drafts
    return patches.bytes_of(yard.state, draft.patch, patches.BEFORE)


def test_a_sure_change_is_undone_to_just_before_it_and_not_to_before_one_of_nobody_known(yard: Yard) -> None:
    lit = [yard.suspect(REVIEWER, lit=True)]
    first = yard.judge(lit, yard.change("src/a.py", b"one\n", b"one\nmine\n"))
    assert not first.drafts[0].violation.sure
    yard.remember(first, ViolationState.OPEN)
    second = yard.judge(lit, yard.change("src/a.py", b"one\nmine\n", b"one\nmine\nits\n", REVIEWER))
    assert (second.drafts[0].violation.sure, second.drafts[0].violation.direct) == (True, True)
    assert (bytes_before(yard, second), second.drafts[0].follows) == (b"one\nmine\n", 0)
    # Undone, it is no news, and the first one still stands open.
    yard.remember(second, ViolationState.QUARANTINED, 2)
    back = yard.judge(lit, yard.change("src/a.py", b"one\nmine\nits\n", b"one\nmine\n"))
    assert (violations(back), back.gone) == ([], [])
    again = yard.judge(lit, yard.change("src/a.py", b"one\nmine\n", b"one\nmine\nits\n", REVIEWER))
    assert bytes_before(yard, again) == b"one\nmine\n"
    # The first one ends when its own beginning is back, beneath the one that was undone.
    back = yard.judge(lit, yard.change("src/a.py", b"one\nmine\n", b"one\n"))
    assert (violations(back), back.gone) == ([], [1])


def test_one_that_was_committed_meanwhile_is_told_by_its_bytes(yard: Yard) -> None:
    lit = [yard.suspect(REVIEWER, lit=True)]
    yard.remember(yard.judge(lit, yard.change("src/a.py", b"one\n", b"two\n")), ViolationState.OPEN)
    from_git = yard.change("src/a.py", b"two\n", b"three\n")
    held = FileState(kind=FileKind.FILE, mode=0o644, size=4, kept="git:abc")
    yard.bytes[""] = b"two\n"
    judged = yard.judge(lit, replace(from_git, before=held))
    assert judged.drafts[0].follows == 1
    judged = yard.judge(lit, replace(yard.change("src/a.py", b"two\n", b"3\n", REVIEWER), before=held))
    assert (bytes_before(yard, judged), judged.drafts[0].follows) == (b"two\n", 0)


def test_what_came_between_two_of_one_hand_is_nothing_they_are_undone_with(yard: Yard) -> None:
    lit = [yard.suspect(REVIEWER, lit=True)]
    first = yard.judge(lit, yard.change("src/a.py", b"one\n", b"two\n", REVIEWER))
    yard.remember(first, ViolationState.OPEN)
    judged = yard.judge(lit, yard.change("src/a.py", b"a person's\n", b"three\n", REVIEWER))
    assert (bytes_before(yard, judged), judged.drafts[0].follows) == (b"a person's\n", 0)
    # With nothing between it is one change from its beginning; of another hand it is another's.
    judged = yard.judge(lit, yard.change("src/a.py", b"two\n", b"three\n", REVIEWER))
    assert (bytes_before(yard, judged), judged.drafts[0].follows) == (b"one\n", 1)
    two = [*lit, yard.suspect(DIRECTOR)]
    judged = yard.judge(two, yard.change("src/a.py", b"two\n", b"three\n", DIRECTOR))
    assert (bytes_before(yard, judged), judged.drafts[0].follows) == (b"two\n", 0)


def test_what_several_acts_made_is_nobody_s_for_sure(yard: Yard) -> None:
    lit = [yard.suspect(REVIEWER, lit=True)]
    judged = yard.judge(lit, replace(yard.change("src/a.py", b"one\n", b"two\n", REVIEWER), single=False))
    (draft,) = judged.drafts
    assert (draft.blame.sure, draft.violation.sure, draft.violation.direct) == (False, False, False)
    assert draft.violation.evidence[-1].startswith("it came by more than one step between two looks")
    assert draft.violation.whose == "maybe REVIEWER"
    assert left(draft, 1).endswith("what stood there just before is not known")
    # A later sure one is not undone together with it.
    yard.remember(judged, ViolationState.OPEN)
    judged = yard.judge(lit, yard.change("src/a.py", b"two\n", b"three\n", REVIEWER))
    assert (bytes_before(yard, judged), judged.drafts[0].follows) == (b"two\n", 0)
    assert left(judged.drafts[0], 1) == ""


def test_several_open_ones_are_gone_when_the_first_beginning_is_back(yard: Yard) -> None:
    lit = [yard.suspect(REVIEWER, lit=True)]
    yard.remember(yard.judge(lit, yard.change("src/a.py", b"1", b"2")), ViolationState.OPEN, 1)
    yard.remember(yard.judge(lit, yard.change("src/a.py", b"2", b"3", REVIEWER)), ViolationState.OPEN, 2)
    back = yard.judge(lit, yard.change("src/a.py", b"3", b"2"))
    assert (violations(back), back.gone) == ([], [2])
    back = yard.judge(lit, yard.change("src/a.py", b"3", b"1"))
    assert (violations(back), sorted(back.gone)) == ([], [1, 2])


HOOK = ".git/hooks/pre-commit"


@pytest.mark.parametrize(
    ("path", "digest", "made_of", "wall", "own"),
    [
        (HOOK, b"ours", "", NOW - 1.0, True),
        (HOOK, b"other", "", NOW - 1.0, False),
        (".git/config", b"ours", "", NOW - 1.0, False),
        (HOOK, b"ours", "", NOW - OWN_S - 1.0, False),
        (HOOK, b"ours", "", NOW + 2.0, False),
        (HOOK, b"ours", digest_of(b"was"), NOW, True),
        (HOOK, b"ours", digest_of(b"was else"), NOW, False),
    ],
    ids=["it", "other bytes", "elsewhere", "long ago", "not yet", "made of what stood there", "made of another"],
)
def test_what_teamops_itself_wrote_for_the_person_is_no_agent_s(
    yard: Yard, path: str, digest: bytes, made_of: str, wall: float, own: bool
) -> None:
    yard.own_writes = (OwnWrite(f"{yard.root}/{path}", digest_of(digest), made_of, wall),)
    judged = yard.judge([yard.suspect(DIRECTOR, lit=True)], yard.change(HOOK, b"was", b"ours", DIRECTOR))
    assert (violations(judged) == []) is own
