"""Whatever stands around a secret, it does not come through; whatever people write is left as it is."""

from __future__ import annotations

import string

from hypothesis import given
from hypothesis import strategies as st

from teamops.domain.secrets import SECRET, without_secrets

ALNUM = string.ascii_letters + string.digits
WORDS = st.lists(
    st.text(string.ascii_lowercase, min_size=1, max_size=12).filter(lambda word: word not in {"is", "sk"}), max_size=8
).map(" ".join)


def _of(alphabet: str, least: int, most: int) -> st.SearchStrategy[str]:
    return st.text(alphabet, min_size=least, max_size=most)


KEYS = st.one_of(
    _of(ALNUM, 20, 60).map(lambda rest: f"sk-1{rest}"),
    _of(ALNUM, 20, 40).map(lambda rest: f"gho_{rest}"),
    _of(string.ascii_uppercase + string.digits, 16, 16).map(lambda rest: f"AKIA{rest}"),
    _of(ALNUM + "-", 10, 50).map(lambda rest: f"xoxp-{rest}"),
    st.tuples(_of(ALNUM + "-_", 8, 40), _of(ALNUM + "-_", 8, 60), _of(ALNUM + "-_", 8, 40)).map(
        lambda parts: "eyJ" + ".".join(parts)
    ),
)


@given(before=st.text(), key=KEYS, after=st.text())
def test_a_key_never_comes_through(before: str, key: str, after: str) -> None:
    # Glued to letters it is part of another word; glued to its own alphabet it is longer than it was.
    left = without_secrets(f"{before} {key} {after}")
    assert key not in left
    assert SECRET in left


@given(words=WORDS, secret=_of(ALNUM, 12, 40), name=st.sampled_from(["PASSWORD", "db_password", "apiKey", "TOKEN"]))
def test_what_is_called_a_secret_never_comes_through(words: str, secret: str, name: str) -> None:
    assert f"x{secret}" not in without_secrets(f"{words} {name}=x{secret} {words}")


@given(user=_of(ALNUM, 1, 20), password=_of(ALNUM + "!$%^*()-_.", 1, 40), words=WORDS)
def test_a_password_in_an_address_never_comes_through(user: str, password: str, words: str) -> None:
    assert without_secrets(f"{words} db://{user}:{password}@host/x") == f"{words} db://{SECRET}@host/x"


@given(WORDS, _of("0123456789abcdef", 7, 40))
def test_plain_words_and_a_commit_stay(words: str, commit: str) -> None:
    text = f"{words.replace('key', 'k y').replace('token', 't').replace('secret', 's')} commit {commit}"
    assert without_secrets(text) == text


@given(st.text())
def test_twice_is_as_once(text: str) -> None:
    once = without_secrets(text)
    assert without_secrets(once) == once
