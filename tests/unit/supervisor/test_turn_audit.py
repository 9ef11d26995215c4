"""What a role's turn came to, asked of git: in real repositories."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from teamops.config.load import load
from teamops.effects.policies import write_policies
from teamops.model.boundary import ChangeKind, Violation
from teamops.model.role import CODER, DIRECTOR, OPTIMIZER, REVIEWER, Role
from teamops.supervisor import turn_audit
from teamops.supervisor.change_judge import Policies
from teamops.supervisor.turn_audit import ALL, Turn, judge_turn

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
        write_policies(load(self.root), self.state)

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
    ) -> list[Violation]:
        """Let a role's turn begin, change, end; return what is past its boundary."""
        handoff = self.root / "current.md"
        tree = turn_audit._tree_of(self.root, handoff, self.state)
        change()
        turn = Turn(
            role=role, root=str(self.root), wall=1.0, tree=tree, others=frozenset(others), named=named, tiers=tiers
        )
        judged = judge_turn(turn, str(self.root), handoff, self.state, 2.0, set(told), Policies())
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
    assert judge_turn(turn, str(yard.root), handoff, yard.state, 2.0, set(), Policies()).drafts == []
    plain = tmp_path / "plain"
    plain.mkdir()
    assert turn_audit._tree_of(plain, handoff, yard.state) == ""


def test_big_files_are_left_out(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    from teamops.git import repository

    monkeypatch.setattr(repository, "MAX_CONTENT", 1000)
    (yard.root / "data.bin").write_bytes(b"x" * 5000)
    assert yard.turn(REVIEWER, yard.write("data.bin", "y" * 6000)) == []


def test_turns_outlive_a_life_and_what_is_damaged_is_none(yard: Yard) -> None:
    turn = Turn(
        role=CODER, root="/p", wall=2.5, tree="abc", tiers=(2,), named=("src/a.py",), others=frozenset({REVIEWER})
    )
    (yard.state / "trees").mkdir(parents=True)
    turn_audit._write(yard.state, {"login#1": turn, "other#2": Turn(role=CODER, root="/p", wall=1.0)})
    assert turn_audit._read(yard.state) == {"login#1": turn}
    for text in ("{", "[]", '{"a": {}}', '{"a": {"role": "X", "named": 1, "tiers": 1, "others": 1}}'):
        (yard.state / "trees" / "turns.json").write_text(text)
        assert turn_audit._read(yard.state) == {}


def test_a_folder_of_trees_that_grew_too_great_begins_anew(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    yard.write("new.py", "x\n")()
    yard.turn(CODER, yard.write("src/a.py", "x\n"))
    monkeypatch.setattr(turn_audit, "MAX_TREES", 1)
    turn_audit._read(yard.state)
    assert not (yard.state / "trees").exists()
