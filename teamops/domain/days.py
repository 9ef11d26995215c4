"""Days and hours of a timezone as Unix seconds. A day has the length that its timezone gives it."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, tzinfo

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


def clock_at(wall: float, zone: tzinfo | None) -> str:
    """Return a moment's time of day: "02:13:05"; with its offset in an hour that comes twice, "02:13:05+01:00"."""
    moment = local(wall, zone)
    clock = moment.strftime("%H:%M:%S")
    twice = any(local(wall + other, zone).strftime("%d %H:%M:%S") == moment.strftime("%d %H:%M:%S") for other in _TWICE)
    return clock + moment.isoformat()[-6:] if twice else clock


_TWICE = (-2 * HOUR_S, -HOUR_S, -HOUR_S / 2, HOUR_S / 2, HOUR_S, 2 * HOUR_S)
"""Clocks are put back by so much, wherever they are."""


def moment_of(text: str, day: date, zone: tzinfo | None) -> float | None:
    """Return the moment of ``day`` that ``text`` names, Unix seconds: "02:13", "02:13:05", with an offset or without.

    Of a time that comes twice the first is meant. ``None``: the day has no such time.
    """
    try:
        clock = time.fromisoformat(text.strip())
    except ValueError:
        return None
    naive = datetime.combine(day, clock.replace(tzinfo=None))
    if clock.tzinfo is not None:
        wall = naive.replace(tzinfo=clock.tzinfo).timestamp()
    else:
        wall = (naive.replace(tzinfo=zone) if zone is not None else naive.astimezone()).timestamp()
    # Where clocks are put forward a time is skipped; an offset may name one that the day never had.
    return wall if local(wall, zone).replace(tzinfo=None) == naive else None
