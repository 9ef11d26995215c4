"""Days and hours of a timezone as Unix seconds. A day has the length that its timezone gives it."""

from __future__ import annotations

from datetime import date, datetime, timedelta, tzinfo

HOUR_S = 3600.0


def day_edges(wall: float, zone: tzinfo | None, days: int) -> list[float]:
    """Return when each of ``days`` days begins, the last of them the one of ``wall``, and when that one ends.

    ``zone``: ``None`` is the system's.
    """
    last = local(wall, zone).date()
    return [midnight(last - timedelta(days=back), zone) for back in range(days - 1, -2, -1)]


def hour_edges(since_wall: float, until_wall: float) -> list[float]:
    """Return where the hours from ``since_wall`` on begin, up to the end of the one in which ``until_wall`` lies."""
    count = int((until_wall - since_wall) // HOUR_S) + 1
    return [since_wall + HOUR_S * place for place in range(count + 1)]


def local(wall: float, zone: tzinfo | None) -> datetime:
    """Return ``wall``, Unix seconds, in ``zone``."""
    return datetime.fromtimestamp(wall, zone) if zone is not None else datetime.fromtimestamp(wall).astimezone()


def today(wall: float, zone: tzinfo | None) -> date:
    """Return the day in which ``wall`` lies."""
    return local(wall, zone).date()


def midnight(day: date, zone: tzinfo | None) -> float:
    """Return when ``day`` begins, Unix seconds."""
    # Where clocks are put forward at midnight the day begins when they are: fold 0 reads a skipped time so.
    naive = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - its zone follows
    return (naive.replace(tzinfo=zone) if zone is not None else naive.astimezone()).timestamp()
