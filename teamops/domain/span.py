"""Spans of time in words."""

from __future__ import annotations


def clock_words(seconds: float) -> str:
    """Return ``seconds`` as minutes and seconds, or hours and minutes past an hour."""
    whole = int(seconds)
    if whole >= 3600:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{whole // 60}:{whole % 60:02d} min"


def span_words(seconds: float) -> str:
    """Return ``seconds`` for a sentence: ``40 s``, ``12 min``, ``3 h 05 min``, ``24 h``, ``2 d 4 h``."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min"
    if whole < 172_800:
        minutes = whole % 3600 // 60
        return f"{whole // 3600} h" + (f" {minutes:02d} min" if minutes else "")
    hours = whole % 86_400 // 3600
    return f"{whole // 86_400} d" + (f" {hours} h" if hours else "")
