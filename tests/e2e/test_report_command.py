"""``teamops report`` as a person and a script call it: a week's ledger, clients' logs, a terminal."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from teamops.config.load import load
from teamops.ledger.store import open_ledger
from teamops.model.role import AGENT_ROLES, CODER
from teamops.model.tail import Position
from teamops.supervisor.lease import state_dir_of
from teamops.usage.claude import ClaudeReader
from tests.claude_tree import line
from tests.terminal import Terminal
from tests.week import LAST, ZONE, Week, midnight

TOML = 'project = "shop"\n[notify]\ndesktop = false\n[budget]\ntimezone = "Europe/Berlin"\n[tmux]\nsocket_path = "s"\n'


def run(root: Path, *words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "teamops", *words], cwd=root, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done


@pytest.fixture
def project(short_dir: Path) -> Path:
    root = short_dir / "p"
    root.mkdir()
    (root / "teamops.toml").write_text(TOML + "".join(f"[roles.{role}]\n" for role in AGENT_ROLES), encoding="utf-8")
    return root


@pytest.fixture
def week(project: Path) -> Week:
    folder = state_dir_of(load(project))
    folder.mkdir(parents=True)
    return Week(folder / "ledger.sqlite3", 11)


@pytest.mark.tmux
def test_a_week_is_told_without_a_running_supervisor(project: Path, week: Week) -> None:
    told: dict[str, Any] = json.loads(
        run(project, "report", "--date", str(LAST), "--days", "7", "--format", "json").stdout
    )
    assert (told["schema"], len(told["days"]), told["timezone"]) == ("teamops.report/1", 7, "Europe/Berlin")
    used = [(wall, role, cost) for wall, role, cost, _ in week.used if midnight(LAST - timedelta(days=6)) <= wall]
    for agent in told["agents"]:
        whole = sum((cost or Decimal(0) for _, role, cost in used if role == agent["role"]), Decimal(0))
        assert agent["used"]["cost_usd"] == pytest.approx(float(whole), abs=1e-9)
    assert sum(len(agent["restarts"]) for agent in told["agents"]) == len(week.restarts)
    text = run(project, "report", "--date", str(LAST), "--role", "coder").stdout
    assert text.startswith(f"shop: report of {LAST} (Europe/Berlin)\n")
    assert "CODER" in text
    assert "REVIEWER Sarah" not in text


@pytest.mark.tmux
def test_it_is_written_to_a_file_in_the_form_that_its_name_says(project: Path, week: Week) -> None:
    for name, begins in (("r.html", "<!doctype html>"), ("r.md", "# shop"), ("r.json", "{"), ("r.txt", "shop: report")):
        assert run(project, "report", "--date", str(LAST), "-o", name).stdout == f"{name}: the report of {LAST}\n"
        assert (project / name).read_text(encoding="utf-8").startswith(begins)
    run(project, "report", "--date", str(LAST), "-o", "r.html", "--format", "json")
    assert (project / "r.html").read_text(encoding="utf-8").startswith("{")
    error = run(project, "report", "-o", "no/such/r.md", code=2).stderr
    assert "no/such/r.md: No such file" in error
    assert run(project, "report", "--date", str(LAST), "-o", "-").stdout.startswith("shop: report")
    assert not [path for path in project.iterdir() if path.name.startswith(".r")]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--date", "tomorrow"), "is no day"),
        (("--date", "2026-02-30"), "is no day"),
        (("--date", "2999-01-01"), "is not there yet"),
        (("--date", "0001-01-01"), "nothing can be on record"),
        (("--days", "0"), "can't be reported at once"),
        (("--days", "many"), "many"),
        (("--format", "pdf"), "pdf"),
        (("--role", "nobody"), "no role of this team"),
    ],
)
def test_wrong_use_says_what_is_wrong_and_what_to_do(project: Path, words: tuple[str, ...], said: str) -> None:
    assert said in run(project, "report", *words, code=2).stderr


def test_a_project_without_a_record_is_told_the_next_command(tmp_path: Path) -> None:
    (tmp_path / "current.md").touch()
    for day in ("today", "yesterday"):
        text = " ".join(run(tmp_path, "report", "--date", day).stdout.split())
        assert "Nothing is on record" in text
        assert "teamops up starts the team" in text


@pytest.mark.tmux
def test_its_figures_are_those_of_teamops_usage(project: Path) -> None:
    """Three days of one session: teamops usage reads its log by itself, the ledger was told the same responses."""
    now = datetime.now(UTC)
    rows = [
        line(
            f"m{number}", f"r{number}", sessionId="ours", cwd=str(project),
            timestamp=(now - timedelta(hours=7 * number)).isoformat().replace("+00:00", "Z"),
            costUSD=0.0123 * (number + 1), usage={"cache_read_input_tokens": 50 * number},
        )
        for number in range(10)
    ]  # fmt: skip
    log = Path(os.environ["HOME"]) / ".claude" / "projects" / "-p" / "ours.jsonl"
    log.parent.mkdir(parents=True)
    log.write_bytes(b"".join(rows))
    usages = ClaudeReader().read(rows, str(log)).usages
    with closing(open_ledger(state_dir_of(load(project)) / "ledger.sqlite3")) as ledger:
        ledger.sessions.add(CODER, ["ours"], 1.0)
        place = Position(str(log), 1, 1, log.stat().st_size)
        ledger.add_usage(CODER, [(usage, usage.cost_usd) for usage in usages], place)
    for back in range(3):
        day = now.astimezone(ZONE).date() - timedelta(days=back)
        words = ("--by", "agent", "--json", "--since", str(day), "--until", str(day), "--tz", "Europe/Berlin")
        usage = json.loads(run(project, "usage", *words).stdout)["totals"]
        told = json.loads(run(project, "report", "--date", str(day), "--format", "json").stdout)["team"]["used"]
        assert told["responses"] == usage["entries"] > 0
        assert told["cost_usd"] == pytest.approx(float(usage["cost_usd"]), abs=1e-6), "usage tells six places"
        for kind in ("input", "output", "cache_write", "cache_read"):
            assert told[kind] == usage[kind]


@pytest.mark.tmux
def test_a_person_reads_it_day_by_day_in_a_small_terminal(project: Path) -> None:
    with Terminal([sys.executable, "-m", "teamops"], cols=80, rows=24, cwd=project, env={}) as terminal:
        terminal.wait_for(r"CODER")
        terminal.keys("D")
        terminal.wait_for(r"Report \d{4}-\d\d-\d\d  Europe/Berlin")
        terminal.wait_for(r"Alive the whole time\?")
        terminal.keys("[")
        terminal.wait_for("Nothing is on record of this day")
        terminal.keys("]")
        terminal.wait_for(r"so far: \d\d:\d\d")
        terminal.keys("w")
        terminal.wait_for(r"Report \d{4}-\d\d-\d\d to \d{4}-\d\d-\d\d")
        terminal.keys("q")
        terminal.wait_for("quit")
        terminal.keys("q")
        assert terminal.wait_end() == 0


def watch(root: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "teamops", "watch"], cwd=root, stdout=subprocess.DEVNULL)


def reports_on_record(root: Path) -> list[tuple[str, int | None]]:
    with closing(sqlite3.connect(state_dir_of(load(root)) / "ledger.sqlite3")) as ledger:
        return ledger.execute("SELECT text, ok FROM action WHERE kind = 'report' ORDER BY id").fetchall()


def until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 60.0
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


@pytest.mark.tmux
def test_a_supervisor_that_comes_back_writes_what_was_missed_once_whatever_is_killed(project: Path) -> None:
    # Two days ago: whatever o'clock it is, that day has ended, and its minute after midnight is over.
    day = datetime.now(ZONE).date() - timedelta(days=2)
    with closing(open_ledger(state_dir_of(load(project)) / "ledger.sqlite3")) as ledger:
        ledger.watched.mark(None, midnight(day) + 60, midnight(day) + 7200)
        ledger.state_edge(CODER, "working", "its log grows", midnight(day) + 60)
    written = [project / "reports" / f"{day}{suffix}" for suffix in (".md", ".json")]
    first = watch(project)
    try:
        until(lambda: all(path.exists() for path in written), "the missed day was not written")
    finally:
        first.kill()
        first.wait()
    assert "CODER" in written[0].read_text(encoding="utf-8")
    written[0].write_text("my own notes", encoding="utf-8")
    second = watch(project)
    try:
        # Killed before it was recorded as done, it is seen to again, and nothing is written over.
        until(lambda: (str(day), 1) in reports_on_record(project), "nothing is on record of it")
    finally:
        second.kill()
        second.wait()
    assert [row for row in reports_on_record(project) if row == (str(day), 1)] == [(str(day), 1)]
    assert written[0].read_text(encoding="utf-8") == "my own notes"
    assert sorted(path.name for path in (project / "reports").iterdir()) == [".gitignore", f"{day}.json", f"{day}.md"]
