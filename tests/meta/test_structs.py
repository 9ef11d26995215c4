"""What msgspec makes and what dataclasses makes are not taken for each other."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PLUGIN = Path(__file__).with_name("struct_plugin.py")
LINES = """\
from dataclasses import asdict, dataclass, fields, replace

from msgspec import Struct, structs


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
    structs.replace(one, number="two")  # wrong
    structs.replace(one, name="two")  # wrong
    structs.replace(one, number=2)
"""


def marked(mark: str) -> set[int]:
    return {number for number, line in enumerate(LINES.splitlines(), 1) if mark in line}


@pytest.mark.slow
def test_each_replace_is_for_its_own_kind_and_is_checked(tmp_path: Path) -> None:
    (tmp_path / "mypy.ini").write_text(f"[mypy]\nplugins = {PLUGIN}\n")
    (tmp_path / "told.py").write_text(LINES)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", "mypy.ini", "told.py"],
        cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    said = [(int(line.split(":")[1]), line) for line in done.stdout.splitlines() if ": error:" in line]
    assert {number for number, line in said if "msgspec struct" in line} == marked("# refused"), done.stdout
    assert {number for number, line in said if "msgspec struct" not in line} == marked("# wrong"), done.stdout
