from __future__ import annotations

from collections.abc import Mapping

import pytest

from teamops.domain.complete import Missing, asked, missing

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
