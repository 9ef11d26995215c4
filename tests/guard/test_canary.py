"""Trials of real boundaries: well ones, and each way in which one can be broken."""

from __future__ import annotations

import json
import os
import shutil
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from teamops.config.load import load
from teamops.config.settings import RoleSettings, SandboxMode, SandboxSettings
from teamops.domain.canary import Client
from teamops.effects import doctor, launch_gemini
from teamops.effects.canary import prove, tried
from teamops.effects.canary_clients import known_of, runs_plugins, switches_of, version_of
from teamops.effects.canary_plan import Subject
from teamops.effects.confine import Confined, Means, confined, means
from teamops.effects.launch import recipe
from teamops.effects.launch_opencode import CONFIG
from teamops.effects.policies import write_policies
from teamops.guard import canary, holds, hook, policy
from teamops.guard.landlock import lacks
from teamops.handoff.locking import locked
from teamops.model.check import Check, Word
from teamops.model.errors import TeamopsError
from teamops.model.role import Role

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="Landlock and bwrap are Linux's"),
]
CLIENT = """#!/bin/sh
if [ "$1" = --version ]; then echo "{version}"; exit; fi
exec sleep 300
"""
VERSIONS = {
    "claude": "2.1.330 (Claude Code)",
    "codex": "WARNING: no helper of 9.9.9\ncodex-cli 0.171.0",
    "gemini": "0.61.0",
    "opencode": "1.18.33",
}
TOML = """
[tmux]
socket_path = "s"
[roles.DIRECTOR]
command = "{bin}/claude"
[roles.DEVELOPER]
command = "{bin}/codex"
[roles.REVIEWER]
command = "{bin}/claude"
[roles.OPTIMIZER]
command = "{bin}/opencode"
[roles.PARTNER]
command = "{bin}/gemini"
[roles.CODER]
client = "sdk"
command = "sleep 300"
"""


def program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


class Shop:
    """A project, its state folder, and clients that only say their version."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root, self.state, self.bin = folder / "p", folder / "state" / "p-1", folder / "bin"
        self.home = Path(os.environ["HOME"])
        for name in ("src", "docs/design", "reviews", "research"):
            (self.root / name).mkdir(parents=True)
        (self.root / "src" / "a.py").write_text("x = 1\n")
        (self.root / "current.md").write_text("")
        for name, version in VERSIONS.items():
            program(self.bin / name, CLIENT.format(version=version))
        self.write(TOML.format(bin=self.bin))

    def write(self, toml: str) -> None:
        (self.root / "teamops.toml").write_text(toml)
        self.settings = load(self.root)

    def subject(self, role: str, having: Means | None = None) -> Subject:
        """Return a role's agent as it is started, all of it written."""
        own = self.settings.role(Role(role))
        assert own is not None
        write_policies(self.settings, self.state)
        done = confined(self.settings, own, self.state, recipe(own, self.root, self.state), having=having or means())
        done.recipe.write()
        return Subject(self.settings, own, self.state, done)

    def examine(
        self, having: Means | None = None, *, quick: bool = False, more: Sequence[doctor.Layer] = ()
    ) -> dict[str, dict[str, Check]]:
        roles = self.settings.roles
        found = doctor.examine(self.settings, roles, self.state, quick=quick, layers=more, having=having)
        return {role: {check.layer: check for check in checks} for role, checks in found.items()}

    def seen(self) -> dict[str, tuple[int, float, int]]:
        """Return all that stands here and at home."""
        found = {}
        for base in (self.folder, self.home):
            for path in sorted(base.rglob("*")):
                told = path.lstat()
                found[str(path)] = (stat.S_IFMT(told.st_mode), told.st_mtime if path.is_file() else 0.0, told.st_ino)
        return found


@pytest.fixture
def shop(short_dir: Path) -> Iterator[Shop]:
    assert means().bwrap, means().lacks
    assert means().landlock, means().lacks
    yield Shop(short_dir)
    leftover = list(short_dir.rglob(f"*{canary.NAME}*"))
    assert leftover == []


def layers(checks: tuple[Check, ...]) -> dict[str, Check]:
    return {check.layer: check for check in checks}


# A team that is well


def test_a_team_that_is_well_works_and_nothing_stays_behind(shop: Shop) -> None:
    before = shop.seen()
    found = shop.examine()
    assert shop.seen() == before
    assert list(found) == [str(role.role) for role in shop.settings.roles]
    words = {role: [check.word.value for check in checks.values()] for role, checks in found.items()}
    assert words == {
        "DIRECTOR": ["works", "works", "works"],
        "DEVELOPER": ["works", "works", "works"],
        "REVIEWER": ["works", "works", "works"],
        "OPTIMIZER": ["works", "works", "works"],
        "PARTNER": ["works", "off", "not supported"],  # below /tmp it takes hooks from nobody but its person
        "CODER": ["works", "not supported", "not supported"],
    }
    for checks in found.values():
        assert list(checks) == ["kernel", "hook", "budget hold"]
        assert checks["kernel"].why.startswith("bwrap and Landlock")
        assert "open" not in checks["kernel"].why
    assert any(f"write {shop.root}/research/" in each for each in found["DEVELOPER"]["kernel"].tried)
    assert found["DEVELOPER"]["hook"].why == "codex 0.171.0: 2 refused, 1 let through"
    assert "only from root" in found["PARTNER"]["hook"].why


def test_a_trial_tells_git_nothing(shop: Shop) -> None:
    subprocess.run(["git", "init", "-q"], cwd=shop.root, check=True)
    exclude = shop.root / ".git" / "info" / "exclude"
    before = exclude.read_text()
    assert shop.examine(quick=True)["DEVELOPER"]["kernel"].word is Word.WORKS
    assert exclude.read_text() == before
    assert not (shop.root / ".mcp.json").exists()


def test_gemini_s_hook_is_tried_where_it_is_given(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch_gemini, "is_of_root", lambda _: True)
    found = shop.examine()["PARTNER"]
    assert found["hook"].why == "gemini 0.61.0: 2 refused, 1 let through"
    assert found["budget hold"].word is Word.WORKS
    (shop.root / ".gemini").mkdir()
    (shop.root / ".gemini" / "settings.json").write_text('{"hooksConfig": {"disabled": ["teamops-BeforeTool"]}}')
    found = shop.examine()["PARTNER"]
    assert found["hook"].word is Word.BROKEN
    assert "says hooksConfig.disabled: teamops-BeforeTool" in found["hook"].why
    (shop.root / ".gemini" / "settings.json").write_text(
        '{"hooks": {"BeforeTool": [{"hooks": [{"type": "command", "command": "teamops hook BeforeTool || exit 2"}]}]}}'
    )
    found = shop.examine()["PARTNER"]
    assert (found["hook"].word, found["hook"].why[:32]) == (Word.OFF, "your own settings give it hooks:")


@pytest.mark.parametrize("role", ["DIRECTOR", "DEVELOPER", "OPTIMIZER", "CODER"])
def test_a_start_tries_the_quick_part(shop: Shop, role: str) -> None:
    subject = shop.subject(role)
    before = shop.seen()
    checks = layers(tried(shop.settings, subject.role, shop.state, subject.done))
    assert shop.seen() == before
    assert list(checks) == ["kernel", "hook"]
    assert checks["kernel"].word is Word.WORKS
    if role != "CODER":
        assert checks["hook"].word is Word.WORKS
        assert checks["hook"].why.endswith(": 1 refused, 1 let through")


def test_what_somebody_needs_meanwhile_stays(shop: Shop) -> None:
    beats = shop.root / ".teamops" / "spool" / "CODER" / "beats.jsonl"
    lock = shop.root / ".current.md.lock"
    with ExitStack() as stack:

        def somebody_starts_and_writes(*_: object) -> None:
            beats.touch()
            stack.enter_context(locked(shop.settings.handoff.resolve()))

        doctor.examine(shop.settings, shop.settings.roles[-1:], shop.state, quick=True, tell=somebody_starts_and_writes)
        assert beats.exists()
        assert (shop.root / ".teamops" / ".gitignore").read_text() == "*\n"
        assert lock.exists()
        assert not (shop.root / "profiles").exists()


def test_each_role_is_told_of_as_it_ends(shop: Shop) -> None:
    told: list[str] = []
    doctor.examine(shop.settings, shop.settings.roles, shop.state, quick=True, tell=lambda role, _: told.append(role))
    assert sorted(told) == sorted(role.role for role in shop.settings.roles)


def test_more_layers_can_be_added(shop: Shop) -> None:
    def audit(_settings: object, role: object, _folder: Path) -> Check | None:
        return Check(layer="audit", word=Word.OFF, why="guard.audit is off")

    def commit_hook(_settings: object, role: object, _folder: Path) -> Check | None:
        raise TeamopsError("git is not there", "install it")

    found = shop.examine(quick=True, more=(audit, commit_hook, lambda *_: None))["CODER"]
    assert list(found) == ["kernel", "hook", "audit", "commit hook"]
    assert (found["commit hook"].word, found["commit hook"].do) == (Word.BROKEN, "install it")


# The kernel's layer


def test_a_boundary_that_holds_nothing_lets_through_what_is_forbidden(shop: Shop) -> None:
    subject = shop.subject("CODER")
    bare = replace(subject.done.recipe, argv=("sleep", "300"))
    before = shop.seen()
    check = layers(prove(replace(subject, done=replace(subject.done, recipe=bare)), quick=False))["kernel"]
    assert shop.seen() == before  # what could be written is taken away
    assert check.word is Word.BROKEN
    assert check.why.startswith(f"lets through what is forbidden: write {shop.root}/.teamops/")
    assert "more" in check.why


def test_what_a_trial_that_breaks_off_leaves_is_taken_away(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    subject = shop.subject("CODER")
    text = (
        "import json, sys\nfor path in json.load(sys.stdin)['writes']:\n try: open(path, 'x')\n except OSError: pass\n"
    )
    (shop.folder / "breaks_off.py").write_text(text + "sys.exit('broken off')\n")
    monkeypatch.setattr(canary, "__file__", str(shop.folder / "breaks_off.py"))
    bare = replace(subject.done.recipe, argv=("sleep", "300"))
    before = shop.seen()
    check = layers(prove(replace(subject, done=replace(subject.done, recipe=bare)), quick=False))["kernel"]
    assert shop.seen() == before
    assert check.why == "refuses what is allowed: nothing starts in it (broken off)"


PLACES = ["settings.json", "CLAUDE.md", "commands", "hooks"]


@pytest.mark.parametrize("name", PLACES)
def test_settings_at_home_that_are_no_longer_held_are_seen(shop: Shop, name: str) -> None:
    subject = shop.subject("REVIEWER")
    assert layers(prove(subject, quick=True))["kernel"].word is Word.WORKS
    path, words = str(shop.home / ".claude" / name), list(subject.done.recipe.argv)
    at = words.index(path)
    assert words[at - 1 : at + 2] == ["--ro-bind", path, path]
    words[at - 1] = "--bind"
    before = shop.seen()
    open_ = replace(subject, done=replace(subject.done, recipe=replace(subject.done.recipe, argv=tuple(words))))
    check = layers(prove(open_, quick=True))["kernel"]
    assert shop.seen() == before
    assert check.word is Word.BROKEN
    assert check.why.startswith("lets through what is forbidden: ")
    assert path in check.why


def test_a_link_among_settings_at_home_is_said_and_starts_nothing_where_that_is_wanted(shop: Shop) -> None:
    home = shop.home / ".claude"
    home.mkdir(parents=True)
    (shop.folder / "rules").mkdir()
    (home / "rules").symlink_to(shop.folder / "rules")
    (home / "CLAUDE.md").symlink_to(shop.folder / "nowhere")
    subject = shop.subject("REVIEWER")
    notes = " ".join(subject.done.recipe.notes)
    assert f"not held, because it is a link: {home}/rules" in notes
    assert subject.done.recipe.held.kernel == f"bwrap + Landlock, but for a link: {home}/rules and 1 more"
    check = layers(prove(subject, quick=True))["kernel"]
    assert check.word is Word.WORKS
    assert f"{home}/rules is a link, which can be put elsewhere" in check.why
    assert f"{home}/CLAUDE.md is a link" in check.why
    shop.write(TOML.format(bin=shop.bin) + "[guard]\nstrict = true\n")
    check = layers(prove(shop.subject("REVIEWER"), quick=True))["kernel"]
    assert check.word is Word.BROKEN
    assert "is a link, which can be put elsewhere" in check.why


def test_a_client_s_settings_in_the_project_are_tried_and_a_link_never_works(shop: Shop) -> None:
    check = layers(prove(shop.subject("DEVELOPER"), quick=True))["kernel"]
    assert check.word is Word.WORKS
    for name in (".claude/", ".codex/", ".gemini/", ".opencode/", ".mcp.json", "opencode.json", "opencode.jsonc"):
        assert any(f" {shop.root}/{name}" in each and "done" not in each for each in check.tried), name
    (shop.root / ".claude").rmdir()
    (shop.root / ".claude").symlink_to(shop.folder / "elsewhere")
    check = layers(prove(shop.subject("DEVELOPER"), quick=True))["kernel"]
    assert check.word is Word.NOT_SUPPORTED
    assert f"open: {shop.root}/.claude is a link: it can be put elsewhere" in check.why
    assert layers(prove(shop.subject("REVIEWER"), quick=True))["kernel"].word is Word.WORKS  # it can't
    shop.write(TOML.format(bin=shop.bin) + "[guard]\nstrict = true\n")
    check = layers(prove(shop.subject("DEVELOPER"), quick=True))["kernel"]
    assert (check.word, "is a link" in check.why) == (Word.BROKEN, True)


def widened(subject: Subject, change: Callable[[list[str]], object]) -> None:
    plan = subject.folder / "agents" / f"{subject.role.role}.plan.json"
    told = json.loads(plan.read_text())
    change(told["writable"])
    plan.write_text(json.dumps(told))


def test_a_plan_that_is_too_wide_is_seen(shop: Shop) -> None:
    having = replace(means(), bwrap="", lacks=("bwrap is not installed",))
    subject = shop.subject("REVIEWER", having)
    widened(subject, lambda writable: writable.append(str(shop.root)))
    check = layers(prove(subject, quick=True))["kernel"]
    assert check.word is Word.BROKEN
    assert check.why.startswith("lets through what is forbidden: write ")


def test_a_plan_without_its_own_folder_refuses_what_is_allowed(shop: Shop) -> None:
    subject = shop.subject("REVIEWER")
    spool = f"{shop.root}/.teamops/spool/REVIEWER"
    widened(subject, lambda writable: writable.remove(spool))
    check = layers(prove(subject, quick=True))["kernel"]
    assert (check.word, check.why[:54]) == (Word.BROKEN, f"refuses what is allowed: write {spool}"[:54])


@pytest.mark.parametrize("how", ["damaged", "gone"])
def test_a_plan_that_can_t_be_applied_starts_nothing(shop: Shop, how: str) -> None:
    subject = shop.subject("REVIEWER")
    plan = shop.state / "agents" / "REVIEWER.plan.json"
    if how == "gone":
        plan.unlink()
    else:
        plan.write_text("{")
    checks = layers(prove(subject, quick=True))
    assert checks["kernel"].word is Word.BROKEN
    assert checks["kernel"].why.startswith("refuses what is allowed: nothing starts in it (not started, because")
    assert (checks["hook"].word, checks["hook"].why) == (
        Word.BROKEN,
        "not tried: nothing starts in its boundary",
    )


def test_a_program_around_it_that_is_gone_starts_nothing(shop: Shop) -> None:
    subject = shop.subject("REVIEWER", replace(means(), bwrap="/nowhere/bwrap"))
    check = layers(prove(subject, quick=True))["kernel"]
    assert check.word is Word.BROKEN
    assert "nothing starts in it" in check.why


NO_BWRAP = "bwrap is not installed (package bubblewrap)"


def test_without_bwrap_the_rest_holds_and_what_is_open_is_said(shop: Shop) -> None:
    found = shop.examine(replace(means(), bwrap="", lacks=(NO_BWRAP,)))
    for role, checks in found.items():
        assert checks["kernel"].word is Word.WORKS, (role, checks["kernel"])
        assert checks["kernel"].do == NO_BWRAP
    # A role that may write all of the project: what is held in it needs mounts.
    assert f"open: write {shop.root}/.teamops/" in found["DEVELOPER"]["kernel"].why
    assert "open" not in found["REVIEWER"]["kernel"].why


def test_without_landlock_the_rest_holds_and_what_is_open_is_said(shop: Shop) -> None:
    found = shop.examine(replace(means(), landlock=0, lacks=lacks(0)))
    for checks in found.values():
        assert checks["kernel"].word is Word.WORKS, checks["kernel"]
        assert "open: " in checks["kernel"].why
        assert "connect to an abstract socket outside" in checks["kernel"].why
        assert "send signals to processes outside" in checks["kernel"].why


@pytest.mark.parametrize("bwrap", [True, False], ids=["with bwrap", "alone"])
def test_where_a_file_can_be_emptied_nobody_says_that_it_works(shop: Shop, *, bwrap: bool) -> None:
    old = replace(means(), landlock=2, lacks=lacks(2))
    before = shop.seen()
    check = shop.examine(old if bwrap else replace(old, bwrap=""))["REVIEWER"]["kernel"]
    assert check.word is Word.NOT_SUPPORTED
    assert f"open: empty {shop.root}/.teamops-canary-" in check.why
    assert "can still be emptied" in check.do
    assert any("can be emptied" in one for one in check.tried if one.startswith("not held: "))
    assert shop.seen() == before
    (quick,) = [one for one in tried(shop.settings, *quick_of(shop, old)) if one.layer == "kernel"]
    assert quick.word is Word.NOT_SUPPORTED
    assert shop.examine()["REVIEWER"]["kernel"].word is Word.WORKS
    full = "; ".join(shop.examine()["REVIEWER"]["kernel"].tried)
    assert f"empty {shop.root}/.teamops-canary-" in full
    assert "-full: Permission denied" in full


def quick_of(shop: Shop, having: Means) -> tuple[RoleSettings, Path, Confined]:
    subject = shop.subject("REVIEWER", having)
    return subject.role, subject.folder, subject.done


def test_without_both_it_is_not_supported_and_hooks_are_tried_all_the_same(shop: Shop) -> None:
    nothing = Means("", 0, (NO_BWRAP, "the kernel has no Landlock"))
    before = shop.seen()
    found = shop.examine(nothing)
    assert shop.seen() == before
    assert found["REVIEWER"]["kernel"].word is Word.NOT_SUPPORTED
    assert found["REVIEWER"]["kernel"].why == f"{NO_BWRAP}; the kernel has no Landlock"
    assert found["REVIEWER"]["hook"].word is Word.WORKS


@pytest.mark.parametrize(
    ("mode", "word", "why"),
    [
        (SandboxMode.OFF, Word.OFF, "sandbox.mode is off"),
        (SandboxMode.REQUIRE, Word.BROKEN, "refuses what is allowed: nothing starts in it (REVIEWER is not started"),
    ],
)
def test_the_person_s_choice_is_said(shop: Shop, mode: SandboxMode, word: Word, why: str) -> None:
    shop.settings = replace(shop.settings, sandbox=SandboxSettings(mode=mode))
    check = shop.examine(Means("", 7, (NO_BWRAP,)), quick=True)["REVIEWER"]["kernel"]
    assert check.word is word
    assert check.why.startswith(why)


def test_a_role_that_teamops_does_not_start_is_off(shop: Shop) -> None:
    shop.write("[roles.REVIEWER]\n[roles.OWN]\ncommand = 'sleep 300'\nclient = 'sdk'\n")
    found = shop.examine(quick=True)
    assert {layer: check.word for layer, check in found["REVIEWER"].items()} == {"kernel": Word.OFF, "hook": Word.OFF}
    assert found["OWN"]["hook"].why == "its role has no profile, so no boundary"
    assert found["OWN"]["kernel"].word is Word.WORKS


@pytest.mark.tmux
def test_a_tmux_server_in_reach_is_tried(shop: Shop) -> None:
    words = ["tmux", "-f", "/dev/null", "-S", str(shop.root / "s")]
    subprocess.run([*words, "new-session", "-d", "-s", "w", "sleep 300"], check=True, capture_output=True)
    try:
        with_it = shop.examine()["CODER"]["kernel"]
        without = shop.examine(replace(means(), bwrap="", lacks=(NO_BWRAP,)))["CODER"]["kernel"]
    finally:
        subprocess.run([*words, "kill-server"], check=False, capture_output=True)
    before = shop.examine()["CODER"]["kernel"]
    held = [int(check.why.split(": ")[1].split()[0]) for check in (before, with_it)]
    assert held[1] == held[0] + 1
    assert "connect to the tmux server" in without.why


def test_a_trial_that_fails_itself_hinders_no_start_and_is_seen(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    subject = shop.subject("REVIEWER")
    monkeypatch.setattr("teamops.effects.canary.planned", None)
    (check,) = prove(subject, quick=True)
    assert (check.layer, check.word) == ("kernel", Word.BROKEN)
    assert check.why.startswith("could not be tried: TypeError")


# The hooks' layer

LINES: list[tuple[str, str, str]] = [
    ("nothing is asked", "exit 0", "lets through what is forbidden"),
    ("a crash", "exit 1", "lets through what is forbidden"),
    ("it is missing", "/nowhere/at/all", "lets through what is forbidden"),
    ("garbage", """printf '{"decision'""", "lets through what is forbidden"),
    ("an answer of its own", """printf '{"decision": "approve"}'""", "lets through what is forbidden"),
    ("a kill", "kill -9 $$", "lets through what is forbidden"),
    ("it always refuses", "echo no >&2; exit 2", "refuses what is allowed"),
]


def with_line(subject: Subject, line: str) -> Subject:
    path = next(path for path in subject.done.recipe.files if path.name.endswith(".settings.json"))
    told = json.loads(subject.done.recipe.files[path])
    told["hooks"]["PreToolUse"][0]["hooks"][0]["command"] = line
    files = {**subject.done.recipe.files, path: json.dumps(told)}
    return replace(subject, done=replace(subject.done, recipe=replace(subject.done.recipe, files=files)))


@pytest.mark.parametrize("quick", [False, True])
@pytest.mark.parametrize(("line", "why"), [row[1:] for row in LINES], ids=[row[0] for row in LINES])
def test_a_line_that_is_broken_is_told_apart(shop: Shop, line: str, why: str, quick: bool) -> None:
    check = layers(prove(with_line(shop.subject("REVIEWER"), line), quick=quick))["hook"]
    assert check.word is Word.BROKEN
    assert check.why.startswith(why), check.why


def test_a_line_that_takes_too_long_lets_through(shop: Shop) -> None:
    check = layers(prove(with_line(shop.subject("REVIEWER"), "sleep 60"), quick=True))["hook"]
    assert (check.word, check.why[:30]) == (Word.BROKEN, "lets through what is forbidden")
    assert "no answer within 6 s" in check.why


MUTANTS = {
    "crashes": "raise RuntimeError('x')",
    "says nothing": "import os; os._exit(0)",
    "prints garbage": 'print(\'{"permissionDecision": "allow"\'); import os; os._exit(0)',
    "is no Python": "def (",
    "hangs": "import time\nwhile True: time.sleep(1)",
}


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_hook_program_that_is_broken_refuses_what_is_allowed(shop: Shop, mutant: str) -> None:
    package = shop.root / "broken" / "teamops" / "guard"
    package.mkdir(parents=True)
    (package / "hook.py").write_text(MUTANTS[mutant])
    subject = shop.subject("REVIEWER")
    subject = with_line(subject, own_line(subject).replace(f" {PACKAGE} ", f" {shop.root / 'broken'} "))
    check = layers(prove(subject, quick=True))["hook"]
    assert check.word is Word.BROKEN
    assert check.why.startswith("refuses what is allowed: Read "), check.why
    assert "teamops: its hook failed" in check.why


PACKAGE = str(Path(holds.__file__).parents[2])


def own_line(subject: Subject) -> str:
    text = next(text for path, text in subject.done.recipe.files.items() if path.name.endswith(".settings.json"))
    return str(json.loads(text)["hooks"]["PreToolUse"][0]["hooks"][0]["command"])


@pytest.mark.parametrize("what", ["policy", "package", "python"])
def test_a_hook_that_lacks_something_refuses_what_is_allowed(shop: Shop, what: str) -> None:
    subject = shop.subject("REVIEWER")
    if what == "policy":
        Path(policy.path_of(str(shop.state), "REVIEWER")).write_text("{")
    else:
        gone = PACKAGE if what == "package" else sys.executable
        subject = with_line(subject, own_line(subject).replace(f" {gone} ", " /nowhere "))
    check = layers(prove(subject, quick=True))["hook"]
    assert check.word is Word.BROKEN
    assert check.why.startswith("refuses what is allowed: Read "), check.why
    assert "teamops: " in check.why


def test_an_agent_that_is_held_has_no_broken_hook(shop: Shop) -> None:
    subject = shop.subject("REVIEWER")
    holds.hold(str(shop.state), "REVIEWER", "budget", 0.0)
    checks = layers(prove(subject, quick=False, client=Client("claude", "2.1.330")))
    assert checks["hook"].why == "claude 2.1.330: 2 refused, 1 let through"
    holds.let_go(str(shop.state), "REVIEWER")
    assert layers(prove(subject, quick=False))["hook"].why == "claude: 3 refused, 2 let through"


def test_settings_that_don_t_forbid_turning_hooks_off_are_broken(shop: Shop) -> None:
    subject = shop.subject("REVIEWER")
    path = next(path for path in subject.done.recipe.files if path.name.endswith(".settings.json"))
    told = json.loads(subject.done.recipe.files[path])
    changes: list[dict[str, object]] = [
        {"disableAllHooks": True},
        {"hooks": {}},
        {"hooks": {"PreToolUse": [{"matcher": "Write", "hooks": [{"command": "x"}]}]}},
    ]
    for change in changes:
        how = replace(subject.done.recipe, files={**subject.done.recipe.files, path: json.dumps({**told, **change})})
        check = layers(prove(replace(subject, done=replace(subject.done, recipe=how)), quick=True))["hook"]
        assert (check.word, check.why[:31]) == (Word.BROKEN, "lets through what is forbidden:"), change


def without(done: Confined, word: str) -> Confined:
    return replace(done, recipe=replace(done.recipe, argv=tuple(each for each in done.recipe.argv if each != word)))


def test_codex_skips_a_hook_that_is_not_trusted(shop: Shop) -> None:
    subject = shop.subject("DEVELOPER")
    done = without(subject.done, "--dangerously-bypass-hook-trust")
    check = layers(prove(replace(subject, done=done), quick=True))["hook"]
    assert check.word is Word.BROKEN
    assert "not trusted" in check.why


@pytest.mark.parametrize(
    ("client", "words", "env", "off"),
    [
        ("claude", ("--bare",), {}, "--bare"),
        ("claude", ("--safe-mode",), {}, "--safe-mode"),
        ("claude", (), {"CLAUDE_CODE_SIMPLE": "1"}, "CLAUDE_CODE_SIMPLE"),
        ("claude", (), {"CLAUDE_CODE_SAFE_MODE": "0"}, ""),
        ("opencode", ("--pure",), {}, "--pure"),
        ("opencode", (), {"OPENCODE_PURE": "true"}, "OPENCODE_PURE"),
        ("codex", ("--disable", "hooks"), {}, "--disable hooks"),
        ("codex", ("-c", "features.hooks=false"), {}, "features.hooks=false"),
        ("codex", ("--disable", "apps"), {}, ""),
        ("gemini", ("--yolo",), {}, ""),
    ],
)
def test_a_command_that_turns_hooks_off_is_a_choice(
    shop: Shop, client: str, words: tuple[str, ...], env: dict[str, str], off: str
) -> None:
    own = shop.settings.role(Role("REVIEWER"))
    assert own is not None
    found = switches_of(replace(own, client=client, command=(client, *words), env=env))
    assert found.chosen is bool(off)
    assert found.off == (f"its own command turns hooks off ({off})" if off else "")


def test_what_an_administrator_says_is_found(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    from teamops.effects import canary_clients

    managed = shop.folder / "etc"
    managed.mkdir()
    monkeypatch.setattr(canary_clients, "_MANAGED", dict.fromkeys(("claude", "codex", "gemini"), managed))
    own = shop.settings.role(Role("REVIEWER"))
    assert own is not None

    def off(client: str, name: str, text: str) -> str:
        (managed / name).parent.mkdir(exist_ok=True)
        (managed / name).write_text(text)
        found = switches_of(replace(own, client=client, command=(client,))).off
        (managed / name).unlink()
        return found

    assert off("claude", "managed-settings.json", '{"disableAllHooks": true}').endswith("says disableAllHooks: true")
    assert off("claude", "managed-settings.d/9.json", '{"allowManagedHooksOnly": true}')
    assert off("claude", "managed-settings.json", '{"disableAllHooks": false}') == ""
    assert off("claude", "managed-settings.json", "{") == ""
    assert off("claude", "managed-settings.json", "[]") == ""
    assert off("codex", "requirements.toml", "allow_managed_hooks_only = true")
    assert off("codex", "managed_config.toml", "[features]\nhooks = false")
    assert off("codex", "managed_config.toml", "[features]\nhooks = true") == ""
    assert off("gemini", "settings.json", '{"hooksConfig": {"enabled": false}}')
    home = Path(os.environ["HOME"]) / ".claude"
    home.mkdir()
    (home / "settings.json").write_text('{"disableAllHooks": true}')  # a launch's own settings outrank it
    assert switches_of(replace(own, client="claude")).off == ""
    (home / "remote-settings.json").write_text('{"disableAllHooks": true}')
    assert switches_of(replace(own, client="claude")).off


# The client's version


def test_a_client_that_hangs_is_not_waited_for(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    from teamops.effects import canary_clients

    monkeypatch.setattr(canary_clients, "VERSION_S", 0.3)
    program(shop.bin / "claude", "#!/bin/sh\nsleep 300\n")
    version, trouble = version_of(str(shop.bin / "claude"), means(), {})
    assert version == ""
    assert "did not end within" in trouble


def test_a_client_that_is_asked_sees_no_home_and_leaves_nothing(shop: Shop) -> None:
    text = (
        '#!/bin/sh\necho x > "$HOME/cache" && echo x > "$0.cache"; echo "2.1.330 in $HOME" > "$HOME/b"; cat "$HOME/b"\n'
    )
    program(shop.bin / "claude", text)
    before = shop.seen()
    assert version_of(str(shop.bin / "claude"), means(), {})[0] == "2.1.330"
    assert shop.seen() == before


CALLER = """#!{python}
import socket
try:
    socket.create_connection(("127.0.0.1", {port}), 2)
    print("9.9.9")
except OSError:
    print("2.1.330")
"""


def test_a_client_that_is_asked_reaches_no_network(shop: Shop) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        program(shop.bin / "claude", CALLER.format(python=sys.executable, port=server.getsockname()[1]))
        assert version_of(str(shop.bin / "claude"), means(), {})[0] == "2.1.330"
        assert version_of(str(shop.bin / "claude"), replace(means(), bwrap=""), {})[0] == "9.9.9"  # it would


def test_a_client_that_is_missing_is_said(shop: Shop) -> None:
    own = shop.settings.role(Role("REVIEWER"))
    assert own is not None
    found = known_of(replace(own, command=("/nowhere/claude",)), means())
    assert (found.version, found.trouble) == ("", "there is no program /nowhere/claude: install it, or mend its name")
    asked = {str(shop.bin / "claude"): ("2.9", "")}
    assert known_of(own, means(), asked).version == "2.9"  # asked once


PLUGIN_RUNTIME = """#!/bin/sh
# Asks as opencode's own runtime does, through its plugin's environment.
[ "$BUN_BE_BUN" = 1 ] || exit 9
exec {python} -I -S {hook} tool.execute.before "$TEAMOPS_HOOK_GATE" opencode sealed
"""
NOT_LOADED = '#!/bin/sh\nprintf teamops:ok; echo "the plugin does not load: boom" >&2\n'


def test_opencode_s_plugin_is_asked_by_its_own_runtime(shop: Shop) -> None:
    subject = shop.subject("OPTIMIZER")
    runtime = shop.bin / "runtime"
    client = Client("opencode", "1.18.33", runtime=str(runtime))
    program(runtime, PLUGIN_RUNTIME.format(python=sys.executable, hook=hook.__file__))
    checks = layers(prove(subject, quick=False, client=client))
    assert checks["hook"].why == "opencode 1.18.33: 3 refused, 2 let through"
    assert checks["budget hold"].word is Word.WORKS
    program(runtime, NOT_LOADED)
    checks = layers(prove(subject, quick=False, client=client))
    assert checks["hook"].word is Word.BROKEN
    assert checks["hook"].why.startswith("lets through what is forbidden: write ")
    assert "the plugin does not load: boom" in checks["hook"].why
    assert checks["budget hold"].word is Word.BROKEN


NODE = """#!/bin/sh
# opencode's own runtime is not here; this one knows the same words.
exec {node} --input-type=module -e "$2" -- "$4"
"""
BROKEN_PLUGINS = {
    "throws": 'throw new Error("boom")',
    "is no script": "syntax error here",
    "lacks its hook": "export const Teamops = async () => ({})",
    "has another name": "export const Other = 1",
}


@pytest.mark.skipif(not shutil.which("node"), reason="no node here")
@pytest.mark.parametrize("fault", [None, *BROKEN_PLUGINS])
def test_a_plugin_that_does_not_load_lets_everything_through(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, fault: str | None
) -> None:
    subject = shop.subject("OPTIMIZER")
    runtime = shop.bin / "runtime"
    program(runtime, NODE.format(node=shutil.which("node")))
    if fault is not None:
        plugin = shop.bin / "plugin.js"
        plugin.write_text(BROKEN_PLUGINS[fault])
        monkeypatch.setattr("teamops.effects.canary_calls.PLUGIN", plugin)
        config = json.dumps({"plugin": [plugin.as_uri()]})
        how = replace(subject.done.recipe, env={**subject.done.recipe.env, CONFIG: config})
        subject = replace(subject, done=replace(subject.done, recipe=how))
    client = Client("opencode", "1.18.33", runtime=str(runtime))
    check = layers(prove(subject, quick=False, client=client))["hook"]
    if fault is None:
        assert check.why == "opencode 1.18.33: 3 refused, 2 let through"
    else:
        assert check.word is Word.BROKEN
        assert check.why.startswith("lets through what is forbidden: ")
        assert "the plugin does not load" in check.why


def test_a_script_or_another_program_runs_no_plugins(shop: Shop) -> None:
    assert not runs_plugins(str(shop.bin / "opencode"), means())
    assert not runs_plugins("/bin/true", means())
    assert not runs_plugins("/nowhere", means())
    program(shop.bin / "node", "#!/usr/bin/env node\n")
    assert not runs_plugins(str(shop.bin / "node"), means())


# The program inside


def test_the_program_inside_writes_over_nothing(tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.write_text("a person's\n")
    assert canary.write(str(there)) == "File exists"
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "elsewhere")
    assert canary.write(str(link)) == "File exists"
    assert canary.write(str(tmp_path / "new")) == canary.DONE
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "there"]
    assert there.read_text() == "a person's\n"


def test_the_program_inside_ends_what_a_hook_began(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    call = {"words": ["/bin/sh", "-c", f"sleep 300 & echo $! > {pids}; wait"], "told": "{}", "env": {}}
    (answer,) = canary.call_all([call], 0.5)
    assert answer["status"] is None
    assert answer["ms"] >= 500
    pid = int(pids.read_text())
    with suppress(ProcessLookupError):
        state = (
            Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
            if Path(f"/proc/{pid}").exists()
            else "Z"
        )
        assert state in {"Z", "X"}
    (answer,) = canary.call_all([{"words": ["/nowhere"], "told": "", "env": {}}], 5.0)
    assert (answer["status"], answer["said"]) == (127, "No such file or directory")
