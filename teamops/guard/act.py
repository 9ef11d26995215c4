"""One change of files that a call would make: what stands between who reads calls and who judges them."""

from __future__ import annotations

WRITE, DELETE, MAKE = "write", "delete", "make"
EDITS, ADDS, REPLACES, KEEPS = "edits", "adds", "replaces", "keeps"
"""What becomes of what stands in a file: a part is another, it stays and more is added, all of it goes, nothing."""


class Act:
    """One file that a call would change, or one word of a shell's line that stands for several."""

    __slots__ = (
        "added", "after", "before", "changed", "deep", "edits", "glob", "how", "into", "maybe", "mode", "only", "path",
        "source", "source_glob", "text", "whole",
    )  # fmt: skip

    def __init__(
        self,
        how: str,
        path: str,
        *,
        text: str | None = "",
        added: int | None = None,
        changed: int | None = None,
        mode: str = EDITS,
    ) -> None:
        self.how = how
        """WRITE, MAKE (a folder), DELETE."""
        self.path = path
        self.text = text
        """What would newly stand in it; ``None`` = it can't be said."""
        self.added = added
        """Lines that it would grow by; ``None`` = known only with the file, or not at all."""
        self.changed = changed
        """Lines that would be others; ``None`` likewise."""
        self.mode = mode
        """EDITS, ADDS, REPLACES, KEEPS."""
        self.before = ""
        """What its text comes in place of, as far as that is known."""
        self.after: str | None = None
        """All that would stand in the file; ``None`` = that is not known."""
        self.edits: list[tuple[str, str, bool]] = []
        """Old and new text, and whether it is put in wherever the old one stands."""
        self.whole = False
        """The text is all that would stand in it."""
        self.deep = False
        """All below it, too."""
        self.glob = False
        """The path is a pattern, which the shell makes names of."""
        self.maybe = False
        """The word may be something else than a path: it counts where such a file stands, or it looks like a path."""
        self.only: tuple[tuple[str, ...], ...] = ()
        """Of what lies below, only what fits one pattern of each of these; a pattern has its kind before it."""
        self.source: str | None = None
        """What is put there, with all below it, under its own name where the path is a folder."""
        self.source_glob = False
        self.into: bool | None = None
        """The path is the folder into which the source goes; ``False`` = its new name; ``None`` = as it is found."""

    @property
    def plain(self) -> bool:
        """Return whether it speaks of one path, as it stands."""
        return not (self.glob or self.maybe or self.only) and self.source is None
