"""Our ``dataclass`` does what the standard library's does, for what the house uses of it."""

from __future__ import annotations

import ast
import copy
import dataclasses
import inspect
import pickle
from collections.abc import Callable
from dataclasses import field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import teamops
from teamops.model import values

KINDS = [{"frozen": True, "slots": True}, {"frozen": True, "slots": True, "kw_only": True}, {"slots": True}, {}]


def pair(**kind: bool) -> tuple[Any, Any]:
    """Return the same class, made by the standard library and by us."""

    def make(decorator: Callable[..., Any]) -> Any:
        @decorator(**kind)
        class Point:
            """A place."""

            x: int
            y: int = 2
            tags: tuple[str, ...] = field(default=(), repr=False)
            seen: list[int] = field(default_factory=list, compare=False)
            sum: int = field(init=False, default=0)

            def __post_init__(self) -> None:
                object.__setattr__(self, "sum", self.x + self.y)

        return Point

    return make(dataclasses.dataclass), make(values.dataclass)


@pytest.mark.parametrize("kind", KINDS, ids=str)
@given(st.integers(), st.integers(), st.integers(), st.integers(), st.booleans())
def test_values_compare_hash_and_show_as_those_of_the_standard_library(
    kind: dict[str, bool], x: int, y: int, other_x: int, other_y: int, tagged: bool
) -> None:
    theirs, ours = pair(**kind)
    more = {"tags": ("a",)} if tagged else {}
    a, b = theirs(x=x, y=y), theirs(x=other_x, y=other_y, **more)
    c, d = ours(x=x, y=y), ours(x=other_x, y=other_y, **more)
    assert (a == b, a == theirs(x=x, y=y)) == (c == d, c == ours(x=x, y=y))
    assert repr(a) == repr(c)
    assert repr(b) == repr(d)
    assert (c != a, c.sum, c.seen) == (True, a.sum, a.seen)
    assert dataclasses.asdict(b) == dataclasses.asdict(d)
    if kind.get("frozen"):
        assert hash(c) == hash(ours(x=x, y=y))
        assert (hash(a) == hash(b)) == (hash(c) == hash(d))
    else:
        assert ours.__hash__ is theirs.__hash__ is None


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_a_class_takes_the_same_words(kind: dict[str, bool]) -> None:
    theirs, ours = pair(**kind)
    assert [(f.name, f.init, f.kw_only) for f in dataclasses.fields(ours)] == [
        (f.name, f.init, f.kw_only) for f in dataclasses.fields(theirs)
    ]
    told = [(name, word.kind, word.default is word.empty) for name, word in inspect.signature(ours).parameters.items()]
    assert told == [
        (name, word.kind, word.default is word.empty) for name, word in inspect.signature(theirs).parameters.items()
    ]
    assert hasattr(ours, "__slots__") == hasattr(theirs, "__slots__")
    assert ours.__match_args__ == theirs.__match_args__
    one, two = ours(x=1), ours(x=1)
    assert one.seen is not two.seen
    assert dataclasses.replace(one, y=5) == ours(x=1, y=5)
    with pytest.raises(TypeError):
        ours()
    with pytest.raises(TypeError):
        ours(x=1, z=1)


@pytest.mark.parametrize("kind", KINDS[:2], ids=str)
def test_a_frozen_value_changes_in_no_way_and_can_be_copied(kind: dict[str, bool]) -> None:
    _, ours = pair(**kind)
    value = ours(x=1)
    with pytest.raises(dataclasses.FrozenInstanceError):
        value.x = 2
    with pytest.raises(dataclasses.FrozenInstanceError):
        value.new = 2
    with pytest.raises(dataclasses.FrozenInstanceError):
        del value.x
    assert copy.deepcopy(value) == copy.copy(value) == value
    assert not hasattr(value, "__dict__")


@values.dataclass(frozen=True, slots=True)
class Kept:
    """A value that leaves the process."""

    a: int


@values.dataclass(frozen=True, slots=True)
class Named:
    """A value that shows and compares itself its own way."""

    a: int

    def __repr__(self) -> str:
        return "mine"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Named)

    def __hash__(self) -> int:
        return 7


def test_a_value_survives_pickle_and_keeps_its_own_ways() -> None:
    assert pickle.loads(pickle.dumps(Kept(3))) == Kept(3)  # noqa: S301 - just written
    assert hash(Kept(3)) == hash(Kept(3))
    assert (repr(Named(1)), Named(1) == Named(2), hash(Named(1))) == ("mine", True, 7)


@values.dataclass(slots=True, eq=False)
class Page:
    """A thing with an identity."""

    me: object = None


def test_a_thing_without_equality_is_itself_alone_and_may_hold_itself() -> None:
    page = Page()
    page.me = page
    assert page != Page()
    assert hash(page) == hash(page)
    assert repr(page) == "Page(me=...)"


def test_every_value_that_the_screen_s_start_makes_is_made_this_way() -> None:
    """The standard library's would cost a third of the start again."""
    apart = {"sdk", "guard", "demo"}  # they know no model
    offenders = []
    root = Path(teamops.__file__).parent
    for path in root.rglob("*.py"):
        place = path.relative_to(root)
        if place.parts[0] in apart or str(place) in {"model/values.py", "model/clock.py"}:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module == "dataclasses":
                offenders += [str(path.relative_to(root)) for name in node.names if name.name == "dataclass"]
    assert offenders == [], "import dataclass from teamops.model.values"
