"""The hooks are told in the end, also where the first write failed."""

from __future__ import annotations

from pathlib import Path

import pytest

from teamops.config.boundary import LIGHT
from teamops.guard import light, policy
from teamops.model.events import HandoffChanged
from teamops.model.role import CODER, DIRECTOR
from teamops.supervisor import guarding
from teamops.supervisor.guarding import Guarding
from tests.unit.supervisor.conftest import Begin
from tests.unit.supervisor.life import TEAM, Life, block


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guarding, "DRAWN_S", 0.0)


def changed(life: Life) -> HandoffChanged:
    """Return what the source of the file says of it."""
    life.read()
    facts = light.facts_of(str(life.handoff))
    assert facts is not None
    return HandoffChanged(life.clock.stamp(), life._document.handoff, life.wall, appended=True, facts=tuple(facts))


def has_policies(folder: Path) -> bool:
    return all(Path(policy.path_of(str(folder), role)).is_file() for role in TEAM)


async def test_what_could_not_be_written_is_written_when_it_can_be(begin: Begin) -> None:
    life = await begin(CODER)
    await life.write(block(DIRECTOR, CODER))
    told = life.folder / "told"
    told.write_text("in the way", encoding="utf-8")
    at_work = Guarding(life.core, told, again_s=0.01)
    life.core.spawn(at_work.run(), "guard")
    await life.until(lambda: guarding.NAME in life.core.book.troubles, "the trouble")
    await life.ticks(1)
    (alert,) = life.alerts("source-troubled")
    assert "hooks are not told" in alert.message
    at_work.see(changed(life))

    told.unlink()
    await life.until((told / LIGHT).is_file, "the light")
    await life.until(lambda: not life.core.book.troubles, "well again")
    await life.ticks(15)
    assert not life.alerts("source-troubled")
    assert has_policies(told)


async def test_what_is_written_is_not_written_again(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    life = await begin(CODER)
    await life.write(block(DIRECTOR, CODER))
    written: list[str] = []
    monkeypatch.setattr(guarding, "_write_policies", lambda *_: written.append("policies"))
    monkeypatch.setattr(guarding, "_write_light", lambda *_: written.append("light"))
    at_work = Guarding(life.core, life.folder, again_s=0.0)
    life.core.spawn(at_work.run(), "guard")
    for count in (1, 2):
        at_work.see(changed(life))
        await life.until(lambda: written.count("light") == count, "the light")  # noqa: B023
        await life.ticks(20)
    assert written == ["policies", "light", "light"]
