"""The channel ``command``: a real program, given the page, believed by its exit status, ended with what it started."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from teamops.config.channels import CommandSettings
from teamops.effects.channels.command import CommandChannel
from teamops.model.handoff import Severity
from teamops.model.page import Page, Receipt, Transition
from teamops.model.role import CODER

KEY = "ghp" + "_16C7e42F292c6912E7710c838347Ae178B4a"
PAGE = Page(
    id="p1",
    transition=Transition.REPEATED,
    keys=(("agent-dead", "CODER"), ("handoff-stale", "a; rm -rf /")),
    thread="agent-dead CODER",
    severity=Severity.CRITICAL,
    project="shop",
    title="shop: $(touch sprung) `touch sprung`",
    body=f"a\x1b]0;x\x07b\nkey {KEY}",
    do="restart it (r)",
    role=CODER,
    wall=1_800_000_000.0,
)


def channel(folder: Path, program: str, timeout_s: float = 20.0) -> CommandChannel:
    return CommandChannel(CommandSettings(command=(sys.executable, "-c", program), cwd=folder, timeout_s=timeout_s))


async def test_the_program_is_given_the_page(tmp_path: Path) -> None:
    program = (
        "import json, os, sys; json.dump({'page': json.load(sys.stdin), 'env': dict(os.environ), 'cwd': os.getcwd()},"
        " open('got', 'w')); print('sent as 7')"
    )
    receipt = await channel(tmp_path, program).deliver(PAGE)
    assert receipt.ok
    assert receipt.evidence == "exit status 0: sent as 7"
    got = json.loads((tmp_path / "got").read_text())
    assert got["cwd"] == str(tmp_path)
    assert got["page"] == {
        "schema": "teamops.page/1",
        "id": "p1",
        "transition": "repeated",
        "severity": "critical",
        "critical": True,
        "project": "shop",
        "title": "shop: $(touch sprung) `touch sprung`",
        "body": "ab\nkey [secret]\nRestart it (r)",
        "do": "restart it (r)",
        "line": "shop: $(touch sprung) `touch sprung`: ab key [secret]",
        "role": "CODER",
        "thread": "agent-dead CODER",
        "alerts": [
            {"code": "agent-dead", "subject": "CODER"},
            {"code": "handoff-stale", "subject": "a; rm -rf /"},
        ],
        "at": "2027-01-15T08:00:00+00:00",
    }
    told = {name: text for name, text in got["env"].items() if name.startswith("TEAMOPS_PAGE_")}
    assert told["TEAMOPS_PAGE_TITLE"] == PAGE.title
    assert told["TEAMOPS_PAGE_ROLE"] == "CODER"
    assert KEY not in json.dumps(got)
    assert "TEAMOPS_ROLE" not in got["env"]  # a beat from there would be an agent's
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    ("program", "retry", "said"),
    [
        pytest.param("raise SystemExit(1)", False, "exit status 1", id="refused"),
        pytest.param("raise SystemExit(75)", True, "exit status 75", id="not now"),
        pytest.param("import os; os.kill(os.getpid(), 9)", False, "signal 9", id="killed"),
        pytest.param("print('a\\x1b[31mb key=' + 'Zx9' * 20); exit(1)", False, "(ab key=[secret])", id="with words"),
    ],
)
async def test_any_other_end_is_no_delivery(tmp_path: Path, program: str, said: str, *, retry: bool) -> None:
    receipt = await channel(tmp_path, program).deliver(PAGE)
    assert (receipt.ok, receipt.retry, receipt.absent) == (False, retry, False)
    assert said in receipt.message
    assert receipt.hint


async def test_a_program_that_hangs_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    program = (
        "import os, signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import signal, time;"
        " signal.signal(signal.SIGTERM, signal.SIG_IGN); signal.signal(signal.SIGHUP, signal.SIG_IGN);"
        " time.sleep(99)'])\n"
        "open('pids', 'w').write(f'{os.getpid()} {child.pid}')\ntime.sleep(99)"
    )
    one = channel(tmp_path, program, timeout_s=2.0)
    began = time.monotonic()
    receipt = await one.deliver(PAGE)
    assert time.monotonic() - began < one.limit_s + 5
    assert (receipt.ok, receipt.retry) == (False, False)
    assert "did not end within 2 s" in receipt.message
    for pid in (tmp_path / "pids").read_text().split():
        assert not psutil.pid_exists(int(pid)) or psutil.Process(int(pid)).status() == psutil.STATUS_ZOMBIE


async def test_a_flood_of_words_is_bounded(tmp_path: Path) -> None:
    receipt = await channel(tmp_path, "print('x' * 10_000_000)").deliver(PAGE)
    assert receipt.ok
    assert len(receipt.evidence) < 300


@pytest.mark.parametrize("pieces", [1, 40])
async def test_half_a_secret_is_not_shown_where_its_name_was_left_out(tmp_path: Path, pieces: int) -> None:
    piece = f"sys.stdout.write('QmFzZTY0' * {8000 // pieces}); sys.stdout.flush(); time.sleep(0.002)"
    program = (
        "import sys, time; sys.stdout.write('client-key-data: '); sys.stdout.flush(); time.sleep(0.05)\n"
        f"for _ in range({pieces}): {piece}\nraise SystemExit(3)"
    )
    receipt = await channel(tmp_path, program).deliver(PAGE)
    assert "exit status 3 (…)" in receipt.message
    program = program.replace("raise", "print(' and what stands behind it'); raise")
    receipt = await channel(tmp_path, program).deliver(PAGE)
    assert "exit status 3 (… and what stands behind it)" in receipt.message


async def test_one_that_reads_nothing_keeps_nobody_waiting(tmp_path: Path) -> None:
    receipt = await channel(tmp_path, "import os; os.close(0)").deliver(replace(PAGE, body="x" * 1_000_000))
    assert receipt.ok


async def test_a_program_that_is_not_there_is_said(tmp_path: Path) -> None:
    one = CommandChannel(CommandSettings(command=("no-such-program",), cwd=tmp_path))
    receipt = await one.deliver(PAGE)
    assert receipt == Receipt(
        ok=False,
        message="no-such-program: there is no program no-such-program: install it, or mend its name in teamops.toml",
        hint=receipt.hint,
    )
    none = CommandChannel(CommandSettings())
    assert await none.start(lambda _: None) == "no command is set"
    assert (await none.deliver(PAGE)).absent


async def test_its_own_environment_is_as_teamops_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINE", "yes")
    assert (await channel(tmp_path, "import os; exit(os.environ['MINE'] != 'yes')").deliver(PAGE)).ok
    assert os.environ.get("TEAMOPS_PAGE_ID") is None


async def test_who_leaves_meanwhile_leaves_nothing_running(tmp_path: Path) -> None:
    program = "import os, time; open('pid', 'w').write(str(os.getpid())); time.sleep(99)"
    attempt = asyncio.create_task(channel(tmp_path, program, timeout_s=90.0).deliver(PAGE))
    end = time.monotonic() + 20.0
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
        assert time.monotonic() < end
        await asyncio.sleep(0.02)
    pid = int((tmp_path / "pid").read_text())
    attempt.cancel()
    with pytest.raises(asyncio.CancelledError):
        await attempt
    while psutil.pid_exists(pid):
        assert time.monotonic() < end
        await asyncio.sleep(0.02)
