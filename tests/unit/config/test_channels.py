"""[notify] of teamops.toml: where pages go, and what is said of addresses that are secrets."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from teamops.config.channels import CommandSettings, RemoteSettings, Signal
from teamops.config.load import check, load
from teamops.model.handoff import Severity

SECRET = "hunter22"  # noqa: S105 - none at all


def problems(root: Path, text: str, *, thorough: bool = False) -> list[str]:
    (root / "teamops.toml").write_text(text)
    return [str(problem) for problem in check(root, thorough=thorough, env={}).problems]


def test_without_a_word_there_are_the_desktop_and_the_terminal(tmp_path: Path) -> None:
    (tmp_path / "teamops.toml").write_text("")
    notify = load(tmp_path).notify
    assert notify.order == ("desktop", "terminal")
    assert (notify.signal, notify.remote, notify.command) == (
        Signal.AUTO,
        RemoteSettings(),
        CommandSettings(),
    )


def test_all_can_be_said(tmp_path: Path) -> None:
    (tmp_path / "teamops.toml").write_text(
        '[notify]\nchannels = ["remote", "command", "desktop"]\nsignal = "osc777"\n'
        '[notify.remote]\nurls = ["ntfy://one", "json://host/x"]\nurls_env = "PAGES"\nurls_file = "~/urls"\n'
        'timeout_s = "5s"\n[notify.command]\ncommand = "notify-me --loud"\ntimeout_s = 3\n'
    )
    notify = load(tmp_path, env={"HOME": "/home/ada"}).notify
    assert notify.order == ("remote", "command", "desktop")
    assert notify.signal is Signal.OSC777
    assert notify.remote == RemoteSettings(
        urls=("ntfy://one", "json://host/x"), urls_env="PAGES", urls_file=Path("/home/ada/urls"), timeout_s=5.0
    )
    assert notify.command == CommandSettings(command=("notify-me", "--loud"), cwd=tmp_path, timeout_s=3.0)


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ('[notify.command]\ncommand = "x"\n', ("desktop", "terminal", "command")),
        ('[notify]\ndesktop = false\n[notify.remote]\nurls_env = "X"\n', ("terminal", "remote")),
    ],
)
def test_what_is_set_up_is_used(tmp_path: Path, text: str, order: tuple[str, ...]) -> None:
    (tmp_path / "teamops.toml").write_text(text)
    assert load(tmp_path).notify.order == order


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param('[notify]\nchannels = ["remote"]\n', "names remote, and [notify.remote] tells no", id="r"),
        pytest.param('[notify]\nchannels = ["command"]\n', "names command, and [notify.command] has", id="c"),
        pytest.param('[notify]\nsignal = "osc8"\n', 'auto, bell, osc9, osc777, osc99; not "osc8"', id="s"),
        pytest.param(f'[notify.remote]\nurls = ["{SECRET}"]\n', "number 1 is none", id="no address"),
        pytest.param(
            f'[notify.remote]\nurls = ["json://a", "x://{SECRET} y"]\n', "number 2 is none", id="a blank in it"
        ),
        pytest.param(f'[notify.remote]\nurls = "{SECRET}"\n', "urls is a list of addresses", id="no list"),
        pytest.param('[notify.remote]\nurls_env = "A-B"\n', "is the name of an environment variable", id="no variable"),
        pytest.param('[notify.command]\ncommand = ""\n', "notify.command.command is empty", id="no command"),
        pytest.param("[notify.remote]\nurl = 1\n", 'did you mean "urls"?', id="unknown"),
    ],
)
def test_what_is_wrong_is_refused_and_no_address_is_quoted(tmp_path: Path, text: str, said: str) -> None:
    found = problems(tmp_path, text)
    assert said in found[0]
    assert SECRET not in "".join(found)


def test_what_is_unwise_is_warned_of(tmp_path: Path) -> None:
    root = tmp_path / "shop"
    root.mkdir()
    (root / "hook.sh").write_text("")
    (tmp_path / "urls").write_text("")
    (tmp_path / "urls").chmod(0o644)
    text = (
        f'[notify.remote]\nurls = ["json://u:{SECRET}@h"]\nurls_file = "{tmp_path}/urls"\n'
        '[notify.command]\ncommand = ["sh", "hook.sh"]\n'
    )
    said = "\n".join(problems(root, text, thorough=True))
    assert "urls can be read by every agent" in said
    assert f"chmod 600 {tmp_path}/urls" in said
    assert "notify.command runs hook.sh: an agent that may change it acts as you by it" in said
    assert SECRET not in said
    (tmp_path / "urls").chmod(0o600)
    said = "\n".join(problems(root, f'[notify.remote]\nurls_file = "{tmp_path}/urls"\n', thorough=True))
    assert "notify" not in said
    said = "\n".join(problems(root, '[notify.remote]\nurls_file = "urls"\n', thorough=True))
    assert "lies in the project" in said
    assert "can't be read: No such file" in said
    os.mkfifo(tmp_path / "pipe", 0o600)
    said = "\n".join(problems(root, f'[notify.remote]\nurls_file = "{tmp_path}/pipe"\n', thorough=True))
    assert f"{tmp_path}/pipe is no file, and is not read" in said
    assert problems(root, '[notify.command]\ncommand = "logger -t x"\n', thorough=True) == problems(
        root, "", thorough=True
    )
    assert all(problem.severity is Severity.WARNING for problem in check(root, thorough=True).problems)


def test_an_address_is_in_no_representation(tmp_path: Path) -> None:
    (tmp_path / "teamops.toml").write_text(f'[notify.remote]\nurls = ["json://u:{SECRET}@h"]\n')
    assert SECRET not in repr(load(tmp_path))
