"""The words of any page: bounded, plain, on their lines, and without what looks like a secret."""

from __future__ import annotations

import unicodedata

from hypothesis import example, given
from hypothesis import strategies as st

from teamops.domain.secrets import without_secrets
from teamops.effects.channels.words import BODY_LIMIT, LINE_LIMIT, TITLE_LIMIT, words_of
from teamops.model.handoff import Severity
from teamops.model.page import Page, Transition

KEY = "xoxb" + "-17653672481-19874698323-pdFZKVeTuE8sk7oOcHrzqqgy"
TEXTS = st.one_of(st.text(), st.text(max_size=30).map(lambda text: f"{text} {KEY} " * 30), st.text("\x1b[]0m;\\\a\n "))


@example(title="the password", body="abc123def", do="")
@given(title=TEXTS, body=TEXTS, do=TEXTS)
def test_words_of_any_page(title: str, body: str, do: str) -> None:
    page = Page(
        id="1", transition=Transition.FIRED, keys=(), thread="t", severity=Severity.WARNING, project="p",
        title=title, body=body, do=do, wall=0.0,
    )  # fmt: skip
    words = words_of(page)
    assert 1 <= len(words.title) <= TITLE_LIMIT
    assert len(words.do) <= TITLE_LIMIT
    assert len(words.body) <= BODY_LIMIT
    assert len(words.line) <= LINE_LIMIT
    for text in (words.title, words.body, words.do, words.line):
        assert KEY not in text
        assert without_secrets(text) == text
        assert not any(unicodedata.category(letter) in {"Cc", "Cs"} for letter in text if letter not in "\n\t")
    for line in (words.title, words.do, words.line):
        assert "\n" not in line
