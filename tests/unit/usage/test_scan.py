from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from teamops.model.usage_log import LogFile
from teamops.usage.scan import Found, find, plan

FOUND = Found("claude", "/p/a.jsonl", 1, 2, 100, 5)
KNOWN = LogFile("claude", "/p/a.jsonl", 1, 2, 100, 100, 5, b"", 0)


@pytest.mark.parametrize(
    ("found", "known", "read", "size"),
    [
        (FOUND, None, "all", 100),
        (FOUND, KNOWN, "nothing", 0),
        (replace(FOUND, size=150, mtime_ns=6), KNOWN, "rest", 50),
        (replace(FOUND, size=150), KNOWN, "rest", 50),  # written twice within one tick of the kernel's clock
        (replace(FOUND, mtime_ns=6), KNOWN, "rest", 0),
        (FOUND, replace(KNOWN, offset=80), "nothing", 0),  # it ends with a line that has only begun
        (replace(FOUND, size=120), replace(KNOWN, offset=80), "rest", 40),
        (replace(FOUND, size=99, mtime_ns=6), KNOWN, "all", 99),
        (replace(FOUND, inode=3), KNOWN, "all", 100),
        (replace(FOUND, device=3), KNOWN, "all", 100),
    ],
)
def test_what_is_read_of_a_file(found: Found, known: LogFile | None, read: str, size: int) -> None:
    work = plan([found], {} if known is None else {known.path: known})
    if read == "nothing":
        assert work == []
        return
    (one,) = work
    assert (one.known is known if read == "rest" else one.known is None, one.size) == (True, size)


def test_in_the_order_of_paths_and_what_has_gone_is_left_alone() -> None:
    names = ("/b", "/a", "/c")
    work = plan([replace(FOUND, path=name) for name in names], {"/gone": KNOWN})
    assert [one.found.path for one in work] == ["/a", "/b", "/c"]


def test_all_clients_logs_are_found_each_once() -> None:
    home = Path(os.environ["HOME"])
    env = {"HOME": str(home), "CLAUDE_CONFIG_DIR": f"{home}/c,{home}/c"}
    logs = [
        "c/projects/-p/s.jsonl",
        "c/projects/-p/s/subagents/agent-1.jsonl",
        ".codex/sessions/2026/03/28/rollout-1.jsonl",
        ".codex/archived_sessions/rollout-2.jsonl",
        ".gemini/tmp/x/chats/c.jsonl",
        ".local/share/amp/threads/T-1.json",
        ".pi/agent/sessions/-p/1_a.jsonl",
        ".local/share/opencode/opencode.db",
    ]
    for name in (
        *logs,
        "c/projects/-p/notes.txt",
        "c/projects/-p/s/tool-results/x.json",
        ".local/share/opencode/opencode.db-wal",
    ):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_bytes(b"12345")
    (home / "c/projects/-p/gone.jsonl").symlink_to("nowhere")
    os.utime(home / ".local/share/opencode/opencode.db", ns=(5, 5))
    os.utime(home / ".local/share/opencode/opencode.db-wal", ns=(9, 9))
    found = {one.path: one for one in find(env)}
    assert sorted(found) == sorted(str(home / name) for name in logs)
    assert {one.client for one in found.values()} == {"claude", "codex", "gemini", "amp", "pi", "opencode"}
    database = found[str(home / ".local/share/opencode/opencode.db")]
    assert (database.size, database.mtime_ns) == (5, 9)  # what is new lies in the file beside it
