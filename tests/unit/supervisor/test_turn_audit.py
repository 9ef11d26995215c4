"""What a role's turn came to, asked of git: in real repositories."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from teamops.config.load import load as config_load
from teamops.effects.policies import write_policies
from teamops.handoff.appending import append
from teamops.model.boundary import ChangeKind, OwnWrite, Violation
from teamops.model.errors import TeamopsError
from teamops.model.role import CODER, DIRECTOR, OPTIMIZER, REVIEWER, Role
from teamops.sources.kept_bytes import digest_of
from teamops.supervisor import turn_audit, turn_trees
from teamops.supervisor.change_judge import Policies
from teamops.supervisor.turn_audit import ALL, BEGUN, OVER, _own_still, judge_turn
from teamops.supervisor.turn_trees import Turn
from tests.unit.supervisor.life import START, Life, block

TOML = "[roles.DIRECTOR]\n[roles.CODER]\n[roles.REVIEWER]\n[roles.OPTIMIZER]\n"


class Yard:
    def __init__(self, folder: Path) -> None:
        self.root, self.state = folder / "p", folder / "state"
        (self.root / "src").mkdir(parents=True)
        (self.root / "src" / "a.py").write_text("1\n2\n3\n")
        (self.root / "teamops.toml").write_text(TOML)
        self.git("init", "-q")
        self.git("add", "-A")
        self.git("commit", "-qm", "first")
        write_policies(config_load(self.root), self.state)

    def git(self, *words: str) -> None:
        subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@t.example", *words], cwd=self.root, check=True)

    def turn(
        self,
        role: Role,
        change: Callable[[], object],
        *,
        others: tuple[Role, ...] = (),
        told: tuple[str, ...] = (),
        named: tuple[str, ...] = (),
        tiers: tuple[int, ...] = (2,),
        seen: str = OVER,
    ) -> list[Violation]:
        """Let a role's turn begin, change, end; return what is past its boundary."""
        handoff = self.root / "current.md"
        tree, place = turn_trees.take(self.root, handoff, self.state)
        change()
        turn = Turn(
            role=role,
            root=str(self.root),
            wall=1.0,
            tree=tree,
            place=place,
            others=frozenset(others),
            named=named,
            tiers=tiers,
        )
        judged = judge_turn(turn, str(self.root), handoff, self.state, 2.0, set(told), Policies(), seen)
        return [draft.violation for draft in judged.drafts]

    def write(self, name: str, text: str) -> Callable[[], object]:
        return lambda: (self.root / name).write_text(text)


@pytest.fixture
def yard(tmp_path: Path) -> Yard:
    return Yard(tmp_path)


def rules(found: list[Violation]) -> dict[str, str]:
    return {one.path: one.rule for one in found}


def test_what_it_may_is_nothing(yard: Yard) -> None:
    assert yard.turn(CODER, yard.write("src/a.py", "x\n"), named=("src/a.py",)) == []
    assert yard.turn(REVIEWER, yard.write("current.md", "handed on\n")) == []


def test_what_it_may_not_is_told_committed_or_not(yard: Yard) -> None:
    def change() -> None:
        (yard.root / "src" / "a.py").write_text("1\n2\n3\n4\n")
        yard.git("commit", "-qam", "in between")
        (yard.root / "src" / "b.py").write_text("x\n")

    found = yard.turn(REVIEWER, change)
    assert rules(found) == {"src/a.py": "write.allow", "src/b.py": "write.allow"}
    one = next(one for one in found if one.path == "src/a.py")
    assert (one.added, one.removed, one.change, one.roles) == (1, 0, ChangeKind.CHANGED, (REVIEWER,))
    assert "it may have been you" in one.evidence[0]
    assert next(one for one in found if one.path == "src/b.py").change is ChangeKind.CREATED


def test_what_was_there_before_uncommitted_is_not_the_turn_s(yard: Yard) -> None:
    (yard.root / "src" / "a.py").write_text("uncommitted\n")
    (yard.root / "new.py").write_text("new\n")
    assert yard.turn(REVIEWER, lambda: None) == []
    found = yard.turn(REVIEWER, yard.write("new.py", "new\nmore\n"))
    assert [(one.path, one.added, one.removed) for one in found] == [("new.py", 1, 0)]


def test_what_is_known_already_is_not_told_twice(yard: Yard) -> None:
    assert yard.turn(REVIEWER, yard.write("src/a.py", "x\n"), told=("src/a.py",)) == []


def test_many_small_calls_of_an_optimizer_add_up(yard: Yard) -> None:
    assert yard.turn(OPTIMIZER, yard.write("src/a.py", "1\n" * 23)) == []
    found = yard.turn(OPTIMIZER, yard.write("src/a.py", "1\n" * 44))
    assert rules(found) == {ALL: "write.net_lines"}
    assert found[0].why == "its turn made the files 21 lines longer, and 20 is the most"
    found = yard.turn(OPTIMIZER, yard.write("src/new.py", "1\n"))
    assert rules(found) == {"src/new.py": "write.new_files"}
    assert yard.turn(OPTIMIZER, (yard.root / "src" / "new.py").unlink) == []


def test_a_file_that_no_block_names_is_a_hint(yard: Yard) -> None:
    assert rules(yard.turn(CODER, yard.write("src/a.py", "x\n"))) == {"src/a.py": "write.named_files_only"}


def test_what_another_s_turn_at_the_same_time_allows_is_nobody_s_violation(yard: Yard) -> None:
    change = yard.write("src/a.py", "x\n" * 50)
    assert yard.turn(REVIEWER, change, others=(CODER,)) == []
    found = yard.turn(REVIEWER, yard.write("src/b.py", "x\n"), others=(DIRECTOR,))
    assert [(one.path, one.roles) for one in found] == [("src/b.py", (REVIEWER, DIRECTOR))]
    assert "DIRECTOR held a light here, too" in found[0].evidence[1]
    # Nor are lines counted whose they may not be.
    assert yard.turn(OPTIMIZER, yard.write("src/a.py", "x\n" * 99), others=(CODER,)) == []


def test_a_director_s_fix_of_one_line_in_tier_1(yard: Yard) -> None:
    assert yard.turn(DIRECTOR, yard.write("src/a.py", "1\n2\nthree\n"), tiers=(1,)) == []
    found = yard.turn(DIRECTOR, yard.write("src/a.py", "one\ntwo\nthree\n"), tiers=(1,))
    assert [one.path for one in found] == ["src/a.py"]


def test_more_than_a_few_are_counted(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turn_audit, "MAX_LISTED", 3)

    def change() -> None:
        for number in range(5):
            (yard.root / f"n{number}.py").write_text("x\n")

    assert len(yard.turn(REVIEWER, change)) == 3


def test_where_it_can_t_be_said_what_it_may_all_counts_as_forbidden(yard: Yard) -> None:
    (yard.state / "policy" / "CODER.json").write_text("{")
    found = yard.turn(CODER, yard.write("src/a.py", "x\n"), named=("src/a.py",))
    assert rules(found) == {"src/a.py": "policy"}
    assert "can't be said" in found[0].why
    # Nor does another's policy that can't be read make anything allowed.
    assert rules(yard.turn(REVIEWER, yard.write("src/a.py", "y\n"), others=(CODER,))) == {"src/a.py": "write.allow"}
    assert rules(yard.turn(Role("STRANGER"), yard.write("src/a.py", "z\n"))) == {"src/a.py": "policy"}


def test_without_a_tree_or_git_nothing_is_said(yard: Yard, tmp_path: Path) -> None:
    handoff = yard.root / "current.md"
    turn = Turn(role=REVIEWER, root=str(yard.root), wall=1.0)
    assert judge_turn(turn, str(yard.root), handoff, yard.state, 2.0, set(), Policies(), OVER).drafts == []
    plain = tmp_path / "plain"
    plain.mkdir()
    assert turn_trees.take(plain, handoff, yard.state) == ("", "")


def test_big_files_are_left_out(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    from teamops.git import repository

    monkeypatch.setattr(repository, "MAX_CONTENT", 1000)
    (yard.root / "data.bin").write_bytes(b"x" * 5000)
    assert yard.turn(REVIEWER, yard.write("data.bin", "y" * 6000)) == []


def test_lines_are_counted_when_a_turn_is_over(yard: Yard) -> None:
    more = "x\n" * 40
    assert rules(yard.turn(OPTIMIZER, yard.write("src/a.py", more), seen=BEGUN)) == {}
    assert rules(yard.turn(OPTIMIZER, yard.write("src/a.py", more * 2), seen=OVER)) == {ALL: "write.net_lines"}


def test_turns_outlive_a_life_and_what_is_damaged_is_none(yard: Yard) -> None:
    turn = Turn(
        role=CODER,
        root="/p",
        wall=2.5,
        tree="abc",
        place="0a",
        tiers=(2,),
        named=("src/a.py",),
        others=frozenset({REVIEWER}),
    )
    (yard.state / "trees" / "0a").mkdir(parents=True)
    turn_trees.write(yard.state, {"login#1": turn, "other#2": Turn(role=CODER, root="/p", wall=1.0)})
    assert turn_trees.read(yard.state) == {"login#1": turn}
    row = json.loads((yard.state / "trees" / "turns.json").read_text())["login#1"]
    for text in (
        "{",
        "[]",
        '{"a": {}}',
        json.dumps({"a": row | {"named": 1}}),
        json.dumps({"a": row | {"place": ".."}}),
    ):
        (yard.state / "trees" / "turns.json").write_text(text)
        assert turn_trees.read(yard.state) == {}
    assert yard.state.is_dir()


def test_what_belongs_to_no_turn_is_taken_away(yard: Yard) -> None:
    yard.write("new.py", "x\n")()
    tree, place = turn_trees.take(yard.root, yard.root / "current.md", yard.state)
    turn_trees.take(yard.root, yard.root / "current.md", yard.state)
    trees = yard.state / "trees"
    (trees / "ab").mkdir()
    (trees / "ab" / "cdef").write_text("an object of an earlier version")
    (trees / "link").symlink_to(yard.root)
    turn_trees.write(yard.state, {"login#1": Turn(role=CODER, root=str(yard.root), wall=1.0, tree=tree, place=place)})
    assert turn_trees.read(yard.state).keys() == {"login#1"}
    assert {path.name for path in trees.iterdir()} == {place, "turns.json"}
    assert (yard.root / "new.py").exists()
    turn_trees.drop(yard.state, place)
    assert turn_trees.read(yard.state) == {}  # without its tree a turn is none


def test_more_than_is_kept_of_all_turns_is_said(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turn_trees, "MAX_TREES", 3000)
    yard.write("new.bin", "".join(chr(33 + number * 7919 % 90) for number in range(9000)))()
    with pytest.raises(TeamopsError, match="more than"):
        turn_trees.take(yard.root, yard.root / "current.md", yard.state)
    assert list((yard.state / "trees").iterdir()) == []


class Team:
    """A life in a repository, whose roles have boundaries."""

    def __init__(self, folder: Path, start: float = START) -> None:
        """Make it, or its next life."""
        self.life = Life(folder, start=start)
        self.state = folder / "own"
        if not self.state.exists():
            self._make(folder)
        loaded = config_load(folder)
        write_policies(loaded, self.state)
        book = self.life.core.book
        roles = [
            replace(one, profile=own.profile) if (own := loaded.role(one.role)) else one for one in book.settings.roles
        ]
        book.settings = replace(book.settings, roles=tuple(roles))
        self.audit = self.life.core.auditing
        self.audit.folder = self.state
        self.audit.ready = lambda: True

    @staticmethod
    def _make(folder: Path) -> None:
        (folder / "teamops.toml").write_text(TOML)
        (folder / ".gitignore").write_text("state/\nown/\n")
        (folder / "a.py").write_text("1\n")
        for words in (["init", "-q"], ["add", "-A"]):
            subprocess.run(["git", *words], cwd=folder, check=True)

    @property
    def places(self) -> set[str]:
        trees = self.state / "trees"
        return {path.name for path in trees.iterdir() if path.is_dir()} if trees.is_dir() else set()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not condition() or (self.audit._turns is not None and self.audit._turns._working):  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    def found(self) -> dict[str, tuple[str, str]]:
        return {one.path: (one.rule, one.note) for one in self.life.ledger.boundaries.violations(0.0, 99)}


async def test_all_that_blocks_is_done_beside_the_loop_and_nothing_of_a_turn_that_is_over_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop, done = threading.get_ident(), []
    for name in ("read", "take", "write", "drop", "judge_turn"):
        real = getattr(turn_audit, name)

        def noted(*given: object, real: Callable[..., object] = real, name: str = name) -> object:
            assert threading.get_ident() != loop, name
            done.append(name)
            return real(*given)

        monkeypatch.setattr(turn_audit, name, noted)
    team = Team(tmp_path)
    await team.life.begin()
    try:
        kept: list[str] = []
        turns = [(DIRECTOR, CODER), *[(CODER, REVIEWER), (REVIEWER, CODER)] * 2]
        for minute, (role, turn) in enumerate(turns):
            await team.life.append(block(role, turn, minute=minute))
            await team.until(lambda before=set(kept): len(team.places - before) == 1)  # type: ignore[misc]
            kept += sorted(team.places - set(kept))
        await team.until(lambda: team.places == {kept[-1]})
        assert set(done) == {"read", "take", "write", "drop", "judge_turn"}
        assert len(set(kept)) == len(turns)
    finally:
        await team.life.end()


@pytest.mark.parametrize("handed_on", [False, True], ids=["while it is held", "and it was handed on"])
async def test_what_changed_while_nobody_watched_is_seen_when_the_next_life_begins(
    tmp_path: Path, *, handed_on: bool
) -> None:
    team = Team(tmp_path)
    await team.life.begin()
    await team.life.append(block(DIRECTOR, REVIEWER))
    await team.until((team.state / "trees" / "turns.json").exists)
    await team.life.end()
    times = (tmp_path / "a.py").stat()
    (tmp_path / "a.py").write_text("2\n")
    os.utime(tmp_path / "a.py", ns=(times.st_atime_ns, times.st_mtime_ns))
    (tmp_path / "reviews").mkdir()
    (tmp_path / "reviews" / "r.md").write_text("what it may\n")
    if handed_on:
        append(tmp_path / "current.md", block(REVIEWER, DIRECTOR, minute=2))
    again = Team(tmp_path, START + 100)
    await again.life.begin()
    try:
        await again.until(lambda: "a.py" in again.found())
        rule, note = again.found()["a.py"]
        assert rule == "write.allow"
        assert ("handed on while it did not run" in note) is handed_on
        assert "reviews/r.md" not in again.found()
        await again.until(lambda: len(again.places) == 1)
        if not handed_on:
            await again.life.append(block(REVIEWER, DIRECTOR, minute=2))
            await again.until(lambda: len(again.places) == 1)
            assert len(again.life.ledger.boundaries.violations(0.0, 99)) == 1  # not told twice
    finally:
        await again.life.end()


def test_what_teamops_wrote_for_the_person_and_still_stands_so_is_not_the_turn_s(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).write_bytes(b"ours")
    (tmp_path / "b").write_bytes(b"changed since")
    ours = digest_of(b"ours")
    own = [
        OwnWrite(f"{tmp_path}/a", ours, "", 1.0),
        OwnWrite(f"{tmp_path}/b", ours, "", 1.0),
        OwnWrite(f"{tmp_path}/c", ours, digest_of(b"an agent's, it may be"), 1.0),
        OwnWrite(f"{tmp_path}x/a", ours, "", 1.0),
    ]
    assert _own_still(own, str(tmp_path), str(tmp_path)) == {"a"}
