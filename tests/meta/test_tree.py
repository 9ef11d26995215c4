"""What holds for every file of the project."""

from __future__ import annotations

import ast
import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LONGEST = 400

# Put together here, so that this file does not find itself.
FORBIDDEN = {
    "a path of somebody's machine": re.compile(r"(?<![\w.$}~-])/(?:wo" + r"rk|ro" + r"ot)/"),
    "a package registry": re.compile(r"py" + r"pi\.(?:org|python)|pythonhos" + r"ted|index" + r"-url"),
    "a conflict marker": re.compile(r"^(?:<{7} |>{7} )", re.MULTILINE),
}  # fmt: skip


def tracked() -> list[Path]:
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        if os.environ.get("CI"):
            pytest.fail(f"git ls-files: {done.stderr}")
        pytest.skip("not a git checkout")
    return [path for name in done.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def test_modules_fit_in_a_head() -> None:
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for folder in ("teamops", "benchmarks")
        for path in (ROOT / folder).rglob("*.py")
    }
    assert len(lengths) > 50
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST} == {}


def test_no_tracked_file_speaks_of_a_machine() -> None:
    found = []
    for path in tracked():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        for what, pattern in FORBIDDEN.items():
            for match in pattern.finditer(text):
                line = text.count("\n", 0, match.start()) + 1
                found.append(f"{path.relative_to(ROOT)}:{line}: {what}: {match[0]!r}")
    assert found == []


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("see /ro" + "ot/.cache/x", "a path of somebody's machine"),
        ("cd /wo" + "rk/main", "a path of somebody's machine"),
        ("https://py" + "pi.org/simple", "a package registry"),
    ],
    ids=["home", "work", "registry"],
)
def test_the_search_finds_what_it_looks_for(text: str, kind: str) -> None:
    assert FORBIDDEN[kind].search(text)


def sleeps_outside_loops(source: str) -> list[int]:
    """Return the lines of sleeps for a fixed time: not one step of a loop that waits for something."""
    lines: list[int] = []

    def visit(node: ast.AST, *, looped: bool) -> None:
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("time.sleep", "asyncio.sleep") and not looped:
            zero = node.args and isinstance(node.args[0], ast.Constant) and node.args[0].value == 0
            if not zero:
                lines.append(node.lineno)
        for child in ast.iter_child_nodes(node):
            visit(child, looped=looped or isinstance(node, ast.While | ast.For | ast.AsyncFor))

    visit(ast.parse(source), looped=False)
    return lines


def test_no_test_sleeps_for_a_fixed_time() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in sorted((ROOT / "tests").rglob("*.py"))
        for line in sleeps_outside_loops(path.read_text(encoding="utf-8"))
    ]
    assert found == []


def test_a_fixed_sleep_is_seen() -> None:
    source = "import time\ntime.sleep(1)\nwhile True:\n    time.sleep(1)\nasync def f():\n    await asyncio.sleep(0)\n"
    assert sleeps_outside_loops(source) == [2]
