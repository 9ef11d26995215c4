from __future__ import annotations

from teamops.model.clock import Stamp
from teamops.model.handoff import Block, Section, Stage
from teamops.model.role import CODER, DIRECTOR
from teamops.model.snapshot import LightState, LightView, Snapshot, SupervisorView
from teamops.supervisor.pokes import poke_text

LIGHT = LightView(
    task="login",
    role=CODER,
    name="Kevin",
    tier=2,
    stage=Stage.IMPLEMENT,
    since_wall=0,
    age_s=1,
    unanswered_s=1,
    waiting_after_s=300,
    stale_after_s=780,
    state=LightState.WORKING,
    line=12,
)


def snapshot(*, sections: tuple[Section, ...] = ()) -> Snapshot:
    block = Block(index=0, role=DIRECTOR, at=None, line=12, end_line=20, start=0, end=9, sections=sections)
    return Snapshot(
        revision=1,
        stamp=Stamp(0, 0),
        project="p",
        root="/p",
        handoff_path="/p/current.md",
        supervisor=SupervisorView(pid=None, acting=False, since_wall=None),
        lights=(LIGHT,),
        blocks=(block,),
    )


def test_names_the_file_the_task_and_the_section_for_the_role() -> None:
    text = poke_text(snapshot(sections=(Section("What I Did", 14), Section("For Coder", 17))), CODER)
    assert text.startswith('It is your turn on "login" (implement, tier 2): read current.md ')
    assert 'from line 12 (section "For Coder", line 17)' in text
    assert "\n" not in text
    assert len(text) < 700


def test_names_the_blocks_line_where_no_section_is_for_the_role() -> None:
    assert "line 12" in poke_text(snapshot(), CODER)


def test_asks_plainly_without_a_light() -> None:
    text = poke_text(snapshot(), DIRECTOR)
    assert "whose turn" in text
    assert "DIRECTOR" in text
