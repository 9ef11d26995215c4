"""Moments and lengths of time, for programs and in words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from teamops.model.protocol import StageTime
from teamops.report.table import kept, wrapped


def iso(wall: float | None) -> str | None:
    """Return Unix seconds as local ISO 8601 to the second."""
    return None if wall is None else datetime.fromtimestamp(wall).astimezone().isoformat(timespec="seconds")


def moment(wall: float, now: float) -> str:
    """Return a moment for a person, local: ``14:47:06``; one of another day than ``now`` with its date."""
    at, today = (datetime.fromtimestamp(seconds).astimezone() for seconds in (wall, now))
    return f"{at:%H:%M:%S}" if at.date() == today.date() else f"{at:%Y-%m-%d %H:%M:%S}"


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


def brief(seconds: float) -> str:
    """Return a length of time for a narrow column: ``40s``, ``12m``, ``3h05m``, ``2d04h``."""
    whole = max(0, int(seconds))
    if whole < 3600:
        return f"{whole // 60}m" if whole >= 60 else f"{whole}s"
    return (
        f"{whole // 3600}h{whole % 3600 // 60:02d}m"
        if whole < 86_400
        else f"{whole // 86_400}d{whole % 86_400 // 3600:02d}h"
    )


def stage_words(stages: Sequence[StageTime]) -> list[str]:
    """Return the times per stage: ``design 18 min (2 times)``, ``implement 2 h 05 min so far``."""
    return [
        f"{stage.stage} {span(stage.seconds)}"
        + (f" ({stage.visits} times)" if stage.visits > 1 else "")
        + (" so far" if stage.current else "")
        for stage in stages
    ]


def stage_lines(stages: Sequence[StageTime], width: int, first: str) -> list[str]:
    """Return the times per stage on lines of at most ``width`` columns, begun by ``first``."""
    return wrapped(", ".join(kept(words) for words in stage_words(stages)), width, first, "  ")
