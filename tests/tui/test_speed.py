"""A big team and a long file stay cheap: what is not seen costs nothing."""

from __future__ import annotations

import time

import pytest
from msgspec.structs import replace

from teamops.model.role import Role
from tests.tui.conftest import MakeApp
from tests.tui.fake_port import FakePort
from tests.tui.lines import lines_on, settle

BLOCKS = 10_000
AGENTS = 200
LIMIT_S = 0.05


@pytest.mark.parametrize("size", [(80, 24), (200, 60)], ids=["80x24", "200x60"])
async def test_a_snapshot_of_200_agents_and_10000_blocks(
    make_app: MakeApp, port: FakePort, size: tuple[int, int]
) -> None:
    base = port.now
    blocks = tuple(replace(base.blocks[n % 39], index=n, digest=str(n)) for n in range(BLOCKS))
    agents = tuple(replace(base.agents[n % 6], role=Role(f"ROLE-{n}")) for n in range(AGENTS))
    port.texts = {n: port.texts[n % 39] for n in range(BLOCKS + 20)}
    port.publish(agents=agents, blocks=blocks, log=(base.log * 20)[:200], alerts=base.alerts * 30)
    app = make_app()
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        port.callbacks.clear()
        spent = []
        for _ in range(10):
            number = len(port.now.blocks)
            port.tick()
            app._newest = port.publish(blocks=(*port.now.blocks, replace(base.blocks[-1], index=number, digest="n")))
            began = time.thread_time()
            app.on_snapshot_arrived()
            spent.append(time.thread_time() - began)
            await pilot.pause()
        await settle(pilot)
        assert any(f"of {BLOCKS + 10}" in line for line in lines_on(app)), "the newest block is shown"
        assert sorted(spent)[5] < LIMIT_S
        seen = len(app.desk.agents._lines)
        assert seen <= 2 * size[1], "only rows in sight are drawn"
        await pilot.press("G")
        await settle(pilot)
        assert any(f"ROLE-{AGENTS - 1} " in line for line in lines_on(app))


def test_the_first_frame_imports_nothing_heavy() -> None:
    import subprocess
    import sys

    heavy = (
        "libtmux", "genai_prices", "psutil", "desktop_notifier", "markdown_it", "sqlite3", "watchdog",
        "textual.widgets._data_table", "textual.widgets._markdown", "textual.widgets._text_area",
        "textual.widgets._rich_log", "teamops.tui.screens.detail", "teamops.tui.screens.poke",
        "teamops.tui.screens.reading", "teamops.tui.believable", "teamops.tui.screens.listing",
        "teamops.tui.screens.findings", "teamops.tui.screens.diff", "teamops.tui.screens.task",
        "teamops.tui.screens.tasks", "teamops.tui.screens.sign_off", "teamops.tui.chain", "teamops.tui.palette",
        "teamops.tui.screens.costs", "teamops.tui.plots", "textual_plotext", "plotext",
    )  # fmt: skip
    program = f"import sys, teamops.tui.app; print([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout.strip() == "[]"
