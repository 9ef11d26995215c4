"""A day's report in its four forms: the same figures in each, in their room, and no text from outside is obeyed."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from msgspec import structs

from teamops.domain.day_report import Asked, day_report, frame
from teamops.model.day_facts import DayFacts
from teamops.model.day_report import DayReport, Presence
from teamops.model.role import AGENT_ROLES
from teamops.report.day import FORMATS, SUFFIXES
from teamops.report.day_html import day_html
from teamops.report.day_json import day_json
from teamops.report.day_md import day_md
from teamops.report.day_text import day_text
from teamops.report.table import cells
from teamops.supervisor.day_reports import Question, read_days
from tests.week import DAYS, LAST, ZONE, Week

EVIL = (
    "<script>alert(1)</script>",
    "![x](http://evil.example/a.png) [l](javascript:x) <img src=x onerror=alert(1)>",
    "a | b\n# head\n- list `code` **bold** \x1b[31mred\x1b[0m \u202eback",
    "\" onload=\"x ' onclick='y' </text></svg><b>",
)
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]")


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> Week:
    return Week(tmp_path_factory.mktemp("week") / "ledger.sqlite3", 5)


def ask(week: Week, days: int = 1, wall: float | None = None) -> DayReport:
    names = {role: role.capitalize() for role in AGENT_ROLES}
    at = frame(LAST, days, week.until + 1 if wall is None else wall, ZONE)
    asked = Asked(project="shop", timezone="Europe/Berlin", names=names)
    return read_days(week.path, Question(asked=asked, at=at, known=week.known, roles=frozenset(AGENT_ROLES)))


@pytest.fixture(params=[1, 7], ids=["a day", "seven days"])
def report(request: pytest.FixtureRequest, week: Week) -> DayReport:
    return ask(week, request.param)


def evil(report: DayReport, bad: str) -> DayReport:
    """Return the report with ``bad`` wherever text comes from outside."""
    agents = tuple(
        replace(
            agent,
            name=bad,
            answers=tuple(replace(one, words=bad) for one in agent.answers),
            stays=tuple(replace(stay, why=bad) for stay in agent.stays),
            episodes=tuple(replace(one, message=bad, do=bad, subject=bad) for one in agent.episodes),
            restarts=tuple(structs.replace(one, cause=bad, ending=bad) for one in agent.restarts),
        )
        for agent in report.agents
    )
    team = replace(
        report.team,
        lines=tuple((what, bad) for what, _ in report.team.lines),
        tasks=tuple(replace(task, task=bad) for task in report.team.tasks),
        costs=tuple((bad, spend) for _, spend in report.team.costs),
    )
    return replace(report, project=bad, agents=agents, team=team)


# text


def test_text_is_80_columns_and_has_every_answer(report: DayReport) -> None:
    text = day_text(report)
    assert max(cells(line) for line in text.split("\n")) <= 80
    plain = " ".join(text.split())
    for agent in report.agents:
        assert f"{agent.role} {agent.name}: " in plain
        for answer in agent.answers:
            assert " ".join(f"{answer.question} {answer.words}".split()) in plain
        for strip in agent.strips:
            assert strip.text in text
    for what, words in report.team.lines:
        assert " ".join(f"{what} {words}".split()) in plain
    assert f"${report.team.spend.cost_usd:,.2f}" in plain
    assert "█ alive" in plain
    assert not _CONTROLS.search(text.replace("\n", ""))
    if len(report.days) > 1:
        assert all(f"  {day:%m-%d} " in text for day in report.days)


def test_a_running_day_says_so(week: Week) -> None:
    text = day_text(ask(week, wall=week.until - 12 * 3600))
    assert "(Europe/Berlin, so far: 12:00)" in text.partition("\n")[0]


# Markdown


def test_markdown_has_the_same_words(report: DayReport) -> None:
    tokens = MarkdownIt("commonmark").enable("table").parse(day_md(report))
    said = " ".join(
        "".join(child.content for child in token.children or []) for token in tokens if token.type == "inline"
    )
    for agent in report.agents:
        for answer in agent.answers:
            assert " ".join(answer.words.split()) in said
    code = "".join(token.content for token in tokens if token.type == "code_block")
    for agent in report.agents:
        for strip in agent.strips:
            assert strip.text in code
    heads = [token for token in tokens if token.type == "heading_open"]
    assert [head.tag for head in heads][:1] == ["h1"]
    assert sum(token.type == "table_open" for token in tokens) == 3


@pytest.mark.parametrize("bad", EVIL)
def test_nothing_from_outside_is_markup_in_markdown(report: DayReport, bad: str) -> None:
    kinds = set()
    for token in MarkdownIt("commonmark", {"html": True}).enable("table").parse(day_md(evil(report, bad))):
        kinds |= {token.type, *(child.type for child in token.children or [])}
    allowed = {
        "heading_open", "heading_close", "paragraph_open", "paragraph_close", "inline", "text", "strong_open",
        "strong_close", "bullet_list_open", "bullet_list_close", "list_item_open", "list_item_close", "code_block",
        "table_open", "table_close", "thead_open", "thead_close", "tbody_open", "tbody_close", "tr_open", "tr_close",
        "th_open", "th_close", "td_open", "td_close", "text_special",
    }  # fmt: skip
    assert kinds <= allowed


# JSON


def test_json_has_the_figures_of_the_report(report: DayReport) -> None:
    told = json.loads(json.dumps(day_json(report)))
    assert told["schema"] == "teamops.report/1"
    assert told["days"] == [str(day) for day in report.days]
    assert told["team"]["used"]["cost_usd"] == float(report.team.spend.cost_usd)
    assert [one["role"] for one in told["agents"]] == [agent.role for agent in report.agents]
    for one, agent in zip(told["agents"], report.agents, strict=True):
        assert one["seconds"]["alive"] == agent.seconds(Presence.ALIVE)
        assert sum(one["seconds"].values()) == report.until_wall - report.since_wall
        assert [row["answer"] for row in one["questions"]] == [answer.words for answer in agent.answers]
        assert len(one["restarts"]) == len(agent.restarts)
        assert [len(strip["slots"]) for strip in one["strips"]] == [len(strip.slots) for strip in agent.strips]
    assert len(told["needs_you"]) == len(report.needs)
    assert {one["tier"]: one["count"] for one in told["team"]["closed"]} == report.team.closed
    assert len(told["team"]["tasks"]) == len(report.team.tasks)
    assert datetime.fromisoformat(told["from"]).timestamp() == report.since_wall
    assert datetime.fromisoformat(told["until"]).timestamp() == report.until_wall


# HTML


class Page(HTMLParser):
    """Reads a page as a browser does."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.text += f" {data}"


def read(text: str) -> Page:
    page = Page()
    page.feed(text)
    page.close()
    assert page.open == [], "every tag is closed"
    return page


ALLOWED = {
    "html", "head", "meta", "title", "style", "body", "h1", "h2", "h3", "p", "strong", "ul", "li", "section", "svg",
    "rect", "text", "defs", "pattern", "path", "dl", "dt", "dd", "table", "tr", "th", "td", "span",
}  # fmt: skip


def test_html_has_the_same_words_and_strips_to_the_second(report: DayReport) -> None:
    page = read(day_html(report))
    said = " ".join(page.text.split())
    for agent in report.agents:
        for answer in agent.answers:
            assert " ".join(answer.words.split()) in said
    strips = [attrs for tag, attrs in page.tags if tag == "svg" and attrs.get("aria-label")]
    assert [one["aria-label"] for one in strips] == [str(day) for day in report.days] * len(report.agents)
    parts = [attrs for tag, attrs in page.tags if tag == "rect" and attrs.get("y") == "0"]
    assert all(0 <= float(part["x"] or -1) <= 960 for part in parts)
    assert all(float(part["x"] or 0) + float(part["width"] or 0) <= 961 for part in parts)
    alive = sum(float(part["width"] or 0) for part in parts if part["class"] == "alive")
    whole = sum(agent.seconds(Presence.ALIVE) for agent in report.agents)
    if len(report.days) == 1:
        assert alive == pytest.approx(960 * whole / (report.until_wall - report.since_wall), rel=0.02)


@pytest.mark.parametrize("bad", ["", *EVIL])
def test_a_page_loads_nothing_runs_nothing_and_obeys_nobody(report: DayReport, bad: str) -> None:
    text = day_html(evil(report, bad) if bad else report)
    page = read(text)
    assert {tag for tag, _ in page.tags} <= ALLOWED
    for tag, attrs in page.tags:
        assert not any(name.startswith("on") or name in {"src", "href", "xlink:href"} for name in attrs), tag
    assert "url(" not in text.replace("url(#unseen)", "")
    assert "@import" not in text
    assert ("meta", "default-src 'none'; style-src 'unsafe-inline'") in [
        (tag, attrs.get("content")) for tag, attrs in page.tags
    ]
    if bad:
        shown = " ".join(re.sub(r"\x1b\[[0-9;]*m|\u202e", "", bad).split())
        assert shown in " ".join(page.text.split()), "it is shown as it is"
    assert not _CONTROLS.search(text.replace("\n", ""))


# all


def test_every_form_has_a_suffix_and_ends_its_last_line(report: DayReport) -> None:
    assert set(FORMATS) == set(SUFFIXES)
    for make in FORMATS.values():
        assert make(report).endswith("\n")


@pytest.mark.parametrize("form", FORMATS)
def test_a_day_without_anything_names_the_next_command(form: str, tmp_path: Path) -> None:
    empty = day_report(Asked(project="shop"), frame(DAYS[0] - timedelta(days=99), 1, 2e9, ZONE), DayFacts())
    assert empty.empty
    text = FORMATS[form](empty)
    if form == "json":
        assert json.loads(text)["empty"] is True
    else:
        assert "teamops watch" in text.replace("\n", " ")
