"""``teamops config check``, as people and scripts call it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

GOOD = '[roles.DIRECTOR]\ncommand = "true"\nenv = { TOKEN = "hush" }\n'


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "teamops", "config", "check", "-C", str(folder), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        pytest.param(None, 0, "teamops only watches current.md", id="none"),
        pytest.param(GOOD, 0, "DIRECTOR  Max  command", id="good"),
        pytest.param("[roles.TESTER]\n", 1, "warning: teamops.toml:1:8 TESTER has no profile", id="warning"),
        pytest.param("x = 1\n", 2, 'error: teamops.toml:1:1 unknown key "x"', id="refused"),
    ],
)
def test_exit_code_and_words(tmp_path: Path, text: str | None, code: int, said: str) -> None:
    (tmp_path / "current.md").write_text("")
    if text is not None:
        (tmp_path / "teamops.toml").write_text(text.replace('"true"', json.dumps(sys.executable)))
    done = run(tmp_path)
    assert (done.returncode, done.stderr) == (code, "")
    assert " ".join(said.split()) in " ".join(done.stdout.split())


def test_json_says_all_and_keeps_secrets(tmp_path: Path) -> None:
    (tmp_path / "current.md").write_text("")
    (tmp_path / "teamops.toml").write_text(GOOD.replace('"true"', json.dumps(sys.executable)))
    done = run(tmp_path, "--json")
    answer = json.loads(done.stdout)
    assert (answer["schema"], answer["ok"], answer["problems"]) == ("teamops.config/1", True, [])
    [role] = answer["roles"]
    assert (role["role"], role["name"], role["env"], role["command"]) == (
        "DIRECTOR",
        "Max",
        ["TOKEN"],
        [sys.executable],
    )
    assert answer["limits"]["stale_s"] == 780
    assert "hush" not in done.stdout


def test_json_of_a_refused_file_has_its_places(tmp_path: Path) -> None:
    (tmp_path / "teamops.toml").write_text("[limits]\nstale_m = 1\n")
    done = run(tmp_path, "--json")
    assert done.returncode == 2
    answer = json.loads(done.stdout)
    assert answer["ok"] is False
    problems = [row for row in answer["problems"] if row["severity"] == "error"]
    assert [(row["file"], row["line"], row["column"]) for row in problems] == [("teamops.toml", 2, 1)]
