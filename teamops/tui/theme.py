"""Colours by meaning, once for terminals with many colours and once for those with sixteen or none."""

from __future__ import annotations

from functools import cache

from msgspec import Struct
from rich.style import Style
from textual.theme import BUILTIN_THEMES, Theme


class Palette(Struct, frozen=True, kw_only=True):
    """A style per meaning. Outside text gets a style, never markup."""

    text: Style
    dim: Style
    faint: Style
    strong: Style
    accent: Style
    ok: Style
    info: Style
    warn: Style
    bad: Style
    human: Style
    code: Style
    beats: Style
    tokens: Style
    cost: Style
    rule: Style
    cursor: Style
    """Laid over a selected row of the pane that has the focus."""
    match: Style
    """A search hit."""
    key: Style
    chip: Style
    """The name plate at the header's left."""

    def named(self, name: str) -> Style:
        """Return the style of a meaning's name."""
        style = getattr(self, name)
        if not isinstance(style, Style):
            raise TypeError(name)
        return style


@cache
def palette(*, rich_colours: bool) -> Palette:
    """Return the palette for a terminal with 256 colours and more, or for one with sixteen or none."""
    if not rich_colours:
        return Palette(
            text=Style(),
            dim=Style(dim=True),
            faint=Style(dim=True),
            strong=Style(bold=True),
            accent=Style(color="cyan", bold=True),
            ok=Style(color="green"),
            info=Style(color="cyan"),
            warn=Style(color="yellow", bold=True),
            bad=Style(color="red", bold=True),
            human=Style(color="magenta", bold=True),
            code=Style(color="green"),
            beats=Style(color="green"),
            tokens=Style(color="blue"),
            cost=Style(color="magenta"),
            rule=Style(dim=True),
            cursor=Style(reverse=True),
            match=Style(bold=True, underline=True),
            key=Style(bold=True),
            chip=Style(reverse=True, bold=True),
        )
    return Palette(
        text=Style(color="#d5dbe3"),
        dim=Style(color="#97a1ad"),
        faint=Style(color="#5b6571"),
        strong=Style(color="#f2f5f8", bold=True),
        accent=Style(color="#7cb7ff", bold=True),
        ok=Style(color="#8fd18a"),
        info=Style(color="#7cb7ff"),
        warn=Style(color="#f0c674", bold=True),
        bad=Style(color="#ff8080", bold=True),
        human=Style(color="#d8a0ff", bold=True),
        code=Style(color="#a9d6c5"),
        beats=Style(color="#67a463"),
        tokens=Style(color="#5588c0"),
        cost=Style(color="#9c78b8"),
        rule=Style(color="#343c46"),
        cursor=Style(bgcolor="#2d333a"),
        match=Style(color="#12161b", bgcolor="#f0c674"),
        key=Style(color="#7cb7ff", bold=True),
        chip=Style(color="#12161b", bgcolor="#7cb7ff", bold=True),
    )


RICH_THEME = Theme(
    name="teamops",
    primary="#7cb7ff",
    secondary="#d8a0ff",
    accent="#7cb7ff",
    warning="#f0c674",
    error="#ff8080",
    success="#8fd18a",
    foreground="#d5dbe3",
    background="#12161b",
    surface="#12161b",
    panel="#1a2028",
    dark=True,
    variables={
        "pane-rule": "#3a4450",
        "pane-focus": "#7cb7ff",
        "scrollbar": "#2b3440",
        "scrollbar-background": "#12161b",
    },
)
PLAIN_THEME = Theme(
    name="teamops-16",
    primary="ansi_cyan",
    secondary="ansi_magenta",
    accent="ansi_cyan",
    warning="ansi_yellow",
    error="ansi_red",
    success="ansi_green",
    foreground="ansi_default",
    background="ansi_default",
    surface="ansi_default",
    panel="ansi_default",
    boost="ansi_default",
    dark=True,
    ansi=True,
    variables={
        **BUILTIN_THEMES["ansi-dark"].variables,
        "pane-rule": "ansi_bright_black",
        "pane-focus": "ansi_cyan",
        "scrollbar": "ansi_bright_black",
        "scrollbar-background": "ansi_default",
    },
)
