"""``teamops usage`` as a person and a script call it: real logs, a real worker, killed and begun again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import psutil
import pytest

from teamops.ledger.store import open_ledger
from teamops.ledger.usage_store import UsageStore
from teamops.model.role import CODER
from teamops.sources.usage_scan import UsageScan
from tests.claude_tree import grow, line

DEADLINE_S = 30.0


def home() -> Path:
    return Path(os.environ["HOME"])


def state() -> Path:
    return Path(os.environ["XDG_STATE_HOME"]) / "teamops"


def write(name: str, *lines: bytes, mode: str = "ab") -> Path:
    path = home() / ".claude" / "projects" / "-p" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open(mode) as file:
        file.writelines(lines)
    return path


def run(*words: str, cwd: Path | None = None, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "teamops", "usage", *words],
        cwd=cwd or home(), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done


def told(*words: str, cwd: Path | None = None) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(run("--json", *words, cwd=cwd).stdout)
    return answer


def until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


def test_the_shape_is_a_contract() -> None:
    usage = {"cache_creation_input_tokens": 3_000, "cache_read_input_tokens": 40_000,
             "cache_creation": {"ephemeral_5m_input_tokens": 1_000, "ephemeral_1h_input_tokens": 2_000}}  # fmt: skip
    write("s.jsonl", line(usage=usage), b"{cut\n")
    answer = told("--tz", "UTC")
    cost = (Decimal(100) * 5 + 10 * 25 + 1_000 * Decimal("6.25") + 2_000 * 10 + 40_000 * Decimal("0.5")) / 10**6
    amounts = {
        "input": 100, "output": 10, "cache_write": 3_000, "cache_write_1h": 2_000, "cache_read": 40_000, "entries": 1,
        "cost_usd": f"{cost:.6f}", "unpriced_tokens": 0,
    }  # fmt: skip
    assert answer == {
        "schema": "teamops.usage/1",
        "by": "day",
        "timezone": "UTC",
        "since": None,
        "until": None,
        "rows": [{"client": "claude", "day": "2026-03-01", "model": "claude-opus-4-5-20251101", **amounts}],
        "totals": amounts,
        "skipped_lines": 1,
        "unpriced_models": [],
    }


def test_nothing_anywhere_is_no_failure() -> None:
    assert told()["rows"] == []
    assert told()["totals"]["cost_usd"] == "0.000000"
    assert "no usage was found" in run().stdout
    assert "no usage in these days" in run("--since", "2026-01-01").stdout


def test_days_are_those_of_the_timezone() -> None:
    write(
        "s.jsonl",
        *(line(f"m{n}", timestamp=f"2026-03-{at}:00Z") for n, at in enumerate(("01T03:30", "01T12:00", "02T02:00"))),
    )
    days = {
        zone: [(row["day"], row["entries"]) for row in told("--tz", zone)["rows"]]
        for zone in ("UTC", "America/New_York")
    }
    assert days == {
        "UTC": [("2026-03-01", 2), ("2026-03-02", 1)],
        "America/New_York": [("2026-02-28", 1), ("2026-03-01", 2)],
    }
    for words, entries in (
        (("--since", "2026-03-01"), 2),
        (("--until", "2026-02-28"), 1),
        (("--since", "20260301", "--until", "2026-03-01"), 2),
        (("--since", "2026-03-02"), 0),
    ):
        assert told("--tz", "America/New_York", *words)["totals"]["entries"] == entries


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--tz", "Mars/Olympus"), "no timezone"),
        (("--tz", "../../etc/passwd"), "no timezone"),
        (("--since", "yesterday"), "is no day"),
        (("--until", "9999-12-31"), "no clock"),
        (("--since", "2026-03-02", "--until", "2026-03-01"), "is after"),
        (("--by", "moon"), "moon"),
    ],
)
def test_wrong_use_says_what_is_wrong(words: tuple[str, ...], said: str) -> None:
    assert said in run(*words, code=2).stderr


def test_an_unknown_model_is_unpriced_until_a_person_says_its_price() -> None:
    write("s.jsonl", line(model="mystery-1"), line("m2"))
    answer = told("--by", "model")
    assert answer["unpriced_models"] == ["mystery-1"]
    rows = {row["model"]: row for row in answer["rows"]}
    assert (rows["mystery-1"]["cost_usd"], rows["mystery-1"]["unpriced_tokens"]) == (None, 110)
    assert Decimal(answer["totals"]["cost_usd"]) == Decimal(rows["claude-opus-4-5-20251101"]["cost_usd"]) > 0
    text = run("--by", "model").stdout
    assert "unpriced" in text
    assert "mystery-1 (110 tokens)" in text
    (home() / "teamops.toml").write_text('[prices.mystery-1]\ninput = 2\noutput = "0.5"\n')
    rows = {row["model"]: row for row in told("--by", "model")["rows"]}
    assert rows["mystery-1"]["cost_usd"] == "0.000205"
    (home() / "teamops.toml").write_text("[prices.mystery-1]\ninput = 2\n")
    assert "prices.mystery-1 says no price of output" in run("--by", "model", code=2).stderr


def test_a_table_for_people_has_every_row_and_a_bar() -> None:
    write("s.jsonl", line(), line("m2", "r2", timestamp="2026-03-02T10:00:00Z", usage={"output_tokens": 1_000}), b"{\n")
    lines = run("--tz", "UTC").stdout.splitlines()
    assert lines[0].split() == ["day", "models", "input", "output", "cache", "write", "cache", "read", "cost"]
    assert [one.split()[0] for one in lines[1:4]] == ["2026-03-01", "2026-03-02", "total"]
    assert lines[2].rstrip().endswith("██████")
    assert "1 malformed line skipped" in lines[-1]


def test_what_is_appended_counts_and_a_started_line_does_not() -> None:
    whole = line("m2", "r2")
    write("s.jsonl", line(), whole[:50])
    assert told()["totals"]["entries"] == 1
    write("s.jsonl", whole[50:])
    write("s/subagents/agent-1.jsonl", line("m3", "r3", isSidechain=True))
    assert told()["totals"]["entries"] == 3
    assert [row["session"] for row in told("--by", "session")["rows"]] == ["s"]


def test_a_log_that_has_gone_keeps_its_cost_and_one_written_anew_counts_once() -> None:
    path = write("s.jsonl", line(), line(None, None), line(None, None))
    assert told()["totals"]["entries"] == 3
    path.write_bytes(line() + line("m9", "r9") + line(None, None))
    assert told()["totals"]["entries"] == 3
    path.unlink()
    assert told()["totals"]["entries"] == 3


def test_a_log_that_can_not_be_read_is_said_and_the_others_count() -> None:
    if not os.geteuid():
        pytest.skip("root may read everything")
    write("a.jsonl", line())
    write("b.jsonl", line("m2", "r2")).chmod(0)
    done = run("--json")
    assert "not read" in done.stderr
    assert json.loads(done.stdout)["totals"]["entries"] == 1


def test_a_folder_that_looks_like_a_log_is_none() -> None:
    write("a.jsonl", line())
    (home() / ".claude/projects/-p/b.jsonl").mkdir()
    os.mkfifo(home() / ".claude/projects/-p/c.jsonl")
    assert told()["totals"]["entries"] == 1


def scanned(ledger: Path) -> list[tuple[int, int]]:
    with UsageScan(ledger) as scan:
        return [(progress.done, progress.of) for progress in scan.progress()]


def test_only_new_bytes_are_read() -> None:
    path = write("s.jsonl", *(line(f"m{number}") for number in range(200)))
    ledger = state() / "usage.sqlite3"
    size = path.stat().st_size
    assert scanned(ledger)[-1] == (size, size)
    assert scanned(ledger) == [(0, 0)]
    write("s.jsonl", more := line("more"))
    assert scanned(ledger)[-1] == (len(more), len(more))


def entries(ledger: Path) -> list[tuple[str, int, Decimal | None]]:
    with closing(UsageStore(ledger)) as store:
        groups = store.groups(since=-1e18, until=1e18)
        return sorted((group.model, group.entries, group.cost_usd) for group in groups)


@pytest.mark.slow
def test_a_scan_that_is_killed_again_and_again_counts_what_an_undisturbed_one_does(tmp_path: Path) -> None:
    pad = b'{"type":"user","message":{"content":"' + b"x" * 1_000_000 + b'"}}\n'
    for number in range(50):  # enough for two readers, several pieces and several transactions
        rows = [line(f"m{number}-{row % 450}", f"r{row % 450}", usage={"output_tokens": row}) for row in range(500)]
        write(f"s{number}.jsonl", *rows, pad)
    disturbed, calm = state() / "usage.sqlite3", tmp_path / "calm.sqlite3"
    for kill in range(12):
        with UsageScan(disturbed) as scan:
            for seen, _ in enumerate(scan.progress()):
                if seen >= kill % 4:
                    break
    # Its readers end with it.
    until(lambda: not workers(disturbed), "a scan was left running")
    scanned(disturbed)
    scanned(calm)
    assert entries(disturbed) == entries(calm)
    assert sum(count for _, count, _ in entries(calm)) == 50 * 450


def workers(ledger: Path) -> list[psutil.Process]:
    return [
        process
        for process in psutil.process_iter(["cmdline", "status"])
        if "teamops.sources.usage_worker" in (process.info["cmdline"] or ())
        and str(ledger) in process.info["cmdline"]
        and process.info["status"] != psutil.STATUS_ZOMBIE
    ]


def test_the_worker_ends_with_its_parent(tmp_path: Path) -> None:
    grow([home() / ".claude"], 1)
    ledger = tmp_path / "usage.sqlite3"
    program = (
        "import sys, time; from pathlib import Path; from teamops.sources.usage_scan import UsageScan\n"
        "scan = UsageScan(Path(sys.argv[1])); next(scan.progress()); print('begun', flush=True); time.sleep(60)"
    )
    with ledger.with_suffix(".lock").open("w") as lock:
        import fcntl

        fcntl.flock(lock, fcntl.LOCK_EX)  # so the worker waits
        with subprocess.Popen([sys.executable, "-c", program, str(ledger)], stdout=subprocess.PIPE) as parent:
            assert parent.stdout is not None
            assert parent.stdout.readline() == b"begun\n"
            assert workers(ledger)
            parent.send_signal(signal.SIGKILL)
            parent.wait()
            until(lambda: not workers(ledger), "the worker outlived its parent")


def test_two_at_once_count_once() -> None:
    grow([home() / ".claude"], 2, 20)
    children = [
        subprocess.Popen(
            [sys.executable, "-m", "teamops", "usage", "--json"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        for _ in range(3)
    ]
    answers = [json.loads(child.communicate(timeout=60)[0])["totals"] for child in children]
    assert answers[0]["entries"] > 0
    assert answers == [told()["totals"]] * 3


def test_a_damaged_ledger_is_said() -> None:
    state().mkdir(parents=True)
    (state() / "usage.sqlite3").write_bytes(b"this is no database" * 100)
    done = run(code=1)
    assert "usage.sqlite3" in done.stderr
    assert "move it aside" in done.stderr


FILE = """### [DIRECTOR] 2026-03-01 09:00

**Status**: in progress
**Turn**: CODER
**Tier**: 2
**Task**: hooks

### [CODER] 2026-03-01 11:00

**Status**: done
**Turn**: DIRECTOR
**Tier**: 2
**Task**: hooks
"""


def test_usage_by_agent_and_by_task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    project = tmp_path / "shop"
    project.mkdir()
    (project / "current.md").write_text(FILE)
    (project / "teamops.toml").write_text('[roles.CODER]\ncommand = "claude"\n[roles.DIRECTOR]\ncommand = "claude"\n')
    write("known.jsonl", line("m1", "r1"), line("m2", "r2", timestamp="2026-03-01T12:00:00Z"))
    write("other.jsonl", line("m3", "r3"), line("m4", "r4"), line("m5", "r5"))
    assert {row["agent"]: row["entries"] for row in told("--by", "agent", cwd=project)["rows"]} == {"unassigned": 5}
    from teamops.config.load import load
    from teamops.supervisor.lease import state_dir_of

    with closing(open_ledger(state_dir_of(load(project)) / "ledger.sqlite3")) as ledger:
        ledger.sessions.add(CODER, ["known"], 1.0)
    by_agent = told("--by", "agent", cwd=project)
    assert {row["agent"]: row["entries"] for row in by_agent["rows"]} == {"CODER": 2, "unassigned": 3}
    by_task = told("--by", "task", cwd=project)
    assert {row["task"]: row["entries"] for row in by_task["rows"]} == {"hooks": 1, "unassigned": 4}
    assert by_task["totals"] == by_agent["totals"] == told(cwd=project)["totals"]


def test_on_a_terminal_a_long_scan_shows_how_far_it_is() -> None:
    from benchmarks.terminal import Program

    pad = b'{"type":"user","message":{"content":"' + b"x" * 1_000_000 + b'"}}\n'
    write("s.jsonl", line(), *[pad] * 60)
    with Program([sys.executable, "-m", "teamops", "usage"], dict(os.environ), home()) as program:
        program.until(lambda text: "reading logs" in text and "of 60 MB" in text)
        program.until(lambda text: "total" in text)
