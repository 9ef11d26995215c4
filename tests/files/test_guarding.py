"""What the hooks ask is written by the supervisor that acts: each role's policy, and whose turn it is."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from teamops.config.load import load
from teamops.effects.policies import light_now
from teamops.guard import policy
from teamops.guard.light import light_in, light_of
from teamops.model.snapshot import Snapshot
from teamops.supervisor.lease import state_dir_of
from teamops.supervisor.run import supervise_forever

BLOCK = """### [DIRECTOR] 2026-03-28 14:3{0}

**Status**: in progress
**Turn**: {1}
**Tier**: 2
**Task**: one

#### For Coder
Build `src/{1}.py`.

"""


async def until(holds: Callable[[], bool], seconds: float = 30.0) -> None:
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110 - a condition over files
            await asyncio.sleep(0.01)


async def test_the_supervisor_tells_the_hooks(tmp_path: Path) -> None:
    root = tmp_path / "p"
    root.mkdir()
    (root / "teamops.toml").write_text(f'[tmux]\nsocket_path = "{tmp_path}/s"\n[roles.DIRECTOR]\n[roles.CODER]\n')
    handoff = root / "current.md"
    handoff.write_text(BLOCK.format(0, "CODER"))
    settings = load(root)
    folder = state_dir_of(settings, tmp_path / "state")
    snapshots: list[Snapshot] = []

    def told() -> dict[str, Any]:
        path = folder / "light.json"
        read: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
        return read

    def row(role: str) -> list[dict[str, Any]]:
        return [{"role": role, "task": "one", "tier": 2, "named": ["src/CODER.py"]}]

    running = asyncio.create_task(supervise_forever(settings, snapshots.append, state_dir=tmp_path / "state"))
    try:
        await until(lambda: told().get("rows") == row("CODER"))
        await until(
            lambda: (folder / "policy" / "CODER.json").exists() and (folder / "policy" / "DIRECTOR.json").exists()
        )
        own = policy.read(policy.path_of(str(folder), "CODER"))
        assert light_of(own).held
        assert light_of(own).named == ("src/CODER.py",)
        assert told() == json.loads(light_now(handoff, ()))
        with handoff.open("a") as file:
            file.write(BLOCK.format(1, "DIRECTOR").replace("DIRECTOR]", "CODER]"))
        assert not light_of(own).held  # at once: what is kept is of another file, which is read anew
        await until(lambda: [one["role"] for one in told()["rows"]] == ["DIRECTOR"])
        assert told() == json.loads(light_now(handoff, ()))
        handoff.unlink()
        assert light_of(own).free
        await until((folder / "trees" / "turns.json").exists)
        assert {path.stat().st_mode & 0o777 for path in folder.rglob("*.json")} == {0o600}
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert not any("hooks are not told" in trouble for snapshot in snapshots for trouble in snapshot.troubles)


async def test_a_folder_that_can_t_be_written_is_said(tmp_path: Path) -> None:
    root = tmp_path / "p"
    root.mkdir()
    (root / "teamops.toml").write_text(f'[tmux]\nsocket_path = "{tmp_path}/s"\n[roles.CODER]\n')
    settings = load(root)
    folder = state_dir_of(settings, tmp_path / "state")
    folder.mkdir(parents=True)
    (folder / "policy").write_text("in the way")
    snapshots: list[Snapshot] = []
    running = asyncio.create_task(supervise_forever(settings, snapshots.append, state_dir=tmp_path / "state"))
    try:
        await until(lambda: any("hooks are not told" in line for one in snapshots[-1:] for line in one.troubles))
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def test_rows_are_read_for_one_role() -> None:
    rows = [
        {"role": "CODER", "task": "a", "tier": 2, "named": ["x"]},
        {"role": "CODER", "task": "b", "tier": None, "named": []},
        {"role": "HUMAN", "task": "c", "tier": 3, "named": ["y"]},
    ]
    coder, other = light_in(rows, "CODER"), light_in(rows, "DIRECTOR")
    assert (coder.held, coder.tiers, coder.named, coder.free) == (True, (2,), ("x",), False)
    assert (other.held, other.free, light_in([], "CODER").free) == (False, False, True)
