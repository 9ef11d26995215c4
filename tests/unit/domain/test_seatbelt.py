"""The words for macOS: of two rules the later wins, so their order is the boundary."""

from __future__ import annotations

import re
from dataclasses import replace

from teamops.domain.confinement import Boundary, Cover, Mount
from teamops.domain.on_disk import is_in
from teamops.domain.seatbelt import seatbelt

DRAWN = Boundary(
    writable=("/p", '/q "x"\\', "/p/.teamops/spool/R"),
    mounts=(
        Mount(Cover.EMPTY, "/tmp"),
        Mount(Cover.READ_ONLY, "/h"),
        Mount(Cover.WRITABLE, "/p"),
        Mount(Cover.READ_ONLY, "/p/.teamops"),
        Mount(Cover.NO_SOCKET, "/h/docker.sock"),
    ),
    temp=(),
    make_folders=(),
    rules=(),
    holes=(),
)
RULE = re.compile(r"\((allow|deny) file-write\*(.*)\)$")


def may_write(text: str, path: str) -> bool:
    """Return what the last rule that fits says, as macOS does."""
    said = True
    for line in text.splitlines():
        rule = RULE.match(line)
        if rule is None:
            continue
        folders = re.findall(r'\(subpath "((?:[^"\\]|\\.)*)"\)', rule[2])
        if not rule[2] or any(is_in(path, re.sub(r"\\(.)", r"\1", folder)) for folder in folders):
            said = rule[1] == "allow"
    return said


def test_what_may_be_written() -> None:
    text = seatbelt(DRAWN)
    assert may_write(text, "/p/src/a.py")
    assert may_write(text, '/q "x"\\/a')
    assert may_write(text, "/p/.teamops/spool/R/x")
    assert not may_write(text, "/p/.teamops/spool/X/x")
    assert not may_write(text, "/h/.profile")
    assert not may_write(text, "/etc/passwd")
    assert '(deny network-outbound (subpath "/h/docker.sock"))' in text


def test_nothing_held_needs_no_rule() -> None:
    text = seatbelt(replace(DRAWN, mounts=(), writable=("/p",)))
    assert text.count("(deny") == 1
    bare = seatbelt(replace(DRAWN, writable=("/p",), mounts=(Mount(Cover.READ_ONLY, "/h"),)))
    assert bare.splitlines()[-1].startswith("(allow file-write* (subpath")
