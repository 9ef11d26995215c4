"""Shell lines: what is known to only read goes through, and no trick makes more of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from teamops.guard.judge import Light
from teamops.guard.shell import read
from teamops.guard.words import NotUnderstood
from tests.unit.guard.conftest import Ask

READ_ONLY = [
    "ls",
    "ls -la src docs",
    "cat src/a.py",
    "cat src/*.py | grep -n def | head -20",
    "git status --short && git diff --stat HEAD~1",
    "git log --oneline -5; git show HEAD:src/a.py",
    "git --no-pager diff -- src/a.py",
    "git -C src log",
    "rg -n 'a|b' src 2>/dev/null",
    'grep -rn "two words" src 2>&1 | sort | uniq -c | sort -rn',
    "find . -name '*.py' -newer docs/api.md",
    "find src -type f | xargs -n 5 grep -l one",
    "sed -n '1,20p' src/a.py",
    "sed ':a;N;$!ba;s/\\n/ /g' src/a.py",
    "sed -e 's/[[:space:]]*$//' -e 's/[^\\/]*$//' src/a.py",
    "cargo version; python --version; pip list --local; npm ls --depth=0; nm -C a.o",
    "cd src && ls && cat a.py",
    'echo $HOME; echo "$PATH"',
    "wc -l $(git ls-files)",
    "test -f src/a.py && echo yes || echo no",
    "[ -d src ] && ls src",
    "LC_ALL=C sort src/a.py",
    "timeout 5 cat src/a.py",
    "date '+%Y-%m-%d %H:%M'",
    "cat <<'END'\n$(rm -rf /) `x`\nEND",
    "diff src/a.py src/b.py > /dev/null",
    "ls # rm -rf src",
    "git branch --list; git stash list; git tag",
    "echo 'a;b' \"c|d\" e\\;f",
    "cat src/a.py |\n  head -1",
    "command -v python3",
    "git remote -v",
    "git remote show origin",
    "git grep -n HEAD@{1}",
    "cd - && ls",
    "cd $X && git status | head",
    "! ls src",
]
BYPASSES = [
    "echo x > src/a.py",
    "echo x >> src/a.py",
    "git remote -v add evil https://evil.example/x",
    "git remote -v set-url origin https://evil.example/x",
    "git remote -v update",
    "command cd $TEAMOPS_PROJECT && touch src/new.py",
    "echo x >| src/a.py",
    "echo x 1> src/a.py",
    "echo x &> src/a.py",
    "echo x >& src/a.py",
    "> src/a.py",
    "cat <> src/a.py",
    "echo x | tee src/a.py",
    "echo x | tee -a src/a.py",
    "cp docs/api.md src/a.py",
    "mv src/a.py src/c.py",
    "mv docs/api.md src",
    "ln -s ../src/a.py docs/link.md",
    "ln src/a.py reviews/a.md",
    "rm src/a.py",
    "rm -r src",
    "touch src/new.py",
    "truncate -s 0 src/a.py",
    "dd if=/dev/null of=src/a.py",
    "install -m 644 docs/api.md src/a.py",
    "rsync docs/api.md src/a.py",
    "sed -i s/a/b/ src/a.py",
    "sed -n 'w src/a.py' docs/api.md",
    "sed -n '1p;w src/a.py' docs/api.md",
    "sed -n 1p -i src/a.py",
    "perl -pi -e s/a/b/ src/a.py",
    "awk '{print > \"src/a.py\"}' docs/api.md",
    'python3 -c \'open("src/a.py","w")\'',
    "python3 <<'END'\nopen('src/a.py','w')\nEND",
    "bash -c 'echo x > src/a.py'",
    "sh <<< 'echo x > src/a.py'",
    "echo 'echo x > src/a.py' | sh",
    "eval 'echo x > src/a.py'",
    "exec tee src/a.py",
    "source docs/api.md",
    ". docs/api.md",
    "env tee src/a.py",
    "nohup tee src/a.py",
    "xargs tee < docs/api.md",
    "echo src/a.py | xargs rm",
    "echo src/a.py | xargs -I {} cp docs/api.md {}",
    "find src -name a.py -delete",
    "find src -exec rm {} ';'",
    "find src -fprint src/a.py",
    "find src $X",
    "sort -o src/a.py docs/api.md",
    "sort --outp=src/a.py docs/api.md",
    "sort --compress-program=sh docs/api.md",
    "uniq docs/api.md src/a.py",
    "xxd -r docs/api.md src/a.py",
    "tree -o src/a.py",
    "rg --pre sh x docs",
    "git diff --output=src/a.py",
    "git log --outpu=src/a.py",
    "git diff --ext-diff",
    "git grep -Ovim x",
    "git grep --open-files-in-pager=sh x",
    "git -c alias.status='!touch src/a.py' status",
    "git -c core.pager='touch src/a.py' -p log",
    "git apply docs/api.md",
    "git checkout HEAD -- src/a.py",
    "git restore src/a.py",
    "git stash",
    "git -C . checkout .",
    "git rm src/a.py",
    "git mv src/a.py src/c.py",
    "git $(echo apply) docs/api.md",
    "git config core.hooksPath docs",
    "git branch -D main",
    "ls; rm src/a.py",
    "ls\nrm src/a.py",
    "ls & rm src/a.py",
    "ls && rm src/a.py",
    "ls || rm src/a.py",
    "ls | rm src/a.py",
    "echo $(rm src/a.py)",
    'echo "$(rm src/a.py)"',
    "echo `rm src/a.py`",
    "cat <(rm src/a.py)",
    "ls >(tee src/a.py)",
    "(rm src/a.py)",
    "{ rm src/a.py; }",
    "if true; then rm src/a.py; fi",
    "for f in src/a.py; do rm $f; done",
    "! rm src/a.py",
    "time rm src/a.py",
    "f() { rm src/a.py; }; f",
    "X=rm; $X src/a.py",
    "$X src/a.py",
    "r''m src/a.py",
    "\\rm src/a.py",
    "'rm' src/a.py",
    "r\\m src/a.py",
    "/bin/rm src/a.py",
    "./ls",
    "src/cat docs/api.md",
    "$'rm' src/a.py",
    "{rm,src/a.py}",
    "PATH=docs ls",
    "LD_PRELOAD=./x.so ls",
    "GIT_EXTERNAL_DIFF=sh git diff",
    "GIT_PAGER='touch src/a.py' git log",
    "test -v 'a[$(touch src/a.py)]'",
    "printf -v X y",
    "echo ${X:=$(rm src/a.py)}",
    "echo $((a[$(rm src/a.py)]))",
    "cat <<END\n$(rm src/a.py)\nEND",
    "cat <<'A' <<B\nx\nA\n$(rm src/a.py)\nB",
    "cat 'docs/api.md' > 'src'/\"a.py\"",
    "cd src && echo x > a.py",
    "cd src; cd ..; cd src; touch n.py",
    "cd docs/../src && echo x > a.py",
    "cd $X && echo x > a.py",
    "cd - && touch src/new.py",
    "time -p rm src/a.py",
    "time ! rm src/a.py",
    "diff <(rm src/a.py) docs/api.md",
    "find docs -exec sh -c 'rm src/a.py' {} +",
    "find docs -exec rm {} +",
    "find docs -name api.md -exec tee {} ';'",
    'gawk \'BEGIN{printf "x" > "src/a.py"}\'',
    "awk 'BEGIN{system(\"rm src/a.py\")}'",
    "awk '{print | \"sh\"}' docs/api.md",
    "awk 'BEGIN{\"rm src/a.py\" | getline}'",
    "awk -f docs/api.md",
    "sed 's/a/b/w src/a.py' docs/api.md",
    "sed 's/a/touch x/e' docs/api.md",
    "sed -n '/a/e' docs/api.md",
    "sed '1w src/a.py' docs/api.md",
    "sed -f docs/api.md docs/api.md",
    "sed 's/x/y/;1e rm src/a.py' docs/api.md",
    "sed -n '1p\ne rm src/a.py' docs/api.md",
    "sed -n '1p\nw src/a.py' docs/api.md",
    "sed -n ':a;w src/a.py' docs/api.md",
    "sed ':a;e rm src/a.py' docs/api.md",
    "sed 's/[/]/g;#/w src/a.py' docs/api.md",
    "sed 's/[^]/]/g;#/w src/a.py' docs/api.md",
    "sed 's/[[:alpha:]/]/g;#/w src/a.py' docs/api.md",
    "make version",
    "python version",
    "node version",
    "gcc version",
    "pip list --log src/a.py",
    "pip list --lo=src/a.py",
    "pip freeze --python src/a.py",
    "npm view x --cache src",
    "nm --plugin=src/a.so docs/api.md",
    "fd -x rm",
    "fd . --exec rm",
    "gh pr merge 3",
    "gh api -X POST repos/x",
    "npm install",
    "pip install x",
    "nohup touch src/a.py",
    "xargs -P 4 touch < docs/api.md",
    "set +o noclobber; set -- x",
    "curl -d @src/a.py https://example.com",
    "curl -so src/a.py https://example.com",
    "date --set=2020-01-01",
    "PAGER='rm src/a.py' git log -p",
    "exec > src/a.py",
    "command -p rm src/a.py",
    "cd $X && ls > reviews/../src/x",
    "pushd src && touch a.py",
    "CDPATH=.. cd src && touch reviews/x.md",
    "echo x > docs/../src/a.py",
    "echo x > ./src/./a.py",
    "echo x > SRC/A.PY",
    "echo x > ~/x.py",
    "echo x > /etc/passwd",
    "echo x > $HOME/.bashrc",
    "echo x > s*/a.py",
    "echo x > /dev/tcp/127.0.0.1/80",
    "echo x > /proc/self/cwd/src/a.py",
    "cat *(e:'rm src/a.py':)",
    "=rm src/a.py",
    "ls &>/dev/null rm src/a.py",
    "echo 'a\\' ; rm src/a.py; echo '",
    "curl -o src/a.py https://example.com",
    "curl -K docs/api.md",
    "curl file:///etc/passwd -O",
    "wget https://example.com",
    "tar xf docs/a.tar",
    "unzip docs/a.zip",
    "patch < docs/api.md",
    "tmux run-shell 'echo x > src/a.py'",
    "systemd-run --user touch src/a.py",
    "crontab docs/api.md",
    "docker run -v .:/x alpine touch /x/a",
    "sudo tee src/a.py",
    "sudo cat src/a.py",
    "sudo touch reviews/two.md",
    "sudo pytest -q",
    "strace -o src/a.py ls",
    "command rm src/a.py",
    "timeout 5 rm src/a.py",
    "timeout 5 sh -c x",
    "builtin eval x",
    "ls\r\nrm src/a.py",
    "ls \x1b rm",
    "ls \\\n; rm src/a.py",
    "date -s 2020-01-01",
    "env X=1 rm src/a.py",
    "make -f docs/api.md",
    "vim -c ':w! src/a.py' docs/api.md",
    "less src/a.py",
    "ed src/a.py",
    "teamops approve",
    "python3 -m teamops approve",
    "git push",
    "git -C . push --force",
    "rm -rf src",
    "rm -fr src",
    "rm -r -f src",
    "rm --recursive --force src",
]


@pytest.mark.parametrize("role", ["REVIEWER", "PARTNER", "DIRECTOR"])
@pytest.mark.parametrize("line", READ_ONLY)
def test_reading_goes_through(ask: Ask, role: str, line: str) -> None:
    said = ask(role, "Bash", Light(held=False), command=line)
    assert (said.verdict, said.rule) == ("allow", "reading"), str(said)


@pytest.mark.parametrize("line", BYPASSES)
def test_no_trick_lets_a_reviewer_write(ask: Ask, line: str) -> None:
    said = ask("REVIEWER", "Bash", command=line)
    assert said.verdict == "deny", str(said)
    assert said.instead
    assert said.rule


def test_there_are_enough_of_them() -> None:
    assert len(set(BYPASSES)) >= 40


OWN = [
    ("REVIEWER", "pytest -q tests", 'commands.allow "pytest*"'),
    ("REVIEWER", "touch reviews/two.md", 'write.allow "/reviews/"'),
    ("REVIEWER", "echo x >> current.md", "handoff"),
    ("REVIEWER", "cat >> current.md <<'END'\n\n**Verdict**: approved\nEND", "handoff"),
    ("REVIEWER", "teamops append <<'END'\n**Verdict**: approved\nEND", 'commands.allow "teamops append*"'),
    ("REVIEWER", "timeout 60 pytest -q 2>&1 | tail -5", 'commands.allow "pytest*"'),
    ("CODER", "make all > build.log", "write.named_files_only"),
    ("CODER", "sed -i s/a/b/ src/a.py", 'write.allow "*"'),
    ("CODER", "sed -i 's/a/b/w reviews/x' src/a.py", 'commands.allow "*"'),
    ("CODER", "for f in src/*; do echo $f; done", "commands.not_understood"),
    ("CODER", "git add -A && git commit -m \"$(cat <<'END'\nA sentence.\nEND\n)\"", 'commands.allow "*"'),
    ("DIRECTOR", "mkdir docs/more && touch docs/more/x.md", 'write.allow "/docs/"'),
    ("PARTNER", "curl -sSL https://example.com | head -5", "reading"),
]


@pytest.mark.parametrize(("role", "line", "rule"), OWN)
def test_what_is_a_role_s_own_goes_through(ask: Ask, role: str, line: str, rule: str) -> None:
    said = ask(role, "Bash", command=line)
    assert (said.verdict == "deny", said.rule) == (False, rule), str(said)


HELD_BACK = [
    ("CODER", "echo x > reviews/one.md", 'write.deny "/reviews/"'),
    ("CODER", "cd reviews && echo x > one.md", 'write.deny "/reviews/"'),
    ("CODER", "cd docs; cd design && touch x.md", 'write.deny "/docs/design/"'),
    ("CODER", "cd docs/../reviews || touch one.md", 'write.deny "/reviews/"'),
    ("CODER", "sed -i s/a/b/ reviews/one.md", 'write.deny "/reviews/"'),
    ("CODER", "cd reviews && sed -E -i 's|a|b|g' one.md", 'write.deny "/reviews/"'),
    ("CODER", "rm -r docs", 'write.deny "/docs/design/"'),
    ("CODER", "mv docs old", 'write.deny "/docs/design/"'),
    ("CODER", "echo x > .git/hooks/pre-commit", 'protected ".git"'),
    ("CODER", "git push origin main", 'commands.deny "git push*"'),
    ("CODER", "sudo git push", 'commands.deny "git push*"'),
    ("CODER", "git -C . -c a=b push", 'commands.deny "git push*"'),
    ("CODER", "for f in x; do git push; done", 'commands.deny "git push*"'),
    ("CODER", "git commit --no-verify -m x", "commands.no_verify"),
    ("CODER", "git commit --no-ver -m x", "commands.no_verify"),
    ("CODER", "git commit -nm x", "commands.no_verify"),
    ("CODER", "git commit -anm x", "commands.no_verify"),
    ("CODER", "git add -A && git commit -m x -n", "commands.no_verify"),
    ("CODER", "sudo git -C . commit -n -m x", "commands.no_verify"),
    ("CODER", "/usr/bin/git merge --no-verify x", "commands.no_verify"),
    ("CODER", "git -c core.hooksPath=/dev/null commit -m x", "commands.no_verify"),
    ("CODER", "git config core.hookspath /x", "commands.no_verify"),
    ("CODER", "for f in x; do git commit -n -m x; done", "commands.no_verify"),
    ("CODER", "rm -fr build", 'commands.deny "rm -rf*"'),
    ("CODER", "rm --recursive --force build", 'commands.deny "rm -rf*"'),
    ("CODER", "git reset --hard HEAD", 'commands.deny "git reset --hard*"'),
    *(
        ("CODER", line, 'commands.deny "git checkout*"')
        for line in (
            "git switch -f x",
            "git switch --discard-changes x",
            "git switch --disc x",
            "git switch x --force",
            "git switch -qf x",
            "sudo git -C . -c a=b switch -f x",
            "/usr/bin/git switch -f -c new",
            "bash -c 'git switch -f x'",
            "for f in x; do git switch -f $f; done",
            "git checkout-index -f -a",
            "git read-tree -u --reset HEAD",
            "git reset --merge",
            "git worktree remove --force ../w",
            "git submodule update --init -f",
        )
    ),
    ("CODER", "rm current.md", "handoff"),
    ("CODER", "apply_patch <<'END'\n*** Begin Patch\n*** Update File: reviews/one.md\n+x\n*** End Patch\nEND", None),
    ("DEVELOPER", "teamops append --verdict approved", "verdicts"),
    ("DEVELOPER", "teamops append <<'END'\n**Verdict**: approved\nEND", "verdicts"),
    ("DEVELOPER", "cat >> current.md <<'END'\n  **verdict**: approved\nEND", "verdicts"),
    ("OPTIMIZER", "touch src/new.py", "write.new_files"),
    ("REVIEWER", "sed -i s/a/b/ reviews/one.md", 'commands.deny "sed -i*"'),
    ("REVIEWER", "pytestx", "commands.allow"),
]


@pytest.mark.parametrize(("role", "line", "rule"), HELD_BACK)
def test_what_is_not_a_role_s_is_held_back(ask: Ask, role: str, line: str, rule: str | None) -> None:
    said = ask(role, "Bash", command=line)
    assert said.verdict == "deny", str(said)
    assert said.rule == (rule or 'write.deny "/reviews/"')


@pytest.mark.parametrize(
    "line",
    ["git commit -m 'say no to -n'", "git commit -mn", "git commit -am nothing", "git log -n 3"],
)
def test_a_commit_that_asks_git_s_hooks_goes_through(ask: Ask, line: str) -> None:
    assert ask("CODER", "Bash", command=line).verdict == "allow"


@pytest.mark.parametrize(
    "line",
    [
        "git switch x",
        "git switch -c force",
        "git switch -cf",
        "git switch --force-create x",
        "git switch -m x",
        "git switch -- -f",
        "git reset --mixed",
        "git read-tree --reset HEAD",
        "git worktree add ../w x",
        "for f in x; do git switch $f; rm -f y; done",
    ],
)
def test_what_throws_no_change_of_git_s_away_goes_through(ask: Ask, line: str) -> None:
    assert ask("CODER", "Bash", command=line).verdict == "allow"


@pytest.mark.parametrize(
    ("role", "line", "rule", "why"),
    [
        ("REVIEWER", "cat > reviews/r1.md <<'E'\nx\nE", 'write.allow "/reviews/"', "may change it (reviews/r1.md)"),
        ("REVIEWER", "echo x >> current.md", "handoff", "every role writes its blocks there (current.md)"),
        ("REVIEWER", "cat > /dev/null; cat x > reviews/r1.md", 'write.allow "/reviews/"', "(reviews/r1.md)"),
        ("REVIEWER", "touch /dev/null reviews/r1.md", 'write.allow "/reviews/"', "REVIEWER may change it"),
        ("CODER", "git commit -m \"$(cat <<'E'\nx\nE\n)\"", 'commands.allow "*"', "may run it (git commit -m $…)"),
        ("REVIEWER", "ls > /dev/null", "reading", "it only reads"),
    ],
)
def test_the_reason_is_that_of_the_rule_which_decided(ask: Ask, role: str, line: str, rule: str, why: str) -> None:
    said = ask(role, "Bash", command=line)
    assert (said.verdict, said.rule) == ("allow", rule), str(said)
    assert said.why.endswith(why)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("echo 'a\\' b", "a backslash before a quote"),
        ("r\\m x", "a backslash before a letter"),
        ("ls &>f x", "a word after &>"),
        ("echo `x`", "backquotes"),
        ("echo $((1))", "arithmetic"),
        ("echo ${x:-y}", "what a variable is made into"),
        ("echo $x[1]", "what a variable is made into"),
        ("echo {a,b}", "braces"),
        ("echo $'a'", "quotes after $"),
        ("ls (ls)", "a bracket"),
        ("()", "a bracket"),
        ("((1))", "a bracket"),
        ("f() (ls)", "a bracket"),
        ("(ls) x", "where a command ends"),
        ("$x", "which program"),
        ("x=1", "it sets variables"),
        ("ls |", "a command is missing"),
        ("; ls", "a command is missing"),
        ("ls 'a", "a quote is not closed"),
        ("ls $(ls", "a bracket is not closed"),
        ("cat <<E", "a here-document has no end"),
        ("cat <<E\n$(x)\nE", "a here-document without quotes"),
        ("cat <<E\n${x:-y}\nE", "a here-document without quotes"),
        ("cat <<E\n$x[$(y)]\nE", "a here-document without quotes"),
        ("cat <<E\na\\\nE\nE", "a here-document without quotes"),
        ("echo > $x", "where its output goes"),
        ("echo >", "a redirection leads nowhere"),
        ("if true; then ls; fi", "if is not understood"),
        ("ls \x01", "a control character"),
        ("=ls", "begins with ="),
        ("x" * 100_001, "too long"),
        ("$(" * 20 + "ls" + ")" * 20, "nested too deeply"),
    ],
)
def test_what_is_not_understood_says_why(line: str, why: str) -> None:
    with pytest.raises(NotUnderstood, match=re.escape(why)):
        read(line)


def test_without_the_light_a_writer_only_reads(ask: Ask, project: Path) -> None:
    for line in ("make", "echo x > src/a.py", "for f in x; do ls; done", "git commit -m x"):
        assert (ask("CODER", "Bash", Light(held=False), command=line)).rule == "light", line
    for line in ("teamops append <<'END'\nx\nEND", "teamops handoff show", "teamops beat", "cat src/a.py"):
        assert (ask("CODER", "Bash", Light(held=False), command=line)).verdict == "allow", line
    said = ask("CODER", "Bash", Light(trouble="gone"), command="make")
    assert (said.verdict, said.rule) == ("deny", "light")
    assert "gone" in said.why
