"""What msgspec makes and what dataclasses makes are not taken for each other."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PLUGIN = Path(__file__).with_name("struct_plugin.py")
LINES = """\
from dataclasses import asdict, dataclass, fields, replace

from msgspec import Struct


class Told(Struct, frozen=True):
    number: int = 0


@dataclass(frozen=True)
class Known:
    number: int = 0


def again(one: Told, other: Known, either: Told | Known, kind: type[Told]) -> None:
    replace(one, number=1)  # refused
    replace(either, number=1)  # refused
    asdict(one)  # refused
    fields(Told)  # refused
    fields(kind)  # refused
    replace(other, number=1)
    asdict(other)
    fields(Known)
"""


@pytest.mark.slow
def test_a_struct_is_given_to_nothing_that_is_for_dataclasses(tmp_path: Path) -> None:
    (tmp_path / "mypy.ini").write_text(f"[mypy]\nplugins = {PLUGIN}\n")
    (tmp_path / "told.py").write_text(LINES)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", "mypy.ini", "told.py"],
        cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    found = {int(line.split(":")[1]) for line in done.stdout.splitlines() if "msgspec struct" in line}
    assert found == {number for number, line in enumerate(LINES.splitlines(), 1) if "# refused" in line}, done.stdout
