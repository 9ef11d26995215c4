from __future__ import annotations

import io
import os
import sys

import pytest
from msgspec.structs import replace

from teamops.cli.watch import Printer
from teamops.model.clock import Stamp
from teamops.model.role import CODER
from teamops.model.snapshot import LogLine, Snapshot, SupervisorView


def snapshot(*log: LogLine) -> Snapshot:
    return Snapshot(
        revision=1,
        stamp=Stamp(1.0, 1000.0),
        project="p",
        root="/p",
        handoff_path="/p/current.md",
        supervisor=SupervisorView(pid=1, acting=True, since_wall=None, watch_only=False),
        log=log,
    )


def test_each_line_is_printed_once_whatever_becomes_of_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    def printed() -> list[str]:
        return [line.split(maxsplit=1)[1] for line in capsys.readouterr().out.splitlines()]

    history = LogLine(1.0, "turn", "has the light", CODER)
    first = LogLine(2.0, "state", "idle", CODER)
    begun = LogLine(3.0, "action", "restart: under way", CODER)
    ended = LogLine(4.0, "action", "restart: no", CODER, ok=False)
    show = Printer()

    show(snapshot(history))
    assert printed() == ["supervisor p: acting"]
    show(snapshot(first, history))
    assert printed() == ["state  CODER      idle"]
    show(snapshot(begun, replace(first), replace(history)))  # read back from the ledger
    assert printed() == ["action CODER      restart: under way"]
    show(snapshot(ended, replace(first), replace(history)))  # the newest line became another one
    assert printed() == ["action CODER      ! restart: no"]
    late = LogLine(1.5, "state", "starting", CODER)
    show(snapshot(ended, first, late, history))
    assert printed() == ["state  CODER      starting"]


def test_who_acts_is_printed_when_it_changes(capsys: pytest.CaptureFixture[str]) -> None:
    show = Printer()
    told = []
    for age in (0.5, 1.5, 40.0, 41.0, 0.2):
        view = SupervisorView(pid=7, acting=False, since_wall=None, round_age_s=age)
        show(replace(snapshot(), supervisor=view))
        told += [line.partition(": ")[2] for line in capsys.readouterr().out.splitlines()]
    assert told == ["viewing: pid 7 acts", "viewing: pid 7 hangs", "viewing: pid 7 acts"]


def test_lines_go_where_they_are_wanted() -> None:
    said: list[str] = []
    Printer(said.append)(snapshot())
    assert [line.split(maxsplit=1)[1] for line in said] == ["supervisor p: acting"]


def test_the_bell_is_rung_on_a_terminal_and_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    from teamops.cli import watch

    ours, theirs = os.openpty()
    with os.fdopen(theirs, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        assert watch.ring_bell("\x1b]9;a\x1b\\\a")
        assert os.read(ours, 100) == b"\x1b]9;a\x1b\\\a"
    os.close(ours)
    file = io.StringIO()
    monkeypatch.setattr(sys, "stderr", file)
    assert not watch.ring_bell("\a")
    assert file.getvalue() == ""
