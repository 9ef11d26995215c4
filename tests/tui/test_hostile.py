"""Text from outside is shown, never obeyed: no markup runs, nothing crashes, every line keeps its width."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from rich.cells import cell_len
from rich.style import Style

from teamops.model.agent import Evidence, EvidenceKind
from teamops.model.agent_report import AgentReport
from teamops.model.boundary import BoundaryView
from teamops.model.handoff import Problem, Severity
from teamops.model.protocol import Approval, DiffFile, DiffStat, TaskReport
from teamops.model.role import DEVELOPER, Role
from teamops.tui import strips, words
from teamops.tui.believable import believable
from teamops.tui.believable_agent import believable_agent_report
from teamops.tui.believable_boundary import believable_boundary, believable_refused
from teamops.tui.believable_protocol import believable_report
from teamops.tui.paper import draw
from teamops.tui.strips import Line, changed, fit, spread, wrap
from teamops.tui.theme import palette
from teamops.tui.widgets.live_pane import strips_of
from tests.tui.conftest import MakeApp
from tests.tui.fake_port import FakePort
from tests.tui.lines import settle, strips_on, text_on

CORPUS = {
    "click": "[@click=app.exit]click me[/]",
    "broken-markup": "[/nope] [bold [[ ]] [link=file:///etc]x",
    "osc": "\x1b]0;title\x07\x1b]8;;http://x\x07y\x1b]8;;\x07",
    "csi": "\x1b[2J\x1b[31mred\x1b[0m\x1b[?1049l",
    "c1": "\x9b31m\x9d0;x\x9c\x85",
    "bidi": "abc\u202edcba\u202c\u2066x\u2069",
    "nul": "a\x00b\x07c\x08d\x7f",
    "lines": "one\ntwo\r\nthree\rfour\tfive\u2028six\x0bseven\x0ceight",
    "surrogate": "lone \ud800 surrogate",
    "wide": "漢字かな交じり文" * 30,
    "emoji": "👩‍👩‍👧‍👦🏳️‍🌈🇫🇷" * 20,
    "zalgo": "z\u0301\u0302\u0303\u0304\u0305\u0306" * 40,
    "tmux": "#(touch /tmp/x) #{E:pane_title} %% $(id) `id`",
    "long": "x" * 50_000,
    "empty": "",
    "blank": "   ",
}
RICH = palette(rich_colours=True)


GROUPS = {
    "escapes": " ".join(CORPUS[name] for name in ("osc", "csi", "c1", "nul", "lines", "surrogate", "tmux")),
    "markup": " ".join(CORPUS[name] for name in ("click", "broken-markup")),
    "cells": " ".join(CORPUS[name] for name in ("bidi", "wide", "emoji", "zalgo")),
    "long": CORPUS["long"],
    "blank": CORPUS["blank"],
}
CASES = [*((name, (80, 24)) for name in GROUPS), ("cells", (200, 60)), ("markup", (120, 36))]


@pytest.mark.parametrize(("name", "size"), CASES, ids=[f"{name}-{width}x{height}" for name, (width, height) in CASES])
async def test_hostile_text_everywhere(make_app: MakeApp, port: FakePort, name: str, size: tuple[int, int]) -> None:
    text = GROUPS[name]
    now = port.now
    evil = Role(f"E{text}")
    agents = tuple(
        structs.replace(
            agent, role=Role(f"{agent.role}{text}"), name=text, message=text, client=text, session=text, held=text,
            lights=(text,), evidence=Evidence(EvidenceKind.HOOK, 1.0, text), last_error=text, memory_note=text,
            badges=(text,), boundary=hostile_boundary(agent.role, text),
            evidences=(Evidence(EvidenceKind.HOOK, 1.0, text), Evidence(EvidenceKind.PANE, None, text)),
        )
        for agent in now.agents
    )  # fmt: skip
    for index in port.texts:
        port.texts[index] = f"### [{evil}] x\n\n**Turn**: {text}\n{text}\n```{text}\n{text}\n```\n- {text}\n> {text}"
    port.pane = text * 3
    port.publish(
        project=text, agents=agents, handoff_path=text, handoff_trouble=text, troubles=(text, text),
        lights=tuple(structs.replace(light, task=text, role=evil, name=text) for light in now.lights),
        alerts=tuple(
            replace(alert, code=f"{alert.code}{text}", message=text, do=text, agent=evil, subject=text)
            for alert in now.alerts
        ),
        log=tuple(structs.replace(line, text=text, kind=text, role=evil) for line in now.log),
        blocks=tuple(structs.replace(block, role=evil, task=text, turn=evil) for block in now.blocks),
        tasks=tuple(structs.replace(task, task=f"{text}{place}") for place, task in enumerate(now.tasks)),
        findings=tuple(
            structs.replace(finding, code=f"{place}{text}", message=text, hint=text, task=text, role=evil)
            for place, finding in enumerate(now.findings)
        ),
        problems=(Problem(3, 1, text, Severity.INFO, text, text),),
    )  # fmt: skip
    port.publish(
        violations=tuple(
            replace(one, path=text, roles=(evil, evil), rule=text, why=text, evidence=(text, text), note=text)
            for one in now.violations
        )
    )
    port.refused = tuple(structs.replace(one, role=evil, about=text, rule=text, why=text) for one in port.refused)
    port.violation_diffs = {12: (f"-{text}", f"+{text}", f"@@{text}", f"---{text}", text)}
    port.diff = (f"-{text}", f"+{text}", f"@@{text}", f"---{text}", text)
    port.agent_reports = {agent.role: hostile_memory(agent.role, text) for agent in agents}
    port.reports = {task.task: hostile_report(port, task.task, text) for task in port.now.tasks}
    app = make_app()
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        for key in ("3", "enter", "escape", "4", "enter", "escape", "2", "b", "1"):
            await pilot.press(key)
            await settle(pilot)
            for strip in strips_on(app):
                assert strip.cell_length == size[0]
                assert strip.text.isprintable()
                assert all(segment.style is None or segment.style.link is None for segment in strip)
        ways = (
            ("f", "j", "escape"), ("f", "d", "G", "escape", "escape"), ("t", "2", "G", "3", "escape"),
            ("T", "j", "escape"), ("B", "enter", "G", "U", "escape", "escape", "G", "enter", "escape", "escape"),
            ("A", "G", "y", "x", "enter", "escape", "b", "escape", "escape"),
        )  # fmt: skip
        port.hand_to_person(port.now.tasks[0].task)
        for way in ways:
            for key in way:
                await pilot.press(key)
                await settle(pilot)
                for strip in strips_on(app):
                    assert strip.cell_length == size[0]
                    assert strip.text.isprintable()
                    assert all(segment.style is None or segment.style.link is None for segment in strip)
            assert app.screen.id == "main", way
        assert port.intents == []
        await pilot.press("1", "enter")
        await settle(pilot)
        for key in (
            "2",
            "3",
            "4",
            "enter",
            "escape",
            "5",
            "enter",
            "G",
            "escape",
            "6",
            "G",
            "7",
            "enter",
            "escape",
            "right_square_bracket",
            "1",
        ):
            await pilot.press(key)
            await settle(pilot)
            for strip in strips_on(app):
                assert strip.cell_length == size[0]
                assert strip.text.isprintable()
                assert all(segment.style is None or segment.style.link is None for segment in strip)
        await pilot.press("p")
        await settle(pilot)
        await pilot.press("escape", "r")
        await settle(pilot)
        await pilot.click(offset=(10, 10))
        await pilot.press("escape", "escape")
        await settle(pilot)
        assert app.is_running
        assert app.return_code is None


def hostile_memory(role: Role, text: str) -> AgentReport:
    """Return a memory of an agent that says ``text`` wherever it can."""
    believed = believable_agent_report(believable(), DEVELOPER)
    return structs.replace(
        believed,
        deliveries=tuple(structs.replace(poke, text=text, proof=text, light=text) for poke in believed.deliveries)
        + tuple(structs.replace(poke, refused=text or "no") for poke in believed.deliveries),
        restarts=tuple(
            structs.replace(
                one, cause=text, ending=text, message=text, screen=text * 3, notes=(text, text), session=text
            )
            for one in believed.restarts
        ),
        spikes=tuple(structs.replace(one, why=text) for one in believed.spikes),
        processes=tuple(structs.replace(node, name=text, state=text[:3], depth=10**6) for node in believed.processes),
        launch=None if believed.launch is None else structs.replace(believed.launch, role=role, client_session=text),
        keeping=text,
        memory_note=text,
    )


def hostile_boundary(role: Role, text: str) -> BoundaryView:
    """Return a boundary that says ``text`` wherever it can."""
    believed = believable_boundary(role)
    last = believable_refused()[0]
    return structs.replace(
        believed, allow=(text, text), deny=(text,), limits=(text,), kernel=text, unenforced=text, blocked=10**9,
        last_blocked=structs.replace(last, role=role, about=text, rule=text, why=text),
    )  # fmt: skip


def hostile_report(port: FakePort, name: str | None, text: str) -> TaskReport:
    """Return a report that says ``text`` wherever it can."""
    report = believable_report(port.now, name)
    return structs.replace(
        report,
        entries=tuple(
            structs.replace(entry, role=Role(text), turn=Role(text), status=text, verdict=text, findings=(text, text))
            for entry in report.entries
        ),
        runs=tuple(structs.replace(run, gate=text, command=text, ok=False, tail=text) for run in report.runs),
        approvals=(Approval(task=name, approver=text, wall=1.0, verdict=text, note=text, digest=text, chain=text),),
        diff=DiffStat(base=text, files=(DiffFile(path=text, added=0, removed=10**9),), commits=0),
        refusal=text,
    )


async def test_markup_is_shown_as_it_stands(make_app: MakeApp, port: FakePort) -> None:
    port.texts[38] = "### [DIRECTOR] now\n\n[@click=app.exit]go[/] [/nope]\n"
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert "[@click=app.exit]go[/] [/nope]" in text_on(app)


ANY = st.text(alphabet=st.characters(), max_size=200) | st.sampled_from(list(CORPUS.values()))
MARKDOWN = st.lists(
    st.sampled_from(
        [
            "```",
            "~~~",
            "#### H",
            "**a**",
            "`c`",
            "- ",
            "> ",
            "1. ",
            "**K**: v",
            "---",
            "*",
            "__",
            "\n",
            " ",
            "漢",
            "x" * 30,
        ]
    )
    | st.text(max_size=8),
    max_size=60,
).map("".join)


@given(ANY, st.integers(0, 60), st.sampled_from(["left", "right", "centre"]))
def test_fit_is_exact(text: str, width: int, align: strips.Align) -> None:
    assert cell_len(fit(text, width, align)) == width


@given(ANY, ANY, st.integers(1, 80))
def test_lines_have_their_width(left: str, right: str, width: int) -> None:
    line = spread(Line().add(left), Line().add(fit(right, min(width, 10))), width)
    assert line.strip(width).cell_length == width
    assert all(strip.cell_length == width for strip in wrap(Line(hang=4).add(left), width))


@pytest.mark.parametrize("name", list(GROUPS))
def test_broken_lines_are_as_wide_as_their_signs(name: str) -> None:
    for width in range(20, 130, 3):
        for strip in wrap(Line(hang=4).add("  ✖ ").add(GROUPS[name]), width):
            assert sum(cell_len(segment.text) for segment in strip) == strip.cell_length == width


@given(MARKDOWN | ANY, st.integers(8, 100), st.sampled_from(["", "a", "x" * 3, "漢"]))
def test_a_block_is_drawn_whatever_it_says(text: str, width: int, found: str) -> None:
    for line in draw(text, width, RICH, found):
        strip = line.strip(width)
        assert strip.text.isprintable()
        assert line.width <= width + 1, "no line is wider than its pane, but for a sign wider than a line's end"


@given(st.text(alphabet="ab **`_#->\n", max_size=300), st.integers(8, 40))
def test_no_word_is_lost(text: str, width: int) -> None:
    drawn = "".join("".join(line.strip(200).text.split()) for line in draw(text, width, RICH))
    for letter in "ab":
        assert drawn.count(letter) == text.count(letter)


@given(ANY)
def test_a_pane_keeps_only_its_colours(text: str) -> None:
    for strip in strips_of(f"\x1b[1;31m{text}\x1b[0m{text}"):
        assert strip.text.isprintable()


def test_a_pane_keeps_its_colours_and_drops_every_other_escape() -> None:
    raw = (
        "\x1b[1;31mred\x1b[0m \x1b[38;5;208morange\x1b[0m \x1b[48;2;1;2;3mdeep\x1b[0m\x1b[2J\x1b[10;10H"
        "\x1b]0;title\x07\x1b]8;;file:///etc\x07link\x1b]8;;\x07 "
        "\x1bP1$r0m\x1b\\\x9b31m\x07\x1b[?1049h\x1b[6nplain\x00\u202e"
    )
    (strip,) = strips_of(raw)
    assert strip.text == "red orange deeplink plain"
    styles = {segment.text: segment.style for segment in strip if segment.style}
    assert styles["red"] == Style(color="color(1)", bold=True)
    assert styles["orange"] == Style(color="color(208)")
    assert styles["deep"] == Style(bgcolor="#010203")
    assert all(style.link is None and not style.meta for style in styles.values())
    assert not styles.get("link plain") or styles["link plain"] == Style.null()


@given(st.text(alphabet="ab漢 ", max_size=40), st.text(alphabet="ab漢 ", max_size=40))
def test_a_changed_span_covers_every_change(before: str, after: str) -> None:
    old, new = Line().add(before[:5]).add(before[5:]).strip(90), Line().add(after[:5]).add(after[5:]).strip(90)
    span = changed(old, new)
    if span is None:
        assert old.text == new.text
    else:
        start, end = span
        assert old.crop(0, start) == new.crop(0, start)
        assert old.crop(end).text == new.crop(end).text


@given(st.lists(st.floats(0, 1e12), max_size=80), st.integers(0, 70))
def test_strips_of_an_hour_are_as_wide_as_asked(values: list[float], width: int) -> None:
    assert len(words.spark(values, width)) == width
    assert len(words.climb(values, width)) == width
