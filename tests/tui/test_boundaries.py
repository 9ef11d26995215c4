"""What got past the boundaries and what was refused: listed, opened, dealt with; and on each agent."""

from __future__ import annotations

from dataclasses import replace

import pytest
from msgspec import structs

from teamops.model.agent import AgentView
from teamops.model.boundary import BoundaryView, Decision, Verdict, ViolationState
from teamops.model.errors import TeamopsError
from teamops.model.role import CODER, OPTIMIZER, REVIEWER, Role
from teamops.model.snapshot import SettleViolation
from teamops.tui.app import TeamopsApp
from teamops.tui.boundary_words import act, held_by, policy, size
from teamops.tui.rules import why_not_settle
from teamops.tui.screens.boundaries import BoundariesScreen
from teamops.tui.screens.reading import ReadingWindow
from teamops.tui.screens.violation import SettleWindow, ViolationScreen
from teamops.tui.widgets.agent_table import columns, draw_row
from tests.tui.conftest import MakeApp
from tests.tui.fake_port import FakePort
from tests.tui.lines import lines_on, settle, text_on

SIZES = pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 60)], ids=["80x24", "120x36", "200x60"])


def notes(app: TeamopsApp) -> str:
    return "\n".join(note.message for note in app._notifications)


def agent_of(port: FakePort, role: Role) -> AgentView:
    return next(one for one in port.now.agents if one.role == role)


def settled(port: FakePort, state: ViolationState) -> None:
    first, *others = port.now.violations
    port.publish(violations=(replace(first, state=state, note=f"{state} by ada"), *others))


@SIZES
async def test_the_list_says_what_got_past_and_what_was_refused(make_app: MakeApp, size: tuple[int, int]) -> None:
    app = make_app()
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        await pilot.press("B")
        await settle(pilot)
        assert isinstance(app.screen, BoundariesScreen)
        lines = lines_on(app)
        assert "↯ 1 open  ■ 1 quarantined  ✓ 1 accepted  ⊘ 5 refused today" in lines[0]
        rows = [line for line in lines[2:] if line[2:3] in "↯■✓⊘△"][:7]
        for row, pieces in zip(
            rows,
            (
                ("↯ open          38s  REVIEWER?", "src/webhooks/retry.py", "+4 -1"),
                ("■ quarantined   45m  OPTIMIZER", "tests/webhooks/test_retry.py", "+31 -0"),
                ("✓ accepted     2h31  CODER", "docs/design/queue.md", "+2 -2"),
                ("⊘ refused       41s  REVIEWER", "src/webhooks/retry.py", "\u00d73"),
                ("△ warned         8m  CODER", "src/settings/theme.ts"),
                ("⊘ refused       21m  REVIEWER", "git commit -am"),
                ("⊘ refused      1h26  DIRECTOR", "src/webhooks/queue.py"),
            ),
            strict=True,
        ):
            assert all(piece in row for piece in pieces), row
            assert ('write.deny "*.py"' in row) == ("queue.py" in row and size[0] >= 100)
        assert "REVIEWER may not change it (write.allow); maybe it was REVIEWER or DEVELOPER" in text_on(app)
        await pilot.press("G")
        await settle(pilot)
        assert "give the light to DEVELOPER or CODER" in " ".join(text_on(app).split()), "the chosen one in full"
        assert all(len(line) <= size[0] for line in lines_on(app))
        await pilot.press("q")
        await settle(pilot)
        assert app.screen.id == "main"


async def test_a_filter_leaves_what_has_the_text(make_app: MakeApp, port: FakePort) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("B")
        await settle(pilot)
        await pilot.press("slash", *"reviewer", "enter")
        await settle(pilot)
        text = text_on(app)
        assert "git commit" in text
        assert "theme.ts" not in text
        await pilot.press("escape")
        await settle(pilot)
        assert "theme.ts" in text_on(app)
        await pilot.press("slash", *"xyzzy", "enter")
        await settle(pilot)
        assert "Nothing has that text." in text_on(app)
        assert port.asked.count("decisions") >= 1


async def test_an_empty_list_names_the_command_that_tells_more(make_app: MakeApp, port: FakePort) -> None:
    port.refused = ()
    port.publish(violations=())
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("B")
        await settle(pilot)
        text = text_on(app)
        assert "✓ Nothing was refused, and nothing got past a boundary." in text
        assert "teamops guard explain --role DIRECTOR PATH" in text
        assert "accept" not in lines_on(app)[-1], "no key for what is not there"
        await pilot.press("x", "enter")
        await settle(pilot)
        assert isinstance(app.screen, BoundariesScreen)
        assert "This is no change past a boundary" in notes(app)


async def test_what_can_t_be_asked_is_said_there_and_violations_stay(make_app: MakeApp, port: FakePort) -> None:
    port.errors["decisions"] = TeamopsError("The ledger is locked.", "Try again.")
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("B")
        await settle(pilot)
        assert "what was refused can't be told: The ledger is locked." in text_on(app)
        assert "src/webhooks/retry.py" in text_on(app)
        assert notes(app) == ""


@SIZES
async def test_enter_shows_the_evidence_and_the_change(make_app: MakeApp, size: tuple[int, int]) -> None:
    app = make_app()
    async with app.run_test(size=size) as pilot:
        await pilot.press("B")
        await settle(pilot)
        await pilot.press("enter")
        await settle(pilot)
        assert isinstance(app.screen, ViolationScreen)
        text = text_on(app)
        for piece in (
            "↯ open  src/webhooks/retry.py  changed +4 -1",
            "maybe it was REVIEWER or DEVELOPER",
            "· REVIEWER's hook refused src/webhooks/retry.py three times",
            "-     return 2.0 ** attempt",
            "+     jitter = random.uniform(0.0, 1.0)",
        ):
            assert piece in text
        await pilot.press("escape")
        await settle(pilot)
        assert isinstance(app.screen, BoundariesScreen)


async def test_a_violation_without_a_kept_change_says_so(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("B")
        await settle(pilot)
        await pilot.press("j", "enter")
        await settle(pilot)
        assert "✖ There is no such violation." in text_on(app)
        assert "quarantined; OPTIMIZER was told" in text_on(app)


async def test_enter_on_a_refusal_shows_all_that_was_said(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("B")
        await settle(pilot)
        await pilot.press("j", "j", "j", "enter")
        await settle(pilot)
        assert isinstance(app.screen, ReadingWindow)
        text = " ".join(text_on(app).replace("│", " ").split())
        for piece in (
            "14:46:31, 3 times within ten minutes",
            "rule write.allow",
            "teamops guard explain --role REVIEWER",
        ):
            assert piece in text


@pytest.mark.parametrize("where", ["list", "screen"])
@pytest.mark.parametrize(
    ("key", "row", "title", "to"),
    [
        ("x", 0, "Accept the change", ViolationState.ACCEPTED),
        ("U", 0, "Quarantine the change", ViolationState.QUARANTINED),
        ("R", 1, "Put the change back", ViolationState.RESTORED),
    ],
)
async def test_only_y_deals_with_it(
    make_app: MakeApp, port: FakePort, where: str, key: str, row: int, title: str, to: ViolationState
) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("B")
        await settle(pilot)
        await pilot.press(*["j"] * row, *(["enter"] if where == "screen" else []))
        await settle(pilot)
        before = app.screen
        for leave in ("n", "escape", "q", "enter"):
            await pilot.press(key)
            await settle(pilot)
            assert isinstance(app.screen, SettleWindow)
            assert title in text_on(app)
            assert port.now.violations[row].path in text_on(app)
            await pilot.press(leave)
            await settle(pilot)
            if leave == "enter":
                assert isinstance(app.screen, SettleWindow), "Enter is no answer"
                await pilot.press("n")
                await settle(pilot)
            assert app.screen is before
        assert port.intents == []
        await pilot.press(key, "y")
        await settle(pilot)
        assert port.intents == [SettleViolation(port.now.violations[row].id, to)]
        assert app.screen is before


async def test_what_is_settled_can_t_be_settled_again(make_app: MakeApp, port: FakePort) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("B")
        await settle(pilot)
        await pilot.press("R")
        assert "The change is open, not quarantined" in notes(app)
        await pilot.press("j", "x")
        assert "The change is quarantined already. R puts it back." in notes(app)
        await pilot.press("k", "enter", "U")
        await settle(pilot)
        settled(port, ViolationState.GONE)  # by another hand, while the question stands
        await settle(pilot)
        assert "The change is gone already." in text_on(app)
        await pilot.press("y")
        await settle(pilot)
        assert port.intents == []
        assert "○ gone  src/webhooks/retry.py" in text_on(app)
        assert "gone by ada" in text_on(app)


@pytest.mark.parametrize(
    ("state", "keys"),
    [
        (ViolationState.OPEN, "xU"),
        (ViolationState.ACCEPTED, "U"),
        (ViolationState.RESTORED, "U"),
        (ViolationState.QUARANTINED, "R"),
        (ViolationState.GONE, "R"),
    ],
)
def test_what_can_be_done_goes_by_what_became_of_it(port: FakePort, state: ViolationState, keys: str) -> None:
    one = replace(port.now.violations[0], state=state)
    acts = {"x": "let_stand", "U": "quarantine", "R": "restore"}
    assert "".join(key for key, act_id in acts.items() if not why_not_settle(act_id, one)) == keys
    assert all(why_not_settle(act_id, None) for act_id in acts.values())


async def test_the_header_tells_of_what_stands_open(make_app: MakeApp, port: FakePort) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert "↯1  ✖ 2 to mend" in lines_on(app)[0]
        port.publish(findings=())
        await settle(pilot)
        assert "↯ 1 past a boundary" in lines_on(app)[0]
        port.publish(project="a-rather-long-name")
        await settle(pilot)
        assert "↯1" in lines_on(app)[0]
        settled(port, ViolationState.GONE)
        await settle(pilot)
        assert "↯" not in lines_on(app)[0]


async def test_each_agent_tells_how_often_it_was_refused(make_app: MakeApp, port: FakePort) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        (row,) = [line for line in lines_on(app) if "REVIEWER Sarah" in line]
        assert "○ idle ⊘4" in row
    loose = structs.replace(agent_of(port, CODER), boundary=BoundaryView(unenforced="by hand", blocked=12_345))
    port.publish(agents=(loose,))
    app = make_app()
    async with app.run_test(size=(120, 36)) as pilot:
        await settle(pilot)
        assert "⊘12k ━ unheld" in text_on(app)
        await pilot.press("B")
        await settle(pilot)
        assert "▲ 1 agent unheld" in lines_on(app)[0]
        port.publish(agents=(structs.replace(loose, boundary=BoundaryView(unenforced="turned off", waived=True)),))
        await settle(pilot)
        assert "unheld" not in lines_on(app)[0]
        await pilot.press("escape")
        await settle(pilot)
        assert "unheld" not in text_on(app), "a person who turned it off needs no reminder on each card"


@pytest.mark.parametrize(
    ("blocked", "wanted"), [(0, "✖ dead (signal 9)"), (4, "✖ dead (sig 9) ⊘ "), (123_456, "✖ dead (sig 9) ⊘ ")]
)
def test_a_count_that_has_no_room_leaves_its_sign(port: FakePort, make_app: MakeApp, blocked: int, wanted: str) -> None:
    agent = structs.replace(agent_of(port, OPTIMIZER), boundary=BoundaryView(blocked=blocked))
    line = draw_row(agent, columns(80), make_app().palette, under_cursor=False)
    assert wanted in line.strip(80).text


async def test_an_agents_own_screen_tells_its_boundary(make_app: MakeApp, port: FakePort) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        app.open_detail(REVIEWER)
        await settle(pilot)
        text = " ".join(text_on(app).split())
        for piece in (
            "boundary may write: /current.md, /reviews/; never: /profiles/, /.teamops/, /.git/",
            "held by the kernel: bwrap + Landlock; its client's hooks ask",
            "refused 4 calls today; last 14:46:31: src/webhooks/retry.py (write.allow)",
        ):
            assert piece in text
        port.publish(agents=(structs.replace(agent_of(port, REVIEWER), boundary=None),))
        await settle(pilot)
        assert "held by" not in text_on(app), "nothing is said that is not known"
        await pilot.press("B")
        await settle(pilot)
        assert isinstance(app.screen, BoundariesScreen)
        await pilot.press("B", "escape")
        await settle(pilot)
        assert app.screen.id != "main", "back to the agent, from one screen only"


@pytest.mark.parametrize(
    ("boundary", "pid", "words"),
    [
        (BoundaryView(unruled=True), 7, "nothing is to be held"),
        (BoundaryView(kernel="Landlock alone"), 7, "the kernel: Landlock alone; no hook has asked so far"),
        (BoundaryView(hook=True), 7, "not by the kernel; its client's hooks ask"),
        (BoundaryView(unenforced="by hand"), 7, "▲ nothing: by hand"),
        (BoundaryView(unenforced="by hand"), None, "nothing runs"),
    ],
)
def test_who_holds_an_agent_in_words(port: FakePort, boundary: BoundaryView, pid: int | None, words: str) -> None:
    assert held_by(structs.replace(agent_of(port, CODER), pid=pid), boundary)[0] == words


def test_a_long_policy_is_told_by_its_beginning() -> None:
    globs = tuple(f"*.{number}" for number in range(20))
    assert policy(BoundaryView(allow=("*",), deny=globs)).endswith("*.6, *.7, … and 12 more")
    assert policy(BoundaryView(allow=("*",), deny=globs[:9])).endswith("*.7, *.8"), "one is told as fast as counted"


def test_what_is_not_known_is_not_said(port: FakePort) -> None:
    assert size(replace(port.now.violations[0], added=None)) == ""
    bare = Decision(role=CODER, wall=0.0, verdict=Verdict.DENY, rule="", about="", why="")
    assert act(bare) == "a call"
