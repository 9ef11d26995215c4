"""The pre-commit hook of git: what a role is about to commit is judged by its policy.

``python -I -S …/guard/git_hook.py FOLDER``, started by git in the top of the work tree. Without TEAMOPS_ROLE it is a
person's commit and passes. It fails closed: what can't be judged is not committed. It holds an honest agent alone:
``git commit --no-verify`` leaves every hook out, and the variable can be taken away.
"""

# ruff: noqa: PTH100, PTH109, PTH118, PTH120 - importing pathlib costs more than all of this
from __future__ import annotations

import os
import sys

if __name__ == "__main__":
    # As a program, with no site-packages to be looked through.
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

from teamops.guard.act import DELETE, WRITE, Act
from teamops.guard.judge import ALLOW, DENY, REPORT, Decision, Light, judge
from teamops.guard.light import Later, light_of
from teamops.guard.places import Looking
from teamops.guard.policy import NoPolicy, Policy, path_of, read

ROLE = "TEAMOPS_ROLE"
MARK = "teamops guard pre-commit"
"""Stands in the hook that teamops made."""
REFUSED = 1
MAX_SHOWN = 20
_SECONDS = 60.0
_LETTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")


def main(words: list[str]) -> int:
    """Judge what is staged; return 0, or 1 to refuse the commit. ``words``: the folder in which policies are."""
    role = os.environ.get(ROLE, "").strip().upper()
    if not role:
        return 0
    try:
        (folder,) = words
        policy = read(path_of(folder, role if set(role) <= _LETTERS else ""))
        said = judged(policy, os.getcwd())
    except Exception as error:  # noqa: BLE001 - the port to git: whatever goes wrong here lets nothing through
        told = f"{error}" if isinstance(error, NoPolicy) else f"{type(error).__name__}: {error}"
        sys.stderr.write(f"teamops: not committed, because it can't be judged for {role}: {told}\n")
        return REFUSED
    refused = [one for one in said if one.verdict == DENY]
    for one in said[:MAX_SHOWN]:
        sys.stderr.write(f"teamops: {one.verdict} {_plain(str(one))}\n")
    if len(said) > MAX_SHOWN:
        sys.stderr.write(f"teamops: … and {len(said) - MAX_SHOWN} more\n")
    if refused:
        sys.stderr.write(f"teamops: not committed: {len(refused)} of the staged changes are not {role}'s to make\n")
    return REFUSED if refused else 0


def judged(policy: Policy, top: str, light: Light | None = None) -> list[Decision]:
    """Return every decision about what is staged that is no plain yes. Raises whatever goes wrong.

    ``top``: the top of the work tree. ``light``: to be taken in place of the real one.
    """
    if policy.get("unruled"):
        return []
    staged = _staged(["--name-status"])
    pairs = list(zip(staged[::2], staged[1::2], strict=True))
    own = Later(lambda: light_of(policy)) if light is None else light
    looking = Looking(tuple(policy["roots"]), policy["home"])
    found = []
    for status, path in pairs:
        full = os.path.join(top, path)
        act = Act(DELETE if status == "D" else WRITE, full, added=0, changed=1)
        place = looking.at(full, ())
        place.exists = status != "A"
        if status == "D":
            place.trouble = ""
        said = judge(policy, own, act, place)
        if said.verdict != ALLOW:
            found.append(said)
    most = policy["net_lines"]
    if most is not None:
        net = _net()
        if net > most:
            why = f"together the files would grow by {net} lines, and {policy['role']} adds {most} at most"
            found.append(Decision(DENY, "write.net_lines", why, "the commit", f"take out more, or {REPORT}"))
    return found


def _staged(words: list[str]) -> list[str]:
    import subprocess

    done = subprocess.run(
        ["git", "diff", "--cached", "-z", "--no-renames", "--no-ext-diff", "--no-textconv", *words],
        stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS, check=False,
    )  # fmt: skip
    if done.returncode:
        raise ValueError(done.stderr.decode("utf-8", "replace").strip()[:300] or "git diff --cached failed")
    return [os.fsdecode(word) for word in done.stdout.split(b"\0") if word]


def _net() -> int:
    """Return by how many lines the staged files grow; binary ones count none."""
    total = 0
    for row in _staged(["--numstat"]):
        added, removed, _ = row.split("\t", 2)
        if added.isdigit() and removed.isdigit():
            total += int(added) - int(removed)
    return total


def _plain(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
