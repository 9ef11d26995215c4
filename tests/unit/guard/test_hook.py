"""The hooks' entry, as clients run it: a process of its own, with their JSON on standard input."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from teamops.config.settings import Settings
from teamops.domain import hooks
from teamops.guard import holds, hook
from teamops.supervisor.lease import state_dir_of

PROGRAM = (sys.executable, "-I", "-S", str(Path(hook.__file__)))


def call(
    project: Path | None, event: str, told: bytes = b"", *, role: str = "CODER", program: tuple[str, ...] = PROGRAM
) -> subprocess.CompletedProcess[bytes]:
    env = {"PATH": os.environ["PATH"], "TEAMOPS_ROLE": role, "CLAUDE_PID": "4711"}
    if project is not None:
        env["TEAMOPS_PROJECT"] = str(project)
    words = [*program, *([event] if event else [])]
    done = subprocess.run(words, input=told, env=env, cwd="/", capture_output=True, timeout=30, check=False)
    assert (done.returncode, done.stdout) == (0, b"")
    return done


def rows(project: Path, role: str = "CODER") -> list[dict[str, Any]]:
    path = project / ".teamops" / "spool" / role / "hooks.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="ascii").splitlines()] if path.exists() else []


def told(**fields: object) -> bytes:
    return json.dumps({"session_id": "s-1", "transcript_path": "/t/s-1.jsonl", **fields}).encode()


@pytest.mark.parametrize(
    ("event", "fields", "detail"),
    [
        ("UserPromptSubmit", {"prompt": "It is your turn."}, "It is your turn."),
        ("PreToolUse", {"tool_name": "Bash", "tool_input": {"command": "rm -rf /"}}, "Bash"),
        ("PermissionRequest", {"tool_name": "Write"}, "Write"),
        (
            "Notification",
            {"notification_type": "permission_prompt", "message": "needs it"},
            "permission_prompt: needs it",
        ),
        ("StopFailure", {"error": "unknown", "last_assistant_message": "API Error: 400"}, "unknown: API Error: 400"),
        ("SessionStart", {"source": "startup"}, "startup"),
        ("SessionEnd", {"reason": "other"}, "other"),
        ("Stop", {"last_assistant_message": "Done."}, None),
    ],
)
def test_an_event_is_one_line_in_the_spool(
    tmp_path: Path, event: str, fields: dict[str, object], detail: str | None
) -> None:
    call(tmp_path, event, told(**fields))
    (row,) = rows(tmp_path)
    assert abs(row.pop("t") - time.time()) < 30
    wanted = {"v": 1, "pid": 4711, "kind": "hook", "hook": event, "session": "s-1", "transcript": "/t/s-1.jsonl"}
    assert row == (wanted if detail is None else {**wanted, "detail": detail})


def test_all_hooks_of_a_role_write_one_file(tmp_path: Path) -> None:
    running = [
        subprocess.Popen(
            [*PROGRAM, "PostToolUse"],
            stdin=subprocess.PIPE,
            env={"TEAMOPS_ROLE": "CODER", "TEAMOPS_PROJECT": str(tmp_path)},
        )
        for _ in range(12)
    ]
    for number, process in enumerate(running):
        process.communicate(told(tool_name=f"tool {number} " + "x" * 700), timeout=60)
    assert len(rows(tmp_path)) == 12
    assert [path.name for path in (tmp_path / ".teamops" / "spool" / "CODER").iterdir()] == ["hooks.jsonl"]


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"prompt": 7, "session_id": []}', b"[" * 100_000],
    ids=["nothing", "cut", "list", "null", "no text", "other types", "deep"],
)
def test_what_can_t_be_read_is_an_event_without_words(tmp_path: Path, raw: bytes) -> None:
    call(tmp_path, "Stop", raw)
    (row,) = rows(tmp_path)
    assert {"hook": row["hook"], "extra": row.keys() - {"v", "t", "pid", "kind", "hook"}} == {
        "hook": "Stop",
        "extra": set(),
    }


def test_the_event_may_stand_in_the_words_of_the_client(tmp_path: Path) -> None:
    call(tmp_path, "", told(hook_event_name="Stop"))
    assert [row["hook"] for row in rows(tmp_path)] == ["Stop"]


def test_huge_input_is_cut_and_hostile_text_is_escaped(tmp_path: Path) -> None:
    call(tmp_path, "UserPromptSubmit", told(prompt='"}\n{"kind":"beat"\u202e\x1b[2J' + "y" * 500_000))
    (row,) = rows(tmp_path)
    assert len(row["detail"]) == hook.MAX_DETAIL
    assert row["kind"] == "hook"
    call(tmp_path, "Stop", b"x" * (3 << 20))
    assert len(rows(tmp_path)) == 2


def test_who_is_no_agent_of_a_team_writes_nothing(tmp_path: Path) -> None:
    call(tmp_path, "Stop", role="")
    call(tmp_path, "Stop", role="../x")
    call(tmp_path / "gone", "Stop")
    call(None, "Stop")
    assert list(tmp_path.iterdir()) == []


def test_a_client_that_never_closes_its_end_is_not_held_up_for_long(tmp_path: Path) -> None:
    began = time.monotonic()
    process = subprocess.Popen(
        [*PROGRAM, "Stop"], stdin=subprocess.PIPE, env={"TEAMOPS_ROLE": "CODER", "TEAMOPS_PROJECT": str(tmp_path)}
    )
    assert process.wait(30) == 0
    assert process.stdin is not None
    process.stdin.close()
    assert time.monotonic() - began < hook.DEADLINE_S + 5
    assert len(rows(tmp_path)) == 1


def test_a_pipe_in_the_spool_s_place_holds_nobody_up(tmp_path: Path) -> None:
    folder = tmp_path / ".teamops" / "spool" / "CODER"
    folder.mkdir(parents=True)
    os.mkfifo(folder / "hooks.jsonl")
    done = call(tmp_path, "Stop", told())
    assert done.stderr.count(b"\n") == 1


def test_the_command_line_takes_the_same_way(tmp_path: Path) -> None:
    call(tmp_path, "Stop", told(), program=(sys.executable, "-m", "teamops", "hook"))
    assert len(rows(tmp_path)) == 1


def ask(
    *words: str, told: bytes = b"", env: dict[str, str] | None = None, program: tuple[str, ...] = PROGRAM
) -> subprocess.CompletedProcess[bytes]:
    own = {"PATH": os.environ["PATH"], **(env or {})}
    return subprocess.run(
        [*program, *words], input=told, env=own, cwd="/", capture_output=True, timeout=30, check=False
    )


@pytest.fixture
def gate(tmp_path: Path) -> str:
    """Give the place of CODER's hold, and hold it."""
    holds.hold(str(tmp_path / "state"), "CODER", "held: $5.00 of $5.00", 1.0)
    return holds.path_of(str(tmp_path / "state"), "CODER")


@pytest.mark.parametrize("client", ["claude", "codex"])
@pytest.mark.parametrize("event", ["PreToolUse", "UserPromptSubmit"])
def test_who_is_held_calls_no_tool_and_takes_no_prompt(tmp_path: Path, gate: str, event: str, client: str) -> None:
    env = {"TEAMOPS_ROLE": "CODER", "TEAMOPS_PROJECT": str(tmp_path)}
    begun = time.monotonic()
    done = ask(event, gate, client, told=told(tool_name="Bash"), env=env)
    took = time.monotonic() - begun
    assert done.returncode == hook.REFUSED
    assert done.stderr.decode().splitlines() == ["teamops: held: $5.00 of $5.00", hook.STOP_HERE]
    if (client, event) == ("claude", "PreToolUse"):
        said = json.loads(done.stdout)
        assert said["continue"] is False
        assert said["hookSpecificOutput"]["permissionDecision"] == "deny"
    else:
        assert done.stdout == b""
    assert (took >= hook.PAUSE_S) == ((client, event) == ("codex", "PreToolUse"))
    (row,) = rows(tmp_path)
    assert (row["hook"], row["detail"], row["gated"]) == ("Held", f"{event}: Bash", True)
    said = (row["verdict"], row["rule"], row["about"], row["why"])
    assert said == ("deny", hook.SPENDING, "Bash", "held: $5.00 of $5.00")
    assert hooks.told("Held", "") is None
    assert "Held" not in hooks.TAKES_PROMPT


@pytest.mark.parametrize("event", ["Stop", "PostToolUse", "SessionStart", "Notification", "SubagentStop", "SessionEnd"])
def test_other_events_go_through(tmp_path: Path, gate: str, event: str) -> None:
    done = ask(event, gate, "claude", env={"TEAMOPS_ROLE": "CODER", "TEAMOPS_PROJECT": str(tmp_path)})
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert [row["hook"] for row in rows(tmp_path)] == [event]


def test_a_gate_is_open_to_who_is_not_held_and_shut_where_it_can_t_be_seen(tmp_path: Path, gate: str) -> None:
    other = str(Path(gate).with_name("REVIEWER"))
    assert ask("UserPromptSubmit", other, "claude").returncode == 0
    assert ask("UserPromptSubmit", str(tmp_path / "gone" / "holds" / "CODER"), "claude").returncode == hook.REFUSED
    # Whatever comes as the event, and whoever the environment says it is.
    assert ask("UserPromptSubmit", gate, "claude", told=b"\xff{").returncode == hook.REFUSED
    assert ask("UserPromptSubmit", gate, "claude", env={"TEAMOPS_ROLE": "OTHER"}).returncode == hook.REFUSED


def test_a_spool_that_can_t_be_written_opens_no_gate(tmp_path: Path, gate: str) -> None:
    (tmp_path / ".teamops").write_text("in the way", encoding="utf-8")
    env = {"TEAMOPS_ROLE": "CODER", "TEAMOPS_PROJECT": str(tmp_path)}
    assert ask("UserPromptSubmit", gate, "claude", env=env).returncode == hook.REFUSED


@pytest.mark.parametrize("where", ["TEAMOPS_STATE_DIR", "XDG_STATE_HOME", "HOME"])
def test_one_that_was_started_without_being_told_finds_its_gate(tmp_path: Path, where: str) -> None:
    project = tmp_path / "p"
    project.mkdir()
    settings = Settings(root=project, project="shop", handoff=project / "current.md", roles=())
    base = {"TEAMOPS_STATE_DIR": "", "XDG_STATE_HOME": "teamops", "HOME": ".local/state/teamops"}[where]
    folder = state_dir_of(settings, tmp_path / "s" / base)
    env = {"TEAMOPS_ROLE": "CODER", "TEAMOPS_PROJECT": str(project), where: str(tmp_path / "s")}
    assert ask("UserPromptSubmit", env=env).returncode == 0
    holds.hold(str(folder), "CODER", "held", 1.0)
    assert ask("UserPromptSubmit", env=env).returncode == hook.REFUSED
    assert ask("UserPromptSubmit", env={**env, "TEAMOPS_ROLE": "REVIEWER"}).returncode == 0
    assert [row.get("gated", False) for row in rows(project)] == [False, True]


def test_the_command_line_refuses_too(tmp_path: Path, gate: str) -> None:
    program = (sys.executable, "-m", "teamops", "hook")
    done = ask("UserPromptSubmit", gate, "claude", program=program, env={"PYTHONPATH": str(Path(__file__).parents[3])})
    assert done.returncode == hook.REFUSED


def test_a_gate_costs_a_call_next_to_nothing(tmp_path: Path, gate: str) -> None:
    """Measured: below a millisecond. Compared by CPU time, as the machine may be busy."""
    other = str(Path(gate).with_name("REVIEWER"))
    env = {"TEAMOPS_ROLE": "CODER", "TEAMOPS_PROJECT": str(tmp_path)}

    def took(*words: str) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        ask(*words, env=env)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    pairs = [(took("UserPromptSubmit", other, "claude"), took("PostToolUse")) for _ in range(12)]
    with_gate, without = (min(costs) for costs in zip(*pairs, strict=True))
    assert with_gate < without + 0.01
