"""A plugin of mypy: each ``replace`` is for its own kind of values, and its names and types are checked.

Mypy takes a struct for a dataclass, so that the mistake would show itself only when the line is run; and what it is
told of ``msgspec.structs.replace`` lets anything pass.
"""

from __future__ import annotations

from collections.abc import Callable

from mypy.plugin import FunctionContext, FunctionSigContext, Plugin
from mypy.plugins.dataclasses import replace_function_sig_callback
from mypy.types import CallableType, FunctionLike, Instance, Type, TypeType, TypeVarType, UnionType, get_proper_type

STRUCT = "msgspec.Struct"
FOR_DATACLASSES = ("dataclasses.replace", "dataclasses.asdict", "dataclasses.astuple", "dataclasses.fields")


class StructPlugin(Plugin):
    """Looks at each call of these functions."""

    def get_function_hook(self, fullname: str) -> Callable[[FunctionContext], Type] | None:
        """Return who looks at a call of ``fullname``."""
        return _refuse_structs if fullname in FOR_DATACLASSES else None

    def get_function_signature_hook(self, fullname: str) -> Callable[[FunctionSigContext], FunctionLike] | None:
        """Return who says what a call of ``fullname`` takes."""
        return replace_function_sig_callback if fullname == "msgspec.structs.replace" else None


def _refuse_structs(context: FunctionContext) -> Type:
    for given in context.arg_types[0]:
        if _may_be_struct(given):
            context.api.fail("This is a msgspec struct, no dataclass: see msgspec.structs", context.context)
    return context.default_return_type


def _may_be_struct(given: Type) -> bool:
    given = get_proper_type(given)
    if isinstance(given, UnionType):
        return any(_may_be_struct(item) for item in given.items)
    if isinstance(given, TypeVarType):
        return _may_be_struct(given.upper_bound) or any(_may_be_struct(item) for item in given.values)
    if isinstance(given, TypeType):
        return _may_be_struct(given.item)
    if isinstance(given, CallableType):  # a class
        return given.is_type_obj() and _may_be_struct(given.ret_type)
    return isinstance(given, Instance) and given.type.has_base(STRUCT)


def plugin(version: str) -> type[Plugin]:
    """Return the plugin: mypy asks for it."""
    return StructPlugin
