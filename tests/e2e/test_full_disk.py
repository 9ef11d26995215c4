"""A ledger that takes nothing any more: a quota on file size stands for the full disk, as SQLite meets the same."""

from __future__ import annotations

import json
import marshal
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import teamops

PROGRAM = [sys.executable, "-m", "teamops"]
WRONG = "\n### [CODER] 2026-03-28 14:30\n\n**Status:** done\n**Turn:** NOBODY\n"


@pytest.fixture
def place(tmp_path: Path) -> tuple[str, ...]:
    root = tmp_path / "shop"
    root.mkdir()
    (root / "current.md").write_text("", encoding="utf-8")
    return ("-C", str(root), "--state-dir", str(tmp_path / "state"))


@pytest.fixture
def watch(place: tuple[str, ...], tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    with (tmp_path / "watch.log").open("wb") as log:
        process = subprocess.Popen([*PROGRAM, "watch", *place], stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)


def ask(place: tuple[str, ...], *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, *words, *place], capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def until(place: tuple[str, ...], words: str, told: Callable[[subprocess.CompletedProcess[str]], bool]) -> str:
    """Ask until it is told; return what was said."""
    end = time.monotonic() + 40.0
    while not told(done := ask(place, *words.split())):
        assert time.monotonic() < end, (done.returncode, done.stdout, done.stderr)
    return done.stdout


def test_every_reader_says_so_and_knows_what_happens_meanwhile(
    place: tuple[str, ...], watch: subprocess.Popen[bytes]
) -> None:
    until(place, "status --format line", lambda done: done.stdout == "○ no turn\n")
    until(place, "check", lambda done: done.returncode == 0)
    hard = resource.prlimit(watch.pid, resource.RLIMIT_FSIZE)[1]
    resource.prlimit(watch.pid, resource.RLIMIT_FSIZE, (8192, hard))
    with Path(place[1], "current.md").open("a", encoding="utf-8") as file:
        file.write(WRONG)
    said = until(place, "check", lambda done: done.returncode == 2 and "NOBODY" in done.stdout)
    assert "ledger.sqlite3: the disk is full" in said or "the disk can't be written" in said
    listed = ask(place, "alerts")
    assert listed.returncode == 1
    assert listed.stdout.startswith("! the ledger can't be written: ")
    assert "ledger-troubled" in listed.stdout
    assert "NOBODY" in listed.stdout
    assert json.loads(ask(place, "alerts", "--json").stdout)["unrecorded"].startswith("the ledger can't be written")
    assert "note: the ledger can't be written: " in ask(place, "status").stdout
    told = json.loads(ask(place, "status", "--json").stdout)
    assert told["supervisor"]["unrecorded"] in told["troubles"]
    assert {"ledger-troubled"} < {alert["code"] for alert in told["alerts"]}
    assert ask(place, "status", "--format", "line").stdout.startswith("✗ ledger can't be written ⚠")

    resource.prlimit(watch.pid, resource.RLIMIT_FSIZE, (hard, hard))
    until(place, "alerts", lambda done: "ledger" not in done.stdout and "NOBODY" in done.stdout)
    assert "ledger" not in ask(place, "check").stdout
    assert "✗" not in ask(place, "status", "--format", "line").stdout


def test_a_folder_that_takes_nothing_is_a_finding_of_verify(
    place: tuple[str, ...], watch: subprocess.Popen[bytes]
) -> None:
    until(place, "check", lambda done: done.returncode == 0)
    assert "room" in ask(place, "ledger", "verify").stdout
    before = sorted(path.name for path in Path(place[3]).rglob("*"))

    def no_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

    done = subprocess.run(
        [*PROGRAM, "ledger", "verify", *place], capture_output=True, text=True, check=False, timeout=60,
        preexec_fn=no_room, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip
    assert done.returncode == 1
    assert "✗ the ledger can't be written now: File too large" in done.stdout
    assert sorted(path.name for path in Path(place[3]).rglob("*")) == before


def test_what_a_supervisor_imports_on_a_full_disk_can_be_imported_later(place: tuple[str, ...], tmp_path: Path) -> None:
    package = tmp_path / "installed" / "teamops"
    shutil.copytree(Path(teamops.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    env["PYTHONPATH"] = str(package.parent)
    watch = subprocess.Popen(
        [*PROGRAM, "watch", *place], cwd=tmp_path, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        until(place, "status --format line", lambda done: done.stdout == "○ no turn\n")
        until(place, "check", lambda done: done.returncode == 0)
        (lease,) = Path(place[3]).glob("*/lease")
        seen = {lease.read_bytes()}
        end = time.monotonic() + 40.0
        while len(seen) < 4:  # its rounds, one a second
            assert time.monotonic() < end
            seen.add(lease.read_bytes())
        resource.prlimit(watch.pid, resource.RLIMIT_FSIZE, (1024, resource.RLIM_INFINITY))
        with Path(place[1], "current.md").open("a", encoding="utf-8") as file:
            file.write(WRONG)
        until(place, "alerts", lambda done: "ledger-troubled" in done.stdout and "NOBODY" in done.stdout)
    finally:
        watch.terminate()
        watch.wait(20)
    kept = [path for path in package.rglob("*.pyc") if path.stat().st_size != 0]
    assert package / "cli" / "__pycache__" / f"watch.{sys.implementation.cache_tag}.pyc" in kept
    for path in kept:
        marshal.loads(path.read_bytes()[16:])  # noqa: S302 - our own; as an import reads it
