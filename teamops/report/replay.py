"""A moment of a recorded day, for programs."""

from __future__ import annotations

from typing import Any

from teamops.model.replay import RecordedDay
from teamops.model.snapshot import Snapshot
from teamops.report.times import iso


def replay_json(day: RecordedDay, snapshot: Snapshot) -> dict[str, Any]:
    """Return what a replayed snapshot is of: the day, the moment, what happened in it, and what nobody saw."""
    replayed = snapshot.replay
    gap = replayed.unobserved if replayed is not None else None
    return {
        "date": day.day,
        "timezone": day.timezone or None,
        "since": iso(day.since_wall),
        "until": iso(day.until_wall),
        "at": iso(snapshot.stamp.wall),
        "observed": None if _unknown(day, snapshot.stamp.wall) else gap is None,
        "not_observed": [{"since": iso(since), "until": iso(until)} for since, until in day.gaps],
        "watching_on_record_from": iso(day.watched_from),
        "notes": list(replayed.notes) if replayed is not None else [],
        "events": [
            {"at": iso(mark.wall), "kind": mark.kind.value, "role": mark.role, "text": mark.text} for mark in day.marks
        ],
    }


def _unknown(day: RecordedDay, wall: float) -> bool:
    """Return whether it is not on record whether anybody watched then."""
    return day.watched_from is None or wall < day.watched_from
