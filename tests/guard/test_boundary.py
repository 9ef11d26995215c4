"""What holds a boundary, each alone and both; and that nothing is started where it can't be held."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from teamops.config.load import load
from teamops.config.settings import RoleSettings, SandboxMode, SandboxSettings, Settings
from teamops.effects.confine import CONFINED, Confined, Means, bwrap_words, confined, means
from teamops.effects.recipe import Recipe
from teamops.guard import confine
from teamops.guard.landlock import HOLDS_EMPTYING, LATEST, abi, lacks
from teamops.guard.terminal import can_forbid
from teamops.model.errors import TeamopsError
from tests.guard.yard import TOML, Yard, yard

pytestmark = [
    pytest.mark.tmux,
    pytest.mark.skipif(sys.platform != "linux", reason="Landlock and bwrap are Linux's"),
]
TRY = "echo x > src/a.py; echo held > reviews/control; git status --short > reviews/status"


@pytest.fixture
def here() -> Iterator[Yard]:
    with yard(os.geteuid()) as made:
        yield made


def run(plan: object, folder: Path, *command: str, raw: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    file = folder / "plan.json"
    file.write_bytes(json.dumps(plan).encode() if raw is None else raw)
    words = [sys.executable, "-I", "-S", confine.__file__, str(file), "--", *command]
    return subprocess.run(words, capture_output=True, check=False, cwd=folder, timeout=20)


# The program inside


@pytest.mark.parametrize("version", range(1, LATEST + 1))
def test_each_version_of_landlock_holds(version: int, tmp_path: Path) -> None:
    if version > abi():
        pytest.skip(f"the kernel offers {abi()}")
    (tmp_path / "own").mkdir()
    plan = {"v": 1, "landlock": version, "no_typing": True, "writable": [str(tmp_path / "own"), "/dev/null"]}
    done = run(plan, tmp_path, "sh", "-c", "echo x > own/a; echo y > b; echo z > /dev/null; mv own/a c; echo $?")
    assert (tmp_path / "own" / "a").read_text() == "x\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["own", "plan.json"]
    assert done.stdout == b"1\n"


def test_what_older_kernels_lack_is_said() -> None:
    assert lacks(0) == ("the kernel has no Landlock",)
    assert len(lacks(1)) == 4
    assert len(lacks(4)) == 2
    assert lacks(LATEST) == ()


PLANS: list[tuple[str, object]] = [
    ("another's", {"v": 2, "landlock": 1, "no_typing": False, "writable": []}),
    ("no object", []),
    ("no version of Landlock", {"v": 1, "landlock": True, "no_typing": False, "writable": []}),
    ("no word of the terminal", {"v": 1, "landlock": 1, "writable": []}),
    ("no list", {"v": 1, "landlock": 1, "no_typing": False, "writable": "/"}),
    ("no whole path", {"v": 1, "landlock": 1, "no_typing": False, "writable": ["src"]}),
    ("a path that is not there", {"v": 1, "landlock": 1, "no_typing": False, "writable": ["/no/such"]}),
    ("a newer kernel's", {"v": 1, "landlock": 99, "no_typing": False, "writable": []}),
]


@pytest.mark.parametrize("plan", [plan for _, plan in PLANS], ids=[name for name, _ in PLANS])
def test_a_plan_that_cannot_be_applied_starts_nothing(plan: object, tmp_path: Path) -> None:
    done = run(plan, tmp_path, "touch", "started")
    assert done.returncode == confine.NOT_CONFINED
    assert b"not started, because its boundary can't be held" in done.stderr
    assert not (tmp_path / "started").exists()


def test_a_damaged_plan_starts_nothing(tmp_path: Path) -> None:
    assert run(None, tmp_path, "touch", "started", raw=b'{"v": 1, "landlock"').returncode == confine.NOT_CONFINED
    words = [sys.executable, "-I", "-S", confine.__file__]
    assert subprocess.run([*words, str(tmp_path / "none"), "--", "true"], check=False).returncode == 125
    assert subprocess.run([*words, "true"], check=False).returncode == 125


def test_a_command_that_cannot_run_ends_as_in_a_shell(tmp_path: Path) -> None:
    plan = {"v": 1, "landlock": 1, "no_typing": False, "writable": []}
    missing = run(plan, tmp_path, "no-such-program")
    assert (missing.returncode, missing.stderr) == (127, b"no-such-program: not found\n")
    (tmp_path / "text").write_text("x")
    assert run(plan, tmp_path, str(tmp_path / "text")).returncode == 126


def test_nothing_open_comes_in(tmp_path: Path) -> None:
    """What was opened before is not held by Landlock."""
    with (tmp_path / "open").open("w") as file:
        (tmp_path / "plan.json").write_text(json.dumps({"v": 1, "landlock": 1, "no_typing": False, "writable": []}))
        words = [sys.executable, "-I", "-S", confine.__file__, str(tmp_path / "plan.json"), "--"]
        words += ["sh", "-c", f"echo x >&{file.fileno()}"]
        done = subprocess.run(words, capture_output=True, check=False, pass_fds=[file.fileno()])
    assert done.returncode != 0
    assert (tmp_path / "open").read_text() == ""


TYPES = """
import fcntl, os, sys, termios
for name, command, what in (("type", termios.TIOCSTI, b"x"), ("paste", 0x541C, bytes([2]))):
    try:
        fcntl.ioctl(int(sys.argv[1]), command, what)
        print(name, "done")
    except OSError as error:
        print(name, error.errno)
fcntl.ioctl(int(sys.argv[1]), termios.TIOCGWINSZ, bytes(8))
print("size known")
"""


def test_its_own_terminal_is_not_typed_into(tmp_path: Path) -> None:
    if not can_forbid():
        pytest.skip("no filter of system calls here")
    (tmp_path / "types.py").write_text(TYPES)
    (tmp_path / "plan.json").write_text(json.dumps({"v": 1, "landlock": 0, "no_typing": True, "writable": []}))
    ours, theirs = os.openpty()
    words = [sys.executable, "-I", "-S", confine.__file__, str(tmp_path / "plan.json"), "--"]
    words += [sys.executable, "-I", "-S", str(tmp_path / "types.py"), "0"]
    try:
        done = subprocess.run(
            ["setsid", "-c", *words], stdin=theirs, capture_output=True, text=True, check=False, timeout=20
        )
    finally:
        os.close(ours)
        os.close(theirs)
    assert done.stdout.split("\n")[:3] == [f"type {errno.EPERM}", f"paste {errno.EPERM}", "size known"], done.stderr


# One without the other


def test_landlock_alone_holds_files(here: Yard) -> None:
    here.having = replace(means(), bwrap="", lacks=("bwrap is not installed",))
    done = here.inside("REVIEWER", TRY)
    assert (here.project / "src" / "a.py").read_text() == "second = 2\n", done.stderr
    assert (here.project / "reviews" / "control").read_text() == "held\n"
    assert "reviews/control" in (here.project / "reviews" / "status").read_text()  # git is read as ever


def test_bwrap_alone_holds_files(here: Yard) -> None:
    here.having = replace(means(), landlock=0, lacks=lacks(0))
    done = here.inside("REVIEWER", f"{TRY}; echo x >> current.md; rm -rf src")
    assert (here.project / "src" / "a.py").read_text() == "second = 2\n", done.stderr
    assert (here.project / "reviews" / "control").read_text() == "held\n"
    assert (here.project / "current.md").read_text().endswith("x\n")


EMPTY = '"$PYTHON" -I -S -c "import os, sys; os.truncate(sys.argv[1], 0)"'
OLD = HOLDS_EMPTYING - 1


@pytest.mark.parametrize("version", [1, OLD])
def test_an_old_landlock_and_mounts_hold_files_from_being_emptied(here: Yard, version: int) -> None:
    here.having = replace(means(), landlock=version, lacks=lacks(version))
    here.write("README", "read\n")
    (here.home / "mine").write_text("mine\n")
    files = [here.project / name for name in ("src/a.py", "README", "docs/guide.md", ".git/config", "teamops.toml")]
    files += [here.home / "mine", here.home / ".profile"]
    before = [path.read_bytes() for path in files]
    tries = "; ".join(f"{EMPTY} {path}" for path in files)
    done = here.inside("REVIEWER", f"{tries}; {TRY}; echo x >> current.md")
    assert [path.read_bytes() for path in files] == before, done.stderr
    assert (here.project / "reviews" / "control").read_text() == "held\n", done.stderr
    assert (here.project / "current.md").read_text().endswith("x\n")
    assert "reviews/control" in (here.project / "reviews" / "status").read_text()


def test_without_those_mounts_it_would_be_emptied(here: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    """The attack is one: this very Landlock lets it through."""
    here.having = replace(means(), landlock=OLD, lacks=lacks(OLD))
    monkeypatch.setattr(Means, "empties", False)
    done = here.inside("REVIEWER", f"{EMPTY} src/a.py; {TRY}")
    assert (here.project / "src" / "a.py").read_bytes() == b"", done.stderr
    here.having = means()
    here.write("src/a.py", "second = 2\n")
    here.inside("REVIEWER", f"{EMPTY} src/a.py; {TRY}")
    assert (here.project / "src" / "a.py").read_text() == "second = 2\n"


def test_what_is_made_after_the_start_can_be_emptied_there_and_it_is_said(here: Yard) -> None:
    for version, size in ((OLD, 0), (HOLDS_EMPTYING, 5)):
        here.having = replace(means(), landlock=version, lacks=lacks(version))
        words, env = here.words("REVIEWER", ["sh", "-c", f"echo started > reviews/s; read a; {EMPTY} later"])
        child = subprocess.Popen(words, cwd=here.project, env=env, stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        until((here.project / "reviews" / "s").exists)
        here.write("later", "later")
        said = child.communicate(b"\n", timeout=20)[1]
        assert (here.project / "later").stat().st_size == size, said
        (here.project / "reviews" / "s").unlink()
    hole = f"{here.project}: a file that is made there after its start can be emptied: Landlock is older than 3"
    old = confine_it(here, SandboxMode.AUTO, replace(means(), landlock=OLD, lacks=lacks(OLD)))
    assert old.boundary is not None
    assert hole in old.boundary.holes
    assert hole in old.recipe.notes[-1]
    assert old.recipe.held.kernel == "bwrap + Landlock (files can be emptied)"
    now = confine_it(here, SandboxMode.AUTO, means())
    assert now.boundary is not None
    assert hole not in now.boundary.holes
    assert "open" not in now.recipe.notes[-1]


def until(done: Callable[[], bool], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "not within its time"
        time.sleep(0.01)


def test_an_old_landlock_alone_lets_files_be_emptied_and_says_so(here: Yard) -> None:
    here.having = replace(means(), bwrap="", landlock=OLD, lacks=("bwrap is not installed",))
    done = here.inside("REVIEWER", f"{EMPTY} src/a.py; {TRY}")
    assert (here.project / "src" / "a.py").read_bytes() == b"", done.stderr
    told = confine_it(here, SandboxMode.AUTO, here.having)
    assert "every file of its user can be emptied (truncate): Landlock is older than 3" in told.recipe.notes[-1]


def settings_of(here: Yard, mode: SandboxMode) -> tuple[Settings, RoleSettings]:
    settings = replace(load(here.project), sandbox=SandboxSettings(mode=mode))
    role = settings.role(settings.roles[1].role)
    assert role is not None
    return settings, role


def confine_it(here: Yard, mode: SandboxMode, having: Means) -> Confined:
    settings, role = settings_of(here, mode)
    recipe = Recipe(argv=("true",), env={})
    return confined(settings, role, here.state / "shop-1", recipe, having=having)


NOTHING = Means("", 0, ("bwrap is not installed", "the kernel has no Landlock"))


def test_with_nothing_it_is_said_loudly(here: Yard) -> None:
    done = confine_it(here, SandboxMode.AUTO, NOTHING)
    assert done.boundary is None
    assert done.recipe.argv == ("true",)
    assert CONFINED not in done.recipe.env
    assert done.recipe.notes == (
        "UNENFORCED: nothing here can hold its boundary (bwrap is not installed; the kernel has no Landlock)",
    )


def test_one_alone_is_said_with_its_holes(here: Yard) -> None:
    done = confine_it(here, SandboxMode.AUTO, Means("", 7, ("bwrap is not installed",)))
    assert done.recipe.argv[0] == sys.executable
    assert done.recipe.notes[0].startswith("its boundary is held by Landlock 7 alone; open: ")
    assert "; tmux's, D-Bus' and docker's" in done.recipe.notes[0]


@pytest.mark.parametrize(
    "having",
    [NOTHING, Means("", 7, ("x",)), Means("/usr/bin/bwrap", 0, ("x",)), Means("/usr/bin/bwrap", OLD, lacks(OLD))],
)
def test_require_starts_nothing_without_both(here: Yard, having: Means) -> None:
    with pytest.raises(TeamopsError, match="REVIEWER is not started"):
        confine_it(here, SandboxMode.REQUIRE, having)


def test_off_is_off_and_said(here: Yard) -> None:
    done = confine_it(here, SandboxMode.OFF, means())
    assert (done.recipe.argv, done.recipe.notes) == (("true",), ("unenforced: sandbox.mode is off",))


def test_a_bwrap_that_does_not_work_counts_as_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "bwrap"
    program.write_text("#!/bin/sh\necho 'No permissions to create new namespace' >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.delenv(CONFINED, raising=False)
    means.cache_clear()
    try:
        assert means().bwrap == ""
        assert means().lacks[0] == "bwrap does not work here: No permissions to create new namespace"
        monkeypatch.setenv(CONFINED, "REVIEWER")
        means.cache_clear()
        why = "bwrap can't be tried from inside REVIEWER's boundary"
        assert (means().bwrap, means().nested, means().missing[0]) == ("", why, why)
        assert why not in means().lacks, "the machine may well have it"
        monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
        means.cache_clear()
        assert means().lacks[0] == "bwrap is not installed (package bubblewrap)"
    finally:
        means.cache_clear()


def test_a_person_lets_more_be_written_and_reached(here: Yard) -> None:
    cache = here.base / "cache"
    cache.mkdir()
    text = (here.project / "teamops.toml").read_text()
    (here.project / "teamops.toml").write_text(f'{text}\n[sandbox]\nwrite = ["../cache"]\nsockets = ["{cache}"]\n')
    done = here.inside("REVIEWER", "echo x > ../cache/a")
    assert (cache / "a").read_text() == "x\n", done.stderr


@pytest.mark.parametrize("rule", ['allow = ["/docs/"]', 'deny = ["/src/"]'])
def test_what_a_person_sets_in_the_profile_s_place_is_held(here: Yard, rule: str) -> None:
    here.inside("DEVELOPER", "echo x > src/a.py")
    assert (here.project / "src" / "a.py").read_text() == "x\n"
    text = (here.project / "teamops.toml").read_text()
    (here.project / "teamops.toml").write_text(f"{text}\n[roles.DEVELOPER.write]\n{rule}\n")
    done = here.inside("DEVELOPER", "echo y > src/a.py; echo z > docs/guide.md")
    assert (here.project / "src" / "a.py").read_text() == "x\n", done.stderr
    assert (here.project / "docs" / "guide.md").read_text() == "z\n"


def test_a_folder_outside_of_temp(tmp_path_factory: pytest.TempPathFactory) -> None:
    """There /tmp is the agent's own, and empty."""
    place = Path(__file__).parents[2] / "build"
    if place.is_relative_to(tempfile.gettempdir()):
        pytest.skip("all of these tests lie beneath the folder for temporary files")
    place.mkdir(exist_ok=True)
    mark = tmp_path_factory.mktemp("mark") / "there"
    mark.write_text("x")
    with yard(os.geteuid(), place=place) as here:
        script = f"test -e {mark} && echo seen > reviews/seen; echo x > /tmp/a && cp /tmp/a reviews/a; {TRY}"
        done = here.inside("REVIEWER", script)
        assert (here.project / "reviews" / "a").read_text() == "x\n", done.stderr
        assert not (here.project / "reviews" / "seen").exists()
        assert (here.project / "src" / "a.py").read_text() == "second = 2\n"


def test_a_work_tree_of_its_own_commits(here: Yard) -> None:
    tree = here.base / "dev"
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@t"]
    subprocess.run([*git, "worktree", "add", "-q", str(tree)], cwd=here.project, check=True, capture_output=True)
    script = (
        f"cd {tree}; echo x > src/b.py; git add -A; git -c user.name=a -c user.email=a@b commit -qm x; "
        "echo y > .git; echo z > $P/src/a.py"
    )
    done = here.inside("DEVELOPER", script, cwd=tree)
    log = subprocess.run(["git", "log", "--format=%s", "-1"], cwd=tree, check=True, capture_output=True)
    assert log.stdout == b"x\n", done.stderr
    assert (here.project / "src" / "a.py").read_text() == "second = 2\n"


@pytest.mark.parametrize("role", ["DEVELOPER", "REVIEWER"])
def test_a_tmux_server_that_begins_with_the_first_agent_is_out_of_its_reach(here: Yard, role: str) -> None:
    """When the boundary is drawn its socket is not there yet, and it may lie where the agent sees it."""
    here.write("teamops.toml", TOML.format(sock=here.project / "s"))
    server = 'tmux -f /dev/null -S "$P/s"'
    script = f"{server} run-shell 'echo x > $P/src/a.py'; {server} new-session -d 'echo x > $P/src/a.py'; rm s; echo on"
    words, env = here.words(role, ["sh", "-c", script])
    assert not (here.project / "s").exists()
    here.outside(f"{server} new-session -d -s w sh")
    try:
        done = here._run(words, env, ())
        assert done.stdout == b"on\n", done.stderr
        assert b"no server running" in done.stderr
        assert (here.project / "src" / "a.py").read_text() == "second = 2\n"
        control = here.outside(f"{server} run-shell 'echo held > $P/src/a.py'")
        assert (here.project / "src" / "a.py").read_text() == "held\n", control
    finally:
        here.outside(f"{server} kill-server")


def test_no_socket_no_cover(here: Yard) -> None:
    here.write("teamops.toml", TOML.format(sock=here.project / "s"))
    assert here.inside("DEVELOPER", "ls s; echo $?").stdout == b"2\n"
    assert not (here.project / "s").exists()


def test_the_words_for_bwrap_end_with_its_rights() -> None:
    words = bwrap_words("/b", (), "/p")
    assert words[-6:] == ["--cap-drop", "ALL", "--die-with-parent", "--chdir", "/p", "--"]


def test_a_role_has_no_right_where_its_project_is_not(here: Yard) -> None:
    """From elsewhere the program runs in the project: the globs mean nothing in another folder."""
    words = [sys.executable, "-m", "teamops", "run", "-C", str(here.project), "--state-dir", str(here.state)]
    words += ["--role", "DEVELOPER", "--", "sh", "-c", f"pwd; echo x > {here.base}/beside; echo y > src/b.py"]
    done = subprocess.run(words, cwd=here.base, capture_output=True, text=True, check=False, timeout=30)
    assert done.stdout == f"{here.project}\n", done.stderr
    assert not (here.base / "beside").exists()
    assert (here.project / "src" / "b.py").read_text() == "y\n"
    assert subprocess.run([*words[:-3], "false"], check=False, timeout=30).returncode == 1


PLANT = """
for d in .claude .codex .gemini .opencode; do mkdir -p $d; echo x > $d/settings.json; mv $d $d.away; rm -rf $d; done
for f in .mcp.json opencode.json opencode.jsonc; do echo x >> $f; rm -f $f; echo y > new; mv -f new $f; done
echo z > planted-here
"""


def test_no_client_s_settings_are_planted_where_there_were_none(here: Yard) -> None:
    places = (".claude", ".codex", ".gemini", ".opencode", ".mcp.json", "opencode.json", "opencode.jsonc")
    subprocess.run(["git", "rm", "-rq", "--cached", ".claude"], cwd=here.project, check=True)
    (here.project / ".claude" / "settings.json").unlink()
    (here.project / ".claude").rmdir()
    here.inside("DEVELOPER", PLANT)
    assert (here.project / "planted-here").read_text() == "z\n"  # it may write beside them
    assert sorted(path.name for path in (here.project / ".opencode").iterdir()) == [".gitignore"]
    for name in places[:3]:
        assert list((here.project / name).iterdir()) == []
    assert [(here.project / name).read_text() for name in places[4:]] == ['{"mcpServers": {}}\n', "", ""]
    told = subprocess.run(["git", "status", "--short"], cwd=here.project, check=True, capture_output=True, text=True)
    assert not [line for line in told.stdout.splitlines() if line.startswith("??") and line[3:].strip("/") in places]
