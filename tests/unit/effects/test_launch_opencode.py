"""What teamops adds to a person's command of opencode, and what its plugin tells."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from teamops.config.profiles import shipped
from teamops.config.settings import RoleSettings
from teamops.effects.launch import recipe
from teamops.effects.launch_opencode import CONFIG, ENTRY, GATE, PLUGIN
from teamops.model.role import REVIEWER
from tests.unit.effects.test_launch import let_through, made

SESSION = "ses_de532296cffeCAmoTG7lcv8u7V"


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("XDG_DATA_HOME", "OPENCODE_DB", CONFIG):
        monkeypatch.delenv(name, raising=False)


def stored(tmp_path: Path) -> None:
    folder = tmp_path / ".local" / "share" / "opencode"
    folder.mkdir(parents=True)
    with closing(sqlite3.connect(folder / "opencode.db")) as db, db:
        db.execute("CREATE TABLE session(id TEXT)")
        db.execute("INSERT INTO session VALUES (?)", (SESSION,))


def test_it_gets_its_profile_and_its_events(tmp_path: Path) -> None:
    how = made(tmp_path, "opencode", "opencode", "-m", "x/y")
    assert how.argv == ("opencode", "-m", "x/y")
    told = json.loads(how.env[CONFIG])
    assert told["plugin"] == [PLUGIN.as_uri()]
    how.write()
    assert "Kevin" in Path(told["instructions"][0]).read_text(encoding="utf-8")
    assert json.loads(how.env[ENTRY])[-1].endswith("hook.py")
    assert how.notes == ()
    assert how.held.hooked
    assert made(tmp_path, "opencode", "opencode", "--pure").notes
    assert not made(tmp_path, "opencode", "opencode", "--pure").held.hooked


def test_its_own_permissions_hold_what_they_can_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = json.loads(made(tmp_path, "opencode", "opencode").env[CONFIG])
    edit = told["permission"]["edit"]
    assert (edit["reviews/*"], edit["docs/design/*"], edit["teamops.toml"]) == ("deny", "deny", "deny")
    assert "*" not in edit
    monkeypatch.setenv(CONFIG, '{"permission":{"edit":"ask"}}')
    assert json.loads(made(tmp_path, "opencode", "opencode").env[CONFIG])["permission"] == {"edit": "ask"}
    profile = shipped(REVIEWER)
    assert profile is not None
    reviewer = RoleSettings(
        role=REVIEWER,
        name="Sarah",
        profile=profile,
        session="s",
        client="opencode",
        command=("opencode",),
        cwd=tmp_path,
    )
    monkeypatch.delenv(CONFIG)
    edit = json.loads(recipe(reviewer, tmp_path, tmp_path / "state").env[CONFIG])["permission"]["edit"]
    own = str(tmp_path).lstrip("/")
    assert list(edit)[:5] == ["*", "current.md", f"{own}/current.md", "reviews/*", f"{own}/reviews/*"]
    assert (edit["*"], edit["current.md"], edit["reviews/*"]) == ("deny", "allow", "allow")


def test_it_goes_on_only_with_a_session_that_is_there(tmp_path: Path) -> None:
    assert not made(tmp_path, "opencode", "opencode", last=SESSION).resumed
    stored(tmp_path)
    how = made(tmp_path, "opencode", "opencode", last=SESSION)
    assert (how.argv, how.client_session, how.resumed) == (("opencode", "--session", SESSION), SESSION, True)
    assert not made(tmp_path, "opencode", "opencode", last=SESSION + "x").resumed
    assert not made(tmp_path, "opencode", "opencode", last="--x").resumed


@pytest.mark.parametrize("own", [("-c",), ("--session=ses_1",), ("serve",)])
def test_a_session_of_the_persons_choice_stays(tmp_path: Path, own: tuple[str, ...]) -> None:
    stored(tmp_path)
    how = made(tmp_path, "opencode", "opencode", *own, last=SESSION)
    assert (how.argv, how.resumed) == (("opencode", *own), False)
    assert how.notes


def test_a_folder_is_no_command(tmp_path: Path) -> None:
    stored(tmp_path)
    (tmp_path / "sub").mkdir()
    assert made(tmp_path, "opencode", "opencode", "sub", last=SESSION).resumed


def test_a_configuration_of_the_persons_own_is_added_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CONFIG, '{"model":"a/b","instructions":["mine.md"],"plugin":"odd"}')
    told = json.loads(made(tmp_path, "opencode", "opencode").env[CONFIG])
    assert (told["model"], told["instructions"][0], len(told["instructions"])) == ("a/b", "mine.md", 2)
    for broken in ("{", "[]"):
        monkeypatch.setenv(CONFIG, broken)
        how = made(tmp_path, "opencode", "opencode")
        assert CONFIG not in how.env
        assert CONFIG in how.notes[0]
        assert not how.held.hooked


DRIVER = """\
const { Teamops } = await import(process.argv[2])
const hooks = await Teamops({})
const event = (type, properties) => hooks.event({ event: { type, properties } })
await event("session.created", { sessionID: "ses_a", info: { id: "ses_a" } })
await hooks["chat.message"]({ sessionID: "ses_a" }, { parts: [
  { type: "text", text: "do it" }, { type: "text", text: "no", synthetic: true }, { type: "file" } ] })
await hooks["tool.execute.before"]({ sessionID: "ses_a", tool: "bash" }, {})
await event("session.created", { info: { id: "ses_b", parentID: "ses_a" } })
await hooks["chat.message"]({ sessionID: "ses_b" }, { parts: [{ type: "text", text: "sub" }] })
await hooks["tool.execute.before"]({ sessionID: "ses_b", tool: "read" }, {})
await event("session.idle", { sessionID: "ses_b" })
await hooks["tool.execute.after"]({ sessionID: "ses_a", tool: "bash" }, {})
await event("permission.asked", { sessionID: "ses_a", permission: "edit" })
await event("session.error", { sessionID: "ses_a", error: { name: "MessageAbortedError" } })
await event("session.error", { sessionID: "ses_a", error: { name: "APIError", data: { message: "529" } } })
await event("something.new", undefined)
await hooks.event({})
await hooks["tool.execute.before"](undefined, undefined).catch(() => {})
await event("session.idle", { sessionID: "ses_a" })
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="the plugin runs in a JavaScript engine")
def test_the_plugin_tells_in_order_and_never_throws(tmp_path: Path) -> None:
    how = made(tmp_path, "opencode", "opencode")
    how.write()
    let_through(tmp_path / "state")
    (tmp_path / "driver.mjs").write_text(DRIVER, encoding="utf-8")
    done = subprocess.run(
        ["node", str(tmp_path / "driver.mjs"), PLUGIN.as_uri()],
        env={**os.environ, **how.env},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    (spool,) = (tmp_path / ".teamops" / "spool" / "CODER").glob("hooks*.jsonl")
    rows = [json.loads(line) for line in spool.read_text(encoding="utf-8").splitlines()]
    assert {row["session"] for row in rows} == {"ses_a"}
    assert [(row["hook"], row.get("detail", "")) for row in rows] == [
        ("session.created", ""),
        ("chat.message", "do it"),
        ("tool.execute.before", "bash"),
        ("SubagentStart", ""),
        ("tool.execute.before", "read"),
        ("SubagentStop", ""),
        ("tool.execute.after", "bash"),
        ("permission.asked", "edit"),
        ("Interrupt", ""),
        ("session.error", "529"),
        ("session.idle", ""),
    ]


HELD_DRIVER = """\
const { Teamops } = await import(process.argv[2])
const hooks = await Teamops({})
const said = []
for (const event of ["chat.message", "tool.execute.before", "tool.execute.after"]) {
  try {
    await hooks[event]({ sessionID: "ses_a", tool: "bash" }, { parts: [] })
    said.push("")
  } catch (error) { said.push(error.message) }
}
process.stdout.write(JSON.stringify(said))
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="the plugin runs in a JavaScript engine")
@pytest.mark.parametrize("gate", ["held", "gone", "unreadable"])
def test_the_plugin_refuses_what_may_not_be_spent(tmp_path: Path, gate: str) -> None:
    how = made(tmp_path, "opencode", "opencode")
    path = Path(how.env[GATE])
    if gate == "held":
        how.write()
        path.write_text("held: $5 of $5\nsince 1.0\n", encoding="utf-8")
    elif gate == "unreadable":
        path.mkdir(parents=True)
    (tmp_path / "driver.mjs").write_text(HELD_DRIVER, encoding="utf-8")
    done = subprocess.run(
        ["node", str(tmp_path / "driver.mjs"), PLUGIN.as_uri()],
        env={**os.environ, **how.env},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    prompt, call, after = json.loads(done.stdout)
    assert prompt == call
    assert call.startswith("teamops: held: $5 of $5. Don't try again" if gate == "held" else "teamops: held: ")
    assert after == ""
    (spool,) = (tmp_path / ".teamops" / "spool" / "CODER").glob("hooks*.jsonl")
    rows = [json.loads(line) for line in spool.read_text(encoding="utf-8").splitlines()]
    assert [row["hook"] for row in rows] == ["Held", "Held", "tool.execute.after"]
