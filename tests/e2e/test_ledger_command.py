"""``teamops ledger`` on real files: what it tells, what it writes, and what it refuses."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from teamops.config.load import load
from teamops.ledger.audit import NewBlock
from teamops.ledger.migrations import STEPS
from teamops.ledger.store import Ledger, open_ledger
from teamops.ledger.tables import TABLES
from teamops.ledger.vacuum import backup_of
from teamops.model.alert import Alert, AlertState
from teamops.model.handoff import Severity
from teamops.model.role import CODER
from teamops.model.tail import Position
from teamops.model.usage import Tokens, Usage
from teamops.supervisor.lease import Lease, state_dir_of

HOSTILE = "\x1b]0;owned\x07=cmd|' /C calc'!A0\u202e"


class Project:
    def __init__(self, folder: Path) -> None:
        self.root = folder / "shop"
        self.root.mkdir()
        (self.root / "current.md").write_text("", encoding="utf-8")
        self.state = folder / "state"
        self.folder = state_dir_of(load(self.root), self.state)
        self.path = self.folder / "ledger.sqlite3"

    def run(self, *words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        place = ["-C", str(self.root), "--state-dir", str(self.state)]
        return subprocess.run(
            [sys.executable, "-m", "teamops", "ledger", *words, *place],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            cwd=cwd,
        )

    def fill(self, days: int = 30) -> None:
        with closing(open_ledger(self.path)) as ledger:
            fill(ledger, days)


def fill(ledger: Ledger, days: int) -> None:
    now = time.time()
    for day in range(days):
        wall = now - day * 86_400
        rows: list[tuple[Usage, Decimal | None]] = [
            (Usage(wall=wall - nth, model="m", tokens=Tokens(output=nth), client="claude", session="s"), cost)
            for nth, cost in enumerate((Decimal("0.25"), Decimal("1E-13"), None))
        ]
        ledger.add_usage(CODER, rows, Position("/nowhere.jsonl", 1, 1, day + 1))
        ledger.light_seen("login", f"d{day}", CODER, wall)
        block = NewBlock(digest=f"d{day}", role=CODER, task="login", heading=HOSTILE, text=f"# {HOSTILE}\nwork {day}")
        ledger.audit.add_blocks([block], wall)
    alert = Alert(
        code="agent-dead",
        subject="CODER",
        severity=Severity.ERROR,
        state=AlertState.FIRING,
        message=HOSTILE,
        do="restart it",
        agent=CODER,
        since_wall=now,
        changed_wall=now,
        notify=True,
    )
    ledger.save_alerts([alert])


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_without_a_ledger_nothing_is_made(project: Project) -> None:
    for words in (["stats"], ["export"], ["vacuum"]):
        done = project.run(*words)
        assert (done.returncode, done.stdout) == (1, "")
        assert "there is no ledger yet" in done.stderr
    done = project.run("verify")
    assert (done.returncode, "no ledger yet" in done.stdout) == (0, True)
    assert json.loads(project.run("verify", "--json").stdout)["there"] is False
    assert not project.state.exists()


def test_stats_count_rows_bytes_and_growth_and_write_nothing(project: Project) -> None:
    project.fill(30)
    before = project.path.read_bytes()
    done = project.run("stats", "--json")
    told = json.loads(done.stdout)
    assert (told["schema"], told["version"]) == ("teamops.ledger-stats/1", len(STEPS))
    tables = {one["table"]: one for one in told["tables"]}
    assert set(tables) == {table.name for table in TABLES}
    assert tables["spent"]["rows"] == 90
    assert tables["spent"]["kept"] == "raw"
    assert tables["spent"]["rows_per_day"] == pytest.approx(3.0, abs=0.01)
    assert tables["light"]["rows"] == 30
    assert tables["light"]["oldest"] < tables["light"]["newest"]
    assert sum(one["bytes"] for one in told["tables"]) <= told["file_bytes"]
    assert tables["spent"]["bytes_per_day"] == pytest.approx(tables["spent"]["bytes"] / 30, rel=0.01)
    assert told["retention"]["raw_days"] == 7
    text = project.run("stats").stdout
    assert "spent" in text
    assert "facts for ever" in text
    assert all(len(line) <= 160 for line in text.splitlines()[2:])
    assert project.path.read_bytes() == before


def test_export_tells_every_row_typed_and_what_is_in_it(project: Project) -> None:
    project.fill(5)
    before = project.path.read_bytes()
    lines = [json.loads(line) for line in project.run("export").stdout.splitlines()]
    head, rows = lines[0], lines[1:]
    assert head["schema"] == "teamops.ledger-export/1"
    assert set(head["tables"]) == {table.name for table in TABLES}
    for row in rows:
        columns = head["tables"][row["table"]]["columns"]
        assert set(row) - {"table"} == set(columns)
        for name, kind in columns.items():
            wanted = {"integer": (int,), "number": (int, float), "text": (str,)}[kind]
            assert row[name] is None or type(row[name]) in tuple(wanted), (row["table"], name)
    with closing(sqlite3.connect(project.path)) as connection:
        for table in TABLES:
            [count] = connection.execute(f"SELECT count(*) FROM {table.name}").fetchone()  # noqa: S608 - ours
            assert sum(row["table"] == table.name for row in rows) == count
    spent = [row for row in rows if row["table"] == "spent"]
    assert {(row["role"], row["model"], row["session"]) for row in spent} == {("CODER", "m", "s")}
    assert sorted({str(row["cost_usd"]) for row in spent}) == ["0.25", "1E-13", "None"]
    texts = [row["text"] for row in rows if row["table"] == "block"]
    assert f"# {HOSTILE}\nwork 0" in texts
    assert "\x1b" not in project.run("export").stdout
    assert project.path.read_bytes() == before


def test_export_from_a_moment_on_of_one_table(project: Project) -> None:
    project.fill(20)
    done = project.run("export", "--table", "light", "--since", "100h")
    rows = [json.loads(line) for line in done.stdout.splitlines()][1:]
    assert [row["digest"] for row in rows if row["table"] == "light"] == [row["digest"] for row in rows]
    assert sorted(row["digest"] for row in rows) == ["d0", "d1", "d2", "d3", "d4"]
    done = project.run("export", "--table", "light", "--format", "csv")
    table = list(csv.DictReader(io.StringIO(done.stdout)))
    assert len(table) == 20
    assert table[0]["role"] == "CODER"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["export", "--table", "nosuch"], "nosuch"),
        (["export", "--format", "csv"], "one table"),
        (["export", "--format", "xml"], "xml"),
        (["export", "--since", "soon"], "soon"),
        (["export", "--since", "99999999d", "--table", "light"], "no moment"),
        (["export", "-o", "/dev/null"], "no file"),
        (["export", "-o", "/nosuch/folder/file"], "No such file"),
        (["stats", "--nosuch"], "nosuch"),
    ],
)
def test_wrong_use_is_refused(project: Project, words: list[str], said: str) -> None:
    project.fill(1)
    done = project.run(*words)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_an_exported_file_is_whole_or_as_it_was(project: Project, tmp_path: Path) -> None:
    project.fill(3)
    target = tmp_path / "out.jsonl"
    target.write_text("before", encoding="utf-8")
    assert project.run("export", "-o", "out.jsonl", cwd=tmp_path).returncode == 0
    assert json.loads(target.read_text(encoding="utf-8").splitlines()[0])["schema"] == "teamops.ledger-export/1"
    whole = target.read_bytes()
    with closing(sqlite3.connect(project.path)) as connection:
        connection.execute("UPDATE block SET text = x'00ff' WHERE id = 2")
        connection.commit()
    done = project.run("export", "-o", "out.jsonl", cwd=tmp_path)
    assert done.returncode == 1
    assert "damaged" in done.stderr
    assert target.read_bytes() == whole
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.jsonl", "shop", "state"]


def test_export_holds_few_rows_in_memory(project: Project) -> None:
    with closing(open_ledger(project.path)) as ledger:
        ledger._connection.executemany(
            "INSERT INTO state_edge(wall, role, state, evidence) VALUES(?, 'CODER', 'idle', ?)",
            ((1.7e9 + number, "x" * 900) for number in range(60_000)),
        )
    code = (
        "import resource, sys; from teamops.cli.main import main\n"
        "try: main()\n"
        "finally: sys.stderr.write(f'\\n{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}')"
    )
    place = ["-C", str(project.root), "--state-dir", str(project.state)]
    done = subprocess.run(
        [sys.executable, "-c", code, "ledger", "export", *place],
        capture_output=True,
        check=True,
    )
    assert len(done.stdout) > 55_000_000
    assert int(done.stderr.split()[-1]) < 80_000, "KB"


def test_a_reader_that_leaves_is_no_error(project: Project) -> None:
    project.fill(30)
    place = f"-C {project.root} --state-dir {project.state}"
    line = f"{sys.executable} -m teamops ledger export {place} | head -c 10"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=60, check=False)
    assert "Traceback" not in done.stderr


def test_vacuum_frees_bytes_keeps_all_rows_and_makes_the_file_shrink_by_itself(project: Project) -> None:
    project.fill(10)
    with closing(sqlite3.connect(project.path, isolation_level=None)) as connection:
        connection.execute("PRAGMA auto_vacuum = NONE")
        connection.execute("VACUUM")
        connection.execute("CREATE TABLE junk(text TEXT)")
        connection.executemany("INSERT INTO junk VALUES(?)", (("x" * 1000,) for _ in range(5000)))
        connection.execute("DROP TABLE junk")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert "vacuum" in project.run("stats").stdout
    before = project.path.stat().st_size
    rows = project.run("export").stdout.splitlines()[1:]
    done = project.run("vacuum", "--json")
    told = json.loads(done.stdout)
    assert told["before_bytes"] == before
    assert told["after_bytes"] == project.path.stat().st_size < before / 5
    assert project.run("export").stdout.splitlines()[1:] == rows
    assert json.loads(project.run("stats", "--json").stdout)["shrinks"] is True
    assert not backup_of(project.path).exists()


def test_vacuum_is_refused_while_a_supervisor_acts_and_waits_for_its_end(project: Project) -> None:
    project.fill(3)
    lease = Lease(project.folder)
    assert lease.acquire(time.time())
    before = project.path.read_bytes()
    done = project.run("vacuum")
    assert done.returncode == 1
    assert f"pid {os.getpid()}" in done.stderr
    assert project.path.read_bytes() == before
    place = ["-C", str(project.root), "--state-dir", str(project.state)]
    waiting = subprocess.Popen(
        [sys.executable, "-m", "teamops", "ledger", "vacuum", "--wait", "30", *place], stdout=subprocess.PIPE, text=True
    )
    lease.release()
    assert waiting.wait(30) == 0
    assert waiting.stdout is not None
    assert "sound" in waiting.stdout.read()
    waiting.stdout.close()


def test_a_vacuum_that_is_killed_leaves_a_sound_ledger(project: Project) -> None:
    project.fill(40)
    with closing(open_ledger(project.path)) as ledger:
        ledger._connection.executemany(
            "INSERT INTO state_edge(wall, role, state, evidence) VALUES(?, 'CODER', 'idle', ?)",
            ((1.7e9 + number, "x" * 900) for number in range(30_000)),
        )
    rows = project.run("export").stdout.splitlines()[1:]
    code = (
        "import os, signal, sys; from pathlib import Path; from teamops.ledger.vacuum import vacuum\n"
        "def say(what, part):\n"
        "    if what.startswith(sys.argv[2]) and part > 0: os.kill(os.getpid(), signal.SIGKILL)\n"
        "vacuum(Path(sys.argv[1]), say)"
    )
    for step in ("keeping", "writing", "proving"):
        done = subprocess.run([sys.executable, "-c", code, project.path, step], check=False, timeout=60)
        assert done.returncode == -signal.SIGKILL
        assert backup_of(project.path).exists()
        assert set(findings(project)) == {"leftover"}
        assert project.run("export").stdout.splitlines()[1:] == rows
    assert project.run("vacuum").returncode == 0
    assert not backup_of(project.path).exists()


def test_vacuum_leaves_a_damaged_ledger_alone(project: Project) -> None:
    project.fill(30)
    damage(project.path)
    before = project.path.read_bytes()
    done = project.run("vacuum")
    assert done.returncode == 1
    assert "damaged" in done.stderr
    assert project.path.read_bytes() == before


def damage(path: Path, what: str = "block") -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        [(page,)] = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (what,)).fetchall()
        size = connection.execute("PRAGMA page_size").fetchone()[0]
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)


def findings(project: Project) -> dict[str, str]:
    done = project.run("verify", "--json")
    told = json.loads(done.stdout)
    assert done.returncode == (1 if told["findings"] else 0)
    assert all(one["do"] for one in told["findings"])
    return {one["code"]: one["message"] for one in told["findings"]}


def change(project: Project, sql: str) -> None:
    with closing(sqlite3.connect(project.path)) as connection:
        connection.execute(sql)
        connection.commit()


def test_a_sound_ledger_is_said_to_be_sound_and_not_written(project: Project) -> None:
    project.fill()
    before = project.path.read_bytes()
    done = project.run("verify")
    assert done.returncode == 0
    assert "is sound" in done.stdout
    assert project.path.read_bytes() == before


@pytest.mark.parametrize(
    ("sql", "code", "said"),
    [
        (
            "UPDATE spent_quarter SET pico = pico + 1 WHERE quarter = (SELECT min(quarter) FROM spent_quarter)",
            "sums",
            "1 ",
        ),
        ("DELETE FROM spent WHERE id = 1", "sums", "CODER"),
        (
            "INSERT INTO spent_quarter SELECT 1900000, role, model, 1, 0, 0, 0, 0, 0, 0, 0 FROM spent LIMIT 1",
            "sums",
            "CODER",
        ),
        ("UPDATE light SET wall = 5e9 WHERE digest = 'd1'", "moments", "ahead"),
        ("UPDATE light SET wall = 5 WHERE digest = 'd1'", "moments", "before 2020"),
        ("INSERT INTO tamper(wall, kind, before, after) VALUES(1.7e9, 'x', 999, '')", "keys", "tamper"),
        ("UPDATE block SET text = x'0011' WHERE id = 1", "texts", "block"),
        ("UPDATE usage_minute SET cost_usd = 'dear'", "texts", "usage_minute"),
        ("PRAGMA user_version = 3", "version", "older"),
        ("PRAGMA user_version = 999", "version", "newer"),
        (
            "INSERT INTO delivery(action, role, light, attempt, decided_wall) VALUES(77, 'CODER', '', 1, 1.7e9)",
            "actions",
            "delivery",
        ),
    ],
)
def test_what_is_wrong_is_found(project: Project, sql: str, code: str, said: str) -> None:
    project.fill(5)
    change(project, sql)
    found = findings(project)
    assert set(found) == {code}
    assert said in found[code]
    text = project.run("verify").stdout
    assert "→" in text


def test_a_file_that_shrank_and_rights_that_are_wide_are_found(project: Project, tmp_path: Path) -> None:
    project.fill(2)
    log = tmp_path / "log.jsonl"
    log.write_text("{}\n", encoding="utf-8")
    status = log.stat()
    with closing(open_ledger(project.path)) as ledger:
        ledger.add_usage(CODER, [], Position(str(log), status.st_dev, status.st_ino, 500))
    assert set(findings(project)) == {"places"}
    project.path.chmod(0o644)
    assert set(findings(project)) == {"places", "rights"}


def test_damage_that_no_question_meets_is_found(project: Project) -> None:
    project.fill(3)
    damage(project.path, "block_by_digest")
    assert set(findings(project)) == {"damaged"}


def test_damage_and_strange_files_are_said_in_words(project: Project) -> None:
    project.fill(30)
    damage(project.path)
    assert "damaged" in findings(project)
    for words in (["export"], ["stats"]):
        done = project.run(*words)
        assert "Traceback" not in done.stderr
    assert project.run("export").returncode == 1
    project.path.write_bytes(b"no ledger at all" * 100)
    for words in (["stats"], ["export"], ["vacuum"]):
        done = project.run(*words)
        assert done.returncode == 1
        assert "no ledger" in done.stderr
    assert "no ledger" in findings(project)["damaged"]
    project.path.unlink()
    project.path.mkdir()
    for words in (["stats"], ["export"], ["verify"], ["vacuum"]):
        done = project.run(*words)
        assert done.returncode == 1
        assert "Traceback" not in done.stderr
