"""git's pre-commit hook, tried: the very one that stands in the role's repository, by commits in a throwaway one."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from teamops.config.settings import RoleSettings, Settings
from teamops.domain.canary import Try, commit_check, no_commit, no_repository, unruled, untried
from teamops.effects.git_hook import NAME, command, is_ours
from teamops.effects.proving_ground import Ground, ground, repository
from teamops.git.repository import Repository
from teamops.guard import git_hook
from teamops.model.check import COMMIT, Check
from teamops.model.errors import TeamopsError
from teamops.model.text import clean_line

SECONDS = 20.0
"""One git command is given up after so long."""
_INSTALL = "teamops guard install-git-hook"


def git_commit(settings: Settings, role: RoleSettings, folder: Path) -> Check:
    """Try whether git refuses the role's forbidden commit, and makes its allowed one. Blocks. Raises ``TeamopsError``.

    ``folder``: the project's in the person's state directory.
    """
    if role.profile is None:
        return unruled(role.role, COMMIT)
    found = Repository.find(role.cwd)
    if found is None:
        return no_repository(role.role)
    hook = found.hooks()[0] / NAME
    line = f"{command(folder.absolute())} || exit 1"
    if not os.path.lexists(hook):
        # In a work tree of another repository teamops installs nothing: its person does.
        do = _INSTALL if _is_project_s(settings, hook) else f"let {hook} run this line: {line}"
        return no_commit(role.role, "", do)
    if not is_ours(hook):
        return no_commit(role.role, str(hook), f"let it run this line before it ends: {line}")
    with ground(settings, role) as made:
        begun = time.monotonic()
        why = _install(made, hook, folder.absolute())
        if why:
            return untried(role.role, COMMIT, why, f"install it anew: {_INSTALL}")
        tries = [_commit(made, name, forbidden=name == made.forbidden) for name in made.files]
        if not made.allowed:  # a hook that refuses everything would else look well
            tries.append(_commit(made, made.forbidden, forbidden=False, role=False))
        ms = round((time.monotonic() - begun) * 1000)
        return commit_check(role.role, tries, ms, nothing=not made.allowed)


def _is_project_s(settings: Settings, hook: Path) -> bool:
    own = Repository.find(settings.root)
    return own is not None and own.hooks()[0] == hook.parent


def _install(made: Ground, hook: Path, folder: Path) -> str:
    """Put the hook, with its rights, where git looks for it here; return why that is no trial of it."""
    text = hook.read_text("utf-8", "surrogateescape")
    asked = shlex.quote(str(folder))
    if asked not in text:
        return f"{hook} asks for the policies of another state folder than {folder}"
    repository(made, SECONDS)
    _git(made, "add", "-f", "--", *made.files)
    done = _git(made, "commit", "-q", "-m", "before", role=False)
    if done[0]:
        raise TeamopsError(f"a commit without a role can't be made: {done[1]}", "try git commit in a new repository")
    place = made.root / ".git" / "hooks" / NAME
    place.parent.mkdir(exist_ok=True)
    place.write_text(text.replace(asked, shlex.quote(str(made.state))), "utf-8", "surrogateescape")
    place.chmod(hook.stat().st_mode & 0o777)
    return ""


def _commit(made: Ground, name: str, *, forbidden: bool, role: bool = True) -> Try:
    (made.root / name).write_text("changed by teamops doctor\n", encoding="utf-8")
    _git(made, "reset", "-q")
    _git(made, "add", "-f", "--", name)
    before = _git(made, "rev-parse", "HEAD")[1]
    code, said = _git(made, "commit", "-q", "-m", "tried", role=role)
    done = _git(made, "rev-parse", "HEAD")[1] != before
    what = f"commit {name}" if role else f"commit {name} without a role, as you do"
    return Try(what, forbidden, done, "" if done else said or f"exit status {code}")


def _git(made: Ground, *words: str, role: bool = True) -> tuple[int, str]:
    """Run git as an agent does, hooks and all, with nobody's settings. Return its status and what it says."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    env.pop(git_hook.ROLE, None)
    if role:
        env[git_hook.ROLE] = str(made.role)
    who = {"NAME": "teamops doctor", "EMAIL": "doctor@teamops.invalid"}
    env |= {f"GIT_{one}_{part}": value for one in ("AUTHOR", "COMMITTER") for part, value in who.items()}
    env |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    try:
        child = subprocess.Popen(
            ["git", *words], cwd=made.root, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    except OSError as error:
        raise TeamopsError(f"git can't be started: {error.strerror or error}", "install git, or mend PATH") from error
    with child:
        try:
            out = child.communicate(timeout=SECONDS)[0]
        except subprocess.TimeoutExpired:
            raise TeamopsError(f"git {words[0]} did not end within {SECONDS:.0f} s", "run the hook by hand") from None
        finally:
            with suppress(ProcessLookupError):  # the hook and what it started
                os.killpg(child.pid, signal.SIGKILL)
    lines = [line for line in out.decode("utf-8", "replace").splitlines() if line.strip()]
    return child.returncode, clean_line(lines[0] if lines else "", 200)
