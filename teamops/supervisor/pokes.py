"""What a poke says."""

from __future__ import annotations

from pathlib import Path

from teamops.domain.light import Light
from teamops.domain.telling import REMINDER
from teamops.model.handoff import Block
from teamops.model.role import Role
from teamops.model.snapshot import LightView, Snapshot
from teamops.model.text import clean_line

MAX_NAME = 120
"""Longer names of tasks and files are cut: the whole line has to pass as one."""


def poke_text(snapshot: Snapshot, role: Role) -> str:
    """Return the one line that tells ``role`` what it should look at: the light it holds, else a plain question."""
    lights = [light for light in snapshot.lights if light.role == role]
    if not lights:
        return f"Please read {_file(snapshot.handoff_path)}: whose turn is it, and is there something for {role}?"
    light = lights[0]
    block = next((block for block in reversed(snapshot.blocks) if block.line == light.line), None)
    return light_line(snapshot.handoff_path, light, block)


def light_line(handoff: str | Path, light: Light | LightView, block: Block | None) -> str:
    """Return the one line that tells the holder of ``light`` of it; ``block`` is the one that gave it."""
    wanted = f"for {light.role}".lower()
    section = next((part for part in block.sections if part.title.lower().strip() == wanted), None) if block else None
    task = f' on "{clean_line(light.task, MAX_NAME)}"' if light.task else ""
    tier = f", tier {light.tier}" if light.tier is not None else ""
    there = f' (section "{clean_line(section.title, MAX_NAME)}", line {section.line})' if section else ""
    return (
        f"It is your turn{task} ({light.stage}{tier}): read {_file(handoff)} from line {light.line}{there}, do it,"
        " and hand on with your block."
    )


def reminder_line(handoff: str | Path, light: Light, block: Block | None) -> str:
    """Return the one line that reminds the holder of ``light``, who was told of it and does not answer."""
    return REMINDER + light_line(handoff, light, block).replace("It is your turn", "it is still your turn", 1)


def _file(handoff: str | Path) -> str:
    return clean_line(Path(handoff).name, MAX_NAME)
