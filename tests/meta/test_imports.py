"""What an import really loads, asked of a fresh interpreter: import-linter reads the text, this sees the result."""

from __future__ import annotations

import json
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import teamops

OURS = {"domain": "teamops.domain", "handoff": "teamops.handoff", "model": "teamops.model"}
HEAVY = ("textual", "libtmux", "genai_prices", "psutil", "desktop_notifier", "dbus_fast", "markdown_it", "pydantic")


def loaded_by(*modules: str) -> set[str]:
    """Return the modules that importing ``modules`` loads beyond those of a bare interpreter."""
    program = (
        "import sys; before = set(sys.modules)\n"
        + "".join(f"import {name}\n" for name in modules)
        + "import json; print(json.dumps(sorted(set(sys.modules) - before)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout))


def offenders(loaded: set[str], forbidden: tuple[str, ...]) -> list[str]:
    return sorted(name for name in loaded if any(name == root or name.startswith(root + ".") for root in forbidden))


def modules_of(package: str) -> list[str]:
    folder = Path(teamops.__file__).parent.joinpath(*package.split(".")[1:])
    return [package, *(name for _, name, _ in pkgutil.walk_packages([str(folder)], package + "."))]


def test_an_agent_that_imports_teamops_loads_the_standard_library_alone() -> None:
    strangers = {name for name in loaded_by("teamops") if name.split(".")[0] not in sys.stdlib_module_names}
    assert offenders(strangers, ("teamops",)) == sorted(strangers)
    assert not offenders(strangers, tuple(f"teamops.{room}" for room in ("model", "handoff", "domain", "cli", "tui")))


@pytest.mark.parametrize("package", OURS.values(), ids=OURS)
def test_the_pure_rooms_load_nothing_that_acts(package: str) -> None:
    # Not `time`: every interpreter has loaded it before the first line; import-linter watches that one.
    forbidden = ("textual", "libtmux", "watchdog", "psutil", "sqlite3", "subprocess", "asyncio")
    loaded = loaded_by(*modules_of(package))
    assert package in loaded
    assert offenders(loaded, forbidden) == []
    above = {"handoff": ("domain",), "model": ("domain", "handoff"), "domain": ()}[package.split(".")[1]]
    machine = ("ledger", "tmux", "git", "usage", "config")
    rooms = (*above, "cli", "supervisor", "sources", "effects", "report", *machine, "tui")
    assert offenders(loaded, tuple(f"teamops.{room}" for room in rooms)) == []


def test_the_screen_loads_no_machine() -> None:
    # Not the sdk: `import teamops` is the sdk, whoever imports it.
    rooms = ("sources", "effects", "tmux", "git", "ledger", "usage", "supervisor", "report", "demo")
    loaded = loaded_by("teamops.tui.app")
    assert "textual.app" in loaded
    assert offenders(loaded, ("libtmux", "sqlite3", "watchdog", "psutil", "genai_prices", "desktop_notifier")) == []
    assert offenders(loaded, tuple(f"teamops.{room}" for room in rooms)) == []


BEFORE_THE_FIRST_FRAME = (
    "teamops.cli.main", "teamops.cli.screen", "teamops.config.load",
    "teamops.supervisor.thread", "teamops.supervisor.run", "teamops.tui.app",
)  # fmt: skip
AFTER_IT = (
    *("libtmux", "genai_prices", "psutil", "desktop_notifier", "markdown_it", "pathspec", "plotext", "click"),
    *("teamops.git", "teamops.report", "teamops.demo", "teamops.model.cost_report"),
    *(f"teamops.effects.{name}" for name in ("append", "confine", "gates", "launch", "policies", "restart", "stop")),
    *(f"teamops.guard.{name}" for name in ("judge", "commands", "shell", "confine", "light")),
    *(f"teamops.supervisor.{name}" for name in ("agent_reports", "cost_reports", "reports", "signing", "wishes")),
    *(f"teamops.usage.{name}" for name in ("claude", "codex", "gemini", "scan")),
)
MOST_MODULES = 281
"""Each takes about a millisecond of every start; what is asked for later is imported later."""
MOST_DATACLASSES = 66
"""Each takes about half a millisecond of every start; a struct of msgspec next to nothing."""


def test_what_the_first_frame_does_not_need_is_not_loaded_before_it() -> None:
    loaded = loaded_by(*BEFORE_THE_FIRST_FRAME)
    assert offenders(loaded, AFTER_IT) == []
    assert len([name for name in loaded if name.startswith("teamops.")]) <= MOST_MODULES


def test_what_the_first_frame_loads_makes_few_dataclasses() -> None:
    program = "".join(f"import {name}\n" for name in BEFORE_THE_FIRST_FRAME) + (
        "import sys\n"
        "for name, module in sorted(sys.modules.items()):\n"
        "    for own in vars(module).values() if name.startswith('teamops.') else ():\n"
        "        if isinstance(own, type) and own.__module__ == name and '__dataclass_fields__' in vars(own):\n"
        "            print(f'{name}.{own.__name__}')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    made = done.stdout.split()
    assert "teamops.config.settings.Settings" in made
    assert len(made) <= MOST_DATACLASSES, f"frozen ones may be structs: {', '.join(made)}"


@pytest.mark.parametrize(
    "door",
    [
        "teamops.cli.main",
        "teamops.cli.root",
        "teamops.cli.status",
        "teamops.cli.watch",
        "teamops.cli.act",
        "teamops.cli.usage",
        "teamops.sources.usage_worker",
    ],
)
def test_a_command_without_a_screen_pays_for_none(door: str) -> None:
    loaded = loaded_by(door)
    assert door in loaded
    assert offenders(loaded, HEAVY) == []


def test_a_status_line_loads_next_to_nothing() -> None:
    loaded = loaded_by("teamops.cli.segment")
    assert "teamops.report.segment" in loaded
    rooms = ("config", "ledger", "tmux", "usage", "handoff", "effects", "sources", "tui")
    assert offenders(loaded, (*HEAVY, "click", "sqlite3", "asyncio", *(f"teamops.{room}" for room in rooms))) == []


CHILD = "import time; a = time.process_time(); {}; print(time.process_time(), time.process_time() - a)"


def test_importing_teamops_costs_less_than_starting_python() -> None:
    """15 ms is what a bare interpreter takes; CPU time, the best of several, each beside its own yardstick."""

    def cpu(statement: str) -> tuple[float, float]:
        done = subprocess.run(
            [sys.executable, "-c", CHILD.format(statement)], capture_output=True, text=True, timeout=30, check=True
        )
        start, spent = done.stdout.split()
        return float(start), float(spent)

    bare = min(cpu("pass")[0] for _ in range(7))
    ours = min(cpu("import teamops")[1] for _ in range(7))
    assert ours < 1.2 * bare, f"import teamops takes {ours * 1000:.1f} ms of CPU, a bare interpreter {bare * 1000:.1f}"
