"""The hooks' entry, as clients run it: a process of its own, with their JSON on standard input."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from teamops.guard import hook

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
