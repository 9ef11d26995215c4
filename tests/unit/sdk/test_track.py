"""Tracking as an agent meets it, in a process of its own: what is loaded, when, and what is told at the end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.model_server import ModelServer, model_server

ROOT = Path(__file__).parents[3]
HEAD = """
import os, sys
import teamops

def openai_client():
    import openai
    return openai.OpenAI(base_url=os.environ["MODEL"] + "/v1", api_key="k", max_retries=0)

def call(client, **more):
    return client.chat.completions.create(model="gpt-5", messages=[{"role": "user", "content": "say"}], **more)
"""


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    with model_server() as server:
        yield server


def agent(project: Path, url: str, code: str, *options: str) -> str:
    """Run ``code`` as an agent and return its stderr."""
    env = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "PYTHONWARNINGS": "error",
        "TEAMOPS_ROLE": "CODER",
        "TEAMOPS_PROJECT": str(project),
        "MODEL": url,
    }
    program = HEAD + textwrap.dedent(code)
    done = subprocess.run(
        [sys.executable, *options, "-c", program], env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


def lines(project: Path) -> list[dict[str, Any]]:
    return [
        json.loads(line)
        for path in sorted((project / ".teamops" / "spool" / "CODER").glob("*.jsonl"))
        for line in path.read_text(encoding="ascii").splitlines()
    ]


def calls(project: Path) -> list[dict[str, Any]]:
    return [call for line in lines(project) for call in line.get("usage", ())]


def test_tracking_imports_neither_package_and_its_machinery_is_loaded_when_asked_for(
    tmp_path: Path, server: ModelServer
) -> None:
    code = """
        assert not {"teamops.sdk.tracking", "teamops.sdk.calls"} & set(sys.modules)
        teamops.autotrack()
        teamops.heartbeat()
        assert "teamops.sdk.tracking" in sys.modules
        assert not {"openai", "anthropic"} & set(sys.modules)
    """
    assert agent(tmp_path, server.url, code) == ""


@pytest.mark.parametrize("when", ["before", "after", "both"])
def test_autotrack_finds_the_package_whenever_it_comes(tmp_path: Path, server: ModelServer, when: str) -> None:
    code = f"""
        when = {when!r}
        finders = list(sys.meta_path)
        if when != "after":
            teamops.autotrack()
        client = openai_client()
        if when != "before":
            teamops.autotrack()
        call(client)
        import anthropic
        anthropic.Anthropic(base_url=os.environ["MODEL"], api_key="k").messages.create(
            model="opus", max_tokens=9, messages=[{{"role": "user", "content": "say"}}]
        )
        assert sys.meta_path == finders
    """
    assert agent(tmp_path, server.url, code) == ""
    assert [call["model"] for call in calls(tmp_path)] == ["gpt-5-2025-08-07", "opus-2025-08-07"]


def test_a_package_that_cannot_be_imported_fails_as_ever_and_may_come_later(
    tmp_path: Path, server: ModelServer
) -> None:
    code = """
        broken = os.path.join(os.environ["TEAMOPS_PROJECT"], "lib", "openai")
        os.makedirs(broken)
        for name, text in {"__init__": "from openai import _base_client", "_base_client": "1 / 0"}.items():
            with open(os.path.join(broken, name + ".py"), "w") as file:
                file.write(text)
        sys.path.insert(0, os.path.dirname(broken))
        teamops.autotrack()
        try:
            import openai
        except ZeroDivisionError as error:
            assert error.__traceback__ is not None
        else:
            raise AssertionError
        sys.path.pop(0)
        sys.path_importer_cache.clear()
        call(openai_client())
    """
    assert agent(tmp_path, server.url, code) == ""
    assert len(calls(tmp_path)) == 1


def test_an_unknown_version_is_said_and_works_on(tmp_path: Path, server: ModelServer) -> None:
    code = """
        import types
        for name in ("openai", "openai._base_client"):
            sys.modules[name] = types.ModuleType(name)
        teamops.autotrack()
    """
    said = agent(tmp_path, server.url, code)
    assert "this version of openai is not known" in said
    assert said.count("\n") == 1


def test_what_waits_for_a_beat_is_told_when_the_program_ends(tmp_path: Path, server: ModelServer) -> None:
    code = """
        teamops.init()
        call(teamops.track(openai_client()))
        import glob
        for path in glob.glob(os.environ["TEAMOPS_PROJECT"] + "/.teamops/spool/CODER/*"):
            with open(path) as file:
                assert len(file.readlines()) == 1
    """
    assert agent(tmp_path, server.url, code) == ""
    assert [line["kind"] for line in lines(tmp_path)] == ["beat", "usage"]


def test_a_forked_child_tells_its_own_calls_and_not_its_parents(tmp_path: Path, server: ModelServer) -> None:
    code = """
        teamops.init()
        client = teamops.track(openai_client())
        stream = call(client, stream=True, stream_options={"include_usage": True})
        next(stream)
        call(client)
        pid = os.fork()
        if pid == 0:
            import gc
            del stream
            gc.collect()
            call(teamops.track(openai_client()))
            teamops.heartbeat(message="child")
            os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0
        for _ in stream:
            pass
        teamops.heartbeat(message="parent")
    """
    assert agent(tmp_path, server.url, code) == ""
    told = {line["message"]: len(line["usage"]) for line in lines(tmp_path) if "message" in line}
    assert told == {"child": 1, "parent": 2}


def test_an_agent_without_a_role_is_told_once_and_keeps_no_calls(tmp_path: Path, server: ModelServer) -> None:
    code = """
        del os.environ["TEAMOPS_ROLE"]
        client = teamops.track(openai_client())
        for _ in range(3):
            call(client)
        from teamops.sdk import tracking
        assert not tracking._calls.wait
    """
    assert "no role is known" in agent(tmp_path, server.url, code)
    assert list(tmp_path.iterdir()) == []
