"""What of a client has to be there, what is held of it, and how codex is started inside."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from teamops.cli.run import run
from teamops.config.load import load
from teamops.effects import ground
from teamops.effects.confine import Confined, Means, confined
from teamops.effects.ground import ground_of
from teamops.effects.recipe import CODEX_SANDBOX, Recipe
from teamops.model.boundary import Held
from teamops.model.errors import TeamopsError
from teamops.model.role import Role

BOTH = Means("/usr/bin/bwrap", 7, ())
TOML = '[roles.CODER]\ncommand = {command}\nenv = {{ HOME = "{home}" }}\n'


def inside(folder: Path, command: str, argv: tuple[str, ...], having: Means = BOTH) -> Confined:
    root, home = folder / "p", folder / "h"
    for each in (root, home):
        each.mkdir(exist_ok=True)
    (root / "teamops.toml").write_text(TOML.format(command=command, home=home))
    settings = load(root)
    role = settings.role(Role("CODER"))
    assert role is not None
    return confined(settings, role, folder / "s" / "p-1", Recipe(argv=argv, env={}), having=having)


CODEX = [
    (("codex",), ["-s", "danger-full-access"]),
    (("codex", "resume", "1", "-m", "x"), ["resume", "1", "-s", "danger-full-access", "-m", "x"]),
    (("codex", "exec", "x"), ["exec", "-s", "danger-full-access", "x"]),
    (("codex", "-c", "x=1", *CODEX_SANDBOX, "-m", "x"), ["-s", "danger-full-access", "-c", "x=1", "-m", "x"]),
]


@pytest.mark.parametrize(("argv", "after"), CODEX)
def test_codex_makes_no_sandbox_of_its_own_inside(argv: tuple[str, ...], after: list[str], tmp_path: Path) -> None:
    made = inside(tmp_path, '"codex"', argv).recipe
    assert list(made.argv)[list(made.argv).index("codex") + 1 :] == after
    assert made.notes[0] == "its boundary stands in for codex' own sandbox"


@pytest.mark.parametrize("own", [("-s", "read-only"), ("--sandbox=workspace-write",), ("-c", "sandbox_mode=read-only")])
def test_what_a_person_chose_for_codex_stays_and_is_said(own: tuple[str, ...], tmp_path: Path) -> None:
    made = inside(tmp_path, json.dumps(" ".join(("codex", *own))), ("codex", *own)).recipe
    assert made.argv[-len(own) :] == own
    assert "does not work inside" in made.notes[0]


def test_codex_keeps_its_own_where_one_fence_is_missing(tmp_path: Path) -> None:
    made = inside(tmp_path, '"codex"', ("codex",), Means("", 7, ("no bwrap",))).recipe
    assert made.argv[-1] == "codex"


def test_macos_gets_what_it_has(tmp_path: Path) -> None:
    made = inside(tmp_path, '"x"', ("x",), Means("", 0, ("best effort",), sandbox_exec="/usr/bin/sandbox-exec")).recipe
    assert made.argv[:2] == ("/usr/bin/sandbox-exec", "-p")
    assert made.argv[3:6] == (sys.executable, "-I", "-S")
    assert made.notes[-1].startswith("its boundary is held by sandbox-exec alone; open:")


@pytest.mark.parametrize(
    ("having", "kernel", "unheld"),
    [
        (BOTH, "bwrap + Landlock", ""),
        (Means("", 7, ("no bwrap",)), "Landlock alone", ""),
        (Means("/usr/bin/bwrap", 0, ("no Landlock",)), "bwrap alone", ""),
        (Means("", 0, ("best effort",), sandbox_exec="/usr/bin/sandbox-exec"), "sandbox-exec", ""),
        (Means("", 0, ("no bwrap", "no Landlock")), "", "nothing here can hold its boundary (no bwrap; no Landlock)"),
    ],
)
def test_what_holds_it_is_told_with_the_recipe(having: Means, kernel: str, unheld: str, tmp_path: Path) -> None:
    made = inside(tmp_path, '"x"', ("x",), having).recipe
    assert made.held == Held(kernel=kernel, unheld=unheld)
    none = inside(tmp_path, '"x"', (), having).recipe
    assert none.held.unheld == "what runs in its pane was not started by a command of teamops.toml"


def test_what_a_person_turned_off_is_told_with_the_recipe(tmp_path: Path) -> None:
    (tmp_path / "teamops.toml").write_text('[sandbox]\nmode = "off"\n[roles.CODER]\ncommand = "x"\n')
    settings = load(tmp_path)
    role = settings.role(Role("CODER"))
    assert role is not None
    made = confined(settings, role, tmp_path / "s", Recipe(argv=("x",), env={}, held=Held(hooked=True)), having=BOTH)
    assert made.recipe.held == Held(unheld="sandbox.mode is off", hooked=True)


def test_settings_that_are_there_are_left_as_they_are_and_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "h"
    (home / ".claude").mkdir(parents=True)
    (home / ".claude" / "settings.json").write_text('{"model": "opus"}')
    made = inside(tmp_path, '"claude"', ("claude",))
    assert (home / ".claude" / "settings.json").read_text() == '{"model": "opus"}'
    assert made.boundary is not None
    held = {mount.path for mount in made.boundary.mounts if mount.cover == "read-only"}
    assert str(home / ".claude" / "settings.json") in held
    assert {str(home / ".claude"), str(home / ".claude.json")} <= set(made.boundary.writable)


def test_an_agent_gets_a_copy_of_the_file_that_its_client_writes(tmp_path: Path) -> None:
    home, own = tmp_path / "h", tmp_path / "h" / ".claude.json"
    home.mkdir()
    own.write_text('{"mcpServers": {}}')
    made = inside(tmp_path, '"claude"', ("claude",)).recipe
    copy = tmp_path / "s" / "p-1" / "agents" / "CODER.plan.client.0"
    assert made.files[copy] == '{"mcpServers": {}}'
    at = made.argv.index(str(copy))
    assert made.argv[at - 1 : at + 2] == ("--bind", str(copy), str(own))
    alone = inside(tmp_path, '"claude"', ("claude",), Means("", 7, ("no bwrap",)))
    assert copy not in alone.recipe.files
    assert f"{own} is its client's to write, what is planted there, too" in alone.recipe.notes[-1]


def test_its_copy_keeps_what_its_client_was_told_of_the_repository_and_how_it_signed_in(tmp_path: Path) -> None:
    home, own = tmp_path / "h", tmp_path / "h" / ".claude.json"
    copy = tmp_path / "s" / "p-1" / "agents" / "CODER.plan.client.0"
    main, tree = tmp_path / "m", tmp_path / "p"
    for folder in (home, copy.parent, main / ".git" / "worktrees" / "w", tree):
        folder.mkdir(parents=True)
    (main / ".git" / "worktrees" / "w" / "commondir").write_text("../..\n")
    (tree / ".git").write_text(f"gitdir: {main}/.git/worktrees/w\n")
    own.write_text('{"primaryApiKey": "sk-mine"}')
    first = inside(tmp_path, '"claude"', ("claude",)).recipe
    for path in (copy, copy.with_name(f"{copy.name}.was")):
        path.write_text(first.files[path])
    trusted = {"hasTrustDialogAccepted": True}
    copy.write_text(json.dumps({"primaryApiKey": "sk-mine", "projects": {str(main): trusted, "/else": trusted}}))
    own.write_text("{}")
    assert json.loads(inside(tmp_path, '"claude"', ("claude",)).recipe.files[copy]) == {
        "projects": {str(main): trusted}
    }


def test_a_start_says_that_a_file_is_there_by_which_every_session_of_its_client_goes(tmp_path: Path) -> None:
    own = tmp_path / "h" / ".claude" / ".config.json"
    own.parent.mkdir(parents=True)
    assert not [note for note in inside(tmp_path, '"claude"', ("claude",)).recipe.notes if str(own) in note]
    own.write_text('{"mcpServers": {}}')
    made = inside(tmp_path, '"claude"', ("claude",))
    assert f"{own} is there, and its client goes by it: take it away if it is not yours" in made.recipe.notes
    assert made.boundary is not None
    assert str(own) in {mount.path for mount in made.boundary.mounts if mount.cover == "read-only"}


def claude_of(folder: Path, version: str) -> str:
    """Install a Claude Code of ``version``, as far as it says its version; return its program."""
    folder.mkdir()
    (folder / "package.json").write_text(json.dumps({"name": "@anthropic-ai/claude-code", "version": version}))
    program = folder / "claude"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    return str(program)


def test_what_teamops_made_at_home_is_not_called_another_s(tmp_path: Path) -> None:
    new, old = (claude_of(tmp_path / name, version) for name, version in (("n", "2.1.330"), ("o", "2.1.329")))
    own = tmp_path / "h" / ".claude" / ".config.json"
    inside(tmp_path, json.dumps(new), (new,))
    assert own.exists()
    assert not [note for note in inside(tmp_path, json.dumps(new), (new,)).recipe.notes if str(own) in note]
    for program in (old, "claude"):  # of the second nobody can tell the version
        (said,) = [note for note in inside(tmp_path, json.dumps(program), (program,)).recipe.notes if str(own) in note]
        assert said.startswith(f"{own} is there as teamops makes it for Claude Code 2.1.330 and newer; take it away if")
    own.chmod(0o600)
    own.write_text("{}")
    for program in (new, old):
        (said,) = [note for note in inside(tmp_path, json.dumps(program), (program,)).recipe.notes if str(own) in note]
        assert said.endswith("take it away if it is not yours")


def show(*words: str) -> str:
    done = CliRunner().invoke(run, [*words, "--show"])
    assert done.exit_code == 0, done.output
    return done.output


def test_a_look_is_at_what_the_role_s_agent_would_be_held_by(tmp_path: Path) -> None:
    new = claude_of(tmp_path / "n", "2.1.330")
    inside(tmp_path, json.dumps(new), (new,))
    where = ["-C", str(tmp_path / "p"), "--state-dir", str(tmp_path / "s"), "--role", "coder"]
    own = tmp_path / "h" / ".claude" / ".config.json"
    assert "take it away" not in show(*where)
    (tmp_path / "h" / ".claude.json").write_bytes(b"\xff")
    own.chmod(0o600)
    own.write_text("{}")
    told = show(*where)
    assert "its boundary is held by" in told
    assert f"{own} is there, and its client goes by it: take it away if it is not yours\n" in told


def run_in(root: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run it in a process of its own, for it becomes the command."""
    words = ["run", "-C", str(root), "--state-dir", str(root.parent / "s"), "--role", "CODER", "--", *command]
    words = [sys.executable, "-m", "teamops", *words]
    return subprocess.run(words, cwd=root, capture_output=True, text=True, check=False, timeout=60)


def test_where_no_project_is_nothing_is_run_and_nothing_made(tmp_path: Path) -> None:
    root = tmp_path / "p"
    (root / ".git").mkdir(parents=True)
    done = run_in(root, "touch", str(root / "ran"))
    assert (done.returncode, done.stdout) == (2, "")
    assert f"there is no current.md and no teamops.toml in {root}" in done.stderr
    assert "teamops init" in done.stderr
    assert sorted(tmp_path.rglob("*")) == [root, root / ".git"]


@pytest.mark.parametrize("name", ["teamops.toml", "current.md"])
def test_where_a_project_is_it_is_run(name: str, tmp_path: Path) -> None:
    root = tmp_path / "p"
    root.mkdir()
    (root / name).touch()
    done = run_in(root, "echo", "ran")
    assert (done.returncode, done.stdout) == (0, "ran\n"), done.stderr


def test_a_start_says_where_its_copy_begins_with_nothing(tmp_path: Path) -> None:
    (tmp_path / "h").mkdir()
    (tmp_path / "h" / ".claude.json").write_bytes(b"\xff")
    assert (
        "its own .claude.json begins empty, for yours is no text"
        in inside(tmp_path, '"claude"', ("claude",)).recipe.notes
    )


def test_a_start_says_where_settings_can_not_be_made(tmp_path: Path) -> None:
    (tmp_path / "h").mkdir()
    (tmp_path / "h" / ".claude").write_text("no folder")
    with pytest.raises(TeamopsError, match=r"can't make .*\.claude.*: Not a directory"):
        inside(tmp_path, '"claude"', ("claude",))


def test_a_look_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``teamops run --show`` says what would be held."""
    monkeypatch.chdir(tmp_path)
    root = tmp_path / "p"
    root.mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))
    done = CliRunner().invoke(run, ["-C", str(root), "--state-dir", str(tmp_path / "s"), "--role", "coder", "--show"])
    assert done.exit_code == 0, done.output
    assert f"writable: {root}\n" in done.output
    assert [path.name for path in tmp_path.rglob("*")] == ["p"]
    words = ["-C", str(root), "--state-dir", str(tmp_path / "s"), "--role", "coder", "--show", "--json"]
    told = json.loads(CliRunner().invoke(run, words).output)
    assert (told["schema"], told["role"]) == ("teamops.boundary/1", "CODER")
    assert {"rule": "deny /.git/", "layer": "hooks and audit"}.items() <= told["rules"][-1].items()


def test_where_git_keeps_a_work_tree(tmp_path: Path) -> None:
    main = tmp_path / "m" / ".git"
    own = main / "worktrees" / "w"
    own.mkdir(parents=True)
    (own / "commondir").write_text("../..\n")
    tree = tmp_path / "w"
    tree.mkdir()
    (tree / ".git").write_text(f"gitdir: {own}\n")
    assert list(ground.git_folders(tree)) == [str(own), str(main)]
    assert list(ground.git_folders(tmp_path / "m")) == [str(main)]
    (tree / ".git").write_text("gitdir: /no/such\n")
    assert list(ground.git_folders(tree)) == []


def test_the_doors_that_are_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    doors = [tmp_path / name for name in ("agent", "bus", "docker", "listening", "shown")]
    for door in doors:
        door.touch()
    unix = tmp_path / "unix"
    rows = [("00010000", doors[3]), ("00010000", doors[4]), ("00000000", tmp_path / "client")]
    lines = [f"0000: 00000002 00000000 {flags} 0001 01 123 {path}" for flags, path in rows]
    unix.write_text(
        "\n".join(
            ["Num RefCount Protocol Flags Type St Inode Path", *lines, "0: 2 0 00010000 1 1 2", "a b c x 1 1 2 /y", ""]
        )
    )
    monkeypatch.setattr(ground, "UNIX", unix)
    for name, value in {
        "SSH_AUTH_SOCK": str(doors[0]),
        "DBUS_SESSION_BUS_ADDRESS": f"unix:path={doors[1]},guid=1;tcp:host=x",
        "DOCKER_HOST": f"unix://{doors[2]}",
    }.items():
        monkeypatch.setenv(name, value)
    toml = '[tmux]\nsocket_path = "server"\n[sandbox]\nsockets = [{}]\n[roles.CODER]\n'
    (tmp_path / "teamops.toml").write_text(toml.format(f'"{doors[4]}"'))
    settings = load(tmp_path)
    seen = ground_of(settings, replace(settings.roles[0], client="sdk"), tmp_path / "s" / "1", ("x",))
    server = tmp_path.resolve() / "server"
    assert not server.exists()
    assert seen.sockets == (str(server), *(str(door.resolve()) for door in doors[:4])), (
        "tmux's may begin with the start"
    )
    assert str(doors[4].resolve()) in seen.shown
    (tmp_path / "teamops.toml").write_text(toml.format(f'"{server}"'))
    settings = load(tmp_path)
    seen = ground_of(settings, replace(settings.roles[0], client="sdk"), tmp_path / "s" / "1", ("x",))
    assert str(server) not in seen.sockets, "it is let in on purpose"
    monkeypatch.setattr(ground, "UNIX", tmp_path / "none")
    assert list(ground._listening()) == []
