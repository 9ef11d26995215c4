from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from teamops.model.text import clean, clean_colours, clean_line

UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
HOSTILE = st.text(
    st.one_of(st.characters(), st.sampled_from("\x1b\x07\x9b\x9d\x90[]m;0:\\\x00\r\n\t\u202e")), max_size=60
)


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        pytest.param("plain text\n\tindented", "plain text\n\tindented", id="plain text stays"),
        pytest.param("a\r\nb\rc", "a\nb\nc", id="line ends"),
        pytest.param("\x1b[31mred\x1b[0m", "red", id="colours"),
        pytest.param("\x1b]0;title\x07x", "x", id="a title"),
        pytest.param("\x1b]8;;http://h\x1b\\link\x1b]8;;\x1b\\", "link", id="a link"),
        pytest.param("\x1bPtmux;\x1b\x1b]52;c;aGk=\x07\x1b\\x", "x", id="the clipboard through tmux"),
        pytest.param("a\u202eb\u200fc\u061cd\u2066e", "abcde", id="text directions"),
        pytest.param("a\u00adb\u2060c\u206ad\ufff9e\U000e0041f", "abcdef", id="invisibles"),
        pytest.param(
            "\u0645\u200c\u062e \U0001f469\u200d\U0001f4bb",
            "\u0645\u200c\u062e \U0001f469\u200d\U0001f4bb",
            id="joiners",
        ),
        pytest.param("\x9b31mx", "x", id="8-bit CSI"),
        pytest.param("a\ud800b", "ab", id="a lone surrogate"),
    ],
)
def test_clean(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


@given(HOSTILE)
@example("\x1b]")
@example("\x1b\x1b[31m[31m")
def test_nothing_unsafe_is_left_and_twice_is_once(text: str) -> None:
    once = clean(text)
    assert not UNSAFE.search(once)
    assert clean(once) == once


@given(HOSTILE)
def test_colours_alone_are_kept(text: str) -> None:
    kept = clean_colours(text)
    assert not UNSAFE.search(re.sub(r"\x1b\[[0-9;:]*m", "", kept))
    assert clean_colours("\x1b[1;31mred\x1b[0m") == "\x1b[1;31mred\x1b[0m"


@given(HOSTILE, st.integers(2, 40))
def test_a_line_is_one_line_of_at_most_so_many_characters(text: str, limit: int) -> None:
    line = clean_line(text, limit)
    assert "\n" not in line
    assert len(line) <= limit
    assert not UNSAFE.search(line)
