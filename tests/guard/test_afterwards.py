"""The layers that see what is done already, tried: the audit and git's hook, well and broken in each part."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from teamops.config.load import load
from teamops.config.settings import RoleSettings
from teamops.domain.attribution import Refusal
from teamops.domain.canary import LETS, REFUSES
from teamops.effects import commit_trial
from teamops.effects.commit_trial import git_commit
from teamops.effects.git_hook import NAME, command, install, is_ours
from teamops.effects.proving_ground import NOBODY_S, ground
from teamops.model.check import Check, Word
from teamops.model.errors import TeamopsError
from teamops.model.role import Role
from teamops.sources.inotify import Inotify
from teamops.sources.tree_facts import Looked
from teamops.sources.tree_state import TreeState
from teamops.supervisor import audit_trial, change_judge
from teamops.supervisor.audit_trial import audit

pytestmark = [pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux's")]
ROLES = ("DIRECTOR", "DEVELOPER", "REVIEWER", "OPTIMIZER", "PARTNER", "CODER")
TOML = "".join(f"[roles.{role}]\n" for role in ROLES)


class Shop:
    """A project with a git repository, and a place for what is made meanwhile."""

    def __init__(self, folder: Path) -> None:
        self.root, self.state = folder / "p", folder / "state"
        self.root.mkdir()
        self.write(TOML)
        subprocess.run(["git", "init", "-q"], cwd=self.root, check=True)

    def write(self, toml: str) -> None:
        (self.root / "teamops.toml").write_text(toml)
        self.settings = load(self.root)

    def role(self, name: str) -> RoleSettings:
        own = self.settings.role(Role(name))
        assert own is not None
        return own

    def audit(self, name: str = "REVIEWER") -> Check:
        return audit(self.settings, self.role(name), self.state)

    def commit(self, name: str = "REVIEWER") -> Check:
        return git_commit(self.settings, self.role(name), self.state)

    @property
    def hook(self) -> Path:
        return self.root / ".git" / "hooks" / NAME

    def seen(self) -> set[str]:
        return {str(path) for path in self.root.rglob("*")}


def open_files() -> list[str]:
    found = []
    for each in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            found.append(str(each.readlink()))
    return sorted(name for name in found if not name.startswith("/proc/"))


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    scratch = tmp_path / "tmp"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    made = Shop(tmp_path)
    before = {path for path in made.seen() if "hooks" not in path}, open_files(), threading.active_count()
    yield made
    assert list(scratch.iterdir()) == []
    assert {path for path in made.seen() if "hooks" not in path} == before[0]
    assert (open_files(), threading.active_count()) == before[1:]
    assert not made.state.exists()


@pytest.mark.parametrize("name", ROLES)
def test_an_audit_that_is_well_works_for_each_role(shop: Shop, name: str) -> None:
    check = shop.audit(name)
    assert (check.word, check.why) == (Word.WORKS, "alert: 1 found, 1 let stand"), check
    assert check.ms is not None
    assert check.ms < 1000 * audit_trial.WITHIN_S
    assert ": a violation of write." in check.tried[0]


def test_the_audit_works_without_git(shop: Shop) -> None:
    shutil.move(shop.root / ".git", shop.root.parent / "old.git")
    check = shop.audit()
    shutil.move(shop.root.parent / "old.git", shop.root / ".git")
    assert (check.word, check.why) == (Word.WORKS, "alert: 1 found, 1 let stand")


def test_where_no_folder_can_be_watched_every_file_is_looked_at(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Inotify, "open", lambda _: "no inotify instances left")
    check = shop.audit()
    assert check.word is Word.WORKS, check
    assert check.why.endswith("; files are looked at every 5 s instead of watched: no inotify instances left")


def test_an_audit_that_is_off_or_has_nothing_to_see_is_off(shop: Shop) -> None:
    shop.write(TOML + '[guard]\naudit = "off"\n')
    assert (shop.audit().word, shop.audit().why) == (Word.OFF, "guard.audit is off")
    shop.write(TOML + "[roles.EXTRA]\n")
    assert (shop.audit("EXTRA").word, shop.commit("EXTRA").word) == (Word.OFF, Word.OFF)


def sees_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TreeState, "look", lambda *_, **__: Looked(()))


def is_never_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Inotify, "read", lambda self: os.read(self._fd, 1 << 16) and None)


def allows_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(change_judge, "refusal_of", lambda *_: None)


def blames_all(monkeypatch: pytest.MonkeyPatch) -> None:
    refusal = Refusal(rule="light", why="no")
    monkeypatch.setattr(change_judge, "refusal_of", lambda *_: refusal)


def blames_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(change_judge, "attribute", lambda _: None)


@pytest.mark.parametrize(
    ("how", "why"),
    [
        (sees_nothing, f"{LETS}: change .* \\(nothing of it was seen\\)"),
        (is_never_told, f"{LETS}: change .* \\(nothing of it was seen\\)"),
        (allows_all, f"{LETS}: change .* \\(no violation\\)"),
        (blames_nobody, f"{LETS}: change .* \\(no violation\\)"),
        (blames_all, f"{REFUSES}: change .* \\(a violation of light\\)"),
    ],
)
def test_each_way_in_which_an_audit_is_broken_is_seen(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, how: Callable[[pytest.MonkeyPatch], None], why: str
) -> None:
    monkeypatch.setattr(audit_trial, "LATEST_S", 0.5)
    how(monkeypatch)
    check = shop.audit()
    assert check.word is Word.BROKEN
    assert re.match(why, check.why), check.why


def test_what_is_found_late_every_time_is_broken(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_trial, "WITHIN_S", 0.001)
    check = shop.audit()
    assert check.word is Word.BROKEN
    assert check.why.startswith("too late: what is forbidden was found after 0.")


def test_a_watcher_that_never_gets_ready_is_given_up(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: object) -> None:
        raise TeamopsError("git says no", "")

    monkeypatch.setattr(TreeState, "begin", fails)
    monkeypatch.setattr(audit_trial, "READY_S", 2.0)
    check = shop.audit()
    assert (check.word, check.why) == (Word.BROKEN, "could not be tried: what changes can't be told: git says no")


def test_a_role_that_may_change_everything_is_kept_from_what_is_nobody_s(shop: Shop) -> None:
    own = '[roles.CODER.write]\nallow = ["**"]\ndeny = []\n'
    shop.write(TOML + own)
    with ground(shop.settings, shop.role("CODER")) as made:
        assert made.forbidden == NOBODY_S
        assert made.allowed
    check = shop.audit("CODER")
    assert (check.word, "a violation of protected" in check.tried[0]) == (Word.WORKS, True)
    install(shop.root, shop.state)
    assert shop.commit("CODER").word is Word.WORKS


def test_a_ground_that_can_t_be_made_is_said(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "mkdtemp", full)
    with pytest.raises(TeamopsError, match="No space left"):
        shop.audit()


# git's hook


@pytest.mark.parametrize("name", ROLES)
def test_the_hook_that_is_installed_refuses_and_lets_through(shop: Shop, name: str) -> None:
    install(shop.root, shop.state)
    check = shop.commit(name)
    assert (check.word, check.why) == (Word.WORKS, "git's pre-commit hook: 1 refused, 1 made"), check
    assert "(rule write." in check.tried[0]


NARROW = {
    '["*.rs"]': "teamops-canary-",
    '["/src/**/*.svg"]': "src/teamops-canary-",
    '["/data"]': "data/teamops-canary-",
    '["/notes.adoc"]': "notes.adoc",
}


@pytest.mark.parametrize("allow", NARROW)
def test_a_role_of_which_the_rules_name_other_files_commits_one_of_them(shop: Shop, allow: str) -> None:
    shop.write(f"{TOML}[roles.CODER.write]\nallow = {allow}\n")
    install(shop.root, shop.state)
    check = shop.commit("CODER")
    assert (check.word, check.why) == (Word.WORKS, "git's pre-commit hook: 1 refused, 1 made"), check
    assert check.tried[1].startswith(f"commit {NARROW[allow]}"), check.tried
    assert shop.audit("CODER").why == "alert: 1 found, 1 let stand"
    shop.hook.write_text(starts_nothing(shop.hook.read_text(), shlex.quote(str(shop.state))))
    assert shop.commit("CODER").why.startswith(f"{REFUSES}: commit {NARROW[allow]}")


def test_of_a_role_that_may_commit_nothing_it_is_said_and_yours_is_made(shop: Shop) -> None:
    shop.write(f'{TOML}[roles.CODER.write]\ndeny = ["*"]\n')
    install(shop.root, shop.state)
    check = shop.commit("CODER")
    nothing = "by its policy CODER may commit nothing: the one made is yours"
    assert (check.word, check.why) == (Word.WORKS, f"git's pre-commit hook: 1 refused, 1 made; {nothing}"), check
    assert check.tried[1].endswith("without a role, as you do: made")
    shop.hook.write_text(starts_nothing(shop.hook.read_text(), shlex.quote(str(shop.state))))
    assert shop.commit("CODER").why.startswith(f"{REFUSES}: commit ")


def test_without_a_hook_or_a_repository_it_is_said_what_to_do(shop: Shop) -> None:
    check = shop.commit()
    assert (check.word, check.do) == (Word.OFF, "teamops guard install-git-hook")
    shutil.move(shop.root / ".git", shop.root.parent / "old.git")
    assert shop.commit().word is Word.NOT_SUPPORTED
    shutil.move(shop.root.parent / "old.git", shop.root / ".git")


def test_another_s_hook_is_named_and_not_run(shop: Shop) -> None:
    shop.hook.parent.mkdir(exist_ok=True)
    shop.hook.write_text(f"#!/bin/sh\ntouch {shop.root}/ran\n# teamops guard pre-commit\n")
    shop.hook.chmod(0o755)
    check = shop.commit()
    assert (check.word, check.why) == (Word.OFF, f"another hook stands there: {shop.hook}")
    assert f"{command(shop.state)} || exit 1" in check.do
    assert not (shop.root / "ran").exists()


def test_a_work_tree_of_another_repository_is_its_own(shop: Shop) -> None:
    own = shop.root.parent / "own"
    own.mkdir()
    subprocess.run(["git", "init", "-q"], cwd=own, check=True)
    shop.write(TOML.replace("[roles.CODER]\n", '[roles.CODER]\ncwd = "../own"\n'))
    install(shop.root, shop.state)
    check = shop.commit("CODER")
    assert (check.word, check.do[:4]) == (Word.OFF, "let ")
    assert str(own / ".git" / "hooks" / NAME) in check.do
    assert shop.commit().word is Word.WORKS


def lets_all(text: str, state: str) -> str:
    return f"{text.rpartition('exec ')[0]}exec true {state}\n"


def starts_nothing(text: str, state: str) -> str:
    return f"{text.rpartition('exec ')[0]}exec /nowhere/python {state}\n"


@pytest.mark.parametrize(
    ("how", "why"),
    [
        (lets_all, f"{LETS}: commit "),
        (starts_nothing, f"{REFUSES}: commit "),
        (lambda text, state: text.replace(state, "/elsewhere"), "could not be tried: "),
    ],
)
def test_a_hook_that_is_broken_is_seen(shop: Shop, how: Callable[[str, str], str], why: str) -> None:
    install(shop.root, shop.state)
    shop.hook.write_text(how(shop.hook.read_text(), shlex.quote(str(shop.state))))
    check = shop.commit()
    assert (check.word, check.why[: len(why)]) == (Word.BROKEN, why), check


def test_a_hook_without_the_right_to_run_is_none(shop: Shop) -> None:
    install(shop.root, shop.state)
    shop.hook.chmod(0o644)
    check = shop.commit()
    assert (check.word, check.why[: len(LETS)]) == (Word.BROKEN, LETS)
    install(shop.root, shop.state)
    assert shop.commit().word is Word.WORKS


def test_a_hook_that_never_ends_is_given_up(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    install(shop.root, shop.state)
    head = shop.hook.read_text().rpartition("exec ")[0]
    shop.hook.write_text(f"{head}exec tail -f /dev/null {shlex.quote(str(shop.state))}\n")
    monkeypatch.setattr(commit_trial, "SECONDS", 2.0)
    with pytest.raises(TeamopsError, match="git commit did not end within 2 s"):
        shop.commit()


def test_a_person_s_hook_that_calls_ours_is_the_person_s(shop: Shop) -> None:
    install(shop.root, shop.state)
    assert is_ours(shop.hook)
    for more in ("#!/bin/sh\nteamops guard pre-commit || exit 1\nmake lint\n", shop.hook.read_text() + "make lint\n"):
        shop.hook.write_text(more)
        assert not is_ours(shop.hook)
        with pytest.raises(TeamopsError, match="a hook of yours"):
            install(shop.root, shop.state)
        assert shop.hook.read_text() == more
