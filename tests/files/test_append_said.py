"""What ``teamops append`` says where it refuses: the task that was meant, what was run, what stands already."""

from __future__ import annotations

import json
import os
from contextlib import closing
from pathlib import Path

import pytest

from teamops.config.load import load
from teamops.handoff import parse
from teamops.ledger.store import open_ledger
from teamops.model.protocol import GateRun
from teamops.supervisor.lease import state_dir_of
from tests.files.test_append_cli import GATES, given, run

OPENED = """\
### [DIRECTOR] 2026-03-28 14:30

**Status**: in progress
**Turn**: CODER
**Tier**: 2
**Task**: export-limit

#### For Coder
Build it.
"""
NOTED = ("--role", "CODER", "--status", "in progress", "--turn", "DIRECTOR", "--section", "A=b")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "current.md").write_text(OPENED)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TEAMOPS_STATE_DIR", str(tmp_path / "state"))
    given(monkeypatch, "")
    return tmp_path


def failed_run(folder: Path) -> None:
    failed = GateRun(
        task="export-limit",
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
    with closing(open_ledger(state_dir_of(load(folder), folder / "state") / "ledger.sqlite3")) as ledger:
        ledger.audit.add_gate_run(failed)


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, object]:
    code, out, err = run(capsys, "--json", *arguments)
    said = json.loads(out)
    assert (said["schema"], said["ok"], err, code > 0) == ("teamops.append/1", False, "", True)
    assert isinstance(said, dict)
    return said


# what was run

CHECKLIST = "- [x] runs: pytest 3 passed\n- [x] correct: tried it\n- [x] complete: docs, tests\n"
DONE = ("--role", "CODER", "--status", "done", "--turn", "DIRECTOR")


@pytest.mark.parametrize("way", ["option", "section", "stdin-section", "stdin-text", "whole"])
def test_a_claim_is_held_against_the_run_wherever_it_stands(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    failed_run(folder)
    words: tuple[str, ...] = DONE
    if way == "option":
        words += ("--gates", GATES, "--section", "A=b")
    elif way == "section":
        words += ("--section", f"Gates={CHECKLIST}")
    elif way == "stdin-section":
        given(monkeypatch, CHECKLIST)
        words += ("--section", "Gates=-")
    elif way == "stdin-text":
        given(monkeypatch, f"Built it.\n\n#### Gates\n{CHECKLIST}")
    else:
        given(
            monkeypatch,
            "### [CODER] 2026-03-28 15:00\n\n**Status**: done\n**Turn**: DIRECTOR\n**Tier**: 2\n"
            f"**Task**: export-limit\n\n#### Gates\n{CHECKLIST}",
        )
        words = ()
    said = refusal(capsys, *words)
    assert [one["code"] for one in said["refused"]] == ["gate-contradicted"]  # type: ignore[attr-defined]
    assert (folder / "current.md").read_text() == OPENED


# which task was meant


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("--task", "export-limits"), "did you mean --task export-limit?"),
        (("--task", "export-limits", "--tier", "2"), "did you mean --task export-limit?"),
        (
            ("--task", "login", "--tier", "2"),
            "only DIRECTOR or HUMAN open a task; CODER holds the light of export-limit",
        ),
        (("--task", "login"), "only DIRECTOR or HUMAN open a task; CODER holds the light of export-limit"),
        (
            ("--role", "DEVELOPER", "--task", "export-limits", "--tier", "2"),
            "only DIRECTOR or HUMAN open a task; DEVELOPER holds no light now",
        ),
        (
            ("--role", "DIRECTOR", "--task", "export-limits"),
            "did you mean --task export-limit? For a new one say it: --tier 1, 2 or 3",
        ),
        (("--role", "DIRECTOR", "--task", "login"), "say it: --tier 1, 2 or 3"),
        (
            ("--role", "DEVELOPER", "--task", "export-limit"),
            "it is not your turn: wait until a block's Turn names DEVELOPER",
        ),
    ],
)
def test_who_names_a_task_that_is_not_theirs_is_told_which_is(
    folder: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], hint: str
) -> None:
    code, _, err = run(capsys, *NOTED, *words)
    assert (code > 0, (folder / "current.md").read_text()) == (True, OPENED)
    assert f"  → {hint}\n" in err


def test_who_holds_another_light_of_a_similar_name_is_asked_for_it(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    other = OPENED.replace("export-limit", "export limits").replace("CODER", "DEVELOPER")
    (folder / "current.md").write_text(f"{OPENED}\n{other}")
    said = refusal(capsys, *NOTED[2:], "--role", "DEVELOPER", "--task", "export-limit")
    assert said["code"] == "refused"
    assert said["refused"][0]["hint"] == "did you mean --task 'export limits'?"  # type: ignore[index]
    given(
        monkeypatch,
        "### [CODER] 2026-03-28 15:00\n\n**Status**: a\n**Turn**: CODER\n**Tier**: 2\n**Task**: export limits\n",
    )
    said = refusal(capsys)
    assert said["refused"][0]["hint"] == "did you mean **Task**: export-limit?"  # type: ignore[index]


def test_a_task_name_that_is_markup_is_refused_for_that(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, *NOTED, "--role", "DIRECTOR", "--turn", "CODER", "--task", "a **z**", "--tier", "2")
    assert (code, (folder / "current.md").read_text()) == (1, OPENED)
    assert "plain text" in err


@pytest.mark.parametrize(
    ("words", "code", "hint"),
    [
        (DONE, "gates-missing", "write it with **Gates**: "),
        ((*DONE, "--tier", "1"), "tier-lowered", "write it with **Tier**: 2"),
        ((*DONE, "--turn", "REVIEWER"), "turn-not-allowed", "give the light to DIRECTOR"),
    ],
)
def test_a_block_that_does_not_stand_yet_is_mended_itself(
    folder: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], code: str, hint: str
) -> None:
    refused = refusal(capsys, *words, "--section", "A=b")["refused"]
    (said,) = [one["hint"] for one in refused if one["code"] == code]  # type: ignore[attr-defined]
    assert said.startswith(hint)
    assert "append" not in said
    assert "by then" not in said
    assert "before" not in said


# every refusal for programs


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (NOTED[:2], "wrong-use"),
        ((*NOTED, "--role", "DIRETCOR"), "wrong-use"),
        ((*NOTED, "--turn", "DIRETCOR"), "refused"),
        ((*DONE, "--section", "A=b", "--force"), "failed"),
    ],
)
def test_each_refusal_has_a_code_a_message_and_a_hint(
    folder: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], code: str
) -> None:
    if code == "failed":
        (state_dir_of(load(folder), folder / "state") / "ledger.sqlite3").mkdir(parents=True)  # no file can be there
    said = refusal(capsys, *words)
    assert said["code"] == code
    assert isinstance(said["message"], str)
    assert said["message"]
    assert isinstance(said["hint"], str)
    assert bool(said["refused"]) == (code == "refused")
    assert (folder / "current.md").read_text() == OPENED


# what stands already


def test_a_force_is_recorded_of_one_block(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    block = "### [DEVELOPER] 2026-03-28 15:00\n\n**Status**: a\n**Turn**: CODER\n**Tier**: 2\n**Task**: export-limit\n"
    given(monkeypatch, block)
    assert run(capsys, "--force")[0] == 0
    stands = (folder / "current.md").read_text()
    given(monkeypatch, block)
    code, _, err = run(capsys, "--force")
    assert (code, (folder / "current.md").read_text()) == (1, stands)
    assert f"line {parse(stands.encode()).blocks[1].line} already" in err


# no file


@pytest.mark.parametrize("kind", ["pipe", "device", "folder"])
def test_what_is_no_file_is_refused_at_once(folder: Path, capsys: pytest.CaptureFixture[str], kind: str) -> None:
    path = folder / "current.md"
    path.unlink()
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to("/dev/zero")
    said = refusal(capsys, *NOTED)
    assert said["message"] == f"current.md can't be read: it is a {kind}, no file"
