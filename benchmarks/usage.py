"""How long the clients' logs take: a first gigabyte beside ccusage, the next call, and the memory of all that."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

import psutil

from benchmarks.figures import Figure, middle, spread
from benchmarks.logs import make
from teamops.usage.own_process import SCAN

SIZE = 1_000_000_000
RESULT_BYTES = 11_000
"""Of a tool's result: so long that a gigabyte holds 80,000 lines with usage."""
RUNS = 5
AGAIN = 7
TEAMOPS = (sys.executable, "-m", "teamops", "usage", "--json", "--tz", "UTC")
OURS = Path(__file__).parents[1] / "build" / "ccusage" / "node_modules"
CCUSAGE = ("claude", "daily", "--json", "--offline", "-z", "UTC")


@dataclass(frozen=True, slots=True)
class Run:
    """One call."""

    seconds: float
    cpu_s: float
    worker_rss: int
    """The most bytes that all processes of the scan held at once."""
    cost: float


def usage() -> Iterable[Figure]:
    """The first scan of 1 GB in 2,000 files, its caches warm, in turn with ccusage; then the next call."""
    folder = Path(tempfile.mkdtemp(prefix="tb-"))
    try:
        made = make(folder / "claude", SIZE, result=RESULT_BYTES)
        env = {name: value for name, value in os.environ.items() if not name.startswith("TEAMOPS_")}
        env |= {
            "HOME": str(folder),
            "CLAUDE_CONFIG_DIR": str(folder / "claude"),
            "TEAMOPS_STATE_DIR": str(folder / "s"),
        }
        ccusage = _ccusage()
        first: list[Run] = []
        theirs: list[Run] = []
        scans: list[float] = []
        for _ in range(RUNS + 1):  # the first fills the caches and does not count
            if ccusage is not None:
                theirs.append(_run([ccusage, *CCUSAGE], env, "totalCost"))
            shutil.rmtree(folder / "s", ignore_errors=True)
            # Watching takes its share of the machine, so it is done in the run that does not count.
            first.append(_run(TEAMOPS, env, "cost_usd", watched=not first))
            shutil.rmtree(folder / "s", ignore_errors=True)
            scans.append(_scan(folder / "s" / "usage.sqlite3", env))
        rss = first[0].worker_rss
        first, theirs, scans = first[1:], theirs[1:], scans[1:]
        again = [_run(TEAMOPS, env, "cost_usd") for _ in range(AGAIN)]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    ours = middle([run.seconds for run in first])
    what = f"{made.size / 1e9:.1f} GB, {made.files:,} files, {made.lines:,} lines with usage"
    if ccusage is None:
        yield Figure(
            what="first scan of 1 GB of Claude's logs", measured=ours, promise=2.0, unit="s",
            note=f"{what}; ccusage is not installed: npm install --prefix build/ccusage ccusage@20.0.24",
        )  # fmt: skip
    else:
        reference = middle([run.seconds for run in theirs])
        used = middle([run.cpu_s for run in first]) / middle([run.cpu_s for run in theirs])
        same = abs(first[0].cost - theirs[0].cost) < 1e-5
        yield Figure(
            what="1 GB of Claude's logs is in the ledger, beside ccusage", measured=middle(scans) / reference,
            promise=1.0, unit="times", note=spread(scans, "s"),
        )  # fmt: skip
        yield Figure(
            what="… and is told, prices looked up", measured=ours / reference, promise=1.0,
            unit="times",
            note=f"{what}; {spread([run.seconds for run in first], 's')}; ccusage {reference:.2f} s; "
            f"CPU {used:.2f} times; {'the same' if same else 'ANOTHER'} total",
        )  # fmt: skip
    yield Figure(
        what="… and memory of the scan", measured=rss / 1e6, promise=200, unit="MB",
        note="RSS of its three processes together",
    )  # fmt: skip
    yield Figure(
        what="the next call, with nothing new", measured=middle([run.seconds for run in again]), promise=1.0, unit="s",
        note=spread([run.seconds for run in again], "s"),
    )  # fmt: skip


def _scan(ledger: Path, env: dict[str, str]) -> float:
    """Return the seconds from the start of the worker until all is in the ledger."""
    begun = time.perf_counter()
    subprocess.run([*SCAN, str(ledger), str(os.getpid())], env=env, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - begun


def _ccusage() -> str | None:
    """Return the native program of ccusage 20: its wrapper would have to start node first."""
    named = os.environ.get("TEAMOPS_CCUSAGE")
    found = named or next(map(str, OURS.glob("@ccusage/*/bin/ccusage")), None)
    return found or shutil.which("ccusage")


def _run(words: Sequence[str], env: dict[str, str], cost: str, *, watched: bool = False) -> Run:
    before = os.times()
    begun = time.perf_counter()
    with subprocess.Popen(words, env=env, cwd=env["HOME"], stdout=subprocess.PIPE) as child:
        most = [0]
        watching = Thread(target=_watch, args=(child.pid, most))
        if watched:
            watching.start()
        out = child.communicate()[0]
        seconds = time.perf_counter() - begun
        if watched:
            watching.join()
    if child.returncode:
        raise subprocess.SubprocessError(f"{words[0]} ended with {child.returncode}")
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Run(seconds, cpu, most[0], float(json.loads(out)["totals"][cost]))


def _watch(pid: int, most: list[int]) -> None:
    """Note the most memory that the processes of a scan below ``pid`` hold, until it has gone."""
    try:
        process = psutil.Process(pid)
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            held = 0
            for child in process.children(recursive=True):
                try:
                    if any("usage_worker" in word for word in child.cmdline()):
                        held += child.memory_info().rss
                except psutil.Error:
                    continue
            most[0] = max(most[0], held)
            time.sleep(0.05)
    except psutil.Error:
        return
