"""``teamops guard``: the rule that decides, said to a person and to a program."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from teamops.effects.confine import means

TOML = "[roles.DIRECTOR]\n[roles.DEVELOPER]\n[roles.REVIEWER]\n"
BLOCK = "### [DIRECTOR] 2026-03-28 14:30\n\n**Status**: in progress\n**Turn**: REVIEWER\n**Tier**: 3\n**Task**: t\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "p"
    (root / "src").mkdir(parents=True)
    (root / "src" / "a.py").write_text("x = 1\n")
    (root / "teamops.toml").write_text(TOML)
    (root / "current.md").write_text(BLOCK)
    return root


def run(project: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "teamops", "guard", *words, "-C", str(project)],
        cwd=project,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (("--role", "director", "src/a.py"), 1, 'rule     write.deny "*.py"'),
        (("--role", "DIRECTOR", "--tier", "1", "src/a.py"), 0, 'rule     tier_1.fix "*"'),
        (("--role", "DEVELOPER", "src/a.py"), 0, 'rule     write.allow "*"'),
        (("--role", "DEVELOPER", "--now", "src/a.py"), 1, "rule     light"),
        (("--role", "REVIEWER", "--now", "reviews/x.md"), 0, 'rule     write.allow "/reviews/"'),
        (("--role", "REVIEWER", "src/a.py"), 1, "DEVELOPER may change it"),
        (("--role", "DEVELOPER", "--delete", "current.md"), 1, "rule     handoff"),
        (("--role", "DEVELOPER", "~no-such-user/x"), 1, "whose home it is in can't be said"),
        (("--role", "REVIEWER", "--command", "git log --output=x"), 1, "rule     commands.words"),
        (("--role", "REVIEWER", "--command", "git log"), 0, "rule     reading"),
        (("--role", "REVIEWER", "--command", "echo x >> current.md"), 0, "because  every role writes its blocks there"),
        (("--role", "REVIEWER", "--command", "echo x > reviews/r"), 0, "because  REVIEWER may change it (reviews/r)"),
        (("--role", "REVIEWER", "--command", "env -u TEAMOPS_ROLE teamops append --turn X"), 1, "rule     speaks"),
        (("--role", "DEVELOPER", "--command", "git push"), 1, 'rule     commands.deny "git push*"'),
        (("--role", "DEVELOPER", "--command", "\x1b[31mx"), 0, "rule     commands.not_understood"),
    ],
)
def test_the_rule_that_decides_is_said(project: Path, words: tuple[str, ...], status: int, says: str) -> None:
    done = run(project, "explain", *words)
    assert (done.returncode, done.stderr) == (status, "")
    assert says in done.stdout
    assert "\x1b" not in done.stdout


LAYERS = """
[roles.DIRECTOR]
command = "claude"
[roles.REVIEWER]
command = "claude"
[roles.CODER]
client = "sdk"
command = "sleep 9"
"""


@pytest.mark.skipif(not (means().bwrap and means().landlock), reason="nothing here holds")
@pytest.mark.parametrize(
    ("role", "words", "layer", "says"),
    [
        ("REVIEWER", ("src/a.py",), "kernel", "held by the kernel (bwrap and Landlock"),
        ("REVIEWER", ("reviews/x.md",), "", "none has to: it may"),
        ("DIRECTOR", ("src/a.py",), "hooks and audit", "hooks and audit only (the folder is writable)"),
        ("DIRECTOR", ("teamops.toml",), "kernel", "held by the kernel"),
        ("CODER", ("reviews/x.md",), "kernel", "held by the kernel"),
        ("CODER", ("opencode.json",), "kernel", "held by the kernel"),
        ("CODER", ("src/opencode.json",), "audit", "the audit only: what it runs has no hooks (sdk)"),
        (
            "CODER",
            ("--command", "git push"),
            "",
            "nobody refuses it: what it runs has no hooks (sdk); whatever it runs",
        ),
        ("REVIEWER", ("--command", "git push"), "hooks", "hooks only: a kernel knows no command lines"),
        ("REVIEWER", ("--command", "git log"), "", "none has to: it may; whatever it runs, the kernel"),
    ],
)
def test_the_layer_that_holds_the_answer_is_said(
    project: Path, role: str, words: tuple[str, ...], layer: str, says: str
) -> None:
    (project / "teamops.toml").write_text(LAYERS)
    (project / "reviews").mkdir()
    before = sorted(project.rglob("*"))
    told = json.loads(run(project, "explain", "--json", "--role", role, *words).stdout)
    assert (told["layer"], told["held"][: len(says)]) == (layer, says)
    shown = run(project, "explain", "--role", role, *words).stdout
    assert f"\n  layer    {says}" in shown
    assert sorted(project.rglob("*")) == before  # asking makes nothing


@pytest.mark.skipif(not (means().bwrap and means().landlock), reason="nothing here holds")
@pytest.mark.parametrize("mode", ["auto", "require"])
def test_inside_a_boundary_the_machine_is_not_said_to_lack_what_can_t_be_tried_there(project: Path, mode: str) -> None:
    (project / "teamops.toml").write_text(f'{LAYERS}[sandbox]\nmode = "{mode}"\n')
    (project / "reviews").mkdir()
    outside = json.loads(run(project, "explain", "--json", "--role", "DIRECTOR", "teamops.toml").stdout)
    teamops, where = (sys.executable, "-m", "teamops"), ("-C", str(project))
    asked = ("guard", "explain", *where, "--json", "--role", "DIRECTOR", "teamops.toml")
    done = subprocess.run(
        [*teamops, "run", *where, "--role", "REVIEWER", "--", *teamops, *asked],
        cwd=project, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    inside = json.loads(done.stdout)
    assert inside["layer"] == outside["layer"] == "kernel"
    assert inside["held"] == f"{outside['held']}; bwrap can't be tried from inside REVIEWER's boundary"


def test_without_a_sandbox_the_layer_says_why(project: Path) -> None:
    (project / "teamops.toml").write_text(LAYERS + '[sandbox]\nmode = "off"\n')
    told = json.loads(run(project, "explain", "--json", "--role", "REVIEWER", "src/a.py").stdout)
    assert told["layer"] == "hooks and audit"
    assert told["held"] == "hooks and audit only (the kernel holds nothing: sandbox.mode is off)"


def test_a_program_hears_the_same(project: Path) -> None:
    done = run(project, "explain", "--role", "REVIEWER", "--json", "src/a.py")
    told = json.loads(done.stdout)
    assert done.returncode == 1
    assert (told["schema"], told["verdict"], told["rule"], told["about"]) == (
        "teamops.guard/1",
        "deny",
        "write.allow",
        "src/a.py",
    )
    assert told["network"]


@pytest.mark.parametrize(
    "words",
    [
        ("--role", "DIRECTOR"),
        ("--role", "DIRECTOR", "x", "--command", "y"),
        ("--role", "NOBODY", "x"),
        ("--role", "DIRECTOR", "x", "--now", "--tier", "1"),
        ("x",),
    ],
)
def test_wrong_use_is_refused(project: Path, words: tuple[str, ...]) -> None:
    done = run(project, "explain", *words)
    assert done.returncode == 2
    assert done.stderr
    assert not done.stdout


def test_without_a_team_the_shipped_profiles_answer(project: Path) -> None:
    (project / "teamops.toml").unlink()
    assert "write.deny" in run(project, "explain", "--role", "DIRECTOR", "src/a.py").stdout


def test_whose_turn_it_is_is_printed_as_hooks_are_told(project: Path) -> None:
    told = json.loads(run(project, "light").stdout)
    assert told["rows"] == [{"role": "REVIEWER", "task": "t", "tier": 3, "named": []}]
    seen = (project / "current.md").stat()
    assert told["file"] == [seen.st_dev, seen.st_ino, seen.st_size, seen.st_mtime_ns]
    (project / "current.md").unlink()
    assert json.loads(run(project, "light").stdout) == {"v": 1, "file": [], "rows": []}
