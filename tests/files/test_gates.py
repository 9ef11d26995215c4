"""Gates run on real programs and real repositories: how they end, what they leave, what they are bound to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from teamops.config.settings import GateSettings, Settings
from teamops.effects.gates import GateInterrupted, configured, refuse, run_gate
from teamops.effects.program import TAIL_LINES, Tail, run_program
from teamops.model.errors import UsageError
from teamops.model.protocol import GateRun
from tests import strays

EMPTY = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"


@pytest.fixture(autouse=True)
def _nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"):
        monkeypatch.setenv(name, os.devnull)
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "a")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "a@example.org")


def git(root: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, timeout=30, check=True)
    return done.stdout.strip()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "shop"
    root.mkdir()
    git(root, "init", "-q")
    (root / "src").mkdir()
    (root / "src" / "a.py").write_text("one\n")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "first")
    return root


def python(program: str) -> tuple[str, ...]:
    return (sys.executable, "-c", program)


def settings_of(root: Path, **gates: object) -> Settings:
    return Settings(
        root=root,
        project="shop",
        handoff=root / "current.md",
        roles=(),
        gates=GateSettings(**gates),  # type: ignore[arg-type]  # each test gives what it needs
    )


def run(
    root: Path, program: str = "", gate: str = "runs", *, task: str | None = "Webhooks", **gates: object
) -> GateRun:
    settings = settings_of(root, **({"runs": python(program)} if program else {}), **gates)
    return run_gate(settings, gate, task=task, began=time.time(), wall=7.0)


def alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and not strays.is_zombie(pid)


# how a command ends


def test_a_pass_says_all_that_proves_it(root: Path) -> None:
    done = run(root, "import os; print(os.environ['TEAMOPS_GATE'], os.environ['TEAMOPS_TASK'], os.getcwd())")
    assert (done.ok, done.exit_status, done.gate, done.task, done.started_wall) == (True, 0, "runs", "Webhooks", 7.0)
    assert done.tail == f"runs Webhooks {root}"
    assert done.commit == git(root, "rev-parse", "HEAD")
    assert done.tree == git(root, "rev-parse", "HEAD^{tree}")
    assert done.command.endswith("os.getcwd())'")
    assert 0 < done.seconds < 60


def test_a_failure_keeps_the_last_words(root: Path) -> None:
    done = run(root, "import sys; print('1 failed'); sys.exit('said on stderr')")
    assert (done.ok, done.exit_status) == (False, 1)
    assert done.tail.splitlines() == ["1 failed", "said on stderr", "teamops: exit status 1"]
    assert done.tree


def test_no_terminal_and_no_input(root: Path) -> None:
    done = run(
        root, "import sys, os; print(repr(sys.stdin.read()))\ntry: open('/dev/tty')\nexcept OSError: print('none')"
    )
    assert done.tail.splitlines() == ["''", "none"]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("nosuchprogram-x",), "there is no program nosuchprogram-x: install it"),
        (("./src/a.py",), "can't be run: is it executable?"),
        (("./nosense",), "can't be started: Exec format error"),
    ],
)
def test_a_program_that_cannot_be_started(root: Path, words: tuple[str, ...], why: str) -> None:
    (root / "nosense").write_bytes(b"\0\1\2")
    (root / "nosense").chmod(0o755)
    done = run(root, runs=words)
    assert (done.ok, done.exit_status) == (False, None)
    assert why in done.tail
    assert done.tree


def test_a_program_of_the_project_is_found_from_its_folder(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (root / "check").write_text("#!/bin/sh\necho here\n")
    (root / "check").chmod(0o755)
    assert run(root, runs=("./check",)).tail == "here"


def test_a_signal_is_named(root: Path) -> None:
    done = run(root, "import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    assert (done.ok, done.exit_status) == (False, None)
    assert done.tail == "teamops: ended by signal 9 (SIGKILL)"


STUBBORN = """
import os, signal, subprocess, sys, time
for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
    signal.signal(number, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time\\nwhile True: time.sleep(1)"], process_group=0)
print(os.getpid(), child.pid, flush=True)
while True:
    time.sleep(1)
"""


def test_a_gate_that_takes_too_long_is_ended_with_its_children(root: Path) -> None:
    done = run(root, STUBBORN, timeout_s=1.0)
    assert (done.ok, done.exit_status) == (False, None)
    pids, why = done.tail.splitlines()
    assert why == "teamops: did not end within 1 s and was ended"
    assert not any(alive(int(pid)) for pid in pids.split())
    assert done.seconds < 20


def interrupt_when(said: threading.Event) -> Callable[[float, str], None]:
    """Return what interrupts this process, once, when the gate has said something."""

    def tell(_: float, line: str) -> None:
        if line and not said.is_set():
            said.set()
            os.kill(os.getpid(), signal.SIGINT)

    return tell


@pytest.fixture
def heeds_ctrl_c() -> Iterator[None]:
    """Hear SIGINT, also where the tests run in the background of a shell, which ignores it there."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heeds_ctrl_c")
def test_an_interrupted_gate_is_ended_and_told_as_not_ok(root: Path) -> None:
    settings = settings_of(root, runs=python(STUBBORN))
    with pytest.raises(GateInterrupted) as gone:
        run_gate(settings, "runs", task=None, began=0.0, wall=7.0, tell=interrupt_when(threading.Event()))
    done = gone.value.run
    assert (done.ok, done.exit_status, done.tree) == (False, None, "")
    assert done.commit
    pids, why = done.tail.splitlines()
    assert why == "teamops: interrupted"
    assert not any(alive(int(pid)) for pid in pids.split())


def test_what_a_gate_leaves_running_is_ended(root: Path) -> None:
    done = run(
        root,
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time\\nwhile True: time.sleep(1)'])\n"
        "print(child.pid)",
    )
    assert done.ok
    assert not alive(int(done.tail))


def test_output_that_is_closed_early_is_no_end(root: Path) -> None:
    done = run(
        root, "import os, sys, time\nos.close(1); os.close(2)\nfor _ in range(20): time.sleep(0.02)\nos._exit(3)"
    )
    assert done.exit_status == 3


# what it says


def test_megabytes_without_a_newline_cost_nothing(root: Path) -> None:
    before = psutil.Process().memory_info().rss
    done = run(root, "import os\nfor _ in range(1000): os.write(1, b'x' * 65536)\nos.write(1, b' the end')")
    assert done.ok
    assert done.tail == "… the end"
    assert psutil.Process().memory_info().rss - before < 32 << 20


def test_many_lines_leave_the_last_ones(root: Path) -> None:
    done = run(root, "for number in range(200_000): print('line', number)")
    assert done.tail.splitlines() == [f"line {number}" for number in range(200_000 - TAIL_LINES, 200_000)]


def test_hostile_output_is_made_safe() -> None:
    tail = Tail()
    tail.feed(b"\x1b]0;title\x07\x1b[31mred\x1b[0m\n\x00\xff\n  \n10%\r50%\r\n    indented\nop")
    tail.feed(b"en \xe2\x80\xaeevil")
    assert tail.lines() == ("red", "\ufffd", "10%", "50%", "    indented", "open evil")
    assert tail.last() == "open evil"
    tail.feed(b"\n")
    assert tail.last() == "open evil"
    assert Tail().lines() == ()
    assert Tail().last() == ""


def test_the_person_sees_it_going(tmp_path: Path) -> None:
    told: list[tuple[float, str]] = []
    go = tmp_path / "go"

    def tell(seconds: float, line: str) -> None:
        told.append((seconds, line))
        if line == "half":
            go.touch()

    program = f"import os, time\nprint('half', flush=True)\nwhile not os.path.exists({str(go)!r}): time.sleep(0.01)"
    ended = run_program(python(program), tmp_path, os.environ, 60.0, tell)
    assert ended.ok
    assert "half" in {line for _, line in told}
    assert [seconds for seconds, _ in told] == sorted(seconds for seconds, _ in told)


# what it is bound to


def test_what_is_not_committed_counts(root: Path) -> None:
    (root / "src" / "a.py").write_text("two\n")
    (root / "new").write_text("new\n")
    done = run(root, "print('ok')")
    git(root, "add", "-A")
    assert done.tree == git(root, "write-tree") != git(root, "rev-parse", "HEAD^{tree}")


def test_a_gate_that_changes_the_tree_is_bound_to_none(root: Path) -> None:
    writes = "import pathlib; pathlib.Path('cache').write_text('x'); pathlib.Path('.teamops').mkdir(exist_ok=True)"
    done = run(root, writes)
    assert (done.ok, done.tree) == (True, "")
    assert "the work tree changed while the gate ran (cache)" in done.tail
    assert ".gitignore" in done.tail
    assert run(root, writes).tree, "what is there already is changed no more"
    (root / ".gitignore").write_text("cache*\n")
    assert run(root, "import pathlib; pathlib.Path('cache2').touch(); pathlib.Path('current.md').touch()").tree


def test_without_a_repository_a_command_runs_all_the_same(tmp_path: Path) -> None:
    done = run(tmp_path, "print('ok')")
    assert (done.ok, done.commit, done.tree, done.tail) == (True, "", "", "ok")


def test_git_that_fails_is_told_and_stops_nothing(root: Path) -> None:
    (root / ".git" / "index").write_bytes(b"nonsense")
    done = run(root, "print('ok')")
    assert (done.ok, done.tree) == (True, "")
    assert "teamops: bound to no work tree: git" in done.tail


# complete

RULES = {"/src/": ("/tests/", "/docs/")}


def test_complete_names_what_is_missing(root: Path) -> None:
    (root / "src" / "a.py").write_text("two\n")
    (root / "tests").mkdir()
    (root / "tests" / "t.py").write_text("1\n")
    done = run(root, gate="complete", complete=RULES)
    assert (done.ok, done.exit_status) == (False, None)
    assert done.tail.splitlines() == [
        "nothing in /docs/ changed, though src/a.py in /src/ did",
        "2 files changed, 1 rule of 1 applied",
    ]
    assert done.command == f"[gates.complete] on what changed since {git(root, 'rev-parse', 'HEAD')[:10]}"
    (root / "docs").mkdir()
    (root / "docs" / "a.md").write_text("1\n")
    git(root, "add", "-A")
    done = run(root, gate="complete", complete=RULES)
    assert done.ok
    git(root, "add", "-A")
    assert done.tree == git(root, "write-tree")


def test_complete_counts_from_the_beginning_of_the_task(root: Path) -> None:
    began = time.time() - 3600
    settings = settings_of(root, complete=RULES)
    done = run_gate(settings, "complete", task="x", began=began, wall=7.0)
    assert not done.ok, "the repository is younger than the task: all of it came since"
    assert done.command.endswith(EMPTY[:10])
    done = run_gate(settings, "complete", task="x", began=time.time(), wall=7.0)
    assert (done.ok, done.tail) == (True, "0 files changed, 0 rules of 1 applied")


# refusals


@pytest.mark.parametrize(
    ("gates", "given", "words"),
    [
        (("correct",), {"runs": ("true",)}, "set gates.correct in teamops.toml (configured: runs)"),
        (("complete",), {}, "set [gates.complete] in teamops.toml (none is configured)"),
        (("complete",), {"complete": {"!": ("x",)}}, '"!" is no glob'),
    ],
)
def test_what_is_not_configured_is_refused(
    root: Path, gates: tuple[str, ...], given: dict[str, object], words: str
) -> None:
    settings = settings_of(root, **given)
    with pytest.raises(UsageError) as said:
        refuse(settings, gates, 1.0)
    assert words in str(said.value)
    with pytest.raises(UsageError):
        run_gate(settings, gates[0], task=None, began=1.0, wall=7.0)


def test_complete_needs_git_and_a_beginning(root: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no git repository"):
        refuse(settings_of(tmp_path, complete=RULES), ["complete"], 1.0)
    with pytest.raises(UsageError, match="nobody knows when the task began"):
        refuse(settings_of(root, complete=RULES), ["complete"], 0.0)
    settings = settings_of(root, complete=RULES, correct=("true",))
    assert configured(settings) == ("correct", "complete")
    refuse(settings, ["correct", "complete"], 1.0)
