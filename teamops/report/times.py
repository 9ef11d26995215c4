"""Moments and lengths of time, for programs and in words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from teamops.model.protocol import StageTime


def iso(wall: float | None) -> str | None:
    """Return Unix seconds as local ISO 8601 to the second."""
    return None if wall is None else datetime.fromtimestamp(wall).astimezone().isoformat(timespec="seconds")


def span(seconds: float) -> str:
    """Return a length of time in words: ``40 s``, ``12 min``, ``3 h 05 min``, ``2 d 4 h``."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min"
    if whole < 86_400:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{whole // 86_400} d {whole % 86_400 // 3600} h"


def stages_json(stages: Sequence[StageTime]) -> list[dict[str, Any]]:
    """Return the times per stage, whole seconds."""
    return [
        {
            "stage": str(stage.stage),
            "seconds": round(stage.seconds),
            "visits": stage.visits,
            "current": stage.current,
        }
        for stage in stages
    ]


def stage_words(stages: Sequence[StageTime]) -> str:
    """Return the times per stage: ``design 18 min (2 times), implement 2 h 05 min so far``."""
    return ", ".join(
        f"{stage.stage} {span(stage.seconds)}"
        + (f" ({stage.visits} times)" if stage.visits > 1 else "")
        + (" so far" if stage.current else "")
        for stage in stages
    )
