"""Which layer holds an answer, in words."""

from __future__ import annotations

import pytest

from teamops.domain.confinement import Boundary, Cover, Mount
from teamops.domain.layers import Held, Holding, of_command, of_path

DRAWN = Boundary(
    writable=("/p/docs",),
    mounts=(Mount(Cover.READ_ONLY, "/p/docs/design"),),
    temp=(),
    make_folders=(),
    rules=(),
    holes=(),
)
BOTH = Holding(boundary=DRAWN, holder="bwrap and Landlock 7", lacks=())
ONE = Holding(boundary=DRAWN, holder="Landlock 7", lacks=("bwrap is not installed",))
NONE = Holding(boundary=None, holder="", lacks=("bwrap is not installed", "the kernel has no Landlock"))
BOT = Holding(boundary=DRAWN, holder="bwrap and Landlock 7", lacks=(), hooks="what it runs has no hooks (sdk)")
BARE = Holding(boundary=None, holder="", lacks=("sandbox.mode is off",), hooks="what it runs has no hooks (sdk)")
INSIDE = Holding(boundary=DRAWN, holder="bwrap and Landlock 7", lacks=(), untried="bwrap can't be tried from here")
UNSEEN = Holding(boundary=None, holder="", lacks=("the kernel has no Landlock",), untried="bwrap can't be tried")
BOTH_MISS = Holding(boundary=DRAWN, holder="bwrap", lacks=("no Landlock",), untried="bwrap can't be tried")

PATHS = [
    (BOTH, "/p/src/a.py", True, "kernel", "held by the kernel (bwrap and Landlock 7)"),
    (BOTH, "/p/docs/a.py", True, "hooks and audit", "hooks and audit only (the folder is writable)"),
    (BOTH, "/p/docs/design/x.md", True, "kernel", "held by the kernel (bwrap and Landlock 7)"),
    (BOTH, "/p/docs/a.md", False, "", "none has to: it may"),
    (
        BOTH,
        "/p/src/a.py",
        False,
        "kernel",
        "the kernel refuses it all the same: it lies in no folder that its agent may write",
    ),
    (
        ONE,
        "/p/src/a.py",
        True,
        "kernel",
        "held by the kernel (Landlock 7); this machine lacks: bwrap is not installed",
    ),
    (
        ONE,
        "/p/docs/a.py",
        True,
        "hooks and audit",
        "hooks and audit only (the folder is writable); this machine lacks: bwrap is not installed",
    ),
    (
        NONE,
        "/p/src/a.py",
        True,
        "hooks and audit",
        "hooks and audit only (the kernel holds nothing: bwrap is not installed; the kernel has no Landlock)",
    ),
    (NONE, "/p/src/a.py", False, "", "none has to: it may"),
    (
        INSIDE,
        "/p/src/a.py",
        True,
        "kernel",
        "held by the kernel (bwrap and Landlock 7); bwrap can't be tried from here",
    ),
    (
        BOTH_MISS,
        "/p/src/a.py",
        True,
        "kernel",
        "held by the kernel (bwrap); this machine lacks: no Landlock; bwrap can't be tried",
    ),
    (
        UNSEEN,
        "/p/src/a.py",
        True,
        "hooks and audit",
        (
            "hooks and audit only (what the kernel holds can't be told: bwrap can't be tried; "
            "the kernel has no Landlock)"
        ),
    ),
    (BOT, "/p/src/a.py", True, "kernel", "held by the kernel (bwrap and Landlock 7)"),
    (
        BOT,
        "/p/docs/a.py",
        True,
        "audit",
        "the audit only: what it runs has no hooks (sdk) (the folder is writable)",
    ),
    (
        BARE,
        "/p/src/a.py",
        True,
        "audit",
        "the audit only: what it runs has no hooks (sdk) (the kernel holds nothing: sandbox.mode is off)",
    ),
]


@pytest.mark.parametrize(("holding", "path", "denied", "layer", "words"), PATHS)
def test_who_refuses_a_write(holding: Holding, path: str, denied: bool, layer: str, words: str) -> None:
    assert of_path(holding, path, denied=denied) == Held(layer, words)


OWN = "whatever it runs, the kernel lets it write its own folders alone"
COMMANDS = [
    (BOTH, True, "hooks", f"hooks only: a kernel knows no command lines; {OWN}"),
    (BOTH, False, "", f"none has to: it may; {OWN}"),
    (ONE, False, "", f"none has to: it may; {OWN}; this machine lacks: bwrap is not installed"),
    (
        UNSEEN,
        False,
        "",
        ("none has to: it may; what the kernel holds can't be told: bwrap can't be tried; the kernel has no Landlock"),
    ),
    (BOT, True, "", f"nobody refuses it: what it runs has no hooks (sdk); {OWN}"),
    (
        NONE,
        True,
        "hooks",
        (
            "hooks only: a kernel knows no command lines; the kernel holds nothing of what it writes: "
            "bwrap is not installed; the kernel has no Landlock"
        ),
    ),
]


@pytest.mark.parametrize(("holding", "denied", "layer", "words"), COMMANDS)
def test_who_refuses_a_command(holding: Holding, denied: bool, layer: str, words: str) -> None:
    assert of_command(holding, denied=denied) == Held(layer, words)
