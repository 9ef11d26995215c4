"""Bytecode is kept whole or not at all."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from teamops.cli import main as program
from teamops.guard import hook
from teamops.sdk import bytecode


@pytest.fixture(autouse=True)
def _writes_bytecode(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)


def free(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_bavail=size // 4096, f_frsize=4096))


@pytest.mark.parametrize(("size", "kept"), [(0, False), (bytecode.ROOM - 4096, False), (bytecode.ROOM, True)])
def test_none_is_written_where_there_is_no_room(monkeypatch: pytest.MonkeyPatch, size: int, kept: bool) -> None:
    free(monkeypatch, size)
    bytecode.keep_whole()
    assert sys.dont_write_bytecode is not kept


def test_a_disk_that_can_t_be_asked_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def statvfs(_: str) -> None:
        raise OSError

    monkeypatch.setattr(os, "statvfs", statvfs)
    bytecode.keep_whole()
    assert not sys.dont_write_bytecode


def command() -> None:
    with pytest.raises(SystemExit):
        program.main(["--version"])


def tool_call() -> None:
    hook.main(["Stop"])


@pytest.mark.parametrize("entry", [command, tool_call])
def test_every_entry_looks_before_it_imports_more(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], entry: Callable[[], None]
) -> None:
    monkeypatch.setattr(hook, "_read", lambda _: b"{}")
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    free(monkeypatch, 0)
    entry()
    assert sys.dont_write_bytecode
    capsys.readouterr()
