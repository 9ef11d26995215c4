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


@given(user=_of(ALNUM, 1, 20), password=_of(ALNUM + "!$%^*()-_.@&", 1, 40), words=WORDS)
def test_a_password_in_an_address_never_comes_through(user: str, password: str, words: str) -> None:
    assert without_secrets(f"{words} db://{user}:{password}@host/x") == f"{words} db://{SECRET}@host/x"


ODD = _of(ALNUM + "&!#$%^*-_.+/@~?", 5, 40)
APART = st.lists(_of(ALNUM, 1, 9), min_size=3, max_size=6).flatmap(
    lambda parts: st.sampled_from([",", ";", "'", '"', "&"]).map(lambda sign: sign.join(parts))
)
CARRIERS = (
    "PASSWORD=x1{}", "export DB_PASSWORD=x1{}", "db_pass=x1{}", "client_secret=x1{}", "api-key: x1{}", "token = x1{}",
    "-u ada:x1{}", "login --password x1{}",
)  # fmt: skip
QUOTED = (
    "PASSWORD='{}'", 'api_key = "{}"', '{{"api_key": "{}"}}', '{{\\"secret\\": \\"{}\\"}}', "<token>{}</token>",
    "'password': '{}'", 'password := "{}"',
)  # fmt: skip


@given(words=WORDS, carrier=st.sampled_from(CARRIERS), secret=st.one_of(ODD, APART), tail=WORDS)
def test_nothing_of_a_value_comes_through_whatever_signs_are_in_it(
    words: str, carrier: str, secret: str, tail: str
) -> None:
    left = without_secrets(f"{words} {carrier.format(secret)} {tail}")
    assert left == f"{words} {carrier.partition('x1')[0]}{SECRET} {tail}"


@given(words=WORDS, carrier=st.sampled_from(QUOTED), secret=_of(ALNUM + "&!#$%^*-_.+/@~?,;:= ", 4, 60), tail=WORDS)
def test_nor_of_one_in_quotes(words: str, carrier: str, secret: str, tail: str) -> None:
    secret = f"x{secret}y"
    left = without_secrets(f"{words} {carrier.format(secret)} {tail}")
    assert left == f"{words} {carrier.format(SECRET)} {tail}"


@given(st.lists(st.tuples(_of(string.ascii_lowercase, 1, 6), _of(ALNUM, 1, 9)), max_size=4), _of(ALNUM, 4, 30))
def test_in_a_query_what_stands_beside_it_stays(others: list[tuple[str, str]], secret: str) -> None:
    beside = "".join(f"&q{name}={value}" for name, value in others)
    for before in ("a=1", "sort=name"):
        text = f"https://h/x?{before}&access_token=x{secret}{beside}"
        assert without_secrets(text) == f"https://h/x?{before}&access_token={SECRET}{beside}"


@given(WORDS, _of("0123456789abcdef", 7, 40))
def test_plain_words_and_a_commit_stay(words: str, commit: str) -> None:
    text = f"{words.replace('key', 'k y').replace('token', 't').replace('secret', 's')} commit {commit}"
    assert without_secrets(text) == text


@given(st.text())
def test_twice_is_as_once(text: str) -> None:
    once = without_secrets(text)
    assert without_secrets(once) == once
