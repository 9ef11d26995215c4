"""``teamops append`` as agents and people call it."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from teamops.cli.main import main
from teamops.config.load import load
from teamops.handoff import parse
from teamops.ledger.store import open_ledger
from teamops.model.handoff import Handoff
from teamops.model.protocol import GateRun
from teamops.supervisor.lease import state_dir_of

OPENED = """\
### [DIRECTOR] 2026-03-28 14:30

**Status**: in progress
**Turn**: CODER
**Tier**: 2
**Task**: login

#### For Coder
Build it.
"""
GATES = "runs=pass (pytest -q: 3 passed); correct=pass (tried it); complete=pass (docs, tests)"
HAND_ON = ("--status", "done", "--turn", "DIRECTOR", "--gates", GATES, "--section", "What I Did=Built it.")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "current.md").write_text(OPENED)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TEAMOPS_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"")))
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as left:
        main(["append", *arguments])
    out, err = capsys.readouterr()
    assert isinstance(left.value.code, int)
    return left.value.code, out, err


def given(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))


def read(folder: Path) -> Handoff:
    return parse((folder / "current.md").read_bytes())


def ledger_of(folder: Path) -> Path:
    return state_dir_of(load(folder), folder / "state") / "ledger.sqlite3"


def test_the_options_make_a_block_of_the_light_that_is_held(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "--role", "coder", *HAND_ON)
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "current.md:11 [CODER] → DIRECTOR (task login)",
        "DIRECTOR has the light; not poked: there is no teamops.toml that names its session",
    ]
    handoff = read(folder)
    assert [problem.code for problem in handoff.problems] == []
    block = handoff.blocks[1]
    assert (block.role, block.task, block.tier, block.status, block.line) == ("CODER", "login", 2, "done", 11)
    assert not (folder / "state").exists()  # an agent needs no ledger


def test_a_whole_block_comes_on_standard_input(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    block = f"### [CODER] 2026-03-28 15:00\n\n**Status**: done\n**Turn**: DIRECTOR\n**Tier**: 2\n**Gates**: {GATES}\n"
    monkeypatch.setenv("TEAMOPS_ROLE", "CODER")
    given(monkeypatch, block)
    code, out, _ = run(capsys)
    assert (code, out.splitlines()[0]) == (0, "current.md:11 [CODER] → DIRECTOR (task login)")
    assert (folder / "current.md").read_text() == f"{OPENED}\n{block}"


def test_what_breaks_a_rule_is_refused_and_nothing_written(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(
        capsys, "--role", "DEVELOPER", "--task", "login", "--status", "done", "--turn", "DIRECTOR", "--section", "A=b"
    )
    assert (code, out) == (1, "")
    assert "two-lights (error): " in err
    assert "gates-missing (error): " in err
    assert "    → it is not your turn: wait until a block's Turn names DEVELOPER\n" in err
    assert "    → write it with **Gates**: " in err
    assert "--force" in err
    assert (folder / "current.md").read_text() == OPENED


def test_a_refusal_for_programs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(
        capsys, "--json", "--role", "CODER", "--status", "done", "--turn", "DIRECTORR", "--section", "A=b"
    )
    said = json.loads(out)
    assert (code, said["schema"], said["ok"]) == (1, "teamops.append/1", False)
    assert "unknown-turn" in [one["code"] for one in said["refused"]]
    assert list(said["refused"][0]) == ["code", "severity", "line", "message", "hint"]
    assert (folder / "current.md").read_text() == OPENED


def test_a_success_for_programs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "--json", "--role", "CODER", *HAND_ON)
    said = json.loads(out)
    assert (code, said["ok"], said["line"], said["light"], said["stage"]) == (0, True, 11, "DIRECTOR", "verify")
    assert (said["forced"], said["warnings"], said["announced"]["how"]) == ([], [], "no session")


def test_force_writes_and_is_recorded(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(
        capsys, "--force", "--role", "CODER", "--status", "done", "--turn", "DIRECTOR", "--section", "A=b"
    )
    assert code == 0
    assert "written by force against gates-missing; that is recorded" in out
    block = read(folder).blocks[1]
    ledger = open_ledger(ledger_of(folder))
    forced = ledger.audit.forced()
    ledger.close()
    assert list(forced) == [block.digest]
    assert forced[block.digest].startswith("gates-missing: ")


def test_force_that_was_not_needed_is_none(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "--force", "--role", "CODER", *HAND_ON)
    assert (code, "force" in out) == (0, False)
    assert not (folder / "state").exists()


def test_force_without_a_ledger_writes_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ledger_of(folder).mkdir(parents=True)  # no file can be there
    code, _, err = run(
        capsys, "--force", "--role", "CODER", "--status", "done", "--turn", "DIRECTOR", "--section", "A=b"
    )
    assert code == 1
    assert "ledger" in err
    assert (folder / "current.md").read_text() == OPENED


@pytest.mark.parametrize("arguments", [("--role", "DIRECTOR", *HAND_ON), ("--role", "HUMAN", *HAND_ON)])
def test_an_agent_writes_for_itself_alone(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.setenv("TEAMOPS_ROLE", "CODER")
    code, _, err = run(capsys, *arguments)
    assert (code, (folder / "current.md").read_text()) == (2, OPENED)
    assert "CODER's shell" in err


@pytest.mark.parametrize("extra", [(), ("--force",)])
def test_a_humans_block_needs_a_terminal(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, extra: tuple[str, ...]
) -> None:
    code, _, err = run(capsys, "--role", "HUMAN", "--task", "login", *HAND_ON, *extra)
    assert (code, (folder / "current.md").read_text()) == (2, OPENED)
    assert "no terminal" in err
    given(monkeypatch, "### [HUMAN] 2026-03-28 15:00\n\n**Status**: ok\n**Turn**: NONE\n**Tier**: 2\n")
    code, _, err = run(capsys, *extra)
    assert (code, (folder / "current.md").read_text()) == (2, OPENED)
    assert "no terminal" in err


def test_empty_standard_input_is_wrong_use(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys)
    assert code == 2
    assert "no block on standard input" in err


def test_a_file_whose_fence_is_open_swallows_no_block(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = f"{OPENED}\n```\nnever closed\n"
    (folder / "current.md").write_text(broken)
    code, _, err = run(capsys, "--role", "CODER", *HAND_ON)
    assert (code, (folder / "current.md").read_text()) == (1, broken)
    assert "line 11" in err
    assert "never closed" in err


def test_a_block_that_would_swallow_the_next_one_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    given(
        monkeypatch,
        f"### [CODER] 2026-03-28 15:00\n\n**Status**: done\n**Turn**: DIRECTOR\n**Gates**: {GATES}\n\n```\nopen\n",
    )
    code, _, err = run(capsys)
    assert (code, (folder / "current.md").read_text()) == (1, OPENED)
    assert "unclosed-fence" in err
    assert "line 7 of the block" in err


def test_a_claim_that_the_last_run_contradicts_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ledger = open_ledger(ledger_of(folder))
    failed = GateRun(
        task="login",
        gate="runs",
        command="pytest -q",
        ok=False,
        exit_status=1,
        started_wall=1.7e9,
        seconds=3.0,
        commit="",
        tree="",
        tail="",
    )
    ledger.audit.add_gate_run(failed)
    ledger.close()
    code, _, err = run(capsys, "--role", "CODER", *HAND_ON)
    assert (code, (folder / "current.md").read_text()) == (1, OPENED)
    assert "gate-contradicted" in err


OPENING = (
    *("--role", "DIRECTOR", "--status", "in progress", "--turn", "CODER", "--tier", "2", "--task", "x"),
    *("--section", "A=b"),
)


@pytest.mark.parametrize("named", ["option", "variable", "git", "toml"])
def test_a_file_is_made_where_it_is_meant_and_that_is_said(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    (folder / "current.md").unlink()
    if named == "variable":
        monkeypatch.setenv("TEAMOPS_PROJECT", str(folder))
    elif named == "git":
        (folder / ".git").mkdir()
    elif named == "toml":
        (folder / "teamops.toml").write_text("[poke]\nauto = false\n[roles.DIRECTOR]\n[roles.CODER]\n")
    code, out, _ = run(capsys, *OPENING, *(["-C", "."] if named == "option" else []))
    assert (code, out.splitlines()[:2]) == (
        0,
        [f"made current.md in {folder}", "current.md:1 [DIRECTOR] → CODER (task x)"],
    )
    assert read(folder).blocks[0].line == 1
    code, out, _ = run(capsys, "--role", "CODER", *HAND_ON)
    assert (code, "made" in out) == (0, False)


@pytest.mark.parametrize("git", [False, True])
def test_no_file_is_made_where_an_agent_went_astray(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, git: bool
) -> None:
    (folder / "current.md").unlink()
    (folder / "src").mkdir()
    if git:
        (folder / ".git").mkdir()
    monkeypatch.chdir(folder / "src")
    code, _, err = run(capsys, *OPENING, "--force")
    assert (code, list((folder / "src").iterdir())) == (2, [])
    assert f"there is no teamops.toml and no current.md in {folder / 'src'} or above it" in err
    assert ("-C ., if it is this folder" in err, f"-C {folder}, or -C . for this folder" in err) == (not git, git)


def test_a_project_above_is_found_from_a_subfolder(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "src").mkdir()
    monkeypatch.chdir(folder / "src")
    assert run(capsys, "--role", "CODER", *HAND_ON)[0] == 0
    assert len(read(folder).blocks) == 2


# who there is


@pytest.fixture
def team(folder: Path) -> Path:
    """A team without a DEVELOPER."""
    (folder / "teamops.toml").write_text("[poke]\nauto = false\n[roles.DIRECTOR]\n[roles.CODER]\n[roles.REVIEWER]\n")
    return folder


def test_a_light_for_a_role_that_the_team_lacks_is_refused(team: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = tuple("DEVELOPER" if word == "CODER" else word for word in OPENING)
    code, out, err = run(capsys, *words)
    assert (code, out, (team / "current.md").read_text()) == (1, "", OPENED)
    assert "  absent-turn (error): the team has no DEVELOPER (who gets the light)\n" in err
    hint = "teamops.toml names DIRECTOR, CODER, REVIEWER; HUMAN stands in for a role that is missing"
    assert f"    → {hint}\n" in err
    code, out, _ = run(capsys, *words, "--force")
    assert code == 0
    assert "written by force against absent-turn; that is recorded" in out
    assert "DEVELOPER has the light; not poked: teamops.toml names no DEVELOPER" in out


@pytest.mark.parametrize("turn", ["CODER", "HUMAN"])
def test_a_light_for_whom_the_team_has_is_written(team: Path, capsys: pytest.CaptureFixture[str], turn: str) -> None:
    code, _, err = run(capsys, *(turn if word == "CODER" else word for word in OPENING))
    assert (code, err) == (0, "")


def test_a_role_that_the_team_lacks_may_write_and_is_warned(team: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (team / "current.md").write_text(OPENED.replace("CODER", "DEVELOPER"))
    code, _, err = run(capsys, "--role", "DEVELOPER", *HAND_ON)
    assert code == 0
    assert "absent-role (warning): the team has no DEVELOPER (who writes)" in err
    assert "absent-turn" not in err


@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("extra", [(), ("--task", "login")])
def test_a_typing_error_in_the_role_is_said_as_one(
    folder: Path, capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest, known: bool, extra: tuple[str]
) -> None:
    if known:
        request.getfixturevalue("team")
    code, _, err = run(capsys, "--role", "DIRETCOR", *HAND_ON, *extra)
    assert (code, (folder / "current.md").read_text()) == (2, OPENED)
    assert "DIRETCOR is no role of this team" in err
    assert "did you mean DIRECTOR?" in err
    assert "not your turn" not in err


def test_a_typing_error_in_the_heading_or_by_force(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    given(monkeypatch, OPENED.replace("[DIRECTOR]", "[DIRETCOR]"))
    code, _, err = run(capsys)
    assert (code, (folder / "current.md").read_text()) == (2, OPENED)
    assert "did you mean DIRECTOR?" in err
    code, out, _ = run(capsys, "--force", "--role", "DIRETCOR", "--task", "login", *HAND_ON)
    assert code == 0
    assert "written by force against unknown-role" in out


def test_a_typing_error_in_the_turn_names_who_there_is(team: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = (*HAND_ON[:3], "DIRETCOR", *HAND_ON[4:])
    code, _, err = run(capsys, "--role", "CODER", *words)
    assert (code, (team / "current.md").read_text()) == (1, OPENED)
    assert "    → did you mean DIRECTOR?\n" in err
    assert ("absent-turn" in err, "not your turn" in err) == (False, False)
    _, _, err = run(capsys, "--role", "CODER", *HAND_ON[:3], "DEVELOPR", *HAND_ON[4:])
    assert "    → roles: CODER, DIRECTOR, HUMAN, REVIEWER\n" in err


def test_the_project_of_the_agent_is_found_from_anywhere(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    monkeypatch.setenv("TEAMOPS_PROJECT", str(folder))
    monkeypatch.setenv("TEAMOPS_ROLE", "CODER")
    assert run(capsys, *HAND_ON)[0] == 0
    assert len(read(folder).blocks) == 2


def test_eight_writers_at_once_lose_nothing(folder: Path) -> None:
    """Each opens its own task, from a process of its own, as agents do."""
    writers = [
        subprocess.Popen(
            [
                sys.executable, "-m", "teamops", "append", "--role", "DIRECTOR", "--task", f"t{number}", "--tier", "2",
                "--status", "in progress", "--turn", "CODER", "--section", f"For Coder={number}",
            ],
            cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        )
        for number in range(8)
    ]  # fmt: skip
    said = [writer.communicate(timeout=60)[0].decode() for writer in writers]
    assert [writer.returncode for writer in writers] == [0] * 8, said
    handoff = read(folder)
    assert handoff.problems == ()
    assert {block.task for block in handoff.blocks} == {"login", *(f"t{number}" for number in range(8))}
    # What each was told is where its block stands.
    lines = {block.task: block.line for block in handoff.blocks}
    for number, one in enumerate(said):
        assert one.startswith(f"current.md:{lines[f't{number}']} ")
