"""What lights, tasks and cycles cost, in lives of a supervisor on a real ledger."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest

from teamops.domain.spend_by_light import Lights
from teamops.handoff.archive import FOLDER
from teamops.model.agent import Beat, BeatKind
from teamops.model.events import BeatsSeen, UsageSeen
from teamops.model.handoff import Stage
from teamops.model.role import CODER, DIRECTOR, NONE, REVIEWER, Role
from teamops.model.spend import BlockSpend, Spend
from teamops.model.tail import Position
from teamops.model.usage import Tokens, Usage
from teamops.supervisor.task_costs import project_lights, task_costs
from teamops.usage.pricing import day_of
from teamops.usage.rates import Card, Price, Rates, to_json
from tests.unit.supervisor.conftest import Begin
from tests.unit.supervisor.life import GATES, START, Life, block, rewrite

TO_CODER = block(DIRECTOR, CODER, status="done")
BUILT = block(CODER, DIRECTOR, status="done", minute=3)
MICRO = Decimal("0.000001")


class Pen:
    """Tells what agents used, as their clients' logs do."""

    def __init__(self, life: Life) -> None:
        self.life = life
        self.offset = 0

    def use(self, role: Role, tokens: int, *, age: float = 0.0, cost: Decimal | None = None) -> None:
        """Tell of one response; without ``cost`` it has no price."""
        self.offset += 10
        usage = Usage(
            wall=self.life.wall - age, model="m", tokens=Tokens(input=tokens), client="claude", cost_usd=cost
        )  # fmt: skip
        place = Position(f"/log/{role}", 1, 1, int(self.life.wall - START) * 1000 + self.offset)
        self.life.core.emit(UsageSeen(self.life.clock.stamp(), role, (usage,), place, grew=True, live=True))

    def beat(self, role: Role, kind: BeatKind = BeatKind.BEAT, *costs: str, tokens: int = 0) -> None:
        """Tell of one beat with its tracked calls, and tokens that it counted for itself."""
        self.offset += 10
        usages = tuple(
            Usage(wall=self.life.wall, model="m", tokens=Tokens(output=5), client="sdk", cost_usd=Decimal(cost))
            for cost in costs
        )
        beat = Beat(role=role, wall=self.life.wall, kind=kind, usages=usages, tokens=tokens + 5 * len(costs))
        place = Position(f"/spool/{role}", 1, 1, int(self.life.wall - START) * 1000 + self.offset)
        self.life.core.emit(BeatsSeen(self.life.clock.stamp(), (beat,), place))


def light(life: Life, task: str = "login") -> Spend:
    return next(one.cost for one in life.snapshots[-1].lights if one.task == task)


async def used(life: Life, task: str = "login") -> list[tuple[Role, Stage, Decimal, int]]:
    """Return the parts of a task: whose, at which stage, dollars, tokens."""
    report = await life.core.task_report(task)
    assert report.spend is not None
    return [(one.role, one.stage, one.spend.cost_usd, one.spend.tokens.total) for one in report.spend.parts]


async def test_a_handoff_costs_what_its_holder_used_while_it_held_the_light(begin: Begin) -> None:
    life = await begin(CODER)
    pen = Pen(life)
    pen.use(CODER, 1, cost=Decimal(1))
    await life.ticks(2)
    await life.append(TO_CODER)
    pen.use(CODER, 100, cost=Decimal("0.25"))
    pen.use(DIRECTOR, 7, cost=Decimal(9))
    await life.ticks(2)
    assert light(life) == Spend(1, Tokens(input=100), Decimal("0.25"), 0)
    await life.append(BUILT)
    assert light(life) == Spend()
    assert dict(life.snapshots[-1].spent) == {1: Spend(1, Tokens(input=100), Decimal("0.25"), 0)}
    pen.use(DIRECTOR, 30)
    pen.use(CODER, 50, age=3.5, cost=Decimal("0.5"))  # read late, used before its block
    await life.ticks(2)
    assert light(life) == Spend(1, Tokens(input=30), Decimal(0), 30)
    assert await used(life) == [
        (CODER, Stage.IMPLEMENT, Decimal("0.75"), 150),
        (DIRECTOR, Stage.VERIFY, Decimal(0), 30),
    ]
    report = await life.core.task_report("login")
    assert report.spend is not None
    assert report.spend.exact
    assert report.spend.by_role[CODER].cost_usd == Decimal("0.75")
    assert report.spend.by_stage[Stage.VERIFY].unpriced_tokens == 30
    assert report.spend.total == Spend(3, Tokens(input=180), Decimal("0.75"), 30)
    assert [entry.used for entry in report.entries] == [
        None,
        BlockSpend(CODER, Stage.IMPLEMENT, Spend(2, Tokens(input=150), Decimal("0.75"), 0), exact=True),
    ]


async def test_the_next_life_knows_it_and_what_was_used_meanwhile_is_under_the_light_of_its_time(begin: Begin) -> None:
    life = await begin(CODER)
    await life.append(TO_CODER)
    Pen(life).use(CODER, 100, cost=Decimal("0.25"))
    await life.ticks(2)
    await life.end()
    life = await begin(CODER)
    assert light(life) == Spend(1, Tokens(input=100), Decimal("0.25"), 0)
    await life.append(BUILT)
    Pen(life).use(CODER, 11, age=14.0, cost=Decimal("0.5"))
    await life.ticks(2)
    assert await used(life) == [(CODER, Stage.IMPLEMENT, Decimal("0.75"), 111), (DIRECTOR, Stage.VERIFY, Decimal(0), 0)]


async def test_a_light_that_stood_before_teamops_looked_is_known_to_the_minute(begin: Begin, tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    minute = datetime.fromtimestamp(START - 120.0).replace(second=0)  # noqa: DTZ006 - naive local, as headings are
    text = TO_CODER.replace("2026-03-28 14:00", f"{minute:%Y-%m-%d %H:%M}")
    ahead = block(CODER, CODER, status="in progress").replace("2026-03-28", "2031-03-28")
    (tmp_path / "p" / "current.md").write_text(f"{text}\n{ahead}", encoding="utf-8")
    life = await begin(CODER)
    pen = Pen(life)
    pen.use(CODER, 1, age=life.wall - minute.timestamp() + 0.5, cost=Decimal(4))
    pen.use(CODER, 2, age=life.wall - minute.timestamp() - 0.5, cost=Decimal(1))
    pen.use(CODER, 3, cost=Decimal(2))
    await life.ticks(2)
    report = await life.core.task_report("login")
    assert report.spend is not None
    assert not report.spend.exact
    assert await used(life) == [(CODER, Stage.IMPLEMENT, Decimal(1), 2), (CODER, Stage.IMPLEMENT, Decimal(2), 3)]
    await life.append(block(CODER, DIRECTOR, status="done"))
    report = await life.core.task_report("login")
    assert report.spend is not None
    assert [part.exact for part in report.spend.parts] == [False, False, True]


async def test_of_two_lights_in_one_hand_the_later_one_has_it_even_when_it_was_archived(begin: Begin) -> None:
    life = await begin(CODER)
    pen = Pen(life)
    await life.append(TO_CODER)
    await life.append(block(DIRECTOR, CODER, task="other", status="done"))
    pen.use(CODER, 10, cost=Decimal(1))
    await life.ticks(2)
    assert (light(life), light(life, "other").cost_usd) == (Spend(), Decimal(1))
    await life.append(
        block(CODER, DIRECTOR, task="other", status="done", minute=4),
        block(DIRECTOR, NONE, task="other", status="done", minute=5, gates=GATES),
    )
    pen.use(CODER, 20, cost=Decimal(2))
    await life.ticks(2)
    assert light(life).cost_usd == Decimal(2)
    text = life.handoff.read_text(encoding="utf-8")
    start = text.index("### [", 5)
    archive = life.folder / FOLDER
    archive.mkdir()
    (archive / "current-2026-03.md").write_text(text[start:], encoding="utf-8")
    await life.write(text[:start])
    assert [one.task for one in life.snapshots[-1].tasks] == ["login"]
    assert light(life).cost_usd == Decimal(2)
    assert await used(life) == [(CODER, Stage.IMPLEMENT, Decimal(2), 20)]


async def test_what_a_viewer_reads_itself_counts_where_nobody_acts(begin: Begin) -> None:
    life = await begin(CODER)
    await life.append(TO_CODER)
    Pen(life).use(CODER, 100, cost=Decimal("0.25"))
    await life.ticks(2)
    await life.end()
    viewer = await begin(CODER, acting=False)
    pen = Pen(viewer)
    pen.use(CODER, 40)
    pen.use(CODER, 5, cost=Decimal("0.5"))
    pen.beat(REVIEWER, BeatKind.BEAT, "0.125")
    await viewer.ticks(2)
    assert light(viewer) == Spend(3, Tokens(input=145), Decimal("0.75"), 40)
    assert (await viewer.core.task_report("login")).spend is not None


async def test_who_follows_shows_what_the_one_that_acts_stores(begin: Begin) -> None:
    life = await begin(CODER)
    await life.append(TO_CODER)
    viewer = await begin(CODER, acting=False, followed=True)
    Pen(life).use(CODER, 100, cost=Decimal("0.25"))
    await life.ticks(2)
    Pen(viewer).use(CODER, 100, cost=Decimal("0.25"))
    await viewer.ticks(2)
    assert light(viewer) == Spend(1, Tokens(input=100), Decimal("0.25"), 0)


async def test_a_clients_cycle_is_ten_seconds_and_a_beating_agents_its_interval(begin: Begin) -> None:
    life = await begin(CODER, REVIEWER)
    pen = Pen(life)
    assert {agent.cycle for agent in life.snapshots[-1].agents} == {None}
    await life.ticks(int(-life.wall % 10))
    for cost in ("0.25", "0.75"):
        pen.use(CODER, 10, cost=Decimal(cost))
        await life.ticks(4)
        pen.use(CODER, 10, cost=Decimal(cost))
        await life.ticks(4)
        await life.ticks(2)
    pen.use(CODER, 1, cost=Decimal(5))
    await life.ticks(1)
    coder = life.snapshots[-1].agents[1].cycle
    assert coder is not None
    assert (coder.count, coder.last.cost_usd, coder.last.responses) == (2, Decimal("1.50"), 2)
    assert (coder.median_usd, coder.mean_usd, coder.mean_tokens, coder.unpriced) == (Decimal(1), Decimal(1), 20, 0)

    pen.beat(REVIEWER)
    await life.ticks(1)
    pen.beat(REVIEWER, BeatKind.USAGE, "0.125")
    await life.ticks(1)
    pen.beat(REVIEWER, BeatKind.USAGE, "0.125")
    await life.ticks(1)
    assert REVIEWER not in life.core.book.costs.cycles  # it runs
    pen.beat(REVIEWER, BeatKind.BEAT, "0.5", tokens=7)
    await life.ticks(1)
    reviewer = life.snapshots[-1].agents[2].cycle
    assert reviewer is not None
    assert (reviewer.count, reviewer.last.cost_usd, reviewer.last.tokens.total) == (1, Decimal("0.75"), 22)
    assert (reviewer.last.unpriced_tokens, reviewer.unpriced, reviewer.median_usd) == (7, 1, Decimal(0))

    wall = life.wall
    await life.end()
    life = await begin(CODER, REVIEWER)
    again = life.snapshots[-1].agents[2].cycle
    assert again == reviewer
    assert life.wall > wall


def learn(life: Life) -> None:
    """Let the price of the model become known: one dollar a token."""
    text = to_json(Rates(Card(*[Price(((0, Decimal(1_000_000)),))] * 5)))
    life.core.memory._pricer._learn(("m", day_of(life.wall)), text)
    life.core.memory._price_waiting(life.core.book)


@pytest.mark.parametrize("acting", [True, False], ids=["who acts", "a viewer without one"])
async def test_a_price_that_comes_later_reaches_lights_and_cycles(begin: Begin, *, acting: bool) -> None:
    life = await begin(CODER, acting=acting)
    await life.append(TO_CODER)
    pen = Pen(life)
    pen.use(CODER, 3)
    pen.use(CODER, 4, cost=Decimal(1))
    pen.beat(REVIEWER, BeatKind.BEAT, tokens=9)
    await life.ticks(12)
    assert light(life) == Spend(2, Tokens(input=7), Decimal(1), 3)
    cycle = life.core.book.costs.cycles[CODER]
    assert (cycle.unpriced, cycle.last.unpriced_tokens) == (1, 3)
    learn(life)
    await life.ticks(1)
    assert light(life) == Spend(2, Tokens(input=7), Decimal(4))
    assert life.core.book.costs.cycles[CODER].median_usd == Decimal(4)
    assert life.core.book.costs.cycles[CODER].last == Spend(2, Tokens(input=7), Decimal(4))
    await life.append(BUILT)
    assert await used(life) == [(CODER, Stage.IMPLEMENT, Decimal(4), 7), (DIRECTOR, Stage.VERIFY, Decimal(0), 0)]


async def test_what_is_read_late_is_put_under_the_light_of_its_time_at_once(begin: Begin) -> None:
    life = await begin(CODER)
    await life.append(TO_CODER)
    await life.ticks(5)
    await life.append(BUILT)
    shown = life.snapshots[-1].spent
    await life.ticks(2)
    assert life.snapshots[-1].spent is shown  # nothing to draw
    Pen(life).use(CODER, 50, age=5.5, cost=Decimal("0.5"))
    await life.ticks(1)
    assert dict(life.snapshots[-1].spent) == {1: Spend(1, Tokens(input=50), Decimal("0.5"))}
    assert light(life) == Spend()


async def test_a_rewritten_and_a_grown_file_have_the_sums_that_a_new_life_counts(begin: Begin) -> None:
    life = await begin(CODER)
    pen = Pen(life)
    await life.append(TO_CODER)
    for number in range(6):
        pen.use(CODER, 1, cost=Decimal(number + 1))
        pen.use(DIRECTOR, 1, age=1.5, cost=Decimal("0.01"))
        await life.ticks(2)
        giver, taker = ((CODER, DIRECTOR), (DIRECTOR, CODER))[number % 2]
        task = "login" if number < 4 else "other"
        await life.append(block(giver, taker, task=task, status="in progress", minute=number))
        if number == 2:
            rewrite(life, "Did it.", "Did it otherwise.")
            await life.seen()
    await life.ticks(90)
    tasks = life.core.book.protocol.tasks
    told = task_costs(life.folder / "state" / "ledger.sqlite3", life.settings, tasks, life.core.book.handoff.blocks)
    for task in ("login", "other"):
        report = await life.core.task_report(task)
        assert report.spend == told[task]
        assert {entry.index: entry.used.spend for entry in report.entries if entry.used} == {
            index: part.spend for index, part in told[task].blocks.items()
        }
        for index, part in told[task].blocks.items():
            assert life.snapshots[-1].spent.get(index, Spend()) == part.spend
        assert light(life, task).cost_usd == (told[task].now.spend.cost_usd if told[task].now else 0)  # type: ignore[union-attr]


async def test_a_light_that_is_interrupted_twice_keeps_what_it_had(begin: Begin) -> None:
    life = await begin(CODER)
    pen = Pen(life)
    await life.append(TO_CODER)
    spent, early = Decimal(0), life.wall
    for number, task in enumerate(("other", "third")):
        pen.use(CODER, 1, cost=Decimal(number + 1))
        pen.use(CODER, 1, age=life.wall - early, cost=Decimal("0.5"))  # the second is read late: before the other light
        await life.ticks(1)
        spent += number + Decimal("1.5")
        await life.append(block(DIRECTOR, CODER, task=task, status="done"))
        assert light(life).cost_usd == spent
        pen.use(CODER, 1, cost=Decimal(64))
        await life.ticks(1)
        await life.append(block(CODER, DIRECTOR, task=task, status="blocked", minute=4))
    pen.use(CODER, 1, cost=Decimal(4))
    await life.ticks(1)
    assert light(life).cost_usd == Decimal(8)
    await life.append(BUILT)
    assert (await used(life))[0] == (CODER, Stage.IMPLEMENT, Decimal(8), 5)


async def test_what_an_agent_counts_itself_is_not_counted_beside_its_clients_log(begin: Begin) -> None:
    life = await begin(CODER)
    pen = Pen(life)
    await life.append(TO_CODER)
    pen.beat(CODER, BeatKind.BEAT, tokens=30)
    await life.ticks(1)
    assert light(life) == Spend(1, Tokens(input=30), Decimal(0), 30)
    pen.use(CODER, 5, cost=Decimal(1))
    await life.ticks(1)
    pen.beat(CODER, BeatKind.BEAT, tokens=500)
    await life.ticks(1)
    assert light(life) == Spend(2, Tokens(input=35), Decimal(1), 30)


async def test_a_ledger_that_cannot_be_read_leaves_what_was_known(begin: Begin) -> None:
    life = await begin(CODER)
    await life.append(TO_CODER)
    Pen(life).use(CODER, 50, cost=Decimal("0.5"))
    await life.ticks(1)
    life.ledger.close()
    await life.ticks(2)
    assert light(life).cost_usd == Decimal("0.5")
    assert any("ledger" in note for note in life.snapshots[-1].troubles)


async def test_commands_without_a_supervisor_tell_the_same(begin: Begin) -> None:
    life = await begin(CODER)
    pen = Pen(life)
    await life.append(TO_CODER)
    pen.use(CODER, 10, cost=Decimal("0.25"))
    await life.ticks(1)
    await life.append(BUILT)
    pen.use(DIRECTOR, 20)
    await life.ticks(90)  # the newest block stands long enough to be handed on
    ledger = life.folder / "state" / "ledger.sqlite3"
    blocks = life.core.book.handoff.blocks
    (told,) = task_costs(ledger, life.settings, life.core.book.protocol.tasks, blocks).values()
    shown = (await life.core.task_report("login")).spend
    assert shown is not None
    assert (told, told.exact) == (shown, True)
    lights = project_lights(ledger, life.settings)
    assert [(one.role, one.task) for one in lights] == [(CODER, "login"), (DIRECTOR, "login")]
    assert lights[1].until_wall is None
    assert Lights(lights).at(CODER, lights[0].since_wall) == lights[0]
    assert task_costs(life.folder / "none", life.settings, (), ()) == {}
    assert [one.role for one in project_lights(life.folder / "none", life.settings)] == [CODER, DIRECTOR]
    life.handoff.unlink()
    assert project_lights(ledger, life.settings) == ()
