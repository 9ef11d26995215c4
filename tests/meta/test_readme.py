"""The README tells the truth about keys, commands, files and make's targets."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from teamops.cli.root import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
# Not the sample: its links belong to an invented project.
DOCUMENTS = sorted({*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")} - {ROOT / "sample_current.md"})
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")
_FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def readme() -> str:
    return (ROOT / "README.md").read_text(encoding="utf-8")


def between(text: str, name: str) -> str:
    match = re.search(rf"<!-- {name}:.*?-->\n(.*?)<!-- /{name} -->", text, re.DOTALL)
    assert match, f"the README has lost its markers of {name}"
    return match[1].strip()


def test_the_keys_are_the_registrys() -> None:
    made = subprocess.run(
        [sys.executable, "-m", "teamops.tui.keys"], capture_output=True, text=True, timeout=30, check=True
    )
    assert between(readme(), "keys") == made.stdout.strip(), "run `make keys` and put its table into the README"


def test_every_command_is_named_and_none_is_invented() -> None:
    named = set(re.findall(r"`teamops ([a-z]+)", readme()))
    assert named == set(COMMANDS)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_to_files(document: Path) -> None:
    text = _FENCE.sub("", document.read_text(encoding="utf-8"))
    links = [link for link in _LINK.findall(text) if "://" not in link]
    assert [link for link in links if not (document.parent / link).exists()] == []


def test_make_has_every_target_that_is_named() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = {name for line in re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE) for name in line.split()}
    for document in (ROOT / "README.md", ROOT / "CONTRIBUTING.md"):
        text = document.read_text(encoding="utf-8")
        named = set(re.findall(r"`make ([a-z]+)`|^make ([a-z]+)", text, re.MULTILINE))
        assert {first or second for first, second in named} <= targets


def test_the_picture_is_of_this_screen() -> None:
    picture = (ROOT / "docs" / "screen.svg").read_text(encoding="utf-8")
    root = ET.fromstring(picture)  # noqa: S314 - our own file
    assert root.tag.endswith("svg")
    words = " ".join("".join(node.itertext()) for node in root.iter() if node.tag.endswith("text")).replace("\xa0", " ")
    for word in ("DIRECTOR", "REVIEWER", "Handoff", "Alerts", "poke"):
        assert word in words
