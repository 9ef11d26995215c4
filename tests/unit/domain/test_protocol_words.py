"""What a finding says: the words of each, and where it points."""

from __future__ import annotations

from pathlib import Path

import pytest

from teamops.domain.limits import Limits
from teamops.domain.protocol import read
from tests.unit.domain.notation import blocks

WORDS = Path(__file__).with_name("protocol_words.txt").read_text(encoding="utf-8").strip().split("\n\n")[1:]


@pytest.mark.parametrize("row", WORDS)
def test_a_finding_says_what_is_wrong_and_how_to_mend_it(row: str) -> None:
    text, message, hint = row.split("\n")
    finding = read(blocks(text), Limits()).findings[0]
    assert (finding.message, finding.hint) == (message, hint)
    assert len(message) < 130
    assert "append a" in hint


def test_an_unanswered_challenge_is_shown_at_its_own_line() -> None:
    reading = read(blocks("DIR>REV t3; REV>DIR back ask:1,2,3; DIR>REV say:2"), Limits())
    assert [(finding.line, finding.index, finding.digest) for finding in reading.findings] == [
        (12, 2, "digest 2"),
        (14, 2, "digest 2"),
    ]
    assert 'in line 21 without an answer to challenge 3 of task t: "point 3"' in reading.findings[1].message


def test_outside_words_are_cleaned_where_they_are_quoted() -> None:
    reading = read(blocks("COD>DIR t2 @evil\x1b[2J\x07"), Limits())
    assert "\x1b" not in reading.findings[0].message
    assert "task evil" in reading.findings[0].message
