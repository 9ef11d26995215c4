"""Texts of others for those who show them as more than text: chats, mail, desktops that make links of addresses."""

from __future__ import annotations

import re

_SIGNS = str.maketrans({"<": "\u2039", ">": "\u203a", "*": "\u2217", "`": "'"})
"""What begins a tag, an address in hiding, bold letters, code → what looks alike and is none."""
_ADDRESS = re.compile(r"://([^\s/?#:]*)|(?<![\w.])(?i:www)\.[^\s/?#:]*")
_APART: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(?<!\w)@(?=\w)"), "@ "),  # somebody's name, or everybody: a call
    (re.compile(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])"), "\u02cd"),  # slanted, underlined; a_name stays
    (re.compile(r"~(?!/)"), "\u223c"),  # struck out, a channel's name; ~/path stays
    (re.compile(r"\|(?=\|)"), "| "),  # hidden until it is touched
    (re.compile(r"(?m)^(\s*-?)#"), "\\1\uff03"),  # a heading
    (re.compile(r"\](?=\()"), "] "),  # a link under other words
)


def plain(text: str) -> str:
    """Return ``text`` with nothing in it that a chat takes for an address, a tag, a call, or letters of another kind.

    What it says can be read as before. The bare name of a server (example.org) stays: some apps make a link of it even
    so, which leads where it says.
    """
    text = unlinked(text.translate(_SIGNS))
    for pattern, apart in _APART:
        text = pattern.sub(apart, text)
    return text


def unlinked(text: str) -> str:
    """Return ``text`` with its addresses written so that nothing takes them for a link: https[:]//example[.]org/x."""
    return _ADDRESS.sub(lambda found: found[0].replace("://", "[:]//", 1).replace(".", "[.]"), text)
