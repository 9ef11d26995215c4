"""Lines as agents run them every day, and what each role is told: what only reads goes through, for all of them."""

from __future__ import annotations

import pytest

from teamops.guard.judge import Light
from tests.unit.guard.conftest import Ask

ROLES = ("DIRECTOR", "DEVELOPER", "CODER", "REVIEWER", "OPTIMIZER", "PARTNER")
READING = r"""
git status
git status --short --branch
git status && git diff --stat
git diff HEAD~3 -- src/a.py
git diff --cached --name-only
git diff main...HEAD --stat | tail -1
git --no-pager log --oneline -10
git log -p -3 --follow src/a.py
git log --since='2 weeks ago' --format='%h %an %s' | head -40
git show HEAD~1:src/a.py | sed -n '10,60p'
git show --stat HEAD
git branch --show-current
git branch -vv
git branch -a --sort=-committerdate | head
git blame -L 10,40 src/a.py
git rev-parse --abbrev-ref HEAD
git rev-parse --show-toplevel
git ls-files | wc -l
git ls-files '*.py' | xargs wc -l | sort -n | tail -20
git stash list
git remote -v
git worktree list
git tag --list 'v*' | sort -V | tail -3
git grep -n 'def judge' -- '*.py'
git merge-base main HEAD
git shortlog -sn | head
git for-each-ref --sort=-committerdate refs/heads
git -C src status
cd src && git log --oneline -3
ls
ls -la
ls -la src/ docs/ 2>/dev/null
ls -1 src/*.py | wc -l
ls -R docs | head -50
pwd && ls
tree -L 2 -I node_modules
cat src/a.py
cat -n src/a.py | head -60
cat src/a.py src/b.py | wc -l
head -50 docs/api.md
tail -n +20 docs/api.md | head -30
tail -100 docs/api.md
sed -n 1,40p src/a.py
sed -n '1,40p' src/a.py
sed -n '/def a/,/return/p' src/a.py
sed -n '10p;20,30p' src/a.py
sed -n -e '5,10p' -e '20p' src/a.py
sed 's/foo/bar/g' src/a.py | head
sed -E 's/([a-z]+)-([0-9]+)/\2/' docs/api.md
sed '/^$/d' docs/api.md
sed -n '$=' docs/api.md
nl -ba src/a.py | sed -n '100,140p'
awk '{print $1}' docs/api.md
awk 'NR>=10 && NR<=20' src/a.py
awk 'NR>10' src/a.py
awk -F: '{print $2}' docs/api.md | sort -u
awk -F, -v n=3 '$2 == n {s += $1} END {print s}' docs/api.md
awk '/^def /{print FILENAME": "$0}' src/a.py
awk '$3 > 100 {print $1}' docs/api.md
rg foo | head
rg -n 'foo|bar' src docs -g '*.py'
rg -l TODO
rg --files | head -100
rg --files -g '*.md' docs | xargs cat
rg -n "def \w+" src -A 3 -B 1 | head -80
grep -rn "import os" src --include='*.py'
grep -rnE '(foo|bar)' . | grep -v node_modules | head -20
grep -c '' src/a.py
grep -n one src/a.py || true
find . -name '*.py'
find . -name '*.py' | xargs grep -n foo
find . -type f -name '*.md' -not -path './node_modules/*' | sort
find src -name '*.py' -exec grep -l one {} +
find src -type f -exec wc -l {} ';'
find . -maxdepth 2 -type d | sort | head -30
find . -name '*.py' -newer docs/api.md -print
find . -name '*.py' -print0 | xargs -0 wc -l
find . -name '*.md' | xargs -I{} head -1 {}
fd -e py . src
wc -l src/*.py
wc -l < src/a.py
diff src/a.py src/b.py
diff -u src/a.py src/b.py | head -50
diff <(sort src/a.py) <(sort src/b.py)
diff <(git show HEAD:src/a.py) src/a.py
comm -23 <(ls src) <(ls docs)
cmp src/a.py src/b.py && echo same
jq . docs/api.md
jq -r '.scripts | keys[]' package.json
cat package.json | jq '.dependencies'
echo done
echo "=== a ===" && cat src/a.py && echo "=== b ===" && cat src/b.py
echo $PATH | tr ':' '\n'
echo "exit: $?"
printf '%s\n' one two
which python3 node npm
command -v uv
type git
python3 --version
python --version && node --version && npm --version
uv --version
go version
cargo --version
date
date +%s
date -u +%Y-%m-%dT%H:%M:%SZ
uname -a
whoami; id; hostname
env | sort
printenv PATH
ps aux | grep -i python | head
df -h .
du -sh src docs
du -sh * | sort -h | tail
stat -c '%s %n' src/a.py
file src/a.py
md5sum src/a.py
sha256sum src/a.py | cut -d' ' -f1
xxd src/a.py | head -5
od -c src/a.py | head
strings src/a.py | head
base64 src/a.py | head -1
sort docs/api.md | uniq -c | sort -rn | head
cut -d, -f1 docs/api.md
test -f pyproject.toml && cat pyproject.toml
[ -d node_modules ] || echo missing
timeout 10 git log --oneline -3
time git status
set -o pipefail; git log | head -5
set -euo pipefail && ls
LC_ALL=C sort docs/api.md
GIT_PAGER=cat git log -3
PAGER=cat git diff
cd "$(git rev-parse --show-toplevel)" && git status
cd src && ls -la && cat a.py
gh pr view 12
gh pr list --state open
gh pr diff 12 | head -200
gh issue view 3 --comments
gh run view 123 --log-failed | tail -50
pip list | grep -i pytest
pip show requests
npm ls --depth=0
curl -s https://example.com/api | jq .
curl -sI https://example.com
sleep 2
true
: && ls
seq 1 5
basename src/a.py .py
realpath src/a.py
readlink -f src
\ls -la
(cd src && ls)
bash -c 'ls | head'
bash -lc 'git status && cat src/a.py'
nproc; free -h; uptime
ls -la >/dev/null 2>&1
git diff > /dev/null && echo clean
git log --oneline | grep -c fix
git status --porcelain=v1 | awk '{print $2}'
""".strip().splitlines()
READING += ["cat <<'E'\nsome text\nE", "cat <<E\n$HOME and ${USER}\nE", "ls \\\n  -la", "ls\npwd\n\ngit status"]
ALL, WRITERS, NONE = "all", ("DEVELOPER", "CODER", "OPTIMIZER"), ()
OTHERS: list[tuple[str, str | tuple[str, ...]]] = [
    ("pytest -q", ("DIRECTOR", *WRITERS, "REVIEWER")),
    ("pytest -q tests/unit 2>&1 | tail -20", ("DIRECTOR", *WRITERS, "REVIEWER")),
    ("timeout 300 pytest -x -q", ("DIRECTOR", *WRITERS, "REVIEWER")),
    ("time pytest -q", ("DIRECTOR", *WRITERS, "REVIEWER")),
    ("python -m pytest -q", ("DIRECTOR", *WRITERS, "REVIEWER")),
    ("python3 -m pytest tests -k foo", ("DIRECTOR", *WRITERS, "REVIEWER")),
    ("uv run pytest -q", ("DIRECTOR", *WRITERS, "REVIEWER")),
    ("cd src && pytest -q ../tests", ("DIRECTOR", *WRITERS, "REVIEWER")),
    ("set -o pipefail; pytest -q | tail -5", ("DIRECTOR", *WRITERS, "REVIEWER")),
    ("npm test", ("DIRECTOR", *WRITERS, "REVIEWER")),
    ("npm test -- --watch=false 2>&1 | tail -40", ("DIRECTOR", *WRITERS, "REVIEWER")),
    ("make test", ("DIRECTOR", *WRITERS, "REVIEWER")),
    ("cd src && make test", ("DIRECTOR", *WRITERS, "REVIEWER")),
    ("go test ./...", ("DIRECTOR", *WRITERS, "REVIEWER")),
    ("cargo test -q", ("DIRECTOR", *WRITERS, "REVIEWER")),
    ("ruff check .", (*WRITERS, "REVIEWER")),
    ("ruff check --fix .", WRITERS),
    ("mypy src", (*WRITERS, "REVIEWER")),
    ("make all", ("DIRECTOR", *WRITERS)),
    ("make 2>&1 | tee build.log", ("DEVELOPER", "CODER")),
    ("git add -A && git commit -m 'A sentence.'", ("DIRECTOR", *WRITERS)),
    ("git add src/a.py", ("DIRECTOR", *WRITERS)),
    ("git commit -m \"$(cat <<'E'\nA sentence.\nE\n)\"", ("DIRECTOR", *WRITERS)),
    ("git fetch", WRITERS),
    ("git pull --rebase", WRITERS),
    ("git push", NONE),
    ("git stash", NONE),
    ("git checkout main", NONE),
    ("git switch -c topic", WRITERS),
    ("git rm -q src/b.py", WRITERS),
    ("git mv src/b.py src/c.py", ("DEVELOPER", "CODER")),
    ("git reset -q", WRITERS),
    ("npm install", WRITERS),
    ("npm run build", WRITERS),
    ("pip install -e .", WRITERS),
    ("uv sync", WRITERS),
    ("uv pip install x", WRITERS),
    ("python scripts/x.py", WRITERS),
    ("python - <<'E'\nprint(1)\nE", WRITERS),
    ("python -c 'print(1)'", WRITERS),
    ("node -e 'console.log(1)'", WRITERS),
    ("bash scripts/x.sh", WRITERS),
    ("docker compose up -d", WRITERS),
    ("for f in src/*.py; do wc -l $f; done", WRITERS),
    ("if [ -f x ]; then cat x; fi", WRITERS),
    ("cat <<'E' > src/new.py\nx = 1\nE", ("DEVELOPER", "CODER")),
    ("cat > docs/new.md <<'E'\n# x\nE", ("DIRECTOR", "DEVELOPER", "CODER")),
    ("cat <<E > src/a.py\n$X\nE", ("DEVELOPER", "CODER")),
    ("mkdir -p src/deep/er && touch src/deep/er/x.py", ("DEVELOPER", "CODER")),
    ("mkdir -p reviews && cat > reviews/two.md <<'E'\nx\nE", ("REVIEWER",)),
    ("cp src/a.py src/b.py", ("DEVELOPER", "CODER")),
    ("cp -a src/a.py src/copy.py", ("DEVELOPER", "CODER")),
    ("mv src/a.py src/c.py", ("DEVELOPER", "CODER")),
    ("rm src/b.py", WRITERS),
    ("rm -f src/b.py src/nothing.py", WRITERS),
    ("rm -r src", WRITERS),
    ("rm -rf build", NONE),
    ("sed -i 's/one/1/' src/a.py", WRITERS),
    ("sed -i.bak -e 's/one/1/' -e 's/two/2/' src/a.py", WRITERS),
    ("perl -pi -e 's/one/1/' src/a.py", ("DEVELOPER", "CODER")),
    ("perl -pi -e 's/one/1/' reviews/one.md", NONE),
    ("chmod +x src/a.py", WRITERS),
    ("chmod +x reviews/one.md", ("REVIEWER",)),
    ("find . -name '*.pyc' -delete", ALL),
    ("find . -name '__pycache__' -type d -exec rm -r {} +", ALL),
    ("find src -name 'a.py' -delete", WRITERS),
    ("tar xzf vendor.tgz", WRITERS),
    ("tar tzf vendor.tgz | head", WRITERS),
    ("curl -sSL -o src/x.js https://example.com/x.js", ("DEVELOPER", "CODER")),
    ("curl -sSL -o research/x.html https://example.com/x", ("PARTNER",)),
    ("git diff > src/x.patch", ("DEVELOPER", "CODER")),
    ("git apply x.patch", ("DEVELOPER", "CODER", "OPTIMIZER")),
    ("echo x >> current.md", ALL),
    ("git log >> current.md", ("REVIEWER",)),
    ("teamops status", ALL),
    ("teamops append <<'E'\nx\nE", ALL),
    ("teamops append --turn REVIEWER <<'E'\n$x `y`\nE", ALL),
    ("teamops handoff show", ALL),
    ("teamops approve x", NONE),
    ("sudo apt-get install x", WRITERS),
    ("echo hi > /etc/x", NONE),
    ("cp src/a.py ~/x.py", NONE),
    ("rm -r .git/hooks", NONE),
    ("cat src/a.py > /dev/null", ALL),
    ("ls | xargs rm", WRITERS),
    ("gh pr create --fill", WRITERS),
    ("black src && isort src", WRITERS),
    ("prettier --write src", WRITERS),
    ("tmux ls", WRITERS),
    ("kill 123", WRITERS),
    ("export X=1 && pytest", WRITERS),
    ("(cd src && pytest -q)", ("DIRECTOR", *WRITERS, "REVIEWER")),
    ("bash -c 'pytest -q'", WRITERS),
    ("bash -c 'rm reviews/one.md'", NONE),
    ("bash -c 'rm src/b.py'", WRITERS),
    ("zip -r out.zip .", ("DEVELOPER", "CODER")),
    ("scp reviews/one.md host:x", WRITERS),
]


@pytest.mark.parametrize("line", READING)
def test_what_only_reads_goes_through(ask: Ask, line: str) -> None:
    for role in ROLES:
        said = ask(role, "Bash", Light(), command=line)
        assert (said.verdict, said.rule) == ("allow", "reading"), (role, str(said))


@pytest.mark.parametrize(("line", "roles"), OTHERS)
def test_each_role_is_told_the_same_of_a_line_every_day(ask: Ask, line: str, roles: str | tuple[str, ...]) -> None:
    told = {
        role: ask(role, "Bash", Light(held=True, tiers=(2,), named=("src/", "docs/")), command=line) for role in ROLES
    }
    through = {role for role, said in told.items() if said.verdict != "deny"}
    assert through == set(ROLES if roles == ALL else roles), {role: str(said) for role, said in told.items()}
    for said in told.values():
        assert said.verdict != "deny" or said.instead


def test_there_are_many_of_them() -> None:
    assert len(set(READING)) > 120
    assert len({line for line, _ in OTHERS}) > 80
