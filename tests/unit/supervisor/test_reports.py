"""A task's whole chain, in one answer."""

from __future__ import annotations

import os
import subprocess

import pytest
from msgspec.structs import replace

from teamops.domain.timeline import chain
from teamops.model.errors import TeamopsError, UsageError
from teamops.model.handoff import Stage
from teamops.model.protocol import GateRun
from teamops.model.role import CODER, DIRECTOR
from tests.unit.supervisor.conftest import Begin
from tests.unit.supervisor.life import GATES, Life, block

TO_CODER = block(DIRECTOR, CODER, status="done")
BUILT = block(CODER, DIRECTOR, status="done", minute=3)


def git(life: Life, *words: str) -> None:
    env = {
        **os.environ,
        "GIT_AUTHOR_NAME": "a",
        "GIT_AUTHOR_EMAIL": "a@example.org",
        "GIT_COMMITTER_NAME": "a",
        "GIT_COMMITTER_EMAIL": "a@example.org",
    }
    subprocess.run(["git", "-C", str(life.folder), *words], check=True, capture_output=True, env=env)


async def test_it_holds_all_that_is_known_of_the_task(begin: Begin) -> None:
    life = await begin(CODER)
    await life.append(TO_CODER)
    await life.ticks(5)
    await life.append(block(DIRECTOR, CODER, task="other", status="done"), BUILT.replace("Did it.", "Built it."))
    run = GateRun(
        task="LOGIN",
        gate="runs",
        command="make test",
        ok=True,
        exit_status=0,
        started_wall=life.wall,
        seconds=2.0,
        commit="",
        tree="",
        tail="ok",
    )
    life.ledger.audit.add_gate_run(run)
    life.ledger.audit.add_gate_run(replace(run, task="other"))
    await life.ticks(2)
    report = await life.core.task_report("Login")
    assert report.task.task == "login"
    assert report.chain == chain(report.task, life.core.book.handoff.blocks)
    assert [(entry.role, entry.turn) for entry in report.entries] == [(DIRECTOR, CODER), (CODER, DIRECTOR)]
    assert report.entries[1].seconds == pytest.approx(7, abs=3)
    assert [stage.stage for stage in report.stages] == [Stage.DESIGN, Stage.IMPLEMENT, Stage.VERIFY]
    assert report.stages[1].seconds == pytest.approx(7, abs=3)
    assert {finding.code for finding in report.findings} == {"gates-missing"}
    assert [(one.task, one.command) for one in report.runs] == [("LOGIN", "make test")]
    assert (report.diff, report.diff_trouble) == (None, "the project is in no git repository")
    assert report.tree == ""
    seen = life.snapshots[-1]
    assert next(light.stages for light in seen.lights if light.task == "login") != ()


async def test_what_the_task_changed_comes_from_git(begin: Begin) -> None:
    life = await begin(CODER)
    git(life, "init", "-q")
    (life.folder / "old.py").write_text("a = 1\n", encoding="utf-8")
    git(life, "add", "old.py")
    git(life, "-c", "core.hooksPath=/dev/null", "commit", "-q", "-m", "old")
    await life.append(TO_CODER)
    (life.folder / "new.py").write_text("b = 2\nc = 3\n", encoding="utf-8")
    report = await life.core.task_report("login")
    assert report.diff_trouble == ""
    assert report.diff is not None
    names = {(file.path, file.added) for file in report.diff.files}
    assert ("new.py", 2) in names
    assert not any(path.endswith(".md") for path, _ in names)
    assert report.tree != ""


async def test_a_task_that_is_not_there_is_wrong_use(begin: Begin) -> None:
    life = await begin()
    await life.append(TO_CODER, block(DIRECTOR, DIRECTOR, task="other", gates=GATES))
    with pytest.raises(UsageError) as caught:
        await life.core.task_report("nothing")
    assert caught.value.hint == "tasks: login, other"


async def test_a_change_that_is_none_has_no_difference(begin: Begin) -> None:
    life = await begin()
    with pytest.raises(TeamopsError):
        life.core.tamper_diff(7)
