"""``teamops handoff`` as people and scripts call it."""

from __future__ import annotations

import io
import json
import os
from contextlib import closing
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import NoReturn

import pytest

from teamops.cli.main import main
from teamops.config.load import load
from teamops.ledger.connection import LedgerError
from teamops.ledger.store import open_ledger
from teamops.model.role import DEVELOPER, DIRECTOR, Role
from teamops.model.tail import Position
from teamops.model.usage import Tokens, Usage
from teamops.supervisor.lease import state_dir_of

GOOD = """\
### [DIRECTOR] 2026-03-28 14:30

**Status**: done
**Turn**: DEVELOPER
**Tier**: 2
**Task**: Webhooks
**Mood**: 明るい

#### For Developer
Build it.

### [DEVELOPER] 2026-03-28 15:00

**Status**: done
**Turn**: DIRECTOR
**Tier**: 2
**Gates**: runs=pass (pytest: 3 passed); correct=pass (tried it); complete=pass (docs)

### [DIRECTOR]

**Status**: open
**Task**: 別の仕事
**Turn**: CODER
"""

HUMAN = """\
### [HUMAN] 2026-03-28 16:00

**Status**: question
**Turn**: DIRECTOR
**Task**: Webhooks
**Tier**: 2
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as left:
        main(["handoff", *arguments])
    out, err = capsys.readouterr()
    assert isinstance(left.value.code, int)
    return left.value.code, out, err


def test_json_is_the_contract(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "current.md").write_text(GOOD)
    code, out, _ = run(capsys, "show", "--json")
    assert code == 0
    shown = json.loads(out)
    assert list(shown) == ["schema", "blocks", "problems", "findings", "tasks"]
    assert shown["schema"] == "teamops.handoff/1"
    assert shown["blocks"][0] == {
        "role": "DIRECTOR",
        "at": "2026-03-28T14:30",
        "line": 1,
        "task": "Webhooks",
        "status": "done",
        "turn": "DEVELOPER",
        "tier": 2,
        "fields": {"Status": "done", "Turn": "DEVELOPER", "Tier": "2", "Task": "Webhooks", "Mood": "明るい"},
        "sections": [{"title": "For Developer", "line": 9}],
        "digest": shown["blocks"][0]["digest"],
    }
    assert len(shown["blocks"][0]["digest"]) == 24
    assert shown["findings"] == []
    assert [block["task"] for block in shown["blocks"]] == ["Webhooks", "Webhooks", "別の仕事"]
    assert (shown["blocks"][2]["at"], shown["blocks"][2]["tier"]) == (None, None)
    assert [problem["code"] for problem in shown["problems"]] == ["missing-tier", "missing-date"]
    assert list(shown["problems"][0]) == ["line", "column", "code", "severity", "message", "hint"]
    assert shown["tasks"] == [
        {
            "task": "Webhooks",
            "turn": "DIRECTOR",
            "tier": 2,
            "stage": "verify",
            "since_line": 12,
            "rounds": 0,
            "open": True,
            "standing": "done",
        },
        {
            "task": "別の仕事",
            "turn": "CODER",
            "tier": None,
            "stage": "implement",
            "since_line": 19,
            "rounds": 0,
            "open": True,
            "standing": "open",
        },
    ]


def test_people_get_tables_in_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "current.md").write_text(GOOD)
    code, out, _ = run(capsys, "show")
    assert code == 0
    lines = out.splitlines()
    assert lines[0].split() == ["TASK", "TIER", "LIGHT", "STAGE", "SINCE", "LINE", "ROUNDS", "STANDING"]
    assert lines[1].index("2  ") == len("別の仕事") * 2 + 2
    assert "DEVELOPER → DIRECTOR" in out
    assert "2 problems" in out


def test_one_task_alone(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "current.md").write_text(GOOD)
    code, out, _ = run(capsys, "show", "--json", "--task", "webHOOKS")
    shown = json.loads(out)
    assert (code, len(shown["blocks"]), len(shown["tasks"]), shown["problems"]) == (0, 2, 1, [])
    code, out, err = run(capsys, "show", "--task", "Webhoks")
    assert (code, out) == (2, "")
    assert "did you mean Webhooks?" in err
    code, _, err = run(capsys, "show", "--task", "zzz")
    assert "tasks: Webhooks, 別の仕事" in err


def test_an_empty_file_is_shown(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "team.md").touch()
    assert run(capsys, "show", "team.md")[:2] == (0, "No blocks yet.\n")


def test_a_block_in_writing_is_shown_as_such(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "team.md").write_text("### [CODER] 2026-03-28 14:30\n")
    assert "(being written)" in run(capsys, "show", "team.md")[1]


def test_lint_prints_one_line_a_problem_and_fails_on_errors(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "bad.md").write_text("### [DIRECTOR] 2026-03-28\n\n**Status**: done\n**Tier**: 2\n\nEnd.\n")
    code, out, err = run(capsys, "lint", "bad.md")
    assert code == 1
    assert out.splitlines() == [
        "bad.md:1:1 error missing-turn the block has no Turn, so the light stays where it was (add **Turn**: ROLE)",
        'bad.md:1:16 warning bad-date "2026-03-28" is no date and time (write the local time as YYYY-MM-DD HH:MM)',
    ]
    assert "1 error, 1 warning" in err


def test_lint_passes_without_errors(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "current.md").write_text(GOOD.partition("### [DIRECTOR]\n")[0])
    code, out, err = run(capsys, "lint")
    assert (code, out) == (0, "")
    assert "current.md: 2 blocks, no problems" in err


@pytest.mark.parametrize("command", ["show", "lint"])
def test_a_file_that_cannot_be_read_is_wrong_use(
    folder: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    for arguments in ([], ["missing.md"], ["."]):
        code, out, err = run(capsys, command, *arguments)
        assert (code, out) == (2, "")
        assert "can't be read" in err


def test_standard_input(folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"### [CODR] 2026-03-28 14:30\n\nText.\n")))
    code, out, _ = run(capsys, "lint", "-")
    assert code == 1
    assert out.startswith("<stdin>:1:")


@pytest.mark.parametrize("named", [False, True], ids=["default", "named"])
def test_the_team_s_own_roles_are_known(folder: Path, capsys: pytest.CaptureFixture[str], *, named: bool) -> None:
    (folder / "teamops.toml").write_text('handoff = "team.md"\n\n[roles.QA]\nclient = "command"\n')
    (folder / "team.md").write_text("### [DIRECTOR] 2026-03-28 14:30\n\n**Status**: x\n**Turn**: QA\n**Tier**: 1\n")
    code, out, err = run(capsys, "lint", *(["team.md"] if named else []))
    assert (code, out) == (0, "")
    assert err.startswith("team.md: 1 block,")


def test_a_broken_configuration_does_not_hide_a_named_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "teamops.toml").write_text("nonsense = 1\n")
    (folder / "team.md").write_text("### [DIRECTOR] 2026-03-28 14:30\n\n**Status**: x\n**Turn**: QA\n**Tier**: 1\n")
    code, out, err = run(capsys, "lint", "team.md")
    assert code == 1  # without the team's configuration nobody knows its QA
    assert "unknown-turn" in out
    assert "the usual roles are taken" in err


TASKS = (
    GOOD.replace("別の仕事", "other")
    .replace("**Status**: open\n", "**Status**: open\n**Tier**: 2\n")
    .replace("### [DIRECTOR]\n", "### [DIRECTOR] 2026-03-28 15:10\n")
    + """
### [DEVELOPER] 2026-03-28 15:20

**Status**: note
**Turn**: CODER
**Tier**: 2
**Task**: other

### [DIRECTOR] 2026-03-28 16:00

**Status**: done
**Turn**: NONE
**Task**: Webhooks
**Gates**: runs=pass (pytest: 3 passed); correct=pass (tried it); complete=pass (docs)
"""
)


def test_tasks_say_where_each_stands(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "current.md").write_text(TASKS)
    code, out, _ = run(capsys, "tasks")
    assert code == 0
    lines = out.splitlines()
    assert lines[0].split() == ["TASK", "TIER", "LIGHT", "STAGE", "ROUNDS", "STANDING", "FINDINGS"]
    assert lines[1].split()[:3] == ["other", "2", "CODER"]
    assert "1 closed task not shown: --all" in out
    _, out, _ = run(capsys, "tasks", "--all")
    assert "Webhooks" in out
    assert "Webhooks: design 0 s, implement 30 min, verify 1 h 00 min\n" in out


def test_tasks_for_programs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "current.md").write_text(TASKS)
    _, out, _ = run(capsys, "tasks", "--json", "--all")
    shown = json.loads(out)
    assert (shown["schema"], shown["recorded"]) == ("teamops.tasks/1", False)
    done, other = shown["tasks"]
    assert list(done) == [
        "task", "turn", "tier", "stage", "open", "standing", "rounds", "since_line", "since", "blocks", "stages",
        "gates", "findings", "cost",
    ]  # fmt: skip
    assert done["cost"] is None
    assert (done["stage"], done["open"], done["standing"], done["blocks"]) == ("closed", False, "done", 3)
    assert {"stage": "implement", "seconds": 1800, "visits": 1, "current": False} in done["stages"]
    assert done["gates"][0] == {
        "name": "runs",
        "result": "pass",
        "evidence": "pytest: 3 passed",
        "line": done["gates"][0]["line"],
    }
    finding = next(one for one in other["findings"] if one["code"] == "not-holder")
    assert (finding["task"], finding["role"], finding["line"]) == ("other", "DEVELOPER", 26)


def test_the_story_of_one_task(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "current.md").write_text(TASKS)
    _, out, _ = run(capsys, "tasks", "--task", "other")
    assert out.startswith("other: tier 2, implement, the light is CODER's, open\n")
    row = next(line for line in out.splitlines() if line.startswith("26 "))
    assert "DEVELOPER → CODER" in row
    assert "! not-holder" in row
    assert "current.md:26 error not-holder\n  " in out
    _, out, _ = run(capsys, "tasks", "--task", "webhooks", "--json")
    timeline = json.loads(out)["tasks"][0]["timeline"]
    assert [(entry["role"], entry["stage"], entry["held_s"]) for entry in timeline] == [
        ("DIRECTOR", "design", None),
        ("DEVELOPER", "implement", 1800),
        ("DIRECTOR", "verify", 3600),
    ]
    assert run(capsys, "tasks", "--task", "nosuch")[0] == 2


COSTLY = """\
### [DIRECTOR] 2026-03-28 14:30

**Status**: done
**Turn**: DEVELOPER
**Tier**: 2
**Task**: Webhooks

### [DEVELOPER] 2026-03-28 15:00

**Status**: blocked
**Turn**: DIRECTOR
**Tier**: 2
**Task**: Webhooks
"""


def spend(folder: Path, *responses: tuple[Role, str, int, str | None]) -> None:
    """Put responses into the project's ledger: (role, local time, tokens, dollars)."""
    rows = [
        (role, datetime.fromisoformat(at).timestamp(), tokens, None if cost is None else Decimal(cost))
        for role, at, tokens, cost in responses
    ]
    with closing(open_ledger(state_dir_of(load(folder), folder / "state") / "ledger.sqlite3")) as ledger:
        for number, (role, wall, tokens, cost) in enumerate(rows, 1):
            usage = Usage(wall=wall, model="m", tokens=Tokens(output=tokens), client="claude")
            ledger.add_usage(role, [(usage, cost)], Position("/log", 1, 1, number))


def test_tasks_tell_what_their_lights_holders_used(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEAMOPS_STATE_DIR", str(folder / "state"))
    (folder / "current.md").write_text(COSTLY)
    spend(
        folder,
        (DEVELOPER, "2026-03-28 14:29:59", 9, "64"),
        (DEVELOPER, "2026-03-28 14:30:00", 1_200, "0.125"),
        (DEVELOPER, "2026-03-28 14:59:59", 300, None),
        (DEVELOPER, "2026-03-28 15:00:00", 9, "32"),
        (DIRECTOR, "2026-03-28 15:00:00", 50, None),
        (DIRECTOR, "2026-03-28 14:40:00", 9, "16"),
    )
    _, out, _ = run(capsys, "tasks")
    assert out.splitlines()[0].split()[-1] == "COST"
    assert out.splitlines()[1].split()[-1] == "$0.12+?"
    _, out, _ = run(capsys, "tasks", "--task", "webhooks")
    rows = {line.split()[0]: line for line in out.splitlines() if line}
    assert rows["LINE"].split()[-3:] == ["COST", "TOKENS", "SAID"]
    assert rows["1"].split()[-3:] == ["–", "–", "done"]  # noqa: RUF001 - a dash for people
    assert "  $0.12+?  1.5k    blocked" in rows["8"]
    assert "Cost: $0.12+? (1.6k tokens)\nBy role: DEVELOPER $0.12+? (1.5k tokens), DIRECTOR ? (50 tokens)\n" in out
    assert "By stage: implement $0.12+? (1.5k tokens), design ? (50 tokens)\n" in out
    assert "Since the last block: DIRECTOR ? (50 tokens)\n" in out
    assert "to the minute of the headings" in out
    assert max(len(line) for line in out.splitlines()) <= 80

    _, out, _ = run(capsys, "tasks", "--task", "webhooks", "--json")
    (task,) = json.loads(out)["tasks"]
    assert (task["cost"]["cost_usd"], task["cost"]["tokens"], task["cost"]["unpriced_tokens"]) == (0.125, 1550, 350)
    assert (task["cost"]["exact"], task["cost"]["by_role"]["DIRECTOR"]["cost_usd"]) == (False, None)
    assert task["cost"]["by_stage"]["implement"]["responses"] == 2
    assert task["cost"]["since_last_block"]["tokens"] == 50
    first, second = task["timeline"]
    assert first["used"] is None
    assert (second["used"]["by"], second["used"]["cost_usd"], second["used"]["output"]) == ("DEVELOPER", 0.125, 1500)

    monkeypatch.setattr("teamops.supervisor.task_costs.look_into", _broken)
    _, out, err = run(capsys, "tasks")
    assert "costs are not known: the disk is full" in err
    assert "COST" not in out


def _broken(path: Path) -> NoReturn:
    raise LedgerError("the disk is full", "free it")


def test_lint_tells_what_breaks_the_protocol(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "current.md").write_text(TASKS)
    code, out, _ = run(capsys, "lint")
    assert code == 1
    assert "current.md:26:1 error not-holder " in out
    code, out, _ = run(capsys, "lint", "--json")
    shown = json.loads(out)
    assert (code, shown["schema"], shown["file"], shown["ok"]) == (1, "teamops.lint/1", "current.md", False)
    assert list(shown["problems"][0]) == ["line", "column", "code", "severity", "message", "hint"]
    code, out, _ = run(capsys, "show", "--task", "other")
    assert "current.md:26 error not-holder" in out


def test_the_ledger_is_asked_and_neither_made_nor_changed(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEAMOPS_STATE_DIR", str(folder / "state"))
    signed = GOOD.partition("### [DIRECTOR]\n")[0] + HUMAN
    (folder / "current.md").write_text(signed)
    assert run(capsys, "lint")[0] == 0
    assert not (folder / "state").exists()
    path = state_dir_of(load(folder), folder / "state") / "ledger.sqlite3"
    open_ledger(path).close()
    before = path.read_bytes()
    code, out, _ = run(capsys, "lint")
    assert (code, path.read_bytes()) == (1, before)
    assert " critical forged-sign-off " in out
    assert run(capsys, "lint", "current.md")[0] == 1  # the same file by its name
    assert json.loads(run(capsys, "tasks", "--json")[1])["recorded"] is True
    (folder / "copy.md").write_text(signed)
    assert run(capsys, "lint", "copy.md")[0] == 0  # of another file it knows nothing


def test_a_ledger_that_cannot_be_read_is_said(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEAMOPS_STATE_DIR", str(folder / "state"))
    (folder / "current.md").write_text(GOOD.partition("### [DIRECTOR]\n")[0])
    path = state_dir_of(load(folder), folder / "state") / "ledger.sqlite3"
    path.parent.mkdir(parents=True)
    path.write_text("no ledger at all, and long enough to be looked at" * 40)
    code, _, err = run(capsys, "lint")
    assert code == 0
    assert "judged without the ledger" in err


def test_the_readmes_story_is_real(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    root = Path(__file__).parents[2]
    monkeypatch.chdir(root)
    command = "handoff tasks sample_current.md --task webhook-intake"
    _, out, _ = run(capsys, *command.split()[1:])
    shown = (root / "README.md").read_text("utf-8").split(f"$ teamops {command}\n")[1].split("```")[0]
    assert shown == out


@pytest.mark.parametrize(
    "arguments", [("lint",), ("lint", "current.md"), ("show",), ("tasks",), ("rotate",), ("accept",)]
)
def test_a_pipe_in_the_files_place_is_refused_at_once(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    os.mkfifo(folder / "current.md")
    code, _, err = run(capsys, *arguments)
    assert (code, "current.md can't be read: it is a pipe, no file" in err) == (2, True)


def test_what_a_shell_gives_as_a_file_is_read(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, into = os.pipe()
    with os.fdopen(into, "w") as text:
        text.write(GOOD)
    try:
        code, said, _ = run(capsys, "show", f"/dev/fd/{out}")
    finally:
        os.close(out)
    assert (code, "Webhooks" in said) == (0, True)
