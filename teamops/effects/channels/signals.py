"""What calls a person through their terminal: its bell, and a notification of its own where it knows how.

The texts are clean (``words``): nothing in them ends a sequence or begins another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from zlib import crc32

from teamops.config.channels import Signal
from teamops.effects.channels.words import Words

BELL = "\a"
_ST = "\x1b\\"
_SAYS: tuple[tuple[str, Signal], ...] = (
    ("iterm", Signal.OSC9),
    ("wezterm", Signal.OSC9),
    ("ghostty", Signal.OSC9),
    ("warp", Signal.OSC9),
    ("kitty", Signal.OSC99),
    ("foot", Signal.OSC777),
    ("rxvt", Signal.OSC777),
)
"""How a terminal's name for itself begins (after "xterm-") → what it understands. Any other one: the bell alone.

Windows Terminal and ConEmu read OSC 9 as a progress bar, VTE knows none of them, and others print what they don't know.
"""


def signal_of(name: str) -> Signal:
    """Return what a terminal that calls itself ``name`` understands."""
    plain = name.lower().removeprefix("xterm-")
    return next((signal for begin, signal in _SAYS if plain.startswith(begin)), Signal.BELL)


def signal_here(env: Mapping[str, str]) -> Signal:
    """Return what the terminal of ``env`` understands, without tmux in between."""
    if env.get("KITTY_WINDOW_ID"):
        return Signal.OSC99
    program = signal_of(env.get("TERM_PROGRAM", ""))
    return program if program is not Signal.BELL else signal_of(env.get("TERM", ""))


def signal_of_all(terminals: Sequence[str]) -> Signal:
    """Return what all ``terminals`` understand: what goes to one goes to every one."""
    found = {signal_of(name) for name in terminals}
    return found.pop() if len(found) == 1 else Signal.BELL


def notification(signal: Signal, words: Words, thread: str, *, critical: bool) -> str:
    """Return the sequence that shows ``words``; empty for a terminal that knows none."""
    if signal is Signal.OSC9:
        # A leading number means something else to some terminals (9;4 is a progress bar), hence the name.
        return f"\x1b]9;teamops: {words.line}{_ST}"
    if signal is Signal.OSC777:
        title = words.title.replace(";", ",")
        return f"\x1b]777;notify;{title};{' '.join(words.body.split())}{_ST}"
    if signal is Signal.OSC99:
        # The same id: the later takes the earlier one's place. u=2 is critical.
        told = f"i=teamops-{crc32(thread.encode('utf-8', 'replace')):08x}"
        body = f"\x1b]99;{told}:d=1:p=body;{' '.join(words.body.split())}{_ST}"
        return f"\x1b]99;{told}:d=0:u={2 if critical else 1}:p=title;{words.title}{_ST}{body}"
    return ""


def through_tmux(sequence: str) -> str:
    """Return ``sequence`` as tmux hands it on to the terminal outside, where it is allowed to."""
    parts = (part + _ST for part in sequence.split(_ST) if part)
    return "".join("\x1bPtmux;" + part.replace("\x1b", "\x1b\x1b") + _ST for part in parts)
