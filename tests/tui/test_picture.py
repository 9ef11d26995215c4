"""The README's picture is always the same, and shows what the screen shows."""

from __future__ import annotations

from html import unescape

import pytest

from teamops.tui.picture import take_picture


async def test_the_picture_is_deterministic_and_believable(monkeypatch: pytest.MonkeyPatch) -> None:
    first = await take_picture()
    monkeypatch.setenv("NO_COLOR", "1")
    second = await take_picture()
    assert first == second
    text = unescape(first).replace("\xa0", " ")
    for piece in (
        "notify-hub",
        "DEVELOPER",
        "Isabelle",
        "dead (signal 9)",
        "What I Found",
        "Sam is dead",
        "waiting 08:25",
    ):
        assert piece in text
