"""The window's title: of our own terminal, only while it is ours, and given back."""

from __future__ import annotations

from dataclasses import replace

import pytest
from msgspec import structs

from teamops.cli.title import RECALL, REMEMBER, Title, words
from teamops.model.alert import AlertState
from teamops.model.snapshot import LightState, Snapshot
from teamops.tui.believable import believable


@pytest.fixture
def snapshot() -> Snapshot:
    seen = believable()
    light = structs.replace(seen.lights[0], state=LightState.STALE)
    alert = replace(seen.alerts[0], state=AlertState.FIRING, silence=None, hidden_by="")
    return structs.replace(seen, ready=True, project="shop\x1b]2;x\x07", lights=(light,), alerts=(alert,))


class Window:
    def __init__(self) -> None:
        self.got = ""
        self.there = True

    def write(self, text: str) -> bool:
        self.got += text if self.there else ""
        return self.there


def test_it_says_who_and_how_many(snapshot: Snapshot) -> None:
    role = snapshot.lights[0].role
    assert words(snapshot) == f"▲ {role} ⚠1 – teamops shop"  # noqa: RUF001 - a dash for people
    assert words(structs.replace(snapshot, lights=(), alerts=())) == "○ – teamops shop"  # noqa: RUF001 - as above


def test_a_folders_name_is_no_style_of_a_tmux_status_line(snapshot: Snapshot) -> None:
    said = words(structs.replace(snapshot, project="#[bg=red]a#(b)#{c} #1"))
    assert said.endswith("teamops # [bg=red]a# (b)# {c} #1")


def test_it_is_shown_when_it_is_new_and_given_back(snapshot: Snapshot) -> None:
    window = Window()
    with Title(window.write, {"TERM": "xterm"}) as title:
        title.take(structs.replace(snapshot, ready=False))
        title.take(snapshot)
        title.take(snapshot)
        title.take(structs.replace(snapshot, alerts=()))
    title.take(snapshot)
    first, second = words(snapshot), words(structs.replace(snapshot, alerts=()))
    assert window.got == f"{REMEMBER}\x1b]2;{first}\x1b\\\x1b]2;{second}\x1b\\{RECALL}"


def test_it_is_left_alone_while_another_program_has_the_terminal(snapshot: Snapshot) -> None:
    window = Window()
    with Title(window.write, {"TERM": "xterm"}) as title:

        def attach(plan: str) -> str:
            title.take(snapshot)
            return plan

        assert title.leaving_it(attach)("x") == "x"
        assert window.got == ""
        title.take(snapshot)
        assert window.got


def test_what_was_never_shown_is_not_taken_back(snapshot: Snapshot) -> None:
    window = Window()
    with Title(window.write, {"TERM": "linux"}) as title:
        title.take(snapshot)
    window.there = False
    with Title(window.write, {"TERM": "xterm"}) as title:
        title.take(snapshot)
    assert window.got == ""
