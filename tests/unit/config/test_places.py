"""Where keys and values stand, for any valid TOML."""

from __future__ import annotations

import json
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from teamops.config.places import Places


@pytest.mark.parametrize(
    ("text", "path", "key", "value"),
    [
        pytest.param("a = 1", "a", (1, 1), (1, 5), id="plain"),
        pytest.param("\n\t a\t=\t1", "a", (2, 3), (2, 7), id="white space"),
        pytest.param("a . b = 1", "a b", (1, 5), (1, 9), id="dotted"),
        pytest.param("[ t . u ] # x = [\na = 1", "t u a", (2, 1), (2, 5), id="table"),
        pytest.param("[t]\n[t.u]\n", "t u", (2, 4), (2, 4), id="table alone"),
        pytest.param("\"a.b\".'c d' = 1", "a.b|c d", (1, 7), (1, 15), id="quoted"),
        pytest.param('"\\u0061" = 1', "a", (1, 1), (1, 12), id="escaped"),
        pytest.param('x = """\na = 1\n\\""" b = 2"""""\na = 3', "a", (4, 1), (4, 5), id="long text"),
        pytest.param("x = '''\na = 1\n''''\na = 3", "a", (4, 1), (4, 5), id="long literal"),
        pytest.param("x = [1, # a = 1\n 'a = 2', [3],]\na = 3", "a", (3, 1), (3, 5), id="array"),
        pytest.param("x = [\n  1,\n  2]", "x 1", (1, 1), (3, 3), id="element"),
        pytest.param("x = {a = 1, b.c = {d = 2}}", "x b c d", (1, 20), (1, 24), id="inline"),
        pytest.param("[[x]]\na = 1\n[[x]]\na = 2", "x 1 a", (4, 1), (4, 5), id="array of tables"),
        pytest.param("[[x]]\n[x.y]\na = 1\n[[x]]\n[x.y]\na = 2", "x 1 y a", (6, 1), (6, 5), id="table in it"),
        pytest.param("d = 1979-05-27 07:32:00 # c\na = 1", "a", (2, 1), (2, 5), id="date"),
        pytest.param("ä = 1".replace("ä", '"ä"'), "ä", (1, 1), (1, 7), id="characters, not bytes"),
        pytest.param("a = ''\nb = \"\"\nc = 1", "c", (3, 1), (3, 5), id="empty texts"),
        pytest.param("a = 1", "b c", (1, 1), (1, 1), id="nowhere"),
    ],
)
def test_places(text: str, path: str, key: tuple[int, int], value: tuple[int, int]) -> None:
    tomllib.loads(text)
    parts = tuple(path.split("|") if "|" in path else path.split(" "))
    places = Places(text)
    assert places.key(parts) == key
    assert places.value(parts) == value


_NAMES = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=4) | st.from_regex(
    r"[a-z_-]{1,4}", fullmatch=True
)
_LEAVES = st.integers() | st.booleans() | st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=8)
_VALUES = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=3), max_leaves=8
)
_TABLES = st.recursive(
    st.dictionaries(_NAMES, _VALUES, max_size=3), lambda inner: st.dictionaries(_NAMES, inner, max_size=3), max_leaves=4
)


def _quoted(text: str, *, literal: bool) -> str:
    return f"'{text}'" if literal and "'" not in text else json.dumps(text, ensure_ascii=False)


def _written(value: object, *, literal: bool) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return _quoted(value, literal=literal)
    if isinstance(value, list):
        return "[ " + ",\n # ]\n".join(_written(item, literal=literal) for item in value) + "]"
    if isinstance(value, dict):
        inside = (f"{_quoted(k, literal=literal)}={_written(v, literal=literal)}" for k, v in value.items())
        return "{" + " , ".join(inside) + " }"
    return str(value)


def _document(table: dict[str, object], path: tuple[str, ...], *, literal: bool) -> str:
    lines = [f"[{' . '.join(_quoted(part, literal=literal) for part in path)}]"] if path else []
    lines += [
        f"{_quoted(name, literal=literal)} = {_written(value, literal=literal)} # = ["
        for name, value in table.items()
        if not isinstance(value, dict)
    ]
    below = [
        _document(value, (*path, name), literal=literal) for name, value in table.items() if isinstance(value, dict)
    ]
    return "\n".join([*lines, "", *below])


def _paths(value: object, path: tuple[str, ...]) -> dict[tuple[str, ...], object]:
    found: dict[tuple[str, ...], object] = {path: value} if path else {}
    if isinstance(value, dict):
        for name, inner in value.items():
            found |= _paths(inner, (*path, name))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            found |= _paths(inner, (*path, str(number)))
    return found


@given(_TABLES, st.booleans())
def test_every_value_of_any_document_is_found_where_it_is_written(table: dict[str, object], literal: bool) -> None:
    text = _document(table, (), literal=literal)
    assert tomllib.loads(text) == table
    places = Places(text)
    expected = _paths(table, ())
    assert places.keys.keys() | places.values.keys() == expected.keys()
    for path, offset in places.values.items():
        assert text[offset:].startswith(_written(expected[path], literal=literal))
    for path, offset in places.keys.items():
        assert text[offset:].startswith(_quoted(path[-1], literal=literal))
