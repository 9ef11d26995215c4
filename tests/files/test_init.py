"""``teamops init`` on real folders: what it writes, what it keeps, and that it is all or nothing."""

from __future__ import annotations

import os
import resource
import stat
import subprocess
import sys
import tomllib
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from teamops.cli.main import main
from teamops.config.load import check, load
from teamops.config.placing import Addition, NewFile, NotPlaced, place
from teamops.config.profiles import folder as shipped_folder
from teamops.config.starter import HANDOFF, Allowed, Team, server_name, toml_of
from teamops.domain.limits import RestartWhen
from teamops.handoff import parse
from teamops.ledger.store import open_ledger
from teamops.model.handoff import Severity
from teamops.model.role import AGENT_ROLES, CODER, DIRECTOR
from teamops.sources.kept_bytes import digest_of
from teamops.supervisor.lease import state_dir_of

Init = Callable[..., tuple[int, str, str]]
ALL = Team(project="", roles=((DIRECTOR, "claude"), (CODER, "codex")), own_server=False, allowed=Allowed.ALL)


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH on which only what a test puts there is found."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def install(programs: Path, *names: str) -> None:
    for name in names:
        (programs / name).write_text("#!/bin/sh\n")
        (programs / name).chmod(0o755)


@pytest.fixture
def project(tmp_path: Path, programs: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def init(capsys: pytest.CaptureFixture[str]) -> Init:
    def run(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as left:
            main(["init", *arguments])
        out, err = capsys.readouterr()
        assert isinstance(left.value.code, int)
        return left.value.code, out, err

    return run


def files_in(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def errors_of(folder: Path) -> list[str]:
    return [str(problem) for problem in check(folder).problems if problem.severity is Severity.ERROR]


# what it writes


def test_the_default_team_is_valid_and_runs_what_is_installed(project: Path, programs: Path, init: Init) -> None:
    install(programs, "codex", "opencode")
    code, out, err = init("--yes")
    assert (code, err) == (0, "")
    settings = load(project)
    assert [(role.role, role.command, role.client) for role in settings.roles] == [
        ("DIRECTOR", ("codex",), "codex"),
        ("DEVELOPER", ("codex",), "codex"),
        ("REVIEWER", ("codex",), "codex"),
    ]
    assert check(project, thorough=True).problems == ()
    assert settings.project == "shop"
    for name in ("director", "developer", "reviewer"):
        assert (project / "profiles" / f"{name}.md").read_bytes() == (shipped_folder() / f"{name}.md").read_bytes()
    assert {path.name for path in (project / "profiles").iterdir()} == {"director.md", "developer.md", "reviewer.md"}
    for name in files_in(project):
        assert f"wrote    {name}\n" in out
    assert "teamops up" in out
    assert max(len(line) for line in out.splitlines()) <= 80


def test_where_nothing_is_installed_it_says_so(project: Path, init: Init) -> None:
    code, out, _ = init("--yes")
    assert code == 0
    assert 'there is no program "claude"' in out
    assert load(project).roles[0].client == "claude"


def test_the_first_handoff_file_is_legal_and_lights_nobody(project: Path, init: Init) -> None:
    init("--yes")
    handoff = parse((project / "current.md").read_bytes())
    assert (handoff.blocks, handoff.problems) == ((), ())
    opened = (
        HANDOFF
        + "\n### [HUMAN] 2026-03-28 14:30\n\n**Status**: open\n**Turn**: DIRECTOR\n**Tier**: 2\n\n#### What I Want\nX\n"
    )
    handoff = parse(opened.encode())
    assert ([block.role for block in handoff.blocks], handoff.problems) == (["HUMAN"], ())


def test_options_answer_the_questions(project: Path, programs: Path, init: Init) -> None:
    install(programs, "python3")
    code, _, err = init(
        "--yes", "--name", 'A "shop" #1', "--roles", "coder, director", "--clients", "gemini,CODER=python3 'my bot.py'",
        "--server", "own", "--may", "nothing",
    )  # fmt: skip
    assert (code, err) == (0, "")
    settings = load(project)
    assert settings.project == 'A "shop" #1'
    assert [(role.role, role.command, role.client) for role in settings.roles] == [
        ("DIRECTOR", ("gemini",), "gemini"),
        ("CODER", ("python3", "my bot.py"), "command"),
    ]
    assert (settings.auto_poke, settings.restart.when) == (False, RestartWhen.NEVER)
    assert settings.tmux.socket_name == server_name('A "shop" #1') == "a__shop___1"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--roles", "CODR"), "did you mean CODER?"),
        (("--roles", " , "), "at least one role"),
        (("--roles", "HUMAN"), "no shipped role"),
        (("--clients", "claud"), "did you mean claude?"),
        (("--clients", "claude,codex"), "neither"),
        (("--clients", "PARTNER=claude"), "PARTNER is not in this team"),
        (("--clients", "'"), "can't be split"),
        (("--clients", "DIRECTOR="), "is empty"),
        (("--name", ""), "is empty"),
        (("--name", "a\x1b[31mb"), "can't be shown"),
        (("--name", "x" * 61), "60 characters"),
        (("--server", "3"), "1 (yours) or 2 (own)"),
        (("--may", "everything"), "all, deaths, poke, nothing"),
    ],
)
def test_a_wrong_option_is_refused_and_nothing_is_written(
    project: Path, init: Init, arguments: Sequence[str], said: str
) -> None:
    code, _, err = init("--yes", *arguments)
    assert code == 2
    assert said in err
    assert "\x1b" not in err
    assert list(project.iterdir()) == []


@pytest.mark.parametrize(
    "name", ["-dash", "a b", "qu'o\"te", "#hash", "naïve ☕", "#(touch x)", "{role}", "a\\b", "a\nb", "..x", "x" * 200]
)
def test_hostile_folder_names(
    tmp_path: Path, programs: Path, monkeypatch: pytest.MonkeyPatch, init: Init, name: str
) -> None:
    folder = tmp_path / name
    folder.mkdir()
    monkeypatch.chdir(folder)
    code, _, err = init("--yes", "--server", "own")
    assert (code, err) == (0, "")
    assert errors_of(folder) == []
    settings = load(folder)
    assert not settings.tmux.socket_name.startswith("-")
    assert len(settings.tmux.socket_name) <= 40
    assert all("#" not in role.session and "\n" not in role.session for role in settings.roles)
    assert "\n" not in settings.project or name == "a\nb"  # the folder's own name, where none is given


def test_bytes_that_are_no_text_in_the_folders_name(
    tmp_path: Path, programs: Path, monkeypatch: pytest.MonkeyPatch, init: Init
) -> None:
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe"))
    folder.mkdir()
    monkeypatch.chdir(folder)
    code, _, err = init("--yes", "--server", "own")
    assert (code, err) == (0, "")
    assert load(folder).project == "project"


@pytest.mark.parametrize("allowed", Allowed)
@pytest.mark.parametrize("own_server", [True, False])
def test_every_text_is_valid_with_its_examples_too(tmp_path: Path, allowed: Allowed, *, own_server: bool) -> None:
    team = Team(project="", roles=ALL.roles[:1], own_server=own_server, allowed=allowed)
    text = toml_of(team, tmp_path.name)
    begin = text.index("# One more agent")
    examples = "".join(
        line.removeprefix("# ") if line.startswith("# ") and ("=" in line or "[" in line) else "\n"
        for line in text[begin:].splitlines(keepends=True)
    )
    (tmp_path / "teamops.toml").write_text(text)
    assert errors_of(tmp_path) == []
    assert [role.role for role in load(tmp_path).roles] == [DIRECTOR]
    whole = text[:begin].replace("# project", "project") + examples
    assert {"roles", "limits", "gates", "project"} <= tomllib.loads(whole).keys()
    (tmp_path / "teamops.toml").write_text(whole)
    assert errors_of(tmp_path) == []
    when = {Allowed.ALL: RestartWhen.ON_UNHEALTHY, Allowed.DEATHS: RestartWhen.ON_DEATH}
    settings = load(tmp_path)
    assert settings.restart.when is when.get(allowed, RestartWhen.NEVER)
    assert settings.auto_poke is (allowed is not Allowed.NOTHING)


def test_a_name_without_latin_letters_has_a_server_of_its_own() -> None:
    assert server_name("проект") != server_name("商店")
    assert server_name("проект").startswith("team-")


# what is there already


def test_nothing_is_overwritten_and_what_lacks_is_added(project: Path, init: Init) -> None:
    own = "[roles.TESTER]\nclient = 'command'\ncommand = 'true'\n[roles.CODER]\ncommand = 'codex'\n[roles.DIRECTOR]\n"
    (project / "teamops.toml").write_text(own)
    (project / "profiles").mkdir()
    mine = (shipped_folder() / "coder.md").read_text() + "\nAnd be brief.\n"
    (project / "profiles" / "coder.md").write_text(mine)
    code, out, _ = init()  # asks nothing: the team stands in the file
    assert code == 0
    assert (project / "teamops.toml").read_text() == own
    assert (project / "profiles" / "coder.md").read_text() == mine
    assert {path.name for path in (project / "profiles").iterdir()} == {"coder.md", "director.md"}
    for word in ("kept     teamops.toml", "kept     profiles/coder.md", "wrote    profiles/director.md"):
        assert word in out
    before = files_in(project)
    code, out, _ = init("--yes")
    assert (code, files_in(project)) == (0, before)
    assert "all of it was there already" in out


def test_an_existing_team_is_not_changed_by_options(project: Path, init: Init) -> None:
    (project / "teamops.toml").write_text("[roles.DIRECTOR]\n")
    code, _, err = init("--yes", "--roles", "all")
    assert code == 2
    assert "not changed" in err
    assert list(files_in(project)) == ["teamops.toml"]


def test_a_refused_configuration_is_said_before_anything_is_written(project: Path, init: Init) -> None:
    (project / "teamops.toml").write_text("x = 1\n")
    code, _, err = init("--yes")
    assert code == 2
    assert "teamops.toml:1:1" in err
    assert list(files_in(project)) == ["teamops.toml"]


def test_a_profile_and_a_handoff_file_elsewhere_are_kept(project: Path, init: Init) -> None:
    (project / "bots").mkdir()
    (project / "bots" / "boss.md").write_bytes((shipped_folder() / "director.md").read_bytes())
    (project / "teamops.toml").write_text("handoff = 'notes/team.md'\n[roles.DIRECTOR]\nprofile = 'bots/boss.md'\n")
    code, out, _ = init("--yes")
    assert code == 0
    assert files_in(project).keys() == {"bots/boss.md", "teamops.toml", "notes/team.md"}
    assert "kept     bots/boss.md" in out


def test_who_is_at_work_already_is_the_team(project: Path, init: Init) -> None:
    text = "### [PARTNER] 2026-03-28 14:30\n\n**Status**: answered\n**Turn**: DIRECTOR\n\n#### A\nx\n\n"
    (project / "current.md").write_text(text + text.replace("[PARTNER]", "[DIRECTOR]"))
    before = (project / "current.md").read_bytes()
    init("--yes")
    assert [role.role for role in load(project).roles] == ["DIRECTOR", "PARTNER"]
    assert (project / "current.md").read_bytes() == before


@pytest.mark.parametrize("kind", ["folder", "pipe", "dangling link"])
@pytest.mark.parametrize("name", ["current.md", "teamops.toml", "profiles/director.md"])
def test_what_is_in_the_way_is_named_and_nothing_is_written(project: Path, init: Init, name: str, kind: str) -> None:
    path = project / name
    path.parent.mkdir(exist_ok=True)
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("nowhere")
    code, _, err = init("--yes")
    assert code == 1
    assert name in err
    assert files_in(project) == {}


# git


GOOD_LINES = b".teamops/\n.current.md.lock\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(None, GOOD_LINES, id="none"),
        pytest.param(b"", GOOD_LINES, id="empty"),
        pytest.param(b"dist/\n", b"dist/\n" + GOOD_LINES, id="newline"),
        pytest.param(b"dist/", b"dist/\n" + GOOD_LINES, id="no newline"),
        pytest.param(b"a\r\nb", b"a\r\nb\r\n.teamops/\r\n.current.md.lock\r\n", id="crlf"),
        pytest.param(b"/.teamops\n", b"/.teamops\n.current.md.lock\n", id="half of it"),
        pytest.param(b"\xff\n" + GOOD_LINES, b"\xff\n" + GOOD_LINES, id="all, and no text"),
        pytest.param(b"# .teamops/\n", b"# .teamops/\n" + GOOD_LINES, id="a comment"),
    ],
)
def test_git_is_told_once(project: Path, init: Init, before: bytes | None, after: bytes) -> None:
    (project / ".git").mkdir()
    file = project / ".gitignore"
    if before is not None:
        file.write_bytes(before)
        file.chmod(0o640)
    init("--yes")
    assert file.read_bytes() == after
    init("--yes")
    assert file.read_bytes() == after
    if before is not None:
        assert stat.S_IMODE(file.stat().st_mode) == 0o640


def test_a_link_to_a_shared_ignore_file_stays_a_link(project: Path, tmp_path: Path, init: Init) -> None:
    shared = tmp_path / "shared"
    shared.write_bytes(b"x\n")
    (project / ".gitignore").symlink_to(shared)
    init("--yes")
    assert (project / ".gitignore").is_symlink()
    assert shared.read_bytes() == b"x\n" + GOOD_LINES


def test_outside_of_git_nobody_gets_an_ignore_file(project: Path, init: Init) -> None:
    init("--yes")
    assert not (project / ".gitignore").exists()


def test_a_folder_within_a_repository_has_its_own_line(
    project: Path, monkeypatch: pytest.MonkeyPatch, init: Init
) -> None:
    (project / ".git").write_text("gitdir: elsewhere\n")
    below = project / "service"
    below.mkdir()
    monkeypatch.chdir(below)
    init("--yes")
    assert (below / ".gitignore").read_bytes() == GOOD_LINES
    assert not (project / ".gitignore").exists()


# where


def test_a_folder_of_another_team_is_refused(project: Path, monkeypatch: pytest.MonkeyPatch, init: Init) -> None:
    init("--yes")
    below = project / "src"
    below.mkdir()
    monkeypatch.chdir(below)
    code, _, err = init("--yes")
    assert code == 2
    assert "-C ." in err
    assert list(below.iterdir()) == []
    assert init("--yes", "-C", ".")[0] == 0


def test_home_is_no_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, init: Init) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    code, _, err = init("--yes")
    assert code == 2
    assert "init -C FOLDER" in err
    assert list(tmp_path.iterdir()) == []


def test_another_folder_is_named_in_what_comes_next(project: Path, tmp_path: Path, init: Init) -> None:
    other = tmp_path / "an other"
    other.mkdir()
    code, out, _ = init("--yes", "-C", str(other))
    assert code == 0
    assert f"cd '{other}'" in out
    assert list(project.iterdir()) == []


def test_without_a_terminal_it_asks_nobody(project: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "teamops", "init"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False, cwd=project,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert "--yes" in done.stderr
    assert list(project.iterdir()) == []


# all or nothing


def test_a_full_disk_leaves_everything_as_it_was(project: Path) -> None:
    (project / ".gitignore").write_bytes(b"x")
    done = subprocess.run(
        [sys.executable, "-m", "teamops", "init", "--yes"],
        capture_output=True, text=True, timeout=60, check=False, cwd=project,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000)),
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip
    assert done.returncode == 1
    assert "nothing was written" in done.stderr
    assert "make room" in done.stderr
    assert files_in(project) == {".gitignore": b"x"}
    assert [path.name for path in project.iterdir()] == [".gitignore"]


def test_a_folder_that_may_not_be_written(project: Path, monkeypatch: pytest.MonkeyPatch, init: Init) -> None:
    def refuse(path: str | Path, *_: object, **__: object) -> int:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("teamops.config.placing.os.open", refuse)
    code, _, err = init("--yes")
    assert code == 1
    assert "nothing was written" in err
    assert list(project.iterdir()) == []


def test_one_that_comes_up_meanwhile_is_kept_and_all_is_taken_back(tmp_path: Path) -> None:
    (tmp_path / "b").write_bytes(b"theirs")
    with pytest.raises(NotPlaced):
        place([NewFile(tmp_path / "new" / "a", b"ours"), NewFile(tmp_path / "b", b"ours")])
    assert files_in(tmp_path) == {"b": b"theirs"}
    assert [path.name for path in tmp_path.iterdir()] == ["b"]


def test_an_interrupt_between_two_files_takes_the_first_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link, calls = os.link, list[str]()

    def interrupted(draft: str | Path, path: str | Path) -> None:
        calls.append(str(path))
        if len(calls) == 2:
            raise KeyboardInterrupt
        link(draft, path)

    monkeypatch.setattr("teamops.config.placing.os.link", interrupted)
    with pytest.raises(KeyboardInterrupt):
        place([NewFile(tmp_path / "deep" / "er" / "a", b"a"), NewFile(tmp_path / "b", b"b")])
    assert len(calls) == 2
    assert list(tmp_path.iterdir()) == []


def test_an_addition_that_fails_is_cut_off_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ignore").write_bytes(b"old")

    def no_sync(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("teamops.config.placing.os.fsync", no_sync)
    with pytest.raises(NotPlaced, match="No space left"):
        place([], [Addition(tmp_path / "ignore", b"new")])
    assert files_in(tmp_path) == {"ignore": b"old"}


def test_a_file_system_without_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(_: object, __: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("teamops.config.placing.os.link", no_links)
    place([NewFile(tmp_path / "a", b"a")])
    assert files_in(tmp_path) == {"a": b"a"}
    with pytest.raises(NotPlaced):
        place([NewFile(tmp_path / "b", b"b"), NewFile(tmp_path / "a", b"other")])
    assert files_in(tmp_path) == {"a": b"a"}


def test_the_umask_holds(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        place([NewFile(tmp_path / "a", b"a")])
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640


def test_six_roles_are_listed_as_the_pipeline_goes(project: Path, init: Init) -> None:
    init("--yes", "--roles", "all")
    assert tuple(role.role for role in load(project).roles) == AGENT_ROLES


def test_what_is_added_to_a_watched_team_is_on_record_and_not_at_an_agent_s_hands(
    project: Path, init: Init, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert init("--yes")[0] == 0
    folder = state_dir_of(load(project), None)
    folder.mkdir(parents=True, exist_ok=True)
    (project / ".gitignore").write_bytes(b"mine\n")
    profile = min((project / "profiles").iterdir())
    profile.unlink()
    with closing(open_ledger(folder / "ledger.sqlite3")) as ledger:
        assert init()[0] == 0
        own = {one.path: (one.digest, one.made_of) for one in ledger.boundaries.own_writes(0.0)}
        assert own == {
            str(profile): (digest_of(profile.read_bytes()), ""),
            str(project / ".gitignore"): (digest_of((project / ".gitignore").read_bytes()), digest_of(b"mine\n")),
        }
        profile.unlink()
        monkeypatch.setenv("TEAMOPS_ROLE", "CODER")
        assert init()[0] == 0
        assert len(ledger.boundaries.own_writes(0.0)) == 2
