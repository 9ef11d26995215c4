"""What is installed elsewhere: the wheel has all that the program reads, and runs from it."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROLES = ("director", "developer", "coder", "reviewer", "optimizer", "partner")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    # Where the build backend is at hand there is no need to fetch it into a place of its own.
    alone = ["--no-build-isolation"] if importlib.util.find_spec("hatchling") else []
    done = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", *alone, "--wheel-dir", str(folder), str(ROOT)],
        capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    [built] = folder.glob("*.whl")
    return built


def test_the_wheel_has_what_the_program_reads(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        points = next(name for name in names if name.endswith("entry_points.txt"))
        assert "teamops = teamops.cli.main:main" in archive.read(points).decode()
        for wanted in [f"teamops/profiles/{role}.md" for role in ROLES] + ["teamops/sample_current.md"]:
            assert wanted in names
            assert len(archive.read(wanted)) > 500, f"{wanted} is all but empty"
    assert "teamops/guard/opencode_plugin.js" in names
    assert "teamops/py.typed" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    # As packages' own top-level folders these would litter everybody's site-packages.
    assert {name.split("/")[0].split("-")[0] for name in names} == {"teamops"}


def test_the_program_runs_from_the_wheel(wheel: Path, tmp_path: Path) -> None:
    place = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(place)
    project = tmp_path / "project"
    project.mkdir()
    (project / "current.md").write_bytes((place / "teamops" / "sample_current.md").read_bytes())

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        env = {**os.environ, "PYTHONPATH": str(place)}
        return subprocess.run(
            [sys.executable, *arguments], cwd=project, env=env, capture_output=True, text=True, timeout=60, check=False
        )

    where = run("-c", "import teamops; print(teamops.__file__)")
    assert where.stdout.startswith(str(place))
    shown = run("-m", "teamops", "config", "check")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert run("-m", "teamops", "handoff", "lint").returncode == 0
