"""What a poke says."""

from __future__ import annotations

from pathlib import Path

from teamops.model.role import Role
from teamops.model.snapshot import Snapshot


def poke_text(snapshot: Snapshot, role: Role) -> str:
    """Return the one line that tells ``role`` what it should look at: the light it holds, else a plain question."""
    name = Path(snapshot.handoff_path).name
    lights = [light for light in snapshot.lights if light.role == role]
    if not lights:
        return f"Please read {name}: whose turn is it, and is there something for {role}?"
    light = lights[0]
    block = next((block for block in reversed(snapshot.blocks) if block.line == light.line), None)
    wanted = f"for {role.lower()}"
    section = next((part for part in block.sections if part.title.lower().strip() == wanted), None) if block else None
    task = f' of task "{light.task}"' if light.task else ""
    where = f"line {section.line} (For {role.capitalize()})" if section else f"line {light.line}"
    return f"It is your turn{task} ({light.stage}): read {name} from {where}, do it, and hand on with your block."
