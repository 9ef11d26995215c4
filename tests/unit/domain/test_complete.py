from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import pytest
from msgspec.structs import replace

from teamops.domain.complete import Missing, asked, began, missing
from teamops.model.handoff import Block
from teamops.model.role import DIRECTOR

SRC = {"/src/": ("/tests/", "/docs/")}


@pytest.mark.parametrize(
    ("changed", "rules", "lacking"),
    [
        ([], SRC, []),
        (["README.md"], SRC, []),
        (["src/a.py", "tests/test_a.py", "docs/a.md"], SRC, []),
        (["src/a.py", "tests/test_a.py"], SRC, ["/docs/"]),
        (["src/a.py"], SRC, ["/tests/", "/docs/"]),
        (["other/src/a.py"], SRC, []),  # a slash at the beginning binds to the project's folder
        (["other/src/a.py"], {"src/": ["/tests/"]}, ["/tests/"]),
        (["src/a.py", "src/b.md"], {"*.py": ["*.md"]}, []),
        (["tests/test_a.py"], {"*.py": ["/tests/"]}, []),  # a file may be the one that it asks for
        (["a.py"], {"*.py": ["x", "x"]}, ["x"]),
        (["a.py"], {"*.py": ["x"], "a.*": ["x"]}, ["x", "x"]),
        (["src/deep/er/a.py"], {"/src/**/*.py": ["CHANGELOG.md"]}, ["CHANGELOG.md"]),
        (["src/new\nline.py", "src/\udcff"], SRC, ["/tests/", "/docs/"]),
        (["src"], SRC, []),  # a file of that name, no folder
        (["a.py"], {}, []),
    ],
)
def test_what_is_missing(changed: list[str], rules: Mapping[str, list[str]], lacking: list[str]) -> None:
    assert [one.glob for one in missing(changed, rules)] == lacking


def test_it_says_why() -> None:
    found = missing(["src/a.py", "src/b.py", "tests/t.py"], SRC)
    assert found == (Missing("/docs/", "/src/", "src/a.py", 2),)
    assert asked(["src/a.py"], {**SRC, "*.md": ["x"]}) == ("/src/",)


@pytest.mark.parametrize("rules", [{"!": ["a"]}, {"a": ["!"]}], ids=["key", "value"])
def test_what_is_no_glob_is_refused(rules: Mapping[str, list[str]]) -> None:
    with pytest.raises(ValueError, match='"!" is no glob'):
        missing(["a"], rules)


def test_a_task_begins_when_its_first_block_was_seen_or_at_its_headings_time() -> None:
    at = datetime(2026, 3, 28, 14, 30)  # noqa: DTZ001 - a heading has no zone
    first = Block(index=0, role=DIRECTOR, at=at, line=1, end_line=2, start=0, end=9, digest="d")
    assert began(first, {"d": 7.0}) == 7.0
    assert began(first, {"other": 7.0}) == at.timestamp()
    assert began(replace(first, at=None), {}) == 0.0
