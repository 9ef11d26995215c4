"""Each test runs an agent of its own: the SDK's state is its process's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]


def agent(project: Path | None, code: str, *, role: str = "CODER", cwd: Path | None = None) -> str:
    """Run ``code`` as an agent and return its stderr. It must end well, whatever happened to its beats."""
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error"}
    if role:
        env["TEAMOPS_ROLE"] = role
    if project is not None:
        env["TEAMOPS_PROJECT"] = str(project)
    done = subprocess.run(
        [sys.executable, "-c", "import teamops\n" + textwrap.dedent(code)],
        env=env,
        cwd=cwd or project or "/",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


def rows(project: Path, role: str = "CODER") -> list[dict[str, Any]]:
    return [
        json.loads(line)
        for path in sorted((project / ".teamops" / "spool" / role).glob("*.jsonl"))
        for line in path.read_text(encoding="ascii").splitlines()
        if line
    ]


def without_times(project: Path) -> list[dict[str, Any]]:
    return [{key: row[key] for key in row if key not in {"v", "t", "pid"}} for row in rows(project)]


def test_two_lines_are_enough(tmp_path: Path) -> None:
    assert agent(tmp_path, "teamops.heartbeat()") == ""
    assert without_times(tmp_path) == [{"kind": "beat"}]
    (path,) = (tmp_path / ".teamops" / "spool" / "CODER").iterdir()
    pid, _, start = path.stem.partition("-")
    assert int(pid) == rows(tmp_path)[0]["pid"]
    assert abs(int(start) / 1000 - rows(tmp_path)[0]["t"]) < 5
    assert (tmp_path / ".teamops" / ".gitignore").read_text() == "*\n"


def test_everything_an_agent_can_say(tmp_path: Path) -> None:
    code = """
        from decimal import Decimal
        teamops.init("bot", interval=30)
        said = 'say "ü"\\n\\ud800'
        teamops.heartbeat(status="working", message=said, tokens=5, cost_usd=Decimal("0.10"), tool_calls=2)
        teamops.ping(cost_usd=0.5)
        with teamops.cycle():
            with teamops.cycle():
                pass
        teamops.shutting_down(grace=5)
    """
    assert agent(tmp_path, code) == ""
    promise = {"interval_s": 30.0}
    assert without_times(tmp_path) == [
        {"kind": "beat", **promise},
        {
            "kind": "beat",
            "status": "working",
            "message": 'say "ü"\n\ud800',
            "tokens": 5,
            "tool_calls": 2,
            "cost_usd": "0.10",
            **promise,
        },
        {"kind": "beat", "cost_usd": "0.5", **promise},
        {"kind": "cycle-begin", **promise},
        {"kind": "cycle-end", **promise},
        {"kind": "shutdown", "grace_s": 5.0, **promise},
    ]


@pytest.mark.parametrize(
    "call",
    [
        "tokens=-1",
        "tokens=True",
        "tokens=float('nan')",
        "tokens=float('inf')",
        "tokens='x'",
        "tokens=10**400",
        "tool_calls=None",
        "cost_usd=float('nan')",
        "cost_usd=float('inf')",
        "cost_usd=-1",
        "cost_usd=True",
        "message=''",
    ],
)
def test_what_makes_no_sense_counts_as_nothing(tmp_path: Path, call: str) -> None:
    agent(tmp_path, f"teamops.heartbeat({call})")
    assert without_times(tmp_path) == [{"kind": "beat"}]


def test_nothing_ever_raises(tmp_path: Path) -> None:
    code = """
        class Evil:
            def __str__(self): raise RuntimeError("evil")
        teamops.heartbeat(message=Evil(), status=Evil(), cost_usd=Evil())
        teamops.heartbeat(cost_usd="much")
        teamops.init(project=Evil())
        teamops.init(interval="soon")
        teamops.shutting_down(grace=None)
    """
    assert "evil" in agent(tmp_path, code)


def test_an_error_in_a_cycle_passes_through_and_is_told(tmp_path: Path) -> None:
    code = """
        try:
            with teamops.cycle():
                raise KeyError("mine")
        except KeyError:
            teamops.heartbeat(message="passed")
    """
    agent(tmp_path, code)
    assert without_times(tmp_path) == [
        {"kind": "cycle-begin"},
        {"kind": "cycle-end", "status": "error", "message": "KeyError"},
        {"kind": "beat", "message": "passed"},
    ]


@pytest.mark.parametrize(
    ("environment", "given", "folder"),
    [
        pytest.param("CODER", "role='reviewer'", "REVIEWER", id="what is said wins"),
        pytest.param("CODER", "'my-bot'", "CODER", id="an agent's name is not its role"),
        pytest.param("", "'my-bot'", "MY-BOT", id="but better than none"),
    ],
)
def test_whose_beats_they_are(tmp_path: Path, environment: str, given: str, folder: str) -> None:
    assert agent(tmp_path, f"teamops.init({given})", role=environment) == ""
    assert len(rows(tmp_path, folder)) == 1


@pytest.mark.parametrize("role", ["", "../../evil", "a/b", "..", "\x01"])
def test_without_a_proper_role_one_warning_and_no_beats(tmp_path: Path, role: str) -> None:
    said = agent(tmp_path, "for _ in range(3): teamops.heartbeat()", role=role)
    assert said.count("\n") == 1
    assert "TEAMOPS_ROLE" in said
    assert list(tmp_path.iterdir()) == []


def test_a_project_is_found_from_below_it(tmp_path: Path) -> None:
    (tmp_path / "current.md").write_text("")
    (tmp_path / "a" / "b").mkdir(parents=True)
    assert agent(None, "teamops.heartbeat()", cwd=tmp_path / "a" / "b") == ""
    assert len(rows(tmp_path)) == 1


def test_without_a_project_one_warning_and_no_folder(tmp_path: Path) -> None:
    said = agent(None, "for _ in range(3): teamops.heartbeat()", cwd=tmp_path)
    assert said.count("\n") == 1
    assert "TEAMOPS_PROJECT" in said
    assert list(tmp_path.iterdir()) == []


def test_the_lines_of_threads_and_children_never_mix(tmp_path: Path) -> None:
    code = """
        import os, threading
        def beat(name):
            for number in range(200):
                teamops.heartbeat(message=f"{name}-{number}-" + "x" * 500)
        teamops.heartbeat()
        threads = [threading.Thread(target=beat, args=(f"t{number}",)) for number in range(4)]
        for thread in threads: thread.start()
        pids = []
        for child in range(2):
            pid = os.fork()
            if pid == 0:
                beat(f"c{child}")
                os._exit(0)
            pids.append(pid)
        for thread in threads: thread.join()
        assert all(os.waitpid(pid, 0)[1] == 0 for pid in pids)
    """
    assert agent(tmp_path, code) == ""
    written = rows(tmp_path)
    assert len(written) == 1 + 6 * 200
    files = {path.name for path in (tmp_path / ".teamops" / "spool" / "CODER").iterdir()}
    assert {name.partition("-")[0] for name in files} == {str(row["pid"]) for row in written}
    assert len(files) == 3


def test_a_full_disk_is_said_once_and_what_comes_later_is_whole(tmp_path: Path) -> None:
    code = """
        import resource, signal
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        teamops.heartbeat(message="before")
        resource.setrlimit(resource.RLIMIT_FSIZE, (150, resource.RLIM_INFINITY))
        for _ in range(9): teamops.heartbeat(message="x" * 100)
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        teamops.heartbeat(message="after")
    """
    said = agent(tmp_path, code)
    assert said.count("\n") == 1
    assert "beats can't be written" in said
    (path,) = (tmp_path / ".teamops" / "spool" / "CODER").iterdir()
    lines = path.read_bytes().splitlines()
    assert json.loads(lines[0])["message"] == "before"
    assert json.loads(lines[-1])["message"] == "after"


def test_a_spool_that_is_taken_away_is_made_again(tmp_path: Path) -> None:
    code = """
        import os, shutil
        teamops.heartbeat(message="one")
        shutil.rmtree(os.path.join(os.environ["TEAMOPS_PROJECT"], ".teamops"))
        teamops.heartbeat(message="two")
    """
    assert agent(tmp_path, code) == ""
    assert [row["message"] for row in without_times(tmp_path)] == ["two"]


def test_an_agent_that_closes_every_descriptor_still_beats_into_its_own_file(tmp_path: Path) -> None:
    code = """
        import os
        teamops.heartbeat()
        os.closerange(3, 64)
        with open("mine", "w") as mine:
            teamops.heartbeat()
    """
    assert agent(tmp_path, code) == ""
    assert (tmp_path / "mine").read_text() == ""
    assert len(rows(tmp_path)) == 2


def test_without_stderr_nothing_happens(tmp_path: Path) -> None:
    agent(None, "import sys\nsys.stderr = None\nteamops.heartbeat()", cwd=tmp_path)


def test_it_costs_next_to_nothing(tmp_path: Path) -> None:
    """The bound is wide, for busy machines: it is there for an import or a write too many. Figures: benchmarks."""
    code = """
        import sys, time
        heavy = {"json", "typing", "dataclasses", "pathlib", "threading", "decimal", "contextlib", "subprocess"}
        loaded = heavy & set(sys.modules)
        assert not loaded, loaded
        teamops.heartbeat()
        spans = []
        for _ in range(200):
            began = time.perf_counter()
            teamops.heartbeat(status="working", message="x" * 100, tokens=5)
            spans.append(time.perf_counter() - began)
        assert sorted(spans)[100] < 0.001, sorted(spans)[100]
        assert not heavy & set(sys.modules)
    """
    env = {"PATH": os.environ["PATH"], "TEAMOPS_ROLE": "CODER", "TEAMOPS_PROJECT": str(tmp_path)}
    head = f"import sys\nsys.path.insert(0, {str(ROOT)!r})\nimport teamops\n"
    subprocess.run([sys.executable, "-I", "-S", "-c", head + textwrap.dedent(code)], env=env, timeout=60, check=True)
