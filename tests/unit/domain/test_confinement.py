"""From a profile's globs to what a kernel can hold, without a disk or a kernel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pathspec import GitIgnoreSpec

from teamops.config.profiles import shipped
from teamops.domain.client_boundary import ClientGround
from teamops.domain.confinement import (
    Boundary,
    Cover,
    Ground,
    Layer,
    Mount,
)
from teamops.domain.confinement_words import layer_of, words
from teamops.domain.drawing import boundary
from teamops.domain.emptying import MAX_BESIDE
from teamops.domain.on_disk import Kind, Look, is_in
from teamops.domain.write_rules import Spot, example_of, spot_of, writes_code
from teamops.model.role import Role

SPOTS = [
    ("*", "", True, True),
    ("**", "", True, True),
    ("/", "", True, True),
    ("/**", "", True, True),
    ("*.py", "", False, True),
    ("docs/", "", False, True),
    ("name", "", False, True),
    ("!/src/", "", False, True),
    ("/docs/", "docs", True, True),
    ("/docs", "docs", True, False),
    ("/current.md", "current.md", True, False),
    ("docs/design/", "docs/design", True, True),
    ("docs/design", "docs/design", True, False),
    ("/src/**", "src", True, True),
    ("/src/**/", "src", False, True),
    ("*/", "", False, True),
    ("/src/**/*.py", "src", False, True),
    ("/src/*.py", "src", False, True),
    ("/a?b/c", "", False, True),
    ("/*.md", "", False, True),
    ("/src/a\\ b", "src", False, True),
]


@pytest.mark.parametrize(("glob", "path", "exact", "folder"), SPOTS)
def test_the_plain_part_of_a_glob(glob: str, path: str, exact: bool, folder: bool) -> None:
    assert spot_of(glob) == Spot(path, exact=exact, folder=folder)


NAMES = st.sampled_from(["src", "a.py", "*", "**", "*.py", "docs", "d?c", "x"])
GLOBS = st.builds(
    lambda lead, parts, tail: lead + "/".join(parts) + tail,
    st.sampled_from(["", "/"]),
    st.lists(NAMES, min_size=1, max_size=3),
    st.sampled_from(["", "/"]),
)
PATHS = st.lists(st.sampled_from(["src", "a.py", "docs", "dxc", "x", "y.md"]), min_size=1, max_size=4).map("/".join)


@given(GLOBS, PATHS)
def test_all_that_a_glob_means_lies_in_its_spot(glob: str, path: str) -> None:
    if GitIgnoreSpec.from_lines([glob]).match_file(path):
        assert is_in(f"/{path}", f"/{spot_of(glob).path}".rstrip("/") or "/")


@given(GLOBS, PATHS)
def test_an_exact_spot_is_all_the_glob_means(glob: str, path: str) -> None:
    spot = spot_of(glob)
    inside = is_in(f"/{path}", f"/{spot.path}".rstrip("/") or "/") and path != spot.path
    if spot.exact and inside:
        assert GitIgnoreSpec.from_lines([glob]).match_file(path)


EXAMPLES = [
    ("*.rs", "x.rs"),
    ("/src/*.rs", "src/x.rs"),
    ("/src/**/*.rs", "src/x.rs"),
    ("/src/**", "src/x.txt"),
    ("/reviews/", "reviews/x.txt"),
    ("docs", "docs/x.txt"),
    ("/notes.md", "notes.md"),
    ("/a?/[bc]/[!d].md", "ax/b/x.md"),
    ("/a\\*b.md", "a*b.md"),
    ("*", "x/x.txt"),
    ("!/src/", ""),
    ("/", ""),
    ("/[!x].md", ""),
]


@pytest.mark.parametrize(("glob", "path"), EXAMPLES)
def test_a_path_that_a_glob_means(glob: str, path: str) -> None:
    assert example_of(glob, "x") == path


@given(GLOBS)
def test_it_is_one_or_none(glob: str) -> None:
    path = example_of(glob, "stem")
    assert not path or GitIgnoreSpec.from_lines([glob]).match_file(path)


CODERS = {"DIRECTOR": False, "DEVELOPER": True, "CODER": True, "REVIEWER": False, "OPTIMIZER": True, "PARTNER": False}


@pytest.mark.parametrize(("role", "codes"), CODERS.items())
def test_which_shipped_roles_write_code(role: str, codes: bool) -> None:
    file = shipped(Role(role))
    assert file is not None
    own = file.read()
    assert writes_code(own.write_allow, own.write_deny, own.commands_allow, own.commands_deny) is codes


@pytest.mark.parametrize(
    ("allow", "deny", "may", "may_not", "codes"),
    [
        ((), (), (), (), True),
        (("/src/",), (), ("git *",), (), True),
        (("/src/",), (), ("ls*",), (), False),
        (("/reviews/",), (), (), ("git commit*",), False),
        (("/docs/",), ("*",), (), (), False),
    ],
)
def test_who_writes_code(
    allow: tuple[str, ...], deny: tuple[str, ...], may: tuple[str, ...], may_not: tuple[str, ...], codes: bool
) -> None:
    assert writes_code(allow, deny, may, may_not) is codes


def disk(kinds: Mapping[str, Kind] | None = None) -> Look:
    """Return a look at a disk on which the usual things stand, and these."""
    known = {
        "/p": Kind.FOLDER, "/p/src": Kind.FOLDER, "/p/docs": Kind.FOLDER, "/p/docs/design": Kind.FOLDER,
        "/p/current.md": Kind.FILE, "/p/teamops.toml": Kind.FILE, "/p/.git": Kind.FOLDER, "/p/.git/hooks": Kind.FOLDER,
        "/p/.git/config": Kind.FILE, "/p/profiles": Kind.FOLDER, "/p/.teamops": Kind.FOLDER, "/s": Kind.FOLDER,
        "/h/.c": Kind.FOLDER, "/h/.c.json": Kind.FILE, "/h/.c/settings": Kind.FILE, "/tmp": Kind.FOLDER,
        "/h/.c/sub/scripts": Kind.FOLDER,
    } | dict(kinds or {})  # fmt: skip
    return lambda path: known.get(path, Kind.NOTHING)


GROUND = Ground(
    root="/p",
    tree="/p",
    cwd="/p",
    handoff="/p/current.md",
    lock="/p/.current.md.lock",
    spool="/p/.teamops/spool/R",
    state="/s",
    allow=("*",),
    deny=("/docs/design/", "/teamops.toml", "/profiles/", "/.teamops/", "/.git/", "*.sh"),
    commits=True,
    git=("/p/.git",),
    client=ClientGround(
        writable=("/h/.c",), held=("/h/.c/settings",), private=("/h/.c/sub/scripts",), copies=(("/h/.c.json", "/s/c"),)
    ),
    hidden=("/run", "/tmp"),
    sockets=("/h/sock", "/run/docker.sock"),
    shown=("/p", "/h"),
    temp=("/tmp",),
    devices=("/dev/null",),
)
CODE = boundary(GROUND, disk())
REPOSITORY = "a repository that it makes in a folder of its own has its own hooks and settings"
REBASE = "a rebase or cherry-pick that it leaves unfinished can run commands when somebody continues it"


def cover(drawn: Boundary, path: str) -> Cover | None:
    return next((mount.cover for mount in drawn.mounts if mount.path == path), None)


def rule(drawn: Boundary, text: str) -> Layer:
    return next(each.layer for each in drawn.rules if each.rule == text)


def test_a_role_that_writes_code() -> None:
    assert CODE.holes == (REPOSITORY, REBASE)
    assert set(CODE.writable) == {
        "/p", "/p/.git", "/h/.c", "/h/.c.json", "/tmp", "/dev/null", "/p/current.md", "/p/.current.md.lock",
        "/p/.teamops/spool/R",
    }  # fmt: skip
    held = {mount.path for mount in CODE.mounts if mount.cover is Cover.READ_ONLY}
    assert held == {
        "/p/docs/design", "/p/teamops.toml", "/p/profiles", "/p/.teamops", "/p/.git/hooks", "/p/.git/config",
        "/p/.git/commondir", "/p/.git/config.worktree", "/p/.git/info/attributes", "/p/.git/info/exclude",
        "/h/.c/settings", "/s",
    }  # fmt: skip
    assert cover(CODE, "/h/sock") is Cover.NO_SOCKET
    assert cover(CODE, "/run/docker.sock") is None  # its folder is hidden
    assert cover(CODE, "/p/docs") is Cover.WRITABLE  # pinned: it can't be moved away with what is held in it
    assert cover(CODE, "/p/.git") is Cover.WRITABLE
    assert cover(CODE, "/p/.teamops/spool/R") is Cover.WRITABLE
    assert cover(CODE, "/p/current.md") is None  # never itself: a file that is replaced would be lost
    assert cover(CODE, "/h") is Cover.WRITABLE  # around a single file; Landlock holds the rest


def test_outer_mounts_come_before_inner_ones() -> None:
    for number, mount in enumerate(CODE.mounts):
        assert not any(is_in(mount.path, later.path) for later in CODE.mounts[number + 1 :]), mount


@pytest.mark.parametrize(
    ("text", "layer"),
    [
        ("allow *", Layer.KERNEL),
        ("deny /docs/design/", Layer.KERNEL),
        ("deny /teamops.toml", Layer.KERNEL),
        ("deny /.git/", Layer.HOOKS),
        ("deny *.sh", Layer.HOOKS),
    ],
)
def test_which_layer_holds_a_rule(text: str, layer: Layer) -> None:
    assert rule(CODE, text) is layer


@pytest.mark.parametrize(
    ("path", "layer"),
    [
        ("/p/src/a.sh", Layer.HOOKS),
        ("/p/docs/design/x", Layer.KERNEL),
        ("/p/.git/config", Layer.KERNEL),
        ("/p/.git/index", Layer.HOOKS),
        ("/p/.teamops/spool/R/x", Layer.HOOKS),
        ("/p/.teamops/spool/X/x", Layer.KERNEL),
        ("/h/.profile", Layer.KERNEL),
        ("/etc/passwd", Layer.KERNEL),
    ],
)
def test_which_layer_holds_a_path(path: str, layer: Layer) -> None:
    assert layer_of(CODE, path) is layer


REVIEW = replace(GROUND, allow=("/current.md", "/reviews/"), deny=("/profiles/", "/.git/"), commits=False)


def test_a_role_that_reviews() -> None:
    drawn = boundary(REVIEW, disk())
    assert "/p" not in drawn.writable
    assert "/p/reviews" in drawn.writable
    assert "/p/reviews" in drawn.make_folders
    assert cover(drawn, "/p/.git") is Cover.READ_ONLY
    assert rule(drawn, "deny /.git/") is Layer.KERNEL
    assert layer_of(drawn, "/p/src/a.py") is Layer.KERNEL
    assert layer_of(drawn, "/p/current.md") is Layer.HOOKS


def test_a_role_that_writes_single_files_makes_no_repository() -> None:
    assert boundary(replace(REVIEW, allow=("/current.md",)), disk()).holes == ()


def test_deny_wins() -> None:
    drawn = boundary(replace(REVIEW, allow=("/src/", "/docs/"), deny=("/src/",)), disk())
    assert "/p/src" not in drawn.writable
    assert "/p/docs" in drawn.writable


def test_what_is_not_there_or_a_link_is_said() -> None:
    ground = replace(REVIEW, allow=("/new.md", "/link/", "/*.md"), deny=("/gone.md", "/.git/"))
    drawn = boundary(ground, disk({"/p/link": Kind.LINK, "/p/profiles": Kind.LINK, "/p/teamops.toml": Kind.NOTHING}))
    assert drawn.holes == (
        "/new.md is not there: it can be written from the start after it was made",
        "/link is a link: what it leads to can't be written",
        "/p/profiles is a link: it can be put elsewhere",
        REPOSITORY,
        "/teamops.toml is not there: it could be made, and would count",
    )
    assert drawn.planted == drawn.holes[-1:]
    assert {rule(drawn, f"allow {glob}") for glob in ground.allow} == {Layer.HOOKS}
    assert rule(drawn, "deny /gone.md") is Layer.HOOKS


def test_another_roles_folder_is_made_to_be_held() -> None:
    drawn = boundary(replace(GROUND, deny=("/reviews/", "/later/"), team_folders=("/reviews/", "*.md")), disk())
    assert cover(drawn, "/p/reviews") is Cover.READ_ONLY
    assert "/p/reviews" in drawn.make_folders
    assert rule(drawn, "deny /later/") is Layer.HOOKS


def test_no_rules_let_all_of_the_project_be_written() -> None:
    drawn = boundary(replace(GROUND, allow=(), deny=()), disk())
    assert "/p" in drawn.writable
    assert drawn.holes == ("no rule says what it may write: all of the project", REPOSITORY, REBASE)


def test_a_handoff_file_that_is_not_there_is_not_let_in() -> None:
    drawn = boundary(REVIEW, disk({"/p/current.md": Kind.NOTHING}))
    assert "/p/current.md" not in drawn.writable
    assert "/p/.current.md.lock" in drawn.writable


def test_a_work_tree_of_its_own() -> None:
    kinds = {"/w": Kind.FOLDER, "/w/.git": Kind.FILE, "/p/.git/worktrees/w": Kind.FOLDER}
    ground = replace(GROUND, tree="/w", cwd="/w", git=("/p/.git/worktrees/w", "/p/.git"), deny=())
    drawn = boundary(ground, disk(kinds))
    assert "/w" in drawn.writable
    assert "/p/.git" in drawn.writable
    assert "/p" not in drawn.writable
    assert cover(drawn, "/w/.git") is Cover.READ_ONLY  # whoever may write it says whose settings count


def test_git_without_hooks_gets_a_folder_for_them_that_is_held() -> None:
    drawn = boundary(GROUND, disk({"/p/.git/hooks": Kind.NOTHING}))
    assert "/p/.git/hooks" in drawn.make_folders
    assert cover(drawn, "/p/.git/hooks") is Cover.READ_ONLY


def test_what_is_missing_of_gits_is_made_to_be_held() -> None:
    assert CODE.make_files == (
        ("/p/.git/commondir", "./\n"),
        ("/p/.git/config.worktree", ""),
        ("/p/.git/info/attributes", ""),
        ("/p/.git/info/exclude", ""),
    )
    there = boundary(GROUND, disk(dict.fromkeys((path for path, _ in CODE.make_files), Kind.FILE)))
    assert there.make_files == ()
    assert there.mounts == CODE.mounts
    alone = boundary(GROUND, disk(), mounts=False)
    assert alone.make_files == ()  # nothing would hold them
    assert "/p/.git/commondir" in next(hole for hole in alone.holes if hole.startswith("can be written"))


def test_links_among_what_leads_git_are_said() -> None:
    drawn = boundary(GROUND, disk({"/p/.git/hooks": Kind.LINK, "/p/.git/commondir": Kind.LINK}))
    assert cover(drawn, "/p/.git/hooks") is None
    assert drawn.holes[:2] == (
        "/p/.git/hooks is a link: it can be put elsewhere",
        "/p/.git/commondir is a link: it can be put elsewhere",
    )


INNER = {
    "/p/.git/worktrees/w": Kind.FOLDER, "/p/.git/worktrees/w/commondir": Kind.FILE,
    "/p/.git/worktrees/w/gitdir": Kind.FILE, "/p/.git/modules/lib": Kind.FOLDER,
    "/p/.git/modules/lib/config": Kind.FILE, "/p/.git/modules/lib/hooks": Kind.FOLDER,
}  # fmt: skip


def test_other_work_trees_and_submodules_are_held() -> None:
    ground = replace(GROUND, git_inner=("/p/.git/worktrees/w", "/p/.git/modules/lib"))
    drawn = boundary(ground, disk(INNER))
    held = {mount.path for mount in drawn.mounts if mount.cover is Cover.READ_ONLY}
    assert {path for path in held if path.startswith("/p/.git/worktrees/")} == {
        "/p/.git/worktrees/w/commondir", "/p/.git/worktrees/w/gitdir", "/p/.git/worktrees/w/config.worktree",
    }  # fmt: skip
    assert {path for path in held if path.startswith("/p/.git/modules/")} == {
        f"/p/.git/modules/lib/{name}"
        for name in ("hooks", "commondir", "config.worktree", "info/attributes", "info/exclude")
    }
    assert drawn.holes[0] == "/p/.git/modules/lib/config can be changed: git writes it itself at git submodule update"
    elsewhere = boundary(
        replace(GROUND, git_inner=("/p/modules/lib/.git",)), disk({"/p/modules/lib/.git/config": Kind.FILE})
    )
    assert cover(elsewhere, "/p/modules/lib/.git/config") is Cover.READ_ONLY
    assert cover(drawn, "/p/.git/modules/lib") is Cover.WRITABLE  # pinned
    assert ("/p/.git/worktrees/w/config.worktree", "") in drawn.make_files
    assert ("/p/.git/worktrees/w/commondir", ".\n") not in drawn.make_files
    review = boundary(replace(ground, commits=False), disk(INNER))
    assert review.make_files == ()  # all of git's folder is held
    assert cover(review, "/p/.git") is Cover.READ_ONLY


def test_what_gits_settings_name_is_held_where_it_could_be_written() -> None:
    named = ("/p/.githooks", "/p/shared", "/h/.gitconfig", "/p/docs/design/x", "/p/gone", "/p/link")
    kinds = {"/p/.githooks": Kind.FOLDER, "/p/shared": Kind.FILE, "/h/.gitconfig": Kind.FILE, "/p/link": Kind.LINK}
    drawn = boundary(replace(GROUND, git_held=named, git_unasked="git broke"), disk(kinds))
    assert cover(drawn, "/p/.githooks") is Cover.READ_ONLY
    assert cover(drawn, "/p/shared") is Cover.READ_ONLY
    assert cover(drawn, "/h/.gitconfig") is None  # out of reach anyway
    assert cover(drawn, "/p/docs/design/x") is None  # its folder is held
    assert drawn.holes == (
        "/p/gone is not there: git's settings name it, and it could be made",
        "/p/link is a link: it can be put elsewhere",
        "git did not say which files its settings include: git broke",
        REPOSITORY,
        REBASE,
    )


STANDS = {"/p": ("src", "docs", "current.md", "reviews", "README", "link"), "/h": (".c", ".c.json", ".profile", "x")}
BESIDE = {"/p/README": Kind.FILE, "/p/link": Kind.LINK, "/h/.profile": Kind.FILE, "/p/reviews": Kind.FOLDER}


def test_where_landlock_knows_no_emptying_mounts_hold_what_is_beside_a_file() -> None:
    drawn = boundary(REVIEW, disk(BESIDE), names=lambda folder: STANDS[folder])
    for path in ("/p/src", "/p/docs", "/p/README", "/h/.profile"):
        assert cover(drawn, path) is Cover.READ_ONLY
    assert cover(drawn, "/p/reviews") is Cover.WRITABLE
    assert cover(drawn, "/p") is Cover.WRITABLE
    assert cover(drawn, "/h/.c.json") is Cover.WRITABLE  # the agent's own copy
    assert {cover(drawn, path) for path in ("/p/link", "/p/current.md", "/h/x")} == {None}
    assert drawn.emptied == ("/h", "/p")
    assert drawn.holes[-2:] == (
        "/h: a file that is made there after its start can be emptied: Landlock is older than 3",
        "/p: a file that is made there after its start can be emptied: Landlock is older than 3",
    )
    assert boundary(REVIEW, disk(BESIDE)).emptied == ()


def test_a_home_with_very_much_in_it_is_not_opened_for_a_copy() -> None:
    many = {**STANDS, "/h": tuple(f"f{number}" for number in range(MAX_BESIDE + 1))}
    drawn = boundary(REVIEW, disk(BESIDE), names=lambda folder: many[folder])
    assert cover(drawn, "/h") is None
    assert Mount(Cover.WRITABLE, "/h/.c.json", "/s/c") in drawn.mounts
    assert drawn.emptied == ("/p",)
    assert any(hole.startswith("/h/.c.json: its client can't save") for hole in drawn.holes)
    assert not any(hole.startswith("/h: all in it") for hole in drawn.holes)
    chosen = replace(REVIEW, client=replace(REVIEW.client, writable=("/h",)))  # its client writes all of it anyway
    assert not any("can't save" in hole for hole in boundary(chosen, disk(), names=lambda folder: many[folder]).holes)


def test_a_folder_that_may_be_written_needs_no_mounts_within() -> None:
    ground = replace(GROUND, client=ClientGround())
    drawn = boundary(ground, disk(BESIDE), names=lambda folder: STANDS[folder])
    assert drawn.emptied == ()
    assert drawn.holes == (REPOSITORY, REBASE)


def test_so_many_files_beside_one_are_said_and_not_mounted() -> None:
    ground = replace(REVIEW, client=ClientGround())
    many = tuple(f"f{number}" for number in range(MAX_BESIDE + 1))
    drawn = boundary(ground, lambda path: Kind.FILE if "/f" in path else disk()(path), names=lambda _: many)
    assert cover(drawn, "/p/f1") is None
    assert "/p: all in it can be emptied, for more than 400 files and folders are there" in drawn.holes


def test_an_old_landlock_alone_leaves_every_file_to_be_emptied() -> None:
    drawn = boundary(REVIEW, disk(), mounts=False, names=lambda folder: STANDS[folder])
    assert drawn.emptied == ("/",)
    assert drawn.holes[-1] == "every file of its user can be emptied (truncate): Landlock is older than 3"
    assert boundary(REVIEW, disk(), landlock=False, names=lambda folder: STANDS[folder]).emptied == ()


def test_a_single_file_at_the_top_of_the_disk() -> None:
    ground = replace(REVIEW, extra=("/one",), client=ClientGround())
    kinds = {"/one": Kind.FILE, "/etc": Kind.FOLDER, "/dev": Kind.FOLDER}
    drawn = boundary(ground, disk(kinds), names=lambda folder: ("dev", "etc", "one", "p") if folder == "/" else ())
    assert cover(drawn, "/etc") is Cover.READ_ONLY
    assert cover(drawn, "/dev") is None
    assert cover(drawn, "/p") is Cover.WRITABLE


def test_temp_around_the_project_is_a_folder_inside() -> None:
    ground = replace(GROUND, shown=("/p", "/h", "/tmp/x"))
    drawn = boundary(ground, disk())
    assert drawn.temp == ("/tmp/agent",)
    assert "/tmp" not in drawn.writable
    assert "/tmp/agent" in drawn.writable
    assert cover(drawn, "/tmp/agent") is Cover.EMPTY
    assert cover(drawn, "/tmp/x") is Cover.READ_ONLY
    assert boundary(ground, disk(), mounts=False).make_folders[-1] == "/tmp/agent"


def test_a_project_that_lies_among_sockets() -> None:
    """It is shown, and what may be written in it is more than shown."""
    ground = replace(GROUND, hidden=("/p",), shown=("/p/src", "/p"), allow=("/src/",), sockets=("/p/src/s", "/p/x"))
    drawn = boundary(ground, disk())
    assert cover(drawn, "/p/src") is Cover.WRITABLE
    assert cover(drawn, "/p/src/s") is Cover.NO_SOCKET


def test_a_clients_settings_are_held_and_what_it_runs_is_the_agents_own() -> None:
    assert cover(CODE, "/h/.c/settings") is Cover.READ_ONLY
    assert cover(CODE, "/h/.c/sub/scripts") is Cover.EMPTY
    assert Mount(Cover.WRITABLE, "/h/.c/sub") in CODE.mounts  # pinned: it can't be moved away with what is inside
    assert Mount(Cover.WRITABLE, "/h/.c.json", "/s/c") in CODE.mounts
    assert "/h/.c.json" in CODE.writable
    assert CODE.settings == ("/h/.c/settings",)
    assert CODE.links == ()
    assert not any("/h/" in hole for hole in CODE.holes)
    alone = boundary(GROUND, disk(), mounts=False)
    assert "/h/.c.json is its client's to write, what is planted there, too" in alone.holes
    assert any(hole.startswith("can be written") and "/h/.c/sub/scripts" in hole for hole in alone.holes)


def test_a_clients_settings_that_are_links_or_not_there() -> None:
    client = replace(
        GROUND.client,
        held=("/h/.c/settings", "/h/.c/rules", "/h/.c/hooks"),
        private=("/h/.c/sub/scripts", "/h/.c/sub/tool"),
        missing=("/h/.own.json",),
        holes=("sessions are its own",),
    )
    kinds = {
        "/h/.c/settings": Kind.LINK,
        "/h/.c/sub/tool": Kind.LINK,
        "/h/.c/hooks": Kind.FOLDER,
        "/h/.c/sub/scripts": Kind.NOTHING,
    }
    drawn = boundary(replace(GROUND, client=client), disk(kinds))
    assert drawn.links == ("/h/.c/settings", "/h/.c/sub/tool")
    assert drawn.settings == ("/h/.c/hooks",)
    assert cover(drawn, "/h/.c/hooks") is Cover.READ_ONLY
    assert cover(drawn, "/h/.c/sub/scripts") is None
    assert "/h/.c/settings is a link: what it leads to is held, but another can be put in its place" in drawn.holes
    assert any(hole.startswith("/h/.c/sub/tool is a link: the agent gets none of its own") for hole in drawn.holes)
    missing = "not there yet, made and held by the next start: /h/.own.json, /h/.c/rules, /h/.c/sub/scripts"
    assert missing in drawn.holes
    assert "sessions are its own" in drawn.holes


def test_landlock_alone_names_its_holes() -> None:
    drawn = boundary(GROUND, disk(), mounts=False)
    assert drawn.mounts == ()
    assert "tmux's, D-Bus' and docker's sockets are in reach: through them others can act for it" in drawn.holes
    loose = next(hole for hole in drawn.holes if hole.startswith("can be written"))
    assert "/p/docs/design" in loose
    assert "/s" not in loose.split(", ")
    assert layer_of(drawn, "/p/docs/design/x") is Layer.HOOKS
    review = boundary(replace(REVIEW, client=ClientGround()), disk(), mounts=False)
    assert not any(hole.startswith("can be written") for hole in review.holes)


def test_mounts_alone_name_their_holes() -> None:
    drawn = boundary(REVIEW, disk(), landlock=False)
    assert cover(drawn, "/p/current.md") is Cover.WRITABLE  # nothing else would hold what is beside it
    assert cover(drawn, "/p") is not Cover.WRITABLE
    assert len(drawn.holes) == 3


def test_the_words_for_a_person() -> None:
    said = words(CODE)
    assert "writable: /p" in said
    assert "read-only: /p/.teamops" in said
    assert "deny *.sh: hooks and audit (a kernel knows no such glob)" in said
    assert words(replace(CODE, holes=("x",)))[-1] == "hole: x"
    assert Mount(Cover.EMPTY, "/run") in CODE.mounts


def test_the_whole_disk_as_a_project() -> None:
    drawn = boundary(replace(GROUND, root="/", tree="/", allow=("/docs/",)), disk({"/docs": Kind.FOLDER}))
    assert "/docs" in drawn.writable


# The clients' settings in the project

PLANTS = replace(
    GROUND,
    allow=("*",),
    deny=(),
    project_folders=("/p/.claude", "/p/.opencode"),
    project_files=(("/p/.opencode/.gitignore", "ignored"), ("/p/.mcp.json", "none")),
)
MISSING = dict.fromkeys(("/p/.claude", "/p/.opencode", "/p/.mcp.json", "/p/.opencode/.gitignore"), Kind.NOTHING)


def test_settings_that_are_not_there_are_made_to_be_held() -> None:
    drawn = boundary(PLANTS, disk(MISSING))
    assert {"/p/.claude", "/p/.opencode"} <= set(drawn.make_folders)
    assert set(PLANTS.project_files) <= set(drawn.make_files)
    assert drawn.project == ("/p/.claude", "/p/.opencode", "/p/.mcp.json")
    for path in drawn.project:
        assert cover(drawn, path) is Cover.READ_ONLY
        assert layer_of(drawn, path) is Layer.KERNEL
    assert drawn.planted == ()


def test_settings_that_are_there_are_held_as_they_are() -> None:
    there = {**MISSING, "/p/.claude": Kind.FOLDER, "/p/.opencode": Kind.FOLDER, "/p/.mcp.json": Kind.FILE}
    drawn = boundary(PLANTS, disk(there))
    assert drawn.project == ("/p/.claude", "/p/.opencode", "/p/.mcp.json")
    assert ("/p/.mcp.json", "none") not in drawn.make_files
    assert ("/p/.opencode/.gitignore", "ignored") in drawn.make_files  # opencode ends where it can't write one
    drawn = boundary(PLANTS, disk({**there, "/p/.opencode/.gitignore": Kind.FILE}))
    assert ("/p/.opencode/.gitignore", "ignored") not in drawn.make_files


def test_for_a_role_that_can_t_make_them_none_are_made() -> None:
    drawn = boundary(replace(PLANTS, allow=("/reviews/",)), disk(MISSING))
    assert not {"/p/.claude", "/p/.opencode", "/p/.mcp.json"} & set(drawn.make_folders)
    assert not set(PLANTS.project_files) & set(drawn.make_files)
    assert (drawn.project, drawn.planted) == ((), ())


def test_settings_that_are_a_link_can_be_planted() -> None:
    drawn = boundary(PLANTS, disk({**MISSING, "/p/.claude": Kind.LINK, "/p/.mcp.json": Kind.LINK}))
    assert drawn.planted == (
        "/p/.claude is a link: it can be put elsewhere",
        "/p/.mcp.json is a link: it can be put elsewhere",
    )
    assert set(drawn.planted) <= set(drawn.holes)
    assert drawn.project == ("/p/.opencode",)
    elsewhere = boundary(replace(PLANTS, allow=("/reviews/",)), disk({**MISSING, "/p/.claude": Kind.LINK}))
    assert elsewhere.planted == ()


def test_a_file_that_can_t_be_mounted_is_not_made_and_said() -> None:
    drawn = boundary(PLANTS, disk(MISSING), mounts=False)
    assert drawn.make_files == ()
    assert "/.mcp.json is not there: it could be made, and would count" in drawn.holes
    tree = replace(PLANTS, tree="/w", project_folders=(), project_files=(("/w/.mcp.json", "none"),))
    drawn = boundary(tree, disk({"/w": Kind.FOLDER, "/w/.mcp.json": Kind.NOTHING}), mounts=False)
    assert "/w/.mcp.json is not there: it could be made, and would count" in drawn.holes
    assert drawn.planted == ()
