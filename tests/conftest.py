"""No test sees the person's home, configuration, desktop or tmux server, and none leaves anything running."""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from hypothesis import HealthCheck, settings

from tests import strays

MARK = "TEAMOPS_TEST_RUN"
STRAY_DEADLINE_S = 10.0
"""So long a process may take to notice that its owner is gone."""

_FORGOTTEN = (
    "TMUX", "TMUX_PANE", "DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "WAYLAND_DISPLAY", "CLAUDE_CONFIG_DIR", "CODEX_HOME",
    "TEAMOPS_ROLE", "TEAMOPS_PROJECT", "TEAMOPS_STATE_DIR", "TEAMOPS_SPOOL", "NO_COLOR", "FORCE_COLOR", "COLORTERM",
    "XDG_DATA_DIRS", "XDG_CONFIG_DIRS", "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "COLUMNS", "LINES",
)  # fmt: skip

settings.register_profile("dev", deadline=None)
settings.register_profile(
    "ci",
    deadline=None,  # two busy cores say nothing about a single example
    derandomize=True,  # a red build is the change's fault, never the dice's
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("ci" if os.environ.get("CI") else "dev")


def _folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="tq-", dir="/tmp"))  # short: a socket's path may have 107 bytes


def _settle_in(base: Path) -> None:
    """Make ``base`` the home of all that follows."""
    places = {
        "HOME": "home", "XDG_CONFIG_HOME": "config", "XDG_STATE_HOME": "state", "XDG_DATA_HOME": "data",
        "XDG_CACHE_HOME": "cache", "XDG_RUNTIME_DIR": "run",
    }  # fmt: skip
    for name, folder in places.items():
        (base / folder).mkdir(mode=0o700)
        os.environ[name] = str(base / folder)


_RUN = _folder()
_MARK_VALUE = uuid.uuid4().hex
for _name in _FORGOTTEN:
    os.environ.pop(_name, None)
for _name, _value in {
    MARK: _MARK_VALUE,
    "TMPDIR": str(_RUN),
    "TMUX_TMPDIR": str(_RUN),  # even `tmux` without a socket meets nobody's server; the guard below sees it
    "SHELL": "/bin/sh",
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "GIT_CONFIG_NOSYSTEM": "1",
}.items():
    os.environ[_name] = _value
tempfile.tempdir = str(_RUN)
_settle_in(_RUN)


def pytest_unconfigure() -> None:
    """Take the run's folder away."""
    shutil.rmtree(_RUN, ignore_errors=True)


@pytest.fixture(scope="session", autouse=True)
def _nothing_keeps_running() -> Iterator[None]:
    """Fail the run that leaves a process behind, and end it."""
    yield

    def find() -> list[psutil.Process]:
        # By the folder too: what is started with an environment of its own (an agent) has lost the mark.
        return [*strays.marked(MARK, _MARK_VALUE), *strays.naming(f"{_RUN}/"), *strays.children()]

    left = strays.settle(find, STRAY_DEADLINE_S)
    if left:
        names = "\n  ".join(sorted(set(strays.kill(left))))
        pytest.fail(f"tests left these processes running:\n  {names}")


@pytest.fixture(autouse=True)
def _own_home() -> Iterator[None]:
    """Give each test an empty home, and fail the one that uses the default tmux server.

    Uses neither ``tmp_path`` nor ``monkeypatch``: both would be function-scoped fixtures of every Hypothesis test.
    """
    base = _folder()
    for name in _FORGOTTEN:
        os.environ.pop(name, None)
    _settle_in(base)
    yield
    shutil.rmtree(base, ignore_errors=True)
    default = _RUN / f"tmux-{os.getuid()}" / "default"
    if default.exists():
        default.unlink()
        pytest.fail("this test used the default tmux server: give every tmux command a private socket (-S)")


@pytest.fixture
def short_dir() -> Iterator[Path]:
    """Return a folder whose path is short enough for sockets."""
    folder = _folder()
    yield folder
    shutil.rmtree(folder, ignore_errors=True)
