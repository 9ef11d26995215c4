"""``teamops gate`` as people and scripts call it."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from teamops.cli.main import main
from teamops.config.load import load
from teamops.handoff import ROLES, parse
from teamops.ledger.audit import NewBlock
from teamops.ledger.store import Ledger, open_ledger
from teamops.model.handoff import GateResult
from teamops.model.protocol import GateRun
from teamops.model.role import DIRECTOR
from teamops.supervisor.lease import state_dir_of
from tests import strays

BLOCK = """\
### [DIRECTOR] 2026-03-28 14:30

**Status**: done
**Turn**: {turn}
**Tier**: 2
**Task**: {task}

#### For Developer
Build it.
"""
TOML = """\
[roles.DIRECTOR]
client = "command"
[gates]
"""
QUICK = """runs = ["sh", "-c", "echo $TEAMOPS_TASK; echo '3 passed (quick; good)'"]\n"""


@pytest.fixture(autouse=True)
def _nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"):
        monkeypatch.setenv(name, os.devnull)
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "a")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "a@example.org")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "shop"
    (folder / "src").mkdir(parents=True)
    (folder / "current.md").write_text(BLOCK.format(turn="DEVELOPER", task="Webhooks"))
    (folder / "src" / "a.py").write_text("one\n")
    configure(folder, QUICK)
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "first"]):
        subprocess.run(["git", *words], cwd=folder, check=True, timeout=30)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("TEAMOPS_STATE_DIR", str(tmp_path / "state"))
    return folder


def configure(folder: Path, gates: str) -> None:
    (folder / "teamops.toml").write_text(TOML + gates)


def ledger_of(folder: Path) -> Ledger:
    return open_ledger(state_dir_of(load(folder), folder.parent / "state") / "ledger.sqlite3")


def recorded(folder: Path) -> list[GateRun]:
    ledger = ledger_of(folder)
    try:
        return ledger.audit.last_gate_runs()
    finally:
        ledger.close()


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as left:
        main(["gate", *arguments])
    out, err = capsys.readouterr()
    assert isinstance(left.value.code, int)
    return left.value.code, out, err


def test_a_pass_is_recorded_and_ready_to_paste(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "run")
    assert code == 0
    assert "runs passed after" in err
    (done,) = recorded(folder)
    assert (done.task, done.gate, done.ok, done.exit_status) == ("Webhooks", "runs", True, 0)
    claim = out.splitlines()[-1]
    assert f"3 passed [quick, good], tree {done.tree[:10]})" in claim
    # The handoff file itself is no part of what was judged: the line may be pasted.
    with (folder / "current.md").open("a") as file:
        file.write(f"\n### [DEVELOPER] 2026-03-28 15:00\n\n**Status**: done\n**Turn**: DIRECTOR\n{claim}\n")
    block = parse((folder / "current.md").read_bytes(), ROLES).blocks[-1]
    assert block.gates == claim.removeprefix("**Gates**: ")
    assert [gate.result for gate in block.checks] == [GateResult.PASS, GateResult.UNKNOWN, GateResult.UNKNOWN]
    code, out, _ = run(capsys, "show")
    assert code == 0
    assert re.search(r"^runs +passed +\d{4}-", out, re.MULTILINE)
    assert out.splitlines()[-1] == claim


def test_a_result_does_not_outlive_the_files_it_judged(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, "run")
    (folder / "src" / "a.py").write_text("two\n")
    _, out, _ = run(capsys, "show", "webhooks")
    assert "passed, but the work tree has changed since" in out
    assert "runs=unknown (passed, but the work tree has changed since, run it again)" in out
    (folder / "src" / "a.py").write_text("one\n")
    assert "runs=pass (" in run(capsys, "show")[1]


def test_a_failure_shows_its_last_words(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    configure(
        folder,
        QUICK + 'correct = ["sh", "-c", "echo trying; echo boom >&2; exit 3"]\n[gates.complete]\n"/src/" = "/docs/"\n',
    )
    (folder / "src" / "a.py").write_text("two\n")
    code, out, err = run(capsys, "run")
    assert code == 1
    assert "correct:\n    trying\n    boom\n    teamops: exit status 3\n" in err
    assert "nothing in /docs/ changed, though src/a.py in /src/ did" in err
    assert re.search(r"correct=fail \(.*boom, exit status 3, tree", out)
    assert "complete=fail ([gates.complete] on what changed since" in out
    assert [(one.gate, one.ok) for one in recorded(folder)] == [("runs", True), ("correct", False), ("complete", False)]
    code, out, _ = run(capsys, "show")
    assert code == 0
    assert "    boom\n" in out
    assert run(capsys, "run", "--gate", "runs")[0] == 0


def test_json_is_the_contract(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "show", "--json")
    assert [gate["result"] for gate in json.loads(out)["gates"]] == [None, None, None]
    code, out, err = run(capsys, "run", "--json")
    shown = json.loads(out)
    assert code == 0
    assert list(shown) == ["schema", "task", "commit", "tree", "trouble", "gates", "claim"]
    assert (shown["schema"], shown["task"], shown["trouble"]) == ("teamops.gates/1", "Webhooks", None)
    runs, correct, complete = shown["gates"]
    assert list(runs) == [
        "gate", "configured", "result", "fits", "command", "exit_status", "started", "seconds", "commit", "tree",
        "tail",
    ]  # fmt: skip
    assert (runs["result"], runs["fits"], runs["exit_status"], runs["commit"]) == ("pass", True, 0, shown["commit"])
    assert runs["tree"] == shown["tree"]
    assert (correct["configured"], correct["result"], complete["gate"]) == (False, None, "complete")
    assert json.loads(run(capsys, "show", "--json")[1]) == shown
    assert "runs passed" in err


def test_looking_makes_no_ledger(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "show")[0] == 0
    assert not (folder.parent / "state").exists()


def test_which_task_is_meant(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (folder / "current.md").open("a") as file:
        file.write("\n" + BLOCK.format(turn="DIRECTOR", task="Retries") + "\n" + BLOCK.format(turn="NONE", task="Old"))
    code, _, err = run(capsys, "run")
    assert code == 2
    assert "several tasks are open" in err
    assert "name one: Webhooks, Retries" in err
    code, _, err = run(capsys, "run", "webhoks")
    assert (code, "did you mean Webhooks?" in err) == (2, True)
    assert run(capsys, "run", "old")[0] == 0
    assert [one.task for one in recorded(folder)] == ["Old"]
    (folder / "current.md").write_text(BLOCK.format(turn="NONE", task="Old"))
    assert "no task is open" in run(capsys, "show")[2]
    (folder / "current.md").write_text(BLOCK.format(turn="DIRECTOR", task="x").replace("**Task**: x\n", ""))
    assert run(capsys, "run")[0] == 0
    assert {one.task for one in recorded(folder)} == {"Old", None}
    (folder / "current.md").unlink()
    assert run(capsys, "show")[0] == 2


@pytest.mark.parametrize(
    ("gates", "arguments", "words"),
    [
        ("", [], "set gates.runs, gates.correct or [gates.complete] in teamops.toml"),
        (QUICK, ["--gate", "correct"], "set gates.correct in teamops.toml (configured: runs)"),
        (QUICK, ["--gate", "nosuch"], "nosuch"),
        ('complete = { "!" = "x" }\n', [], '"!" is no glob'),
    ],
)
def test_what_cannot_be_run_is_wrong_use(
    folder: Path, capsys: pytest.CaptureFixture[str], gates: str, arguments: list[str], words: str
) -> None:
    configure(folder, gates)
    code, out, err = run(capsys, "run", *arguments)
    assert (code, out) == (2, "")
    assert words in err
    assert recorded(folder) == []


def test_the_ledger_knows_better_when_a_task_began(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    configure(folder, '[gates.complete]\n"/src/" = "/docs/"\n')
    assert run(capsys, "run")[0] == 1, "by its heading the task is older than the repository"
    block = parse((folder / "current.md").read_bytes(), ROLES).blocks[0]
    ledger = ledger_of(folder)
    row = NewBlock(digest=block.digest, role=DIRECTOR, task="Webhooks", heading="", text="")
    ledger.audit.add_blocks([row], time.time())
    ledger.close()
    assert run(capsys, "run")[0] == 0


STUBBORN = """\
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("pid", os.getpid(), flush=True)
while True:
    time.sleep(1)
"""


def start(folder: Path, terminal: int) -> subprocess.Popen[bytes]:
    (folder / "stubborn.py").write_text(STUBBORN)
    configure(folder, f"runs = [{json.dumps(sys.executable)}, 'stubborn.py']\n")
    return subprocess.Popen(
        [sys.executable, "-m", "teamops", "gate", "run"],
        cwd=folder,
        env={**os.environ, "TERM": "xterm"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=terminal,
    )


def read_until(descriptor: int, sign: bytes) -> bytes:
    said, end = b"", time.monotonic() + 30
    while sign not in said and time.monotonic() < end:
        if select.select([descriptor], [], [], 0.1)[0]:
            said += os.read(descriptor, 65_536)
    return said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_end_from_outside_ends_the_gate_and_is_recorded(folder: Path, number: signal.Signals) -> None:
    ours, theirs = pty.openpty()
    try:
        with start(folder, theirs) as child:
            said = read_until(ours, b"pid ")
            live = re.search(rb"\rruns +[0-9.]+ s  pid (\d+)", said + read_until(ours, b"\r"))
            assert live is not None, said
            child.send_signal(number)
            assert b"interrupted" in read_until(ours, b"interrupted")
            assert child.wait(30) == 130
    finally:
        os.close(ours)
        os.close(theirs)
    (done,) = recorded(folder)
    assert (done.ok, done.exit_status, done.tree) == (False, None, "")
    assert done.tail.endswith("teamops: interrupted")
    pid = int(live[1])
    assert strays.is_zombie(pid) or not Path(f"/proc/{pid}").exists()
