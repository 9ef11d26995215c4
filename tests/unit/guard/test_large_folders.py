"""Folders of very many files: of what lies in them only what a rule could speak of is judged, and by the same rules."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from teamops.guard import places, reach, sifting
from teamops.guard.decide import decide
from teamops.guard.judge import Light
from tests.unit.guard.conftest import HELD, Ask

PARTS = (
    ".git", ".GIT", "git~1", ".claude", "settings.json", "settings.local.json", "hooks", ".codex", ".mcp.json", "docs",
    "design", "Design.", "reviews", "profiles", ".teamops", "a.py", "b.md", "lib", "opencode.json", ".gemini", ".env",
    "current.md", "gen", "x.gen.ts", "ünder", "plugins", ".opencode",
)  # fmt: skip
LINES = (
    "rm -r {}", "mv {} new", "mv {} docs", "cp -r {} .claude", "cp -a {}/. .", "cp -a {}/. docs", "rsync -a {}/ new",
    "chmod -R u+w {}", "mv -T {} docs/design", "find {} -delete", "cp -r {} .gemini", "git rm -r {}",
)  # fmt: skip


def fill(folder: Path, count: int) -> None:
    for number in range(count):
        if number % 100 == 0:
            (folder / f"pkg{number}" / "lib").mkdir(parents=True)
        (folder / f"pkg{number - number % 100}" / "lib" / f"{number}.js").touch()


@pytest.fixture
def modules(project: Path) -> Path:
    fill(project / "node_modules", places.MAX_BELOW + 100)
    return project / "node_modules"


@pytest.mark.parametrize(
    "line", ["rm -r node_modules", "mv node_modules old", "cp -r node_modules old", "chmod -R u+w node_modules",
             "cp -a node_modules/. src", "find node_modules -delete"],
)  # fmt: skip
def test_what_tools_made_may_be_cleared_away_however_large(ask: Ask, modules: Path, line: str) -> None:
    assert modules.is_dir()
    said = ask("DEVELOPER", "Bash", command=line)
    assert said.verdict == "allow", str(said)
    assert ask("REVIEWER", "Bash", command=line).verdict == "deny"


@pytest.mark.parametrize(
    ("name", "line", "rule"),
    [
        ("node_modules/pkg0/.git/config", "rm -r node_modules", 'protected ".git"'),
        ("node_modules/deep/er/.codex/x", "mv node_modules old", 'protected "**/.codex/"'),
        ("node_modules/settings.json", "mv node_modules .claude", 'protected "**/.claude/settings*.json"'),
        ("node_modules/design/x", "mv -T node_modules docs", 'write.deny "/docs/design/"'),
        ("node_modules/docs/design/x", "cp -a node_modules/. .", 'write.deny "/docs/design/"'),
    ],
)
def test_what_nobody_may_change_is_found_among_very_many(
    ask: Ask, project: Path, modules: Path, name: str, line: str, rule: str
) -> None:
    (project / name).parent.mkdir(parents=True, exist_ok=True)
    (project / name).write_text("x")
    said = ask("DEVELOPER", "Bash", command=line)
    assert (said.verdict, said.rule) == ("deny", rule), (modules, str(said))


def test_of_more_than_can_be_gone_through_who_may_run_any_is_warned(
    ask: Ask, project: Path, modules: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sifting, "MAX_SIFTED", 150)
    for line in ("rm -r node_modules", "mv node_modules old", "cp -a node_modules/. src"):
        said = ask("DEVELOPER", "Bash", command=line)
        assert (said.verdict, said.rule) == ("warn", "commands.unread"), str(said)
    (project / "docs" / "node_modules").mkdir()
    modules.rename(project / "docs" / "node_modules" / "x")
    assert ask("DIRECTOR", "Bash", command="rm -r docs/node_modules").verdict == "deny"
    said = ask("DEVELOPER", "Bash", command="rm -r docs")
    assert (said.verdict, said.rule) == ("deny", 'write.deny "/docs/design/"')


def test_without_the_light_nothing_is_too_much_to_be_refused(
    ask: Ask, modules: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert modules.is_dir()
    monkeypatch.setattr(sifting, "MAX_SIFTED", 150)
    monkeypatch.setattr(reach, "MAX_SEEN", 150)
    for line in ("find . -name '*.js' -delete", "rm node_modules/**/*.js", "rm -r node_modules"):
        assert ask("DEVELOPER", "Bash", command=line).rule == "commands.unread", line
        said = ask("DEVELOPER", "Bash", Light(), command=line)
        assert (said.verdict, said.rule) == ("deny", "light"), line


def test_folders_that_take_too_long_are_too_many(ask: Ask, modules: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert modules.is_dir()
    monkeypatch.setattr(places, "MAX_S", -1.0)
    assert ask("DEVELOPER", "Bash", command="rm -r node_modules").rule == "commands.unread"


def test_where_any_name_could_matter_a_large_folder_stays(
    policy: Callable[[str], dict[str, Any]], project: Path, modules: Path
) -> None:
    assert modules.is_dir()
    for name, row in (("deny", ["regex", "x", True, "/*/**"]), ("allow", ["at", "x", False, "!/x"])):
        told = policy("DEVELOPER")
        told[name].append(row)
        said = decide(told, "Bash", {"command": "rm -r node_modules"}, str(project), HELD)
        assert (said.verdict, said.rule) == ("deny", "path"), str(said)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    made=st.lists(st.lists(st.sampled_from(PARTS), min_size=1, max_size=4), min_size=1, max_size=8),
    start=st.sampled_from(["big", "docs/big", "docs", "kit/.claude", "Docs"]),
    line=st.sampled_from(LINES),
    role=st.sampled_from(["DEVELOPER", "DIRECTOR", "OPTIMIZER"]),
    deny=st.lists(
        st.sampled_from(["*.gen.*", "gen/", "/big/**/lib", "lib/a.py", "[ab].py", "/docs/*/hooks", "x?gen*"]),
        max_size=2,
    ),
)
def test_the_rules_say_the_same_of_a_large_folder(
    made: list[list[str]], start: str, line: str, role: str, deny: list[str], policy: Callable[[str], dict[str, Any]],
    project: Path,
) -> None:  # fmt: skip
    from teamops.domain.globs import folded, rows

    told = policy(role)
    own = rows(deny)
    told["deny"] += [list(row) for row in own]
    told["deny_folded"] += [list(row) for row in folded(own)]
    with tempfile.TemporaryDirectory(dir=project.parent) as folder:
        root = Path(folder) / "shop"
        shutil.copytree(project, root)
        told["roots"] = [str(root)]
        for parts in made:
            path = root.joinpath(start, *parts)
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch()
            except OSError:
                continue  # a file stands where a folder would

        def said(plainly: int) -> tuple[str, str]:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(places, "PLAINLY", plainly)
                command = {"command": line.format(start)}
                light = Light(held=True, tiers=(1,), named=())
                answer = decide(told, "Bash", command, str(root), light)
            return answer.verdict, answer.rule.partition(" ")[0]

        assert said(1) == said(places.MAX_BELOW)
