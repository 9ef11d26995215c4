"""What a machine has to have, judged from plain facts."""

from __future__ import annotations

import pytest

from teamops.domain import machine
from teamops.model.check import Check, Word

NOW = 1_790_000_000.0
CASES: list[tuple[str, Check, Word, str, bool]] = [
    ("python", machine.python((3, 11, 7), "/py"), Word.WORKS, "Python 3.11.7 (/py)", False),
    ("an old python", machine.python((3, 10, 1), "/py"), Word.BROKEN, "Python 3.10.1, and 3.11 is needed", True),
    ("no tmux", machine.tmux("", ""), Word.BROKEN, "tmux is not installed", True),
    ("tmux", machine.tmux("tmux 3.3a", "/t"), Word.WORKS, "tmux 3.3a", False),
    ("tmux of tomorrow", machine.tmux("tmux next-3.7", "/t"), Word.WORKS, "tmux next-3.7", False),
    ("an old tmux", machine.tmux("tmux 2.9a", "/t"), Word.BROKEN, "tmux 2.9a, and 3.0 is needed", True),
    ("a tmux of one's own", machine.tmux("tmux master", "/t"), Word.WORKS, "tmux master", False),
    ("a silent tmux", machine.tmux("", "/t"), Word.WORKS, "its version is not known", False),
    ("room", machine.disk(3 << 30, "/s"), Word.WORKS, "3.0 GB free", False),
    ("little room", machine.disk(512 << 20, "/s"), Word.WORKS, "512 MB free", True),
    ("no room", machine.disk(10 << 20, "/s"), Word.BROKEN, "10 MB free where the ledger is (/s)", True),
    ("a clock", machine.clock(NOW, NOW - 5), Word.WORKS, "sane", False),
    ("a clock without a file", machine.clock(NOW, None), Word.WORKS, "sane", False),
    ("a clock of 1970", machine.clock(5.0, None), Word.BROKEN, "it says a day before this teamops was made", True),
    (
        "a file from the future",
        machine.clock(NOW, NOW + 660),
        Word.BROKEN,
        "the handoff file was changed 11 min from now",
        True,
    ),
    ("inotify", machine.inotify(8192, 128, ""), Word.WORKS, "8192 watches, 128 instances", False),
    ("little inotify", machine.inotify(8192, 8, ""), Word.WORKS, "8192 watches, 8 instances", True),
    ("no inotify", machine.inotify(None, None, ""), Word.NOT_SUPPORTED, "this system has none", False),
    ("inotify used up", machine.inotify(8192, 128, "no instance is left"), Word.BROKEN, "no instance is left", True),
]


@pytest.mark.parametrize(("check", "word", "why", "hints"), [row[1:] for row in CASES], ids=[row[0] for row in CASES])
def test_what_is_said_of_a_machine(check: Check, word: Word, why: str, hints: bool) -> None:
    assert check.word is word
    assert check.why.startswith(why)
    assert bool(check.do) is hints
    assert check.role is None
