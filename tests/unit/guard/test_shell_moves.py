"""Folders that are moved or copied: what is in them is judged under the new name, and under the old one if it goes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.guard.conftest import Ask


@pytest.fixture(autouse=True)
def more(project: Path) -> None:
    for name in (
        "stuff/settings.json", "stuff/deep/er/x.md", "stuff/hooks/x.sh", "kit/.claude/settings.json", "kit/a.txt",
        "plain/x.txt", "plain/design/y.md", "git/config", "locked/reviews/x.md",
    ):  # fmt: skip
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text("x\n")
    (project / "into").mkdir()
    (project / "link").symlink_to("stuff")


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("mv stuff .git", 'protected ".git"'),
        ("mv git .git", 'protected ".git"'),
        ("mv git/config .git/", 'protected ".git"'),
        ("mv stuff .claude", 'protected "**/.claude/settings*.json"'),
        ("mv stuff/ into/.claude", 'protected "**/.claude/settings*.json"'),
        ("mv -T stuff .claude", 'protected "**/.claude/settings*.json"'),
        ("cp -r stuff .claude", 'protected "**/.claude/settings*.json"'),
        ("cp -a stuff/. .claude", 'protected "**/.claude/settings*.json"'),
        ("cp -a kit/. .", 'protected "**/.claude/settings*.json"'),
        ("cp -a kit/. into", 'protected "**/.claude/settings*.json"'),
        ("cp -r kit into", 'protected "**/.claude/settings*.json"'),
        ("cp -r link .claude", 'protected "**/.claude/settings*.json"'),
        ("rsync -a stuff/ .claude", 'protected "**/.claude/settings*.json"'),
        ("rsync -a kit/ into/", 'protected "**/.claude/settings*.json"'),
        ("git mv stuff .claude", 'protected "**/.claude/settings*.json"'),
        ("mv stuff profiles", 'protected "/profiles/"'),
        ("mv plain docs", None),
        ("cp -r plain/. docs", 'write.deny "/docs/design/"'),
        ("mv plain/* docs", 'write.deny "/docs/design/"'),
        ("mv plain/design docs", 'write.deny "/docs/design/"'),
        ("cp -r plain/des* docs/", 'write.deny "/docs/design/"'),
        ("mv docs into", 'write.deny "/docs/design/"'),
        ("mv docs/* into", 'write.deny "/docs/design/"'),
        ("mv reviews old", 'write.deny "/reviews/"'),
        ("mv reviews/one.md old.md", 'write.deny "/reviews/"'),
        ("mv plain into", None),
        ("cp -r docs into", None),
        ("cp reviews/one.md into", None),
        ("cp -r reviews into/copy", None),
        ("cp stuff/settings.json .", None),
        ("cp /tmp/none.txt .", None),
        ("mv into/x.txt .", None),
        ("mv locked/reviews .", 'write.deny "/reviews/"'),
        ("cd plain && mv design ../docs", 'write.deny "/docs/design/"'),
        ("cd plain && cp x.txt ../src", None),
        ("cd plain && cp x.txt ..", None),
        ("cd docs && mv api.md ../into/api.md", None),
    ],
)
def test_what_is_in_a_folder_counts(ask: Ask, line: str, rule: str | None) -> None:
    said = ask("DEVELOPER", "Bash", command=line)
    assert (said.verdict == "deny") == (rule is not None), str(said)
    assert rule is None or said.rule == rule, str(said)


def test_a_role_that_writes_documents_moves_them_nowhere_else(ask: Ask) -> None:
    assert ask("DIRECTOR", "Bash", command="mv docs/api.md docs/design/").verdict == "allow"
    assert ask("DIRECTOR", "Bash", command="cp -a docs/design docs/old").verdict == "allow"
    for line in ("mv docs src", "mv docs/design src/x", "cp -r docs src", "cp -r src docs/copy"):
        assert ask("DIRECTOR", "Bash", command=line).verdict == "deny", line


def test_a_folder_of_many_files_is_judged_too(ask: Ask, project: Path) -> None:
    for number in range(2_100):
        (project / "stuff" / f"{number}.txt").write_text("")
    said = ask("DEVELOPER", "Bash", command="mv stuff .claude")
    assert (said.verdict, said.rule) == ("deny", 'protected "**/.claude/settings*.json"')
    for line in ("mv stuff other", "cp -r stuff other", "rm -r stuff", "git mv stuff other", "find stuff -delete"):
        assert ask("DEVELOPER", "Bash", command=line).verdict == "allow", line
    assert ask("DEVELOPER", "Bash", command="cp stuff/7.txt other").verdict == "allow"
    assert ask("DEVELOPER", "Bash", command="find stuff -name '7.*' -delete").verdict == "allow"


@pytest.mark.parametrize(
    ("line", "verdict"),
    [
        ("find . -name '*.pyc' -delete", "allow"),
        ("find . -name 'x.txt' -delete", "allow"),
        ("find . -type f -name '*.txt' -exec rm {} +", "allow"),
        ("find . -name '*.md' -delete", "deny"),
        ("find . -name one.md -exec rm -f {} ';'", "deny"),
        ("find . -iname 'ONE.*' -delete", "deny"),
        ("find . -path './reviews/*' -delete", "deny"),
        ("find . -not -path './reviews/*' -name '*.txt' -delete", "allow"),
        ("find . -name '*.txt' -o -name one.md -delete", "deny"),
        ("find . '(' -name '*.txt' -o -name '*.pyc' ')' -delete", "allow"),
        ("find . '(' -name '*.txt' -o -name 'one.*' ')' -exec rm {} +", "deny"),
        ("find reviews -type f -delete", "deny"),
        ("find plain -type f -delete", "allow"),
        ("find . -name x.txt -exec cp {} reviews/ ';'", "deny"),
        ("find . -name x.txt -exec cp {} into/ ';'", "allow"),
        ("find . -name x.txt -fprint reviews/list", "deny"),
        ("find . -name '*.md' -exec sed -i s/a/b/ {} +", "deny"),
        ("find src -name '*.py' -exec sed -i s/a/b/ {} +", "allow"),
        ("find src -name '*.py' -exec chmod +x {} +", "allow"),
        ("rm src/*.pyc", "allow"),
        ("rm plain/*.txt", "allow"),
        ("rm rev*/one.md", "deny"),
        ("rm */one.md", "deny"),
        ("rm **/one.md", "deny"),
        ("rm reviews/on[a-e].md", "deny"),
        ("rm reviews/?ne.md", "deny"),
        ("touch plain/*", "allow"),
        ("git rm '*.md'", "deny"),
        ("git rm -r --cached plain", "allow"),
        ("git rm -rq reviews", "deny"),
        ("git clean -fd plain", "deny"),
        ("git apply <<'E'\n--- a/reviews/one.md\n+++ b/reviews/one.md\nE", "deny"),
        ("git apply -p2 <<'E'\n--- a/x/src/a.py\n+++ b/x/src/a.py\nE", "allow"),
        ("patch -p1 <<'E'\n--- a/reviews/one.md\n+++ b/reviews/one.md\nE", "deny"),
        ("patch -p1 < x.patch", "warn"),
        ("git apply x.patch", "warn"),
        ('rm "$OLD"', "warn"),
        ("find . -name x | xargs rm", "warn"),
        ("tar xf plain.tar", "warn"),
        ("xargs -I {} cp {} reviews/", "deny"),
    ],
)
def test_what_a_pattern_stands_for_counts(ask: Ask, line: str, verdict: str) -> None:
    assert ask("DEVELOPER", "Bash", command=line).verdict == verdict, str(ask("DEVELOPER", "Bash", command=line))
