"""What teamops adds to a person's command, for each client."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from teamops.config.profiles import shipped
from teamops.config.settings import RoleSettings
from teamops.domain.boundary import unruled
from teamops.effects import launch
from teamops.effects.launch import CLAUDE_EVENTS, recipe
from teamops.effects.recipe import MAX_WORDS, Recipe, short
from teamops.guard import holds, policy
from teamops.model.agent_report import Launch
from teamops.model.role import CODER

KNOWN = "82205b16-c3bc-4126-940f-b033f54259ce"


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("CLAUDE_CONFIG_DIR", "CODEX_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)


def made(tmp_path: Path, client: str, *command: str, last: str = "") -> Recipe:
    role = RoleSettings(
        role=CODER,
        name="Kevin",
        profile=shipped(CODER),
        session="shop-coder",
        client=client,
        command=command,
        cwd=tmp_path,
    )
    launch = Launch(
        role=CODER,
        session="shop-coder",
        pane_id="%1",
        pid=7,
        born="1",
        client=client,
        client_session=last,
        wall=0.0,
        adopted=False,
    )
    return recipe(role, tmp_path, tmp_path / "state", launch if last else None)


def let_through(folder: Path) -> None:
    """Give the role a policy that holds nothing back."""
    path = Path(policy.path_of(str(folder), CODER))
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(unruled(CODER)), encoding="utf-8")


def transcript(tmp_path: Path, text: str = '{"type":"mode"}\n{"type":"user"}\n') -> None:
    folder = tmp_path / ".claude" / "projects" / "-p"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{KNOWN}.jsonl").write_text(text, encoding="utf-8")


def test_claude_gets_a_session_its_profile_and_its_events(tmp_path: Path) -> None:
    how = made(tmp_path, "claude", "/opt/claude", "--model", "opus")
    assert how.argv[0] == "/opt/claude"
    assert how.argv[-2:] == ("--model", "opus")
    assert how.argv[1:3] == ("--session-id", how.client_session)
    assert not how.resumed
    prompt, settings = (
        Path(how.argv[how.argv.index(name) + 1]) for name in ("--append-system-prompt-file", "--settings")
    )
    how.write()
    assert "Kevin" in prompt.read_text(encoding="utf-8")
    told = json.loads(settings.read_text(encoding="utf-8"))
    assert told["disableAllHooks"] is False
    assert set(told["hooks"]) == set(CLAUDE_EVENTS)
    assert {path.stat().st_mode & 0o777 for path in (prompt, settings)} == {0o600}
    assert how.env["TEAMOPS_ROLE"] == "CODER"
    assert how.env["TEAMOPS_PROJECT"] == str(tmp_path)


def test_claude_resumes_what_has_a_transcript(tmp_path: Path) -> None:
    fresh = made(tmp_path, "claude", "claude", last=KNOWN)
    assert (fresh.resumed, fresh.argv[1]) == (False, "--session-id")
    assert fresh.client_session != KNOWN
    transcript(tmp_path, '{"type":"mode","mode":"normal"}\n')
    assert not made(tmp_path, "claude", "claude", last=KNOWN).resumed  # ended before it had its first prompt
    transcript(tmp_path)
    how = made(tmp_path, "claude", "claude", last=KNOWN)
    assert (how.resumed, how.client_session) == (True, KNOWN)
    assert how.argv[1:3] == ("--resume", KNOWN)
    assert "--session-id" not in how.argv


@pytest.mark.parametrize(
    ("given", "left_out"),
    [
        (("--resume", "x"), ("--session-id",)),
        (("--session-id=x",), ("--resume", "--session-id")),
        (("-c",), ("--resume", "--session-id")),
        (("--append-system-prompt", "be brief"), ("--append-system-prompt-file",)),
        (("--settings", "mine.json"), ()),
    ],
)
def test_what_the_person_wrote_wins(tmp_path: Path, given: tuple[str, ...], left_out: tuple[str, ...]) -> None:
    transcript(tmp_path)
    how = made(tmp_path, "claude", "claude", *given, last=KNOWN)
    assert how.argv[-len(given) :] == given
    assert not any(word in left_out for word in how.argv[1 : -len(given)])
    assert how.argv.count("--settings") == 1
    assert how.notes
    assert how.held.hooked == ("--settings" not in given)


@pytest.mark.parametrize(
    ("client", "command"),
    [
        ("claude", ("npx", "claude")),
        ("codex", ("sh", "-c", "exec codex")),
        ("gemini", ("npx", "gemini")),
        ("opencode", ("bash", "opencode")),
        ("sdk", ("python3", "bot.py")),
        ("command", ("top",)),
        ("claude", ()),
    ],
)
def test_what_is_not_known_is_started_as_it_is(tmp_path: Path, client: str, command: tuple[str, ...]) -> None:
    how = made(tmp_path, client, *command, last=KNOWN)
    assert (how.argv, how.client_session, how.files) == (command, "", {})
    assert not how.held.hooked
    assert bool(how.notes) == (client not in ("sdk", "command") and bool(command))
    assert how.env["TEAMOPS_ROLE"] == "CODER"


def rollout(tmp_path: Path) -> None:
    folder = tmp_path / ".codex" / "sessions" / "2026" / "11" / "27"
    folder.mkdir(parents=True)
    (folder / f"rollout-2026-11-27T02-19-47-{KNOWN}.jsonl").write_text("{}\n", encoding="utf-8")


def test_codex_gets_its_profile_its_events_and_its_session(tmp_path: Path) -> None:
    assert "resume" not in made(tmp_path, "codex", "codex", last=KNOWN).argv  # it would end at once
    rollout(tmp_path)
    how = made(tmp_path, "codex", "codex", "-m", "x", last=KNOWN)
    assert how.argv[1:3] == ("resume", KNOWN)
    assert how.argv[-2:] == ("-m", "x")
    assert "--no-daemon" in how.argv
    assert any(word.startswith("developer_instructions=") for word in how.argv)
    assert any(word.startswith("hooks.UserPromptSubmit=") for word in how.argv)
    assert how.resumed
    assert how.client_session == KNOWN
    assert made(tmp_path, "codex", "codex").client_session == ""
    own = made(tmp_path, "codex", "codex", "-m", "x", "resume", "--last", last=KNOWN)
    assert (own.argv[-4:], own.client_session) == (("-m", "x", "resume", "--last"), "")
    assert own.argv.count("resume") == 1


def test_codex_gets_its_own_sandbox_unless_the_person_chose_one(tmp_path: Path) -> None:
    how = made(tmp_path, "codex", "codex")
    assert how.argv[how.argv.index("--sandbox") + 1] == "workspace-write"
    for own in (("-s", "read-only"), ("--sandbox=read-only",), ("--full-auto",), ("-c", 'sandbox_mode="read-only"')):
        assert made(tmp_path, "codex", "codex", *own).argv.count("workspace-write") == 0
    (tmp_path / ".codex").mkdir()
    (tmp_path / ".codex" / "config.toml").write_text('sandbox_mode = "danger-full-access"\n', encoding="utf-8")
    assert "workspace-write" not in made(tmp_path, "codex", "codex").argv


def test_codex_trusts_no_hooks_but_ours(tmp_path: Path) -> None:
    how = made(tmp_path, "codex", "codex")
    assert "--dangerously-bypass-hook-trust" in how.argv
    assert how.held.hooked
    (tmp_path / ".codex").mkdir()
    file = tmp_path / ".codex" / "hooks.json"
    for empty in ("{}\n", '{"hooks": {}}'):  # made so that no agent can make it
        file.write_text(empty, encoding="utf-8")
        assert made(tmp_path, "codex", "codex").held.hooked
    file.write_text("{", encoding="utf-8")
    assert not made(tmp_path, "codex", "codex").held.hooked
    file.write_text('{"hooks": {"Stop": []}}', encoding="utf-8")
    how = made(tmp_path, "codex", "codex")
    assert "--dangerously-bypass-hook-trust" not in how.argv
    assert not any(word.startswith("hooks.") for word in how.argv)
    assert "hooks.json" in how.notes[0]
    assert not how.held.hooked


@pytest.mark.parametrize("client", ["claude", "codex"])
def test_its_hooks_ask_for_a_hold_at_a_place_that_no_environment_changes(tmp_path: Path, client: str) -> None:
    """Run what the client would run: the very line of its settings."""
    how = made(tmp_path, client, client)
    how.write()
    gate = holds.path_of(str(tmp_path / "state"), CODER)

    def lines(event: str) -> list[str]:
        if client == "claude":
            settings = json.loads(Path(how.argv[how.argv.index("--settings") + 1]).read_text(encoding="utf-8"))
            return [hook["command"] for group in settings["hooks"][event] for hook in group["hooks"]]
        told = next(word for word in how.argv if word.startswith(f"hooks.{event}="))
        (entry,) = tomllib.loads(told)["hooks"][event]
        return [hook["command"] for hook in entry["hooks"]]

    def ask(event: str, **env: str) -> int:
        (line,) = lines(event)
        return subprocess.run(["sh", "-c", line], input=b"{}", env=env, capture_output=True, check=False).returncode

    assert [ask(event) for event in ("UserPromptSubmit", "PreToolUse", "Stop")] == [0, 2, 0]  # it has no policy
    let_through(tmp_path / "state")
    assert [ask(event) for event in ("UserPromptSubmit", "PreToolUse", "Stop")] == [0, 0, 0]
    holds.hold(str(tmp_path / "state"), CODER, "held", 1.0)
    assert [ask(event) for event in ("UserPromptSubmit", "PreToolUse", "Stop")] == [2, 2, 0]
    assert ask("UserPromptSubmit", TEAMOPS_ROLE="OTHER", HOME="/", TEAMOPS_STATE_DIR="/") == 2
    assert all(gate in line for event in ("UserPromptSubmit", "PreToolUse") for line in lines(event))
    holds.let_go(str(tmp_path / "state"), CODER)
    (line,) = lines("UserPromptSubmit")
    broken = line.replace(sys.executable, "/nowhere/python")
    assert subprocess.run(["sh", "-c", broken], input=b"{}", capture_output=True, check=False).returncode == 2


@pytest.mark.parametrize(("text", "is_short"), [("x" * (MAX_WORDS - 500), True), ("é" * (MAX_WORDS // 2), False)])
def test_a_command_that_tmux_would_not_take_stands_in_a_file(tmp_path: Path, text: str, is_short: bool) -> None:
    words = (sys.executable, "-c", "import os, sys; print(os.getpid(), sys.argv[1])", f"{text}'\n$(x)")
    how = short(Recipe(argv=words, env={}), tmp_path / "it's" / "start.sh")
    assert (how.argv == words) is is_short
    how.write()
    child = subprocess.Popen(how.argv, stdout=subprocess.PIPE, text=True, encoding="utf-8")
    assert child.communicate()[0] == f"{child.pid} {words[3]}\n"


def test_codex_shell_finds_teamops_where_a_login_would_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own, setting = tmp_path / "bin", "allow_login_shell=false"
    monkeypatch.setattr(launch, "_LOGIN_PATH", str(own))
    assert setting in made(tmp_path, "codex", "codex").argv
    chosen = made(tmp_path, "codex", "codex", "-c", "allow_login_shell=true").argv
    assert [word for word in chosen if "login_shell" in word] == ["allow_login_shell=true"]
    own.mkdir()
    (own / "teamops").write_text("#!/bin/sh\n")
    (own / "teamops").chmod(0o755)
    assert setting not in made(tmp_path, "codex", "codex").argv
    (own / "teamops").unlink()
    (tmp_path / ".codex").mkdir()
    (tmp_path / ".codex" / "config.toml").write_text("allow_login_shell = true\n")
    assert setting not in made(tmp_path, "codex", "codex").argv


@pytest.mark.parametrize("client", ["claude", "codex", "gemini", "sdk"])
def test_an_agent_finds_teamops_where_nothing_on_the_path_is_its_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, client: str
) -> None:
    program = Path(sys.executable).parent / "teamops"
    monkeypatch.setenv("PATH", f"/usr/bin:{program.parent}")
    assert "PATH" not in made(tmp_path, client, client).env
    monkeypatch.setenv("PATH", f"/usr/bin:{tmp_path}")
    assert made(tmp_path, client, client).env["PATH"] == f"/usr/bin:{tmp_path}:{program.parent}"
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    assert "PATH" not in made(tmp_path, client, client).env
