"""Where clients keep their settings: what is made, what is held, and what is each agent's own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from teamops.effects.client_places import make_places, own_scripts, places_of
from teamops.effects.client_version import claude_version
from teamops.effects.ground import client_ground

FOLDERS = {
    "claude": {".claude"},
    "codex": {".codex"},
    "gemini": {".gemini"},
    "opencode": {".local/share/opencode", ".local/state/opencode", ".cache/opencode"},
    "sdk": set(),
}
HELD = {
    "claude": (
        ".claude",
        (
            "settings.json settings.local.json CLAUDE.md keybindings.json daemon.json "
            "remote-settings.json .config.json "
            "loop.md AGENTS.md launch.json scheduled_tasks.json agents commands hooks local "
            "output-styles plugins rules skills workflows routines chrome themes "
            "cowork_plugins dev-mods seed-admin mcp-skill-archives"
        ),
    ),
    "codex": (
        ".codex",
        (
            "config.toml hooks.json AGENTS.md AGENTS.override.md .env agents automations hooks packages plugins "
            "prompts rules skills themes"
        ),
    ),
    "gemini": (
        ".gemini",
        (
            "settings.json trustedFolders.json trusted_hooks.json keybindings.json GEMINI.md .env acknowledgments "
            "agents commands extensions hooks policies skills"
        ),
    ),
    "opencode": (".cache/opencode", ""),
}
PRIVATE = {
    "claude": "shell-snapshots session-env daemon jobs",
    "codex": "shell_snapshots tmp",
    "gemini": "tmp/bin bin",
    "opencode": "bin packages node_modules",
}
COPY = Path("/s/agents/CODER.client")


def claude(folder: Path, version: str = "2.1.330") -> str:
    """Install a package of that version in ``folder``; return the program that a PATH would find."""
    package = folder / "node_modules" / "@anthropic-ai" / "claude-code"
    (package / "bin").mkdir(parents=True)
    (package / "package.json").write_text(json.dumps({"name": "@anthropic-ai/claude-code", "version": version}))
    (package / "bin" / "claude.exe").write_text("#!/bin/sh\n")
    (package / "bin" / "claude.exe").chmod(0o755)
    (folder / "claude").symlink_to(package / "bin" / "claude.exe")
    return str(folder / "claude")


@pytest.fixture
def program(tmp_path_factory: pytest.TempPathFactory) -> str:
    return claude(tmp_path_factory.mktemp("installed"))


@pytest.mark.parametrize("client", HELD)
def test_what_is_missing_is_made_and_held(client: str, tmp_path: Path, program: str) -> None:
    env = {"HOME": str(tmp_path)}
    make_places(places_of(client, env, program))
    seen = client_ground(client, env, COPY, program)
    at, names = HELD[client]
    assert set(seen.held) == {str(tmp_path / at / name) for name in names.split()}
    assert all(Path(path).exists() for path in seen.held)
    assert set(seen.private) == {str(tmp_path / at / name) for name in PRIVATE[client].split()}
    assert all(Path(path).is_dir() for path in seen.private)
    assert {str(Path(path).relative_to(tmp_path)) for path in seen.writable} == FOLDERS[client]
    assert seen.missing == ()
    assert seen.holes
    before = sorted(tmp_path.rglob("*"))
    make_places(places_of(client, env, program))
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("client", FOLDERS)
def test_a_look_finds_the_same_before_it_is_made(client: str, tmp_path: Path, program: str) -> None:
    env = {"HOME": str(tmp_path)}
    seen = client_ground(client, env, COPY, program)
    assert list(tmp_path.iterdir()) == []
    assert seen.writable == ()
    at, names = HELD.get(client, ("", ""))
    assert {str(tmp_path / at / name) for name in names.split()} <= set(seen.held)
    assert places_of(client, {}) == places_of("sdk", env)


def test_what_is_there_stays(tmp_path: Path) -> None:
    home = tmp_path / ".claude"
    home.mkdir()
    (home / "settings.json").write_text('{"model": "opus"}')
    (home / "CLAUDE.md").symlink_to(tmp_path / "none")
    (home / "commands").symlink_to(tmp_path / "nowhere")
    (home / "hooks").write_text("no folder")
    (tmp_path / ".claude.json").write_text('{"a": 1}')
    make_places(places_of("claude", {"HOME": str(tmp_path)}))
    assert (home / "settings.json").read_text() == '{"model": "opus"}'
    assert (home / "CLAUDE.md").is_symlink()
    assert (home / "commands").is_symlink()
    assert (home / "hooks").read_text() == "no folder"
    assert (tmp_path / ".claude.json").read_text() == '{"a": 1}'


def test_a_link_is_seen_as_one_and_what_it_leads_to_is_held_too(tmp_path: Path) -> None:
    real, home = tmp_path / "dotfiles", tmp_path / ".claude"
    (real / "home").mkdir(parents=True)
    home.symlink_to(real / "home")
    (real / "settings.json").write_text("{}\n")
    (home / "settings.json").symlink_to(real / "settings.json")
    (home / "rules").symlink_to(tmp_path / "none")
    seen = client_ground("claude", {"HOME": str(tmp_path)}, COPY)
    assert {f"{real}/home/settings.json", f"{real}/settings.json", f"{real}/home/rules"} <= set(seen.held)
    assert str(tmp_path / "none") not in seen.held
    assert seen.writable == (f"{real}/home",)


def test_the_file_that_is_taken_before_another_is_one_that_counts_as_none(tmp_path: Path, program: str) -> None:
    make_places(places_of("claude", {"HOME": str(tmp_path)}, program))
    made = tmp_path / ".claude" / ".config.json"
    assert made.stat().st_size == 0
    assert made.stat().st_mode & 0o222 == 0


@pytest.mark.parametrize(
    ("client", "name", "there"), [("claude", ".claude/.config.json", False), ("gemini", ".gemini/.env", True)]
)
def test_what_its_client_would_take_in_the_place_of_a_persons_file_is_held_and_not_made(
    client: str, name: str, *, there: bool, tmp_path: Path
) -> None:
    env, own = {"HOME": str(tmp_path)}, tmp_path / name
    if there:
        (tmp_path / ".env").write_text("GEMINI_API_KEY=mine\n")
    make_places(places_of(client, env))
    assert not own.exists()
    seen = client_ground(client, env, COPY)
    assert str(own) not in seen.held
    assert [hole for hole in seen.holes if hole.startswith(f"{own} is not there")]
    own.write_text("x")
    seen = client_ground(client, env, COPY)
    assert str(own) in seen.held
    assert not [hole for hole in seen.holes if hole.startswith(f"{own} is not there")]


@pytest.mark.parametrize("version", ["2.1.329", "1.0.128", "", None])
def test_a_client_that_may_take_it_amiss_gets_none_and_that_is_said(tmp_path: Path, version: str | None) -> None:
    home, program = tmp_path / "home", "" if version is None else claude(tmp_path / "installed", version)
    made, env = home / ".claude" / ".config.json", {"HOME": str(home)}
    make_places(places_of("claude", env, program))
    assert not made.exists()
    assert (home / ".claude" / "settings.json").exists()
    seen = client_ground("claude", env, COPY, program)
    assert str(made) not in seen.held
    assert any(hole.startswith(f"{made} is not there") for hole in seen.holes)
    made.write_text("{}")
    seen = client_ground("claude", env, COPY, program)
    assert str(made) in seen.held
    assert not any(hole.startswith(str(made)) for hole in seen.holes)


def test_a_person_s_own_variables_still_count_for_gemini(tmp_path: Path) -> None:
    env, made = {"HOME": str(tmp_path)}, tmp_path / ".gemini" / ".env"
    (tmp_path / ".env").write_text("GEMINI_API_KEY=x\n")
    make_places(places_of("gemini", env))
    assert not made.exists()
    assert any(hole.startswith(f"{made} is not there") for hole in client_ground("gemini", env, COPY).holes)
    (tmp_path / ".env").unlink()
    make_places(places_of("gemini", env))
    assert made.read_text().startswith("#")


VERSIONS: list[tuple[str, object, tuple[int, ...] | None]] = [
    ("share/claude/versions/2.1.331", None, (2, 1, 331)),
    ("lib/x/cli.js", {"name": "@anthropic-ai/claude-code", "version": "2.0.1-beta"}, (2, 0, 1)),
    ("lib/x/cli.js", {"name": "@anthropic-ai/claude-code-linux-x64", "version": "2.2.0"}, (2, 2, 0)),
    ("nodejs/20.1.0/bin/claude", {"name": "another", "version": "9.9.9"}, None),
    ("lib/x/cli.js", {"name": "@anthropic-ai/claude-code", "version": 7}, None),
    ("lib/x/cli.js", [], None),
]


@pytest.mark.parametrize(("place", "package", "version"), VERSIONS)
def test_a_version_is_read_beside_the_program(
    tmp_path: Path, place: str, package: object, version: tuple[int, ...] | None
) -> None:
    program = tmp_path / place
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    if package is not None:
        (program.parent / "package.json").write_text(json.dumps(package))
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "claude").symlink_to(program)
    assert claude_version("claude", {"PATH": str(tmp_path / "bin")}) == version
    assert claude_version("claude", {"PATH": str(tmp_path)}) is None


def test_every_agent_gets_a_copy_of_what_its_client_writes_and_reads(tmp_path: Path) -> None:
    env = {"HOME": str(tmp_path)}
    own = str(tmp_path / ".claude.json")
    assert client_ground("claude", env, COPY).missing == (own,)
    make_places(places_of("claude", env))
    assert client_ground("claude", env, COPY).copies == ((own, f"{COPY}.0"),)
    assert own not in client_ground("claude", env, COPY).writable
    chosen = {**env, "CLAUDE_CONFIG_DIR": str(tmp_path / "c")}
    make_places(places_of("claude", chosen))
    seen = client_ground("claude", chosen, COPY)
    assert seen.copies == ((str(tmp_path / "c" / ".claude.json"), f"{COPY}.0"),)
    assert any("saved it anew" in hole for hole in seen.holes)


def test_a_link_to_what_is_copied_counts_where_an_agent_could_put_it_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "dotfiles").write_text("{}\n")
    for place in (tmp_path / ".claude.json", tmp_path / "c" / ".claude.json"):
        place.parent.mkdir(exist_ok=True)
        place.symlink_to(tmp_path / "dotfiles")
    seen = client_ground("claude", {"HOME": str(tmp_path)}, COPY)
    assert seen.copies == ((str(tmp_path / "dotfiles"), f"{COPY}.0"),)
    assert str(tmp_path / ".claude.json") not in seen.held
    seen = client_ground("claude", {"HOME": str(tmp_path), "CLAUDE_CONFIG_DIR": str(tmp_path / "c")}, COPY)
    assert str(tmp_path / "c" / ".claude.json") in seen.held
    assert str(tmp_path / "dotfiles") not in seen.held


def test_what_is_made_is_for_its_user_alone(tmp_path: Path) -> None:
    make_places(places_of("claude", {"HOME": str(tmp_path)}))
    made = [tmp_path / ".claude.json", *(tmp_path / ".claude").iterdir()]
    assert {path.stat().st_mode & 0o077 for path in made} == {0}


def test_programs_that_a_client_has_fetched_are_held(tmp_path: Path) -> None:
    env = {"HOME": str(tmp_path)}
    rg = tmp_path / ".gemini" / "tmp" / "bin" / "rg"
    rg.parent.mkdir(parents=True)
    rg.touch()
    seen = client_ground("gemini", env, COPY)
    assert str(rg.parent) in seen.held
    assert str(rg.parent) not in seen.private
    assert str(tmp_path / ".gemini" / "bin") in seen.private


def test_what_is_run_or_read_as_instructions_is_held_too(tmp_path: Path) -> None:
    home = tmp_path / ".claude"
    for folder in ("scripts", "projects", "mine", "other", "server", "local-server", "plans"):
        (home / folder).mkdir(parents=True)
    for name in ("line.sh", "RTK.md", "run", "history.jsonl", "note.md.bak", "quiet", "named.txt"):
        (home / name).write_text("x")
    (home / "run").chmod(0o755)
    told = {"hooks": f"sh {home}/scripts/x", "a": '"$CLAUDE_CONFIG_DIR"/mine/y', "b": "cat ~/.claude/named.txt"}
    (home / "settings.json").write_text(str(told) + "~/.claude/projects/x Edit(~/.claude/plans/**) ~/.claude/none")
    projects = {f"{home}/other": {}, "/p": {"mcpServers": {"b": {"command": "~/.claude/local-server/y"}}}}
    servers = {"mcpServers": {"a": {"command": "python", "args": [f"{home}/server/x"]}}, "projects": projects}
    (tmp_path / ".claude.json").write_text(json.dumps(servers))
    places = places_of("claude", {"HOME": str(tmp_path)})
    assert [path.name for path in own_scripts(home, places)] == [
        "RTK.md",
        "line.sh",
        "local-server",
        "mine",
        "named.txt",
        "run",
        "scripts",
        "server",
    ]
    assert list(own_scripts(tmp_path / "none", places)) == []
    for broken in ("[]", "{", '{"projects": []}', '{"projects": {"/p": 1}}'):
        (tmp_path / ".claude.json").write_text(broken)
        assert "server" not in [path.name for path in own_scripts(home, places)]
    assert {f"{home}/scripts", f"{home}/run"} <= set(client_ground("claude", {"HOME": str(tmp_path)}, COPY).held)
