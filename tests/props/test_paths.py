"""No way of spelling a path makes what is denied allowed. Real files, links, mounts; the kernel says what is what."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from teamops.domain.boundary import Places, compiled
from teamops.domain.boundary_rules import Policy
from teamops.guard.decide import decide
from teamops.guard.judge import Light
from teamops.model.role import Role

HELD = Light(held=True, tiers=(2,))
DENIED = ("src/a.py", "src/ünï.py", "src/new.py", ".git/config", "reviews/one.md", "reviews/new.md")
LISTED = {
    "denies": Policy(role=Role("X"), write_allow=("*",), write_deny=("/src/", "/reviews/"), commands_allow=("*",)),
    "allows": Policy(role=Role("X"), write_allow=("/docs/", "/current.md"), commands_allow=()),
}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a project with links of every kind into what is denied."""
    base = tmp_path_factory.mktemp("paths").resolve()
    root = base / "p"
    for name in ("src/a.py", "src/ünï.py", ".git/config", "reviews/one.md", "docs/ok.md", "current.md"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("x\n")
    (root / "docs" / "in").symlink_to("../src")
    (root / "docs" / "rev").symlink_to(root / "reviews")
    (root / "docs" / "a.md").symlink_to("in/a.py")
    (root / "docs" / "again.md").symlink_to("a.md")
    (root / "docs" / "new.md").symlink_to("../src/new.py")
    (root / "docs" / "up").symlink_to("..")
    (root / "docs" / "git").symlink_to("../.git")
    (root / "docs" / "loop").symlink_to("loop")
    (root / "docs" / "hard.md").hardlink_to(root / "src" / "a.py")
    (base / "other").symlink_to(root)
    (root / "docs" / "out").symlink_to(base)
    return root


def policy_of(root: Path, policy: Policy) -> dict[str, Any]:
    places = Places(
        roots=(str(root),), handoff="current.md", handoff_path=str(root / "current.md"), light="/nowhere",
        ours=(str(root.parent / "state"),), home=str(root), scratch=(),
    )  # fmt: skip
    told: dict[str, Any] = json.loads(json.dumps(compiled(policy, places)))
    return told


def asked(root: Path, policy: Policy, path: str, folder: str = "") -> str:
    given = {"file_path": path, "content": "y\n"}
    return decide(policy_of(root, policy), "Write", given, folder or str(root), HELD).verdict


Trick = Callable[[str, Path], str]
TRICKS: dict[str, Trick] = {
    "absolute": lambda path, root: path if path.startswith(("/", "~")) else f"{root}/{path}",
    "dot": lambda path, _: f"./{path}" if not path.startswith(("/", "~")) else path,
    "up": lambda path, _: f"docs/../{path}" if not path.startswith(("/", "~")) else path,
    "linked up": lambda path, _: f"docs/up/{path}" if not path.startswith(("/", "~")) else path,
    "link": lambda path, _: path.replace("src/", "docs/in/").replace("reviews/", "docs/rev/"),
    "git link": lambda path, _: path.replace(".git/", "docs/git/"),
    "slashes": lambda path, _: path.replace("/", "//"),
    "dots": lambda path, _: path.replace("/", "/./"),
    "other root": lambda path, root: path.replace(str(root), str(root.parent / "other")),
    "out and in": lambda path, _: f"docs/out/p/{path}" if not path.startswith(("/", "~")) else path,
    "home": lambda path, _: f"~/{path}" if not path.startswith(("/", "~")) else path,
    "proc": lambda path, _: f"/proc/self/root{path}" if path.startswith("/") else path,
    "upper": lambda path, _: path.replace("src", "SRC").replace("reviews", "Reviews").replace(".git", ".GIT"),
    "composed": lambda path, _: unicodedata.normalize("NFC", path),
    "decomposed": lambda path, _: unicodedata.normalize("NFD", path),
    "trailing dot": lambda path, _: path.replace("src/", "src./").replace("reviews/", "reviews ./"),
    "unseen": lambda path, _: path.replace("src", "s\u200brc").replace(".git", ".g\u200cit"),
    "wide": lambda path, _: path.replace("src", "\uff53rc"),
    "short": lambda path, _: path.replace(".git/", "git~1/"),
    "stream": lambda path, _: path.replace(".git/", ".git::$INDEX_ALLOCATION/"),
}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    target=st.sampled_from(DENIED),
    tricks=st.lists(st.sampled_from(list(TRICKS)), max_size=5),
    which=st.sampled_from(list(LISTED)),
)
def test_no_spelling_makes_a_denied_path_allowed(tree: Path, target: str, tricks: list[str], which: str) -> None:
    path = target
    for name in tricks:
        path = TRICKS[name](path, tree)
    assert asked(tree, LISTED[which], path) == "deny", path


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    parts=st.lists(
        st.sampled_from(
            [
                "..",
                ".",
                "",
                "docs",
                "src",
                "reviews",
                "in",
                "rev",
                "up",
                "out",
                "p",
                "git",
                "a.py",
                "a.md",
                "again.md",
                "new.md",
                "hard.md",
                "loop",
                "~",
                "ok.md",
                "SRC",
                ".git",
                "config",
                "one.md",
            ]
        ),
        min_size=1,
        max_size=7,
    ),
    absolute=st.booleans(),
    which=st.sampled_from(list(LISTED)),
)
def test_what_the_kernel_finds_denied_is_denied(tree: Path, parts: list[str], *, absolute: bool, which: str) -> None:
    path = "/".join([str(tree), *parts] if absolute else parts)
    real = Path(os.path.realpath(tree / path))
    denied = any(real.is_relative_to(tree / name) for name in ("src", "reviews", ".git"))
    same = real.is_file() and any(real.samefile(tree / name) for name in DENIED if (tree / name).exists())
    outside = not real.is_relative_to(tree)
    if path and (denied or same or outside):
        assert asked(tree, LISTED[which], path) == "deny", (path, real)


@pytest.mark.parametrize("path", ["docs/ok.md", "./docs/ok.md", "docs/up/docs/ok.md", "docs/new-one.md", "current.md"])
def test_what_is_allowed_stays_so(tree: Path, path: str) -> None:
    for policy in LISTED.values():
        assert asked(tree, policy, path) == "allow"
        assert asked(tree, policy, f"{tree}/{path}") == "allow"
        assert asked(tree, policy, str(tree.parent / "other" / path)) == "allow"


@pytest.mark.parametrize(
    "path", ["", "\0", "a\0b", "~other/x", "/proc/1/cwd/x", "/dev/sda", "docs/loop", "docs", ".", "..", "/", "x" * 5000]
)
def test_what_leads_nowhere_is_denied(tree: Path, path: str) -> None:
    given = {"file_path": path, "content": "y"}
    policy = policy_of(tree, LISTED["allows"])
    assert decide(policy, "Write", given, str(tree), HELD).verdict == "deny" or path == "docs"


@pytest.mark.parametrize("path", ["docs/hard.md", "docs/a.md", "docs/again.md", "docs/new.md", "docs/up/src/a.py"])
def test_another_name_of_a_denied_file_is_denied(tree: Path, path: str) -> None:
    for policy in LISTED.values():
        assert asked(tree, policy, path) == "deny"


def test_a_pipe_is_no_file(tree: Path) -> None:
    pipe = tree / "docs" / "pipe.md"
    os.mkfifo(pipe)
    assert asked(tree, LISTED["allows"], "docs/pipe.md") == "deny"


def test_our_own_folder_is_denied_wherever_it_lies(tree: Path) -> None:
    assert asked(tree, LISTED["denies"], str(tree.parent / "state" / "policy" / "X.json")) == "deny"
    assert asked(tree, LISTED["denies"], "../state/light.json") == "deny"


MOUNTED = """
import subprocess, sys
subprocess.run(["mount", "--bind", {src!r}, {point!r}], check=True)
sys.path.insert(0, {here!r})
from tests.props.test_paths import asked, LISTED
from pathlib import Path
root = Path({root!r})
print(asked(root, LISTED["allows"], "docs/mnt/new.py"), asked(root, LISTED["denies"], "docs/mnt/new.py"),
      asked(root, LISTED["allows"], "docs/ok.md"), asked(root, LISTED["denies"], {outer!r} + "/new.py"))
"""


@pytest.mark.skipif(shutil.which("unshare") is None, reason="needs namespaces of the kernel")
def test_a_folder_that_is_mounted_a_second_time_is_itself(tree: Path) -> None:
    (tree / "docs" / "mnt").mkdir(exist_ok=True)
    outer = tree.parent / "outer"
    outer.mkdir(exist_ok=True)
    here = str(Path(__file__).parents[2])
    told = []
    for point in (tree / "docs" / "mnt", outer):
        program = MOUNTED.format(src=str(tree / "src"), point=str(point), root=str(tree), here=here, outer=str(outer))
        done = subprocess.run(
            ["unshare", "-rm", sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
        )
        if "unshare" in done.stderr or "mount" in done.stderr:
            pytest.skip(f"this machine lets nobody mount: {done.stderr[-200:]}")
        assert done.returncode == 0, done.stderr
        told.append(done.stdout.split())
    assert told[0][:3] == ["deny", "deny", "allow"]
    assert told[1][2:] == ["allow", "deny"]
