"""Outside text made safe to show: one ``clean`` at the place where text enters."""

from __future__ import annotations

import re

_ESCAPES = re.compile(
    r"\x1b\][^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"  # OSC … BEL or ST
    r"|\x1b[PX^_][^\x1b\x9c]*(?:\x1b\\|\x9c)?"  # DCS, SOS, PM, APC
    r"|\x9d[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"  # 8-bit OSC
    r"|[\x90\x98\x9e\x9f][^\x1b\x9c]*(?:\x1b\\|\x9c)?"  # 8-bit DCS, SOS, PM, APC
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"  # CSI
    r"|\x1b[ -/]*[0-~]?"  # other escapes
)
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 but tab and newline, DEL, C1
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # bidi controls
    "\u00ad\u034f\u180e\u200b\u2028\u2029\u2060-\u2065\u206a-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f"
    # invisibles; those that join letters and pictures (U+200C, U+200D) stay
    "\ud800-\udfff]"  # lone surrogates
)


def clean(text: str) -> str:
    """Return ``text`` without escape sequences, control, bidi and surrogate characters.

    Tabs and newlines stay; CRLF and lone CR become newlines. Total: any ``str`` is accepted.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\x1b" in text or _UNSAFE.search(text):
        text = _ESCAPES.sub("", text)
        text = _UNSAFE.sub("", text)
    return text


_SGR = re.compile(r"(\x1b\[[0-9;:]*m)")


def clean_colours(text: str) -> str:
    """Return ``text`` as ``clean`` does, but with its SGR (colour and weight) sequences kept."""
    return "".join(part if index % 2 else clean(part) for index, part in enumerate(_SGR.split(text)))


def clean_line(text: str, limit: int = 500) -> str:
    """Return ``text`` cleaned, on one line, at most ``limit`` characters (an ellipsis says it was cut)."""
    line = " ".join(clean(text[: limit * 4]).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
