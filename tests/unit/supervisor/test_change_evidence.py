"""What an agent's hook said lately, and where the kernel lets it write."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from teamops.guard import confine
from teamops.supervisor.change_evidence import TAIL, Hold, HookWord, hold_of, hook_words, spoken

NOW = 1_775_000_000.0


def spool(folder: Path, *rows: object) -> Path:
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    (folder / "hooks.jsonl").write_text("\n".join(lines) + "\n")
    return folder


def test_lately_said_words_are_read_and_nothing_else(tmp_path: Path) -> None:
    said = hook_words(
        spool(
            tmp_path,
            {"t": NOW - 100, "verdict": "deny", "about": "old"},
            {"t": NOW - 2, "verdict": "allow", "about": "src/a.py"},
            {"t": NOW - 1, "hook": "Stop"},
            '{"t": "verdict"',
            '["verdict"]',
            {"t": [], "verdict": "deny"},
            {"t": NOW + 100, "verdict": "deny", "about": "a clock that goes ahead"},
            {"t": NOW, "verdict": "deny"},
        ),
        NOW,
    )
    assert said == (HookWord(NOW - 2, "allow", "src/a.py"), HookWord(NOW, "deny", ""))


def test_a_long_spool_is_read_at_its_end(tmp_path: Path) -> None:
    rows = [{"t": NOW - 1, "verdict": "allow", "about": "x" * 500} for _ in range(1000)]
    assert 0 < len(hook_words(spool(tmp_path, *rows), NOW)) < TAIL // 500 + 1


def test_no_spool_and_a_link_in_its_place_say_nothing(tmp_path: Path) -> None:
    assert hook_words(tmp_path, NOW) == ()
    real = spool(tmp_path, {"t": NOW, "verdict": "allow", "about": "x"}) / "hooks.jsonl"
    other = tmp_path / "other"
    other.mkdir()
    (other / "hooks.jsonl").symlink_to(real)
    assert hook_words(other, NOW) == ()
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "fifo").rename(real)
    assert hook_words(tmp_path, NOW) == ()


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        (HookWord(NOW - 3, "allow", "src/a.py"), (3.0, None)),
        (HookWord(NOW - 3, "warn", "/p/src/a.py"), (3.0, None)),
        (HookWord(NOW - 3, "deny", "src/a.py"), (None, 3.0)),
        (HookWord(NOW - 3, "deny", "rm -f src/a.py"), (None, 3.0)),
        (HookWord(NOW - 3, "allow", "rm -f src/a.py"), (None, None)),
        (HookWord(NOW - 3, "deny", "src/a.pyc"), (None, None)),
        (HookWord(NOW + 0.5, "deny", "src/a.py"), (None, 0.0)),
        (HookWord(NOW + 2, "deny", "src/a.py"), (None, None)),
        (HookWord(NOW - 11, "deny", "src/a.py"), (None, None)),
    ],
)
def test_what_speaks_of_a_file(word: HookWord, expected: tuple[float | None, float | None]) -> None:
    assert spoken((word,), "src/a.py", "/p/src/a.py", NOW) == expected


def test_the_last_word_counts() -> None:
    words = tuple(HookWord(NOW - ago, "deny", "a") for ago in (9, 4))
    assert spoken(words, "a", "/p/a", NOW) == (None, 4.0)


def test_where_it_may_write() -> None:
    hold = Hold(("/p/docs", "/p/current.md"))
    assert not hold.keeps_from("/p/docs/a.md")
    assert not hold.keeps_from("/p/current.md")
    assert hold.keeps_from("/p/docsx/a.md")
    assert hold.keeps_from("/p/src/a.py")


def proc(folder: Path, *words: str) -> Path:
    (folder / "7").mkdir(parents=True, exist_ok=True)
    (folder / "7" / "cmdline").write_bytes(b"\0".join(map(os.fsencode, words)) + b"\0")
    return folder


def test_only_both_fences_hold_for_sure(tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"

    def write(landlock: int) -> None:
        plan.write_text(json.dumps({"v": 1, "landlock": landlock, "no_typing": True, "writable": ["/p/docs"]}))

    words = ("/usr/bin/bwrap", "--ro-bind", "/", "/", "--", "python", confine.__file__, str(plan), "--", "claude")
    write(4)
    assert hold_of(7, proc(tmp_path, *words)) == Hold(("/p/docs",))
    assert hold_of(7, proc(tmp_path, "sh", *words[1:])) is None
    assert hold_of(7, proc(tmp_path, "/usr/bin/bwrap", "claude")) is None
    assert hold_of(8, tmp_path) is None
    write(0)
    assert hold_of(7, proc(tmp_path, *words)) is None
    plan.write_text("{")
    assert hold_of(7, proc(tmp_path, *words)) is None
