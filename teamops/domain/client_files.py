"""What in a project says how clients behave, and what is made where it is missing, so that it can be held.

Each client was seen to work with an empty folder that it can't write and to take the files as if they were not there:
Claude Code 2.1.330, Codex 0.169, Gemini CLI 0.61, opencode 1.18, which ends where it can't make its ``.gitignore``, and
writes into its settings if anything stands in them. git shows no empty folder; of files it is told by its exclude file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

FOLDERS = (".claude", ".codex", ".gemini", ".opencode")
FILES: Mapping[str, str] = MappingProxyType(
    {".mcp.json": '{"mcpServers": {}}\n', "opencode.json": "", "opencode.jsonc": ""}
)
"""Name → what it begins with: nothing, for its client."""
OPENCODE_IGNORES = "node_modules\npackage.json\npackage-lock.json\nbun.lock\n.gitignore"
"""As opencode writes them itself: its settings' folder is not its to write, and it ends where that file is missing."""
INNER: Mapping[str, str] = MappingProxyType({".opencode/.gitignore": OPENCODE_IGNORES})
MADE: Mapping[str, str] = MappingProxyType({**FILES, **INNER})
EXCLUDE = "info/exclude"
MARK = "# teamops made these, with nothing in them, so that no agent can:"
END = "# teamops: the end of these"


def is_made(path: str, raw: bytes) -> bool:
    """Return whether ``path``, relative to a work tree, is as teamops makes it: no client goes by it."""
    text = MADE.get(path)
    return text is not None and raw == text.encode()


def excluded(text: str) -> tuple[str, ...]:
    """Return the patterns that teamops wrote into an exclude file."""
    return _split(text)[1]


def with_excluded(text: str, patterns: Iterable[str]) -> str:
    """Return an exclude file's text with just these patterns of teamops' in it; the person's own lines stay."""
    own, _ = _split(text)
    lines = sorted(set(patterns))
    if not lines:
        return own
    if own and not own.endswith("\n"):
        own += "\n"
    return own + "\n".join((MARK, *lines, END)) + "\n"


def without_excluded(raw: bytes) -> bytes:
    """Return an exclude file's bytes without what teamops wrote there, as far as it is what teamops writes."""
    text = raw.decode("utf-8", "surrogateescape")
    own, patterns = _split(text)
    names = tuple(f"/{name}" for name in FILES)
    return own.encode("utf-8", "surrogateescape") if all(line.endswith(names) for line in patterns) else raw


def _split(text: str) -> tuple[str, tuple[str, ...]]:
    """Return the person's own text, and the patterns between the two marks; without both, all of it is their own."""
    before, mark, rest = text.partition(MARK + "\n")
    patterns, end, after = rest.partition(END + "\n")
    if not (mark and end):
        return text, ()
    return before + after, tuple(patterns.splitlines())
