"""``dataclass`` as in the standard library, at a third of what its making costs.

The standard library compiles up to seven small functions for each class; 250 classes take 0.1 s of every start. Here
only ``__init__`` is compiled: to compare, hash, show and refuse to change needs no code of a class's own.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from operator import attrgetter
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any, TypeVar

T = TypeVar("T")

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass  # noqa: PLC0414 - exported: to a type checker it is the same
else:

    def dataclass(
        *, frozen: bool = False, slots: bool = False, kw_only: bool = False, eq: bool = True
    ) -> Callable[[type[T]], type[T]]:
        """Make a class a dataclass; the words mean what they mean in ``dataclasses``. For classes without bases."""

        def make(plain: type[T]) -> type[T]:
            made = dataclasses.dataclass(init=False, repr=False, eq=False, slots=slots, kw_only=kw_only)(plain)
            fields = dataclasses.fields(made)
            made.__init__ = _init(made, fields, frozen=frozen)
            if "__repr__" not in plain.__dict__:
                made.__repr__ = _repr
            if eq:
                _compare(made, plain, fields, frozen=frozen)
            if frozen:
                made.__setattr__, made.__delattr__ = _no_assignment, _no_deletion
                if slots:  # else copy and pickle would assign
                    made.__getstate__, made.__setstate__ = _state, _set_state
            return made

        return make


def _init(made: type, fields: tuple[dataclasses.Field[Any], ...], *, frozen: bool) -> Callable[..., None]:
    """Return ``__init__``: the one function whose arguments are the class's own."""
    known: dict[str, object] = {"_set": object.__setattr__, "_missing": dataclasses.MISSING}
    lines: list[str] = []
    plain: list[str] = []
    named: list[str] = []
    for field in fields:
        name, value = field.name, field.name
        if field.default is not dataclasses.MISSING:
            known[f"_of_{name}"] = field.default
            default = f"_of_{name}"
        elif field.default_factory is not dataclasses.MISSING:
            known[f"_of_{name}"] = field.default_factory
            default = "_missing"
            value = f"_of_{name}() if {name} is _missing else {name}" if field.init else f"_of_{name}()"
        else:
            default = ""
        if field.init:
            (named if field.kw_only else plain).append(f"{name}={default}" if default else name)
        elif not default:
            continue
        elif default != "_missing":
            value = default
        lines.append(f"_set(self, {name!r}, {value})" if frozen else f"self.{name} = {value}")
    if hasattr(made, "__post_init__"):
        lines.append("self.__post_init__()")
    arguments = ", ".join(["self", *plain, *(["*", *named] if named else [])])
    exec(f"def __init__({arguments}):\n    " + "\n    ".join(lines or ["pass"]), known)  # noqa: S102 - names of fields
    init: Callable[..., None] = known["__init__"]  # type: ignore[assignment]  # just made
    init.__qualname__ = f"{made.__qualname__}.__init__"
    init.__annotations__ = {field.name: field.type for field in fields if field.init} | {"return": None}
    return init


def _compare(made: Any, plain: type, fields: tuple[dataclasses.Field[Any], ...], *, frozen: bool) -> None:
    names = [field.name for field in fields if field.compare]
    if len(names) > 1:
        key: Callable[[object], object] = attrgetter(*names)
    else:

        def key(value: object) -> object:
            return tuple(getattr(value, name) for name in names)

    def equal(self: object, other: object) -> bool:
        return key(self) == key(other) if other.__class__ is self.__class__ else NotImplemented

    if "__eq__" not in plain.__dict__:
        made.__eq__ = equal
    if plain.__dict__.get("__hash__") is None:  # a class that defines __eq__ alone has None
        made.__hash__ = (lambda self: hash(key(self))) if frozen else None


@recursive_repr()
def _repr(self: Any) -> str:
    shown = (f"{field.name}={getattr(self, field.name)!r}" for field in dataclasses.fields(self) if field.repr)
    return f"{self.__class__.__qualname__}({', '.join(shown)})"


def _no_assignment(self: object, name: str, value: object) -> None:  # noqa: ARG001 - as Python calls it
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _no_deletion(self: object, name: str) -> None:  # noqa: ARG001 - as Python calls it
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")


def _state(self: Any) -> list[object]:
    return [getattr(self, field.name) for field in dataclasses.fields(self)]


def _set_state(self: Any, state: list[object]) -> None:
    for field, value in zip(dataclasses.fields(self), state, strict=True):
        object.__setattr__(self, field.name, value)
