"""No option, no other order and nothing that stands before it makes a refused command one that is let through."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from teamops.domain.boundary import Places, compiled
from teamops.domain.boundary_rules import Policy
from teamops.guard.decide import decide
from teamops.guard.grammars import GRAMMARS
from teamops.guard.judge import Decision, Light
from teamops.model.role import Role

HELD = Light(held=True, tiers=(2,))
POLICY = Policy(role=Role("X"), write_allow=("*",), write_deny=("/src/", "/reviews/", "*.lock"), commands_allow=("*",))
_STILL = {
    "cp": "--no-target-directory -T -t --target-directory",
    "mv": "--no-target-directory -T -t --target-directory --exchange",
    "ln": "-t --target-directory -T --no-target-directory",
    "install": "-t --target-directory -d --directory -T --no-target-directory",
    "chmod": "-r -s -t -u -w -x -X --reference -g -o",
    "chown": "--reference --from",
    "touch": "",
    "tee": "",
    "rsync": "-n --dry-run --list-only --files-from",
    "sed": "-e --expression -f --file --in-place",
    "split": "",
    "sort": "",
    "gzip": "-c -l -t --stdout --to-stdout --list --test",
    "tar": "-t -c -x -A -r -u -d -f -C -g -T -X --list --diff --create --extract --get --append --catenate --update"
    " --delete --file --directory",
    "unzip": "-l -t -v -p -Z -z -d",
    "curl": "-o --output",
    "wget": "-O --output-document",
    "perl": "-e -E -i -x -V",
    "awk": "-i -f -e --include --file --source",
    "patch": "--dry-run -o --output -i --input -d --directory",
    "git restore": "-S --staged -s --source --pathspec-from-file",
    "git rm": "--pathspec-from-file",
    "git checkout": "-b -B --orphan --pathspec-from-file",
    "git apply": "--check --stat --numstat --summary --cached --directory",
}
"""Options that make another command of it, by which something else is changed, or nothing."""
LINES = """
rm reviews/one.md
rm docs/ok.md reviews/one.md
rm reviews
rm src/*
rmdir reviews
unlink reviews/one.md
shred reviews/one.md
scp docs/ok.md reviews/x.md
zip reviews/x.zip docs/ok.md
git apply --directory=reviews docs/ok.md
patch -d reviews one.md docs/ok.md
touch reviews/one.md
touch reviews/new.md
mkdir reviews/new
tee reviews/one.md
tee docs/ok.md reviews/one.md
truncate -s 0 reviews/one.md
cp docs/ok.md reviews
cp docs/ok.md reviews/one.md
cp docs/ok.md docs/a.md src
cp -t reviews docs/ok.md
cp --target-directory=src docs/ok.md
mv docs/ok.md reviews
mv reviews/one.md docs/x.md
mv -t src docs/ok.md
mv stuff docs/../src
ln docs/ok.md reviews/x.md
ln -s docs/ok.md reviews/x.md
install docs/ok.md reviews/x.md
install -t src docs/ok.md
chmod 644 reviews/one.md
chown me reviews/one.md
rsync docs/ok.md reviews/
rsync docs/ reviews
sed -i s/a/b/ reviews/one.md
perl -i -e s/a/b/ reviews/one.md
awk -i inplace 1 reviews/one.md
split docs/ok.md reviews/part
sort docs/ok.md -o reviews/one.md
gzip reviews/one.md
tar xf docs/x.tar -C reviews
tar -xf docs/x.tar -C reviews
unzip docs/x.zip -d reviews
curl https://example.com/x -o reviews/one.md
wget https://example.com/x -O reviews/one.md
patch reviews/one.md docs/ok.md
dd if=docs/ok.md of=reviews/one.md
git rm reviews/one.md
git rm ':(top)reviews/one.md'
git rm 'reviews/*'
git mv docs/ok.md reviews/x.md
git restore reviews/one.md
git restore ':/reviews'
git checkout -- reviews/one.md
git checkout HEAD -- reviews/one.md
git clean -f reviews
ed reviews/one.md
scp docs/ok.md reviews/x.md
zip reviews/x.zip docs/ok.md
git apply --directory=reviews docs/ok.md
patch -d reviews one.md docs/ok.md
vim reviews/one.md
find reviews -delete
find docs reviews -name '*.md' -delete
find . -name one.md -exec rm {} +
""".strip().splitlines()
BEFORE = (
    "command", "builtin", "env", "env A=b", "env -i", "env -u X", "nice", "nice -n 5", "nice -5", "nohup", "timeout 5",
    "timeout -k 1 --signal=KILL 5s", "sudo", "sudo -u me -E", "sudo -n", "exec", "exec -a x", "stdbuf -oL", "setsid -w",
    "ionice -c 3", "/usr/bin/env", "/usr/bin/nice", "xargs", "xargs -0 -n 1", "xargs -r",
    "xargs --max-procs=4", "busybox", "command -p", "env --unset=X", "noglob", "uv run", "uv run --with x", "strace -f",
    "doas", "taskset -c 1",
)  # fmt: skip
UNSORTED = (
    "uv run --with git", "uv run --with sort", "uv run --with x --with sed", "poetry run -C stuff",
    "sudo --unheard-of x", "xargs --unheard-of", "env --unheard-of=1",
)  # fmt: skip
"""What starts another program by options that nobody knows: a name among them may be a value, or the program's."""
FIRST = ("time", "time -p", "!", "ls;", "ls &&", "cd . &&", "true |", "cat <<'E' |")
VALUES = {"mode": "755", "number": "1"}


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Make a project, and ask about a line in it."""
    root = tmp_path_factory.mktemp("options").resolve() / "p"
    for name in ("src/a.py", "reviews/one.md", "docs/ok.md", "docs/a.md", "stuff/x.md", "current.md", ".git/config"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("x\n")
    places = Places(
        roots=(str(root),), handoff="current.md", handoff_path=str(root / "current.md"), light="/nowhere",
        ours=(str(root.parent / "state"),), home=str(root), scratch=("/tmp",),
    )  # fmt: skip
    told = json.loads(json.dumps(compiled(POLICY, places)))
    told["scratch"] = []

    def asked(line: str) -> Decision:
        return decide(told, "Bash", {"command": line}, str(root), HELD)

    return asked


def options_of(program: str) -> list[list[str]]:
    """Return every option of a program as the words it takes, long ones also shortened as far as they may be."""
    flags, valued, longs = GRAMMARS.get(program, ("", "", ""))
    valued, _, optional = valued.partition(" ")
    left_out = _STILL.get(program, "").split()
    found = [[f"-{letter}"] for letter in flags + optional]
    found += [words for letter in valued for words in ([f"-{letter}", "1"], [f"-{letter}1"])]
    names = [name.rstrip("=?") for name in longs.split()]
    for long in longs.split():
        name = long.rstrip("=?")
        ends = [at for at in range(2, len(name) + 1) if [one for one in names if one.startswith(name[:at])] == [name]]
        for at in {*ends[:1], len(name)}:
            short = f"--{name[:at]}"
            found += [[f"{short}=1"], [short, "1"]] if long[-1] == "=" else [[short]]
            found += [[f"{short}=1"]] if long[-1] == "?" else []
    return [
        words
        for words in found
        if not any(words[0][:2] == one for one in left_out if one[1] != "-")
        and not any(
            one.startswith(words[0].partition("=")[0]) for one in left_out if one[:2] == "--" and words[0][:2] == "--"
        )
    ]


@st.composite
def spelled(draw: st.DrawFn) -> str:
    """Return a refused line with options, in another order, and behind other programs."""
    line = draw(st.sampled_from(LINES))
    words = re.findall(r"'[^']*'|\S+", line)
    head = 2 if words[0] == "git" else 1
    program, rest = " ".join(words[:head]), words[head:]
    options = options_of(program)
    chosen = draw(st.lists(st.sampled_from(options), max_size=3)) if options else []
    if program != "find" and draw(st.booleans()):
        end = rest.index("--") if "--" in rest else len(rest)
        for option in chosen:
            at = draw(st.integers(0, end))
            if (at and rest[at - 1][:1] == "-") or (program == "tar" and at == 0):
                at = end
            rest[at:at] = option
            end += len(option)
    elif program != "find" and not (program == "tar" and rest[0][:1] != "-"):
        flat = [word for option in chosen for word in option]
        plain = [word for word in rest if word[:1] != "-"]
        split = bool(flat) and plain == rest and program not in {"dd", "ed", "vim"}
        rest = [*flat, *(["--"] if split and draw(st.booleans()) else []), *rest]
    name = words[0]
    name = draw(st.sampled_from((name, f"\\{name}", f"'{name}'", f'"{name}"', f"/bin/{name}", f"/usr/bin/{name}")))
    made = " ".join([name, *words[1:head], *rest])
    for before in draw(st.lists(st.sampled_from(BEFORE), max_size=3)):
        made = f"{before} {made}"
    made = draw(st.sampled_from(("", "", "A=b ", "A=b C='d e' ", "LC_ALL=C "))) + made
    if draw(st.booleans()):
        if "'" not in made and draw(st.booleans()):
            made = draw(
                st.sampled_from(("bash -c '{}'", "timeout 5 sh -ec '{}'", "({})", "sudo bash -lc '{}'"))
            ).format(made)
        first = draw(st.sampled_from(FIRST if made[:1] != "(" else FIRST[:-1]))
        made = f"{first} {made}\nx\nE" if "<<" in first else f"{first} {made}"
    return made


@pytest.mark.parametrize("line", LINES)
def test_it_is_refused(ask: Any, line: str) -> None:
    said = ask(line)
    assert said.verdict == "deny", str(said)


@pytest.mark.parametrize("before", BEFORE + UNSORTED)
def test_it_is_refused_behind_what_starts_it(ask: Any, before: str) -> None:
    told = {line: ask(f"{before} {line}") for line in LINES}
    assert {line: str(said) for line, said in told.items() if said.verdict != "deny"} == {}


@pytest.mark.parametrize(
    "before", ["uv run", "uv run --with x", "uv run --with git", "sudo --unheard-of x", "timeout 5"]
)
def test_what_starts_another_shell_is_judged_by_its_line(ask: Any, before: str) -> None:
    assert ask(f"{before} bash -c 'rm reviews/one.md'").verdict == "deny"
    assert ask(f"{before} sh -ec 'echo x > reviews/one.md'").verdict == "deny"
    assert ask(f"{before} bash -c 'echo x > docs/a.md'").verdict == "allow"


@pytest.mark.parametrize("name", ["tee", "git", "sudo", "sudo --unheard-of", "bash"])
def test_with_very_many_names_each_word_may_be_a_file(ask: Any, name: str) -> None:
    assert ask(f"uv run --with {f'{name} ' * 40}reviews/one.md").verdict == "deny"


@pytest.mark.parametrize("line", ["uv run --with x pytest tests -k zip", "uv run --with x python -m pytest -q docs"])
def test_what_names_a_program_by_the_way_is_no_change_of_what_is_free(ask: Any, line: str) -> None:
    assert ask(line).verdict == "allow"


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None, max_examples=600
)
@given(spelled())
def test_it_stays_refused_however_it_is_written(ask: Any, line: str) -> None:
    said = ask(line)
    assert said.verdict == "deny", (line, str(said))


@pytest.mark.parametrize("line", LINES)
def test_it_stays_refused_with_each_option(ask: Any, line: str) -> None:
    words = re.findall(r"'[^']*'|\S+", line)
    head = 2 if words[0] == "git" else 1
    for option in options_of(" ".join(words[:head])):
        old = words[0] == "tar" and words[1][:1] != "-"
        at = head + old
        made = " ".join([*words[:at], *option, *words[at:]]) if not old else " ".join([*words, *option])
        said = ask(made)
        assert said.verdict == "deny", (made, str(said))


@pytest.mark.parametrize("before", [*BEFORE, *FIRST[:-1]])
@pytest.mark.parametrize(
    "line", ["rm reviews/one.md", "cp -a docs/ok.md src", "git rm -q reviews/one.md", "find src -delete"]
)
def test_it_stays_refused_behind_each_other_program(ask: Any, before: str, line: str) -> None:
    said = ask(f"{before} {line}")
    assert said.verdict == "deny", str(said)


LONG = r"^ {2,6}(?:-\w,? ?)?(?:\w*, )?--([\w-]+)"
_GNU = "rm rmdir touch mkdir tee truncate cp mv ln install chmod chown sed split sort uniq shred unlink mkfifo"
GNU = _GNU.split()


@pytest.mark.parametrize("program", GNU)
def test_every_option_that_the_program_tells_of_is_known(program: str) -> None:
    path = shutil.which(program)
    assert path, f"{program} is missing"
    told = subprocess.run([path, "--help"], capture_output=True, text=True, timeout=20, check=False).stdout
    if "GNU" not in told:
        pytest.skip("these are other tools")
    flags, valued, longs = GRAMMARS[program]
    known = {name.rstrip("=?") for name in longs.split()} | {"help", "version"}
    wanted = {
        name for line in told.splitlines() for name in re.findall(r"^ {2,6}(?:-\w,? ?)?(?:\w*, )?--([\w-]+)", line)
    }
    assert wanted <= known, (program, wanted - known)
    letters = {name for line in told.splitlines() for name in re.findall(r"^ {2}-(\w)\b", line)}
    assert letters <= set(flags + valued), (program, letters - set(flags + valued))
    for name, sign in re.findall(r"^ {2,6}(?:-\w, )?--([\w-]+)(\[=|=|)", told, re.MULTILINE):
        if name in {"help", "version"}:
            continue
        spelled_as = next(one for one in longs.split() if one.rstrip("=?") == name)
        assert not sign or spelled_as[-1] in {"=": "=?", "[=": "?"}[sign], (program, name, sign)
        assert sign or spelled_as[-1] != "=", (program, name)
