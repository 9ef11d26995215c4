from __future__ import annotations

from pathlib import Path

import pytest

from teamops.usage.clients import CLIENTS

HOME = {"HOME": "/home/ana"}


@pytest.mark.parametrize(
    ("client", "env", "homes"),
    [
        ("claude", {}, ["/home/ana/.config/claude", "/home/ana/.claude"]),
        ("claude", {"CLAUDE_CONFIG_DIR": "/a, /b"}, ["/a", "/b"]),
        ("codex", {}, ["/home/ana/.codex"]),
        ("codex", {"CODEX_HOME": "/a"}, ["/a"]),
        ("gemini", {}, ["/home/ana/.gemini"]),
        ("gemini", {"GEMINI_CLI_HOME": "/a"}, ["/a/.gemini"]),
        ("opencode", {}, ["/home/ana/.local/share/opencode"]),
        ("opencode", {"XDG_DATA_HOME": "/data"}, ["/data/opencode"]),
        ("opencode", {"OPENCODE_DB": "/x/own.db"}, ["/home/ana/.local/share/opencode", "/x/own.db"]),
        ("opencode", {"OPENCODE_DB": "own.db"}, ["/home/ana/.local/share/opencode"]),
        ("amp", {}, ["/home/ana/.local/share/amp"]),
        ("amp", {"AMP_DATA_DIR": "/a,/b"}, ["/a", "/b"]),
        ("pi", {}, ["/home/ana/.pi/agent/sessions"]),
        ("pi", {"PI_CODING_AGENT_DIR": "~/pi"}, ["/home/ana/pi/sessions"]),
        ("pi", {"PI_CODING_AGENT_SESSION_DIR": "/s"}, ["/s"]),
    ],
)
def test_homes_are_those_of_the_client_s_own_variables(client: str, env: dict[str, str], homes: list[str]) -> None:
    assert [str(path) for path in CLIENTS[client].homes({**HOME, **env})] == homes


def test_without_a_home_there_are_none() -> None:
    assert all(client.homes({}) == () for client in CLIENTS.values())


def test_what_is_not_there_has_no_files(tmp_path: Path) -> None:
    for client in CLIENTS.values():
        for home in client.homes({"HOME": str(tmp_path)}):
            assert list(client.files(home)) == []


def test_a_log_of_another_client_has_no_reader() -> None:
    codex = CLIENTS["codex"]
    with pytest.raises(LookupError, match="no log like"):
        codex.reader_for(Path("/x/opencode.db"), codex.readers())


def test_a_database_named_by_itself_is_a_file_of_its_own(tmp_path: Path) -> None:
    own = tmp_path / "own.db"
    own.touch()
    opencode = CLIENTS["opencode"]
    assert list(opencode.files(own)) == [own]
    assert opencode.beside(own) == (tmp_path / "own.db-wal",)
    assert opencode.beside(tmp_path / "m.json") == ()
