"""How soon a change past a boundary is known, what watching a great work tree costs, what git's hook takes."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import TypeVar

import psutil

from benchmarks import stage
from benchmarks.figures import Figure, middle, spread
from benchmarks.stage import TEAMOPS, Stage
from benchmarks.terminal import cpu_s
from teamops.config.load import load
from teamops.effects.git_hook import command
from teamops.effects.policies import light_now, write_policies

T = TypeVar("T")
FILES, FOLDERS, IGNORED = 5000, 250, 3000
CHANGES = 12
COMMITS = 15
IDLE_S = 20.0
SETTLE_S = 8.0
DEADLINE_S = 60.0
GIT = ("git", "-c", "user.name=b", "-c", "user.email=b@b.example")


def audit() -> Iterable[Figure]:
    """A file that no living agent may change is changed, in a work tree of thousands of files."""
    latencies: list[float] = []
    with stage.team() as scene:
        _fill(scene)
        watching = subprocess.Popen(
            [*TEAMOPS, "watch"], cwd=scene.root, env=scene.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            state = _wait(lambda: next(scene.folder.glob("state/*/ledger.sqlite3"), None))
            _wait(lambda: next(state.parent.glob("trees/turns.json"), None))
            time.sleep(SETTLE_S)
            with sqlite3.connect(f"file:{state}?mode=ro", uri=True) as ledger:
                for number in range(CHANGES):
                    path = scene.root / "reviews" / f"r{number}.md"  # the developer holds the light, and may not
                    path.write_text("changed\n", encoding="utf-8")
                    began = time.perf_counter()
                    name = f"reviews/r{number}.md"
                    _wait(partial(_known, ledger, name))
                    latencies.append(time.perf_counter() - began)
            time.sleep(2.0)
            own = psutil.Process(watching.pid)
            began, before = time.perf_counter(), cpu_s([own, *own.children(recursive=True)])
            time.sleep(IDLE_S)
            share = 100 * (cpu_s([own, *own.children(recursive=True)]) - before) / (time.perf_counter() - began)
            for number in range(FILES):
                (scene.root / f"d{number % FOLDERS}" / f"f{number}.py").write_text("x = 2\n", encoding="utf-8")
            before = cpu_s([own])
            time.sleep(5.0)
            burst = cpu_s([own]) - before
        finally:
            watching.terminate()
            watching.wait(20)
    yield Figure(
        what="a change past a boundary is in the ledger", measured=max(latencies), promise=1.0, unit="s",
        note=f"the slowest; {spread(latencies, 's')}; {FILES} files in {FOLDERS} folders, {IGNORED} ignored",
    )  # fmt: skip
    yield Figure(
        what="CPU, six idle agents and a watched work tree", measured=share, promise=1.0, unit="%",
        note=f"of a core over {IDLE_S:.0f} s, without a screen",
    )  # fmt: skip
    yield Figure(
        what=f"CPU for {FILES} files that change at once", measured=burst, promise=5.0, unit="s",
        note="what comes after the last of them; its holder may change them",
    )  # fmt: skip


def committing() -> Iterable[Figure]:
    """What the pre-commit hook adds to a commit."""
    with stage.team(["DEVELOPER"]) as scene:
        _fill(scene, files=50, folders=5, ignored=0)
        env = {**scene.env, "TEAMOPS_ROLE": "DEVELOPER"}
        settings, state = load(scene.root), scene.folder / "state" / "own"
        write_policies(settings, state)
        (state / "light.json").write_text(light_now(settings.handoff, ()), encoding="utf-8")
        (scene.root / "d1" / "f1.py").write_text("x = 3\n", encoding="utf-8")
        subprocess.run([*GIT, "add", "-A"], cwd=scene.root, check=True)
        took = []
        for _ in range(COMMITS):
            began = time.perf_counter()
            subprocess.run(["/bin/sh", "-c", command(state)], cwd=scene.root, env=env, check=False, capture_output=True)
            took.append(time.perf_counter() - began)
    yield Figure(
        what="git's hook judges a commit", measured=middle(took), promise=0.1, unit="s", note=spread(took, "s")
    )


def _fill(scene: Stage, files: int = FILES, folders: int = FOLDERS, ignored: int = IGNORED) -> None:
    """Make a repository of many files."""
    for number in range(files):
        path = scene.root / f"d{number % folders}" / f"f{number}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text("x = 1\n", encoding="utf-8")
    for number in range(ignored):
        path = scene.root / "node_modules" / f"m{number}" / "i.js"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x\n", encoding="utf-8")
    (scene.root / "reviews").mkdir()
    (scene.root / ".gitignore").write_text("node_modules/\ns\ncurrent.md\n", encoding="utf-8")
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "first"]):
        subprocess.run([*GIT, *words], cwd=scene.root, check=True, env={**os.environ, **scene.env})


def _known(ledger: sqlite3.Connection, name: str) -> object:
    return ledger.execute("SELECT 1 FROM violation WHERE path = ?", (name,)).fetchone()


def _wait(found: Callable[[], T | None]) -> T:
    """Return what ``found`` gives, as soon as that is something."""
    end = time.monotonic() + DEADLINE_S
    while not (value := found()):
        if time.monotonic() > end:
            raise TimeoutError("not seen")
        time.sleep(0.002)
    return value
