"""Spans of time in words."""

from __future__ import annotations


def clock_words(seconds: float) -> str:
    """Return ``seconds`` as minutes and seconds, or hours and minutes past an hour."""
    whole = int(seconds)
    if whole >= 3600:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{whole // 60}:{whole % 60:02d} min"
