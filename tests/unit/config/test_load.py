"""teamops.toml: what it means, and what is refused where."""

from __future__ import annotations

import re
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from teamops.config import schema
from teamops.config.load import check, load
from teamops.config.problems import ConfigError
from teamops.config.settings import NotifySettings, ReportSettings, Settings, TmuxSettings
from teamops.domain.alert_rules import RULES
from teamops.domain.budget import BudgetRule
from teamops.domain.limits import Limits, Retention, SpikeRule, SpikeStop
from teamops.domain.paging import PagingPolicy, Quiet
from teamops.model.errors import EXIT_USAGE, UsageError
from teamops.model.handoff import Severity
from teamops.model.price import OwnPrice
from teamops.model.role import AGENT_ROLES, CODER, DEVELOPER, DIRECTOR, Role

ROOT = Path(__file__).parents[3]
TEAM = "".join(f"[roles.{role}]\n" for role in AGENT_ROLES)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    return folder


def read(project: Path, text: str) -> Settings:
    (project / "teamops.toml").write_text(text, encoding="utf-8")
    return load(project)


def refusals(project: Path, text: str) -> list[str]:
    """Return the errors of ``text``, as shown."""
    (project / "teamops.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(project)
    assert caught.value.exit_code == EXIT_USAGE
    return [str(problem) for problem in caught.value.problems]


def test_no_file_means_defaults_and_watching_only(project: Path) -> None:
    settings = load(project)
    assert settings == Settings(root=project, project="shop", handoff=project / "current.md", roles=())
    assert settings.watch_only


def test_two_listed_roles_are_the_whole_team(project: Path) -> None:
    settings = read(project, '[roles.DEVELOPER]\ncommand = "codex"\n[roles.director]\n')
    assert not settings.watch_only
    assert [(role.role, role.name, role.client, role.session) for role in settings.roles] == [
        (DEVELOPER, "Isabelle", "codex", "shop-developer"),
        (DIRECTOR, "Max", "claude", "shop-director"),
    ]
    assert settings.role(CODER) is None


def test_all_six_have_their_shipped_persona(project: Path) -> None:
    names = [role.name for role in read(project, TEAM).roles]
    assert names == ["Max", "Isabelle", "Kevin", "Sarah", "Sam", "Alex"]


def test_everything_can_be_set(project: Path) -> None:
    (project / "trees").mkdir()
    settings = read(
        project,
        """
        project = "My Shop"
        handoff = "docs/../handoff.md"
        [tmux]
        socket_path = "run/tmux.sock"
        session = "{role}.{project}:x"
        [limits]
        waiting_s = "1m30s"
        stale_s = 600
        beat_interval_s = "0.5h"
        missed_beats = 3
        starting_s = 1.5
        evidence_s = "1h1m1s"
        tier.2 = { stale_s = "15 m" }
        [limits.tier.3]
        waiting_s = 1
        [notify]
        desktop = false
        terminal = false
        [roles.TESTER]
        client = "sdk"
        command = "python -m 'my tester'"
        session = "own"
        name = "Toni"
        cwd = "trees"
        env = { A = "1", B_2 = "" }
        [roles.CODER]
        command = ["/opt/codex", ""]
        """,
    )
    assert settings.project == "My Shop"
    assert settings.handoff == project / "handoff.md"
    assert settings.tmux == TmuxSettings(socket_path=str(project / "run/tmux.sock"))
    assert settings.notify == NotifySettings(desktop=False, terminal=False)
    assert settings.limits == Limits(
        waiting_s=90,
        stale_s=600,
        beat_interval_s=1800,
        missed_beats=3,
        starting_s=1.5,
        evidence_s=3661,
        stale_by_tier={2: 900.0},
        waiting_by_tier={3: 1.0},
    )
    tester, coder = settings.roles
    assert (tester.name, tester.client, tester.command) == ("Toni", "sdk", ("python", "-m", "my tester"))
    assert (tester.session, tester.cwd, dict(tester.env)) == ("own", project / "trees", {"A": "1", "B_2": ""})
    assert (coder.client, coder.command, coder.session) == ("codex", ("/opt/codex", ""), "coder_my_shop_x")


@pytest.mark.parametrize(
    ("folder", "session"),
    [
        pytest.param("a.b", "a_b-coder", id="dot"),
        pytest.param("a:b", "a_b-coder", id="colon"),
        pytest.param("C#(touch x)", "c__touch_x_-coder", id="format"),
        pytest.param("$1", "_1-coder", id="id"),
        pytest.param("-t", "t-coder", id="option"),
        pytest.param("---", "project-coder", id="nothing left"),
        pytest.param("Größe 日本", "größe_日本-coder", id="letters of any script"),
    ],
)
def test_no_folders_name_is_syntax_to_tmux(tmp_path: Path, folder: str, session: str) -> None:
    (tmp_path / folder).mkdir()
    assert read(tmp_path / folder, "[roles.CODER]\n").roles[0].session == session


def test_home_is_meant_by_a_tilde(project: Path, tmp_path: Path) -> None:
    (project / "teamops.toml").write_text('handoff = "~/h.md"\n[tmux]\nsocket_path = "~/s"\n')
    settings = load(project, env={"HOME": str(tmp_path)})
    assert settings.handoff == tmp_path / "h.md"
    assert settings.tmux.socket_path == str(tmp_path / "s")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("stale = 1", '1:1 unknown key "stale" (known: project,', id="top"),
        pytest.param(
            "[limits]\nstale_m = 3", '2:1 unknown key "stale_m" in [limits] (did you mean "stale_s"?)', id="near"
        ),
        pytest.param("[Limits]\n", '1:2 unknown key "Limits" (did you mean "limits"?)', id="case"),
        pytest.param(
            "[limits]\nHANDOFF = 1\n", '2:1 unknown key "HANDOFF" in [limits] (known: waiting_s', id="elsewhere?"
        ),
        pytest.param(
            "[notify]\nsocket_name = 1",
            '2:1 unknown key "socket_name" in [notify] (it belongs in [tmux])',
            id="elsewhere",
        ),
        pytest.param(
            "[tmux]\nproject = 1", '2:1 unknown key "project" in [tmux] (it belongs at the top of', id="top's"
        ),
        pytest.param(
            "roles.CODER.clint = 1", '1:13 unknown key "clint" in [roles.CODER] (did you mean "client"', id="dotted"
        ),
        pytest.param("roles = { CODER = { x.y = 1 } }", '1:21 unknown key "x" in [roles.CODER]', id="inline"),
        pytest.param('[roles."CO DER"]', '1:8 "CO DER" is no name of a role', id="role's name"),
        pytest.param("[roles.HUMAN]", "1:8 HUMAN stands for the person and is no agent", id="human"),
        pytest.param("[roles.none]", "1:8 NONE stands for a closed task and is no agent", id="none"),
        pytest.param("[roles.CODER]\n[roles.coder]", '2:8 "coder" and "CODER" are the same', id="role twice"),
        pytest.param("roles = 3", "1:9 roles is a table, not 3", id="table"),
        pytest.param("[[roles]]\n", "1:3 roles is a table, not a list", id="array of tables"),
        pytest.param("project = 3", "1:11 project is a text, not 3", id="text"),
        pytest.param('project = " "', "1:11 project is empty", id="empty"),
        pytest.param('project = "a\\u001b[2Jb"', "1:11 project holds characters that can't be shown", id="escape"),
        pytest.param('handoff = "a\\u0000"', "1:11 handoff holds a NUL character", id="nul"),
        pytest.param('handoff = "."', "1:11 handoff is a file, and . is a folder", id="folder"),
        pytest.param("[notify]\ndesktop = 1", "2:11 notify.desktop is true or false, not 1", id="switch"),
        pytest.param('[notify]\nquiet = "22-7"', '2:9 notify.quiet is a span of the day such as "22:00', id="quiet"),
        pytest.param('[notify]\nquiet = "24:00-07:00"', "2:9 notify.quiet is a span of the day", id="no hour"),
        pytest.param('[notify]\nquiet = "7:00-07:00"', "2:9 notify.quiet begins and ends at the same", id="no span"),
        pytest.param("[notify]\nchannels = []", "2:12 notify.channels is a list such as", id="no channels"),
        pytest.param('[notify]\nchannels = ["pager"]', "2:12 notify.channels names some of desktop", id="channel"),
        pytest.param(
            '[notify]\nchannels = ["desktop", "desktop"]', "2:12 notify.channels names desktop twice", id="twice"
        ),
        pytest.param(
            "[alerts.agent-ded]\npage = true",
            '1:9 alerts.agent-ded is no alert (did you mean "agent-dead"?)',
            id="code",
        ),
        pytest.param("[alerts.zzz]\npage = true", "1:9 alerts.zzz is no alert (see docs/alerts.md)", id="no code"),
        pytest.param("[limits]\nstale_s = 0", "2:11 limits.stale_s is longer than zero, not 0", id="zero"),
        pytest.param("[limits]\nstale_s = -3", "2:11 limits.stale_s is longer than zero, not -3", id="negative"),
        pytest.param("[limits]\nstale_s = nan", "2:11 limits.stale_s is a finite duration, not nan", id="nan"),
        pytest.param("[limits]\nstale_s = inf", "2:11 limits.stale_s is a finite duration, not inf", id="inf"),
        pytest.param(f"[limits]\nstale_s = 1{'0' * 400}", "2:11 limits.stale_s is a finite duration", id="huge"),
        pytest.param('[limits]\nstale_s = "0m"', '2:11 limits.stale_s is longer than zero, not "0m"', id="no minutes"),
        pytest.param('[limits]\nstale_s = "13x"', "2:11 limits.stale_s is a duration such as", id="unit"),
        pytest.param('[limits]\nstale_s = ""', "2:11 limits.stale_s is a duration such as", id="no duration"),
        pytest.param("[limits]\nstale_s = true", "2:11 limits.stale_s is a duration (a number", id="no number"),
        pytest.param("[limits]\nmissed_beats = 0", "2:16 limits.missed_beats is at least 1, not 0", id="count"),
        pytest.param("[limits]\nmissed_beats = 2.5", "2:16 limits.missed_beats is a whole number, not 2.5", id="whole"),
        pytest.param("[limits]\nmissed_beats = 10000000", "2:16 limits.missed_beats is at most", id="too many"),
        pytest.param("[limits.tier.4]\n", '1:14 "4" is no tier', id="tier"),
        pytest.param(
            '[limits]\nwaiting_s = "14m"', "2:13 limits.waiting_s (840 s) is longer than the stale", id="waiting"
        ),
        pytest.param("[limits]\nstale_s = 200", "2:11 limits.waiting_s (300 s) is longer than the stale", id="stale"),
        pytest.param(
            "[limits.tier.2]\nstale_s = 9",
            "2:11 limits.tier.2.waiting_s (300 s) is longer than the stale limit of tier 2 (9 s)",
            id="tier's waiting",
        ),
        pytest.param('[tmux]\nsocket_name = "a/b"', '2:15 tmux.socket_name is a name without "/"', id="socket's name"),
        pytest.param(
            f'[tmux]\nsocket_path = "/{"x" * 120}"', "2:15 tmux.socket_path is longer than 107", id="socket's path"
        ),
        pytest.param(
            '[tmux]\nsession = "{rôle}"', "2:11 tmux.session knows {project} and {role}, not", id="placeholder"
        ),
        pytest.param('[tmux]\nsession = "#(id)"', '2:11 tmux.session holds "#", which tmux', id="format"),
        pytest.param('[tmux]\nsession = "$1"', '2:11 tmux.session begins with "$"', id="target"),
        pytest.param(
            '[tmux]\nsession = "x"\n[roles.CODER]\n[roles.DIRECTOR]',
            '4:8 CODER and DIRECTOR would share the tmux session "x"',
            id="one session",
        ),
        pytest.param(
            '[roles.CODER]\nsession = "a.b"\n[roles.DIRECTOR]\nsession = "a:b"',
            '4:11 CODER and DIRECTOR would share the tmux session "a_b"',
            id="same to tmux",
        ),
        pytest.param(
            '[roles.CODER]\nclient = "codx"',
            "2:10 roles.CODER.client is one of claude, codex, gemini, opencode, sdk, command; "
            'not "codx" (did you mean "codex"?)',
            id="client",
        ),
        pytest.param("[roles.CODER]\nclient = []", "2:10 roles.CODER.client is one of claude", id="client's type"),
        pytest.param('[roles.CODER]\ncommand = "a \'b"', "2:11 roles.CODER.command can't be split", id="quotes"),
        pytest.param('[roles.CODER]\ncommand = ""', "2:11 roles.CODER.command is empty", id="no command"),
        pytest.param("[roles.CODER]\ncommand = []", "2:11 roles.CODER.command is empty", id="no words"),
        pytest.param("[roles.CODER]\ncommand = [1]", "2:11 roles.CODER.command is a text or a list", id="no text"),
        pytest.param(
            '[roles.CODER]\ncommand = ["a", "\\u0000"]', "2:11 roles.CODER.command holds a NUL", id="nul word"
        ),
        pytest.param("[roles.CODER.env]\nA = 1", "1:14 roles.CODER.env holds texts; A is 1", id="env's value"),
        pytest.param('[roles.CODER]\nenv."A=B" = ""', "2:1 roles.CODER.env can't hold", id="env's name"),
        pytest.param('[roles.CODER]\nenv = {A = "\\u0000"}', "2:7 roles.CODER.env holds a NUL", id="env's nul"),
        pytest.param("[roles.CODER]\nenv = 1", "2:7 roles.CODER.env is a table of texts, not 1", id="env"),
        pytest.param(
            '[roles.CODER]\nprofile = "x.md"', "2:11 roles.CODER.profile: there is no file x.md", id="profile"
        ),
        pytest.param("a = \n", "1:5 not TOML: invalid value", id="syntax"),
        pytest.param("[limits]\n[limits]\n", "2:8 not TOML: cannot declare ('limits',) twice", id="table twice"),
        pytest.param('a = """x\n', "2:1 not TOML: unterminated string", id="end of document"),
        pytest.param("a = " + "[" * 5000, "1:1 is nested too deeply", id="deep"),
    ],
)
def test_what_is_wrong_is_refused_in_its_place(project: Path, text: str, expected: str) -> None:
    [shown] = refusals(project, text)
    assert shown.startswith(f"teamops.toml:{expected}")


@pytest.mark.parametrize("depth", range(50, 1000, 50))
def test_any_depth_of_nesting_is_refused_and_none_is_a_crash(project: Path, depth: int) -> None:
    [shown] = refusals(project, "a = " + "[" * depth + "]" * depth)
    assert shown.startswith("teamops.toml:1:1 ")


def test_all_problems_are_said_at_once_in_the_files_order(project: Path) -> None:
    places = [
        re.findall(r":(\d+):(\d+) ", shown)[0]
        for shown in refusals(project, "a = 1\n[limits]\nstale_m = 1\nevidence_s = 0\n[roles.HUMAN]\n[notify]\nx = 1\n")
    ]
    assert places == [("1", "1"), ("3", "1"), ("4", "14"), ("5", "8"), ("7", "1")]


def test_the_error_names_every_problem_and_what_to_do(project: Path) -> None:
    (project / "teamops.toml").write_text("a = 1\nb = 2\n")
    with pytest.raises(ConfigError) as caught:
        load(project)
    assert caught.value.message.splitlines()[0] == "2 problems in the configuration:"
    assert "teamops.toml:2:1" in caught.value.message
    assert "teamops config check" in caught.value.hint


def test_a_windows_editors_file_is_read(project: Path) -> None:
    (project / "teamops.toml").write_bytes(b'\xef\xbb\xbfproject = "x"\r\n[roles.CODER]\r\n')
    assert load(project).project == "x"


def test_other_encodings_are_refused_in_their_place(project: Path) -> None:
    (project / "teamops.toml").write_bytes(b'\xef\xbb\xbfa = 1\nproject = "\xc3\xa4\xe4"\n')
    with pytest.raises(ConfigError, match=r"teamops\.toml:2:13 is not UTF-8"):
        load(project)


def test_a_file_that_is_none_is_refused(project: Path) -> None:
    (project / "teamops.toml").mkdir()
    with pytest.raises(UsageError, match="can't be read"):
        load(project)
    with pytest.raises(UsageError, match="is no folder"):
        load(project / "nowhere")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("[roles.DIRCTOR]", '1:8 DIRCTOR has no profile (did you mean "DIRECTOR"?)', id="near a role"),
        pytest.param("[roles.XQ]", "1:8 XQ has no profile", id="own role"),
        pytest.param('[roles.CODER]\ncwd = "x"', "2:7 roles.CODER.cwd: there is no folder", id="folder"),
        pytest.param(
            '[tmux]\nsocket_name = "a"\nsocket_path = "b"\n[roles.CODER]', "2:1 tmux.socket_name has no", id="both"
        ),
        pytest.param("", "1:1 no roles", id="no roles"),
        pytest.param(
            '[roles.CODER]\ncommand = "no-such-program x"', "2:11 roles.CODER.command: there is no pro", id="PATH"
        ),
        pytest.param('[roles.CODER]\ncommand = "./no"', "2:11 roles.CODER.command: there is no pro", id="relative"),
    ],
)
def test_what_is_unlikely_is_warned_of(project: Path, text: str, expected: str) -> None:
    (project / "current.md").write_text("")
    (project / "teamops.toml").write_text(text)
    load(project)
    checked = check(project, thorough=True)
    [problem] = checked.problems
    assert problem.severity is Severity.WARNING
    assert str(problem).startswith(f"teamops.toml:{expected}")
    assert checked.settings is not None


def test_a_role_of_ones_own_needs_no_profile(project: Path) -> None:
    [tester] = read(project, "[roles.TESTER]").roles
    assert (tester.role, tester.name, tester.profile) == (Role("TESTER"), "Tester", None)


def test_a_projects_profile_takes_the_place_of_the_shipped_one(project: Path) -> None:
    (project / "profiles").mkdir()
    own = project / "profiles" / "coder.md"
    own.write_text("---\nrole: coder\nname: Kim\ntitle: Coder\n---\nYou are Kim.\n")
    [coder] = read(project, "[roles.CODER]").roles
    assert coder.profile is not None
    assert (coder.name, coder.profile.path, coder.profile.read().body) == ("Kim", own, "You are Kim.\n")


def test_a_projects_broken_profile_refuses_the_configuration(project: Path) -> None:
    (project / "own.md").write_text("---\nrole: TESTER\nname: Toni\ntitel: x\n---\nYou.\n")
    shown = refusals(project, 'x = 1\n[roles.TESTER]\nprofile = "own.md"\n')
    assert shown[0].startswith("teamops.toml:1:1 unknown key")
    assert 'own.md:4:1 unknown key "titel" (did you mean "title"?)' in shown


# Spikes


def test_a_role_can_have_its_own_spike_rule(project: Path) -> None:
    settings = read(
        project,
        """
        [spike]
        floor = 6000
        factor = 8
        tool_factor = 4.5
        page_literal = true
        stop = "ask"
        [roles.CODER]
        command = "codex"
        [roles.CODER.spike]
        ceiling = 90000
        factor = 2.5
        stop = "on"
        [roles.DIRECTOR]
        command = "claude"
        """,
    )
    team = SpikeRule(floor=6_000, factor=8.0, tool_factor=4.5, page_literal=True, stop=SpikeStop.ASK)
    assert settings.spike_of(Role("DIRECTOR")) == settings.spike_of(Role("NOBODY")) == team
    assert settings.spike_of(CODER) == replace(team, ceiling=90_000, factor=2.5, stop=SpikeStop.ON)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("spike.floor = 0", "spike.floor is at least 1, not 0"),
        ("spike.floor = 1.5", "spike.floor is a whole number of tokens, not 1.5"),
        ("spike.ceiling = 2000000000", "spike.ceiling is at most 1000000000"),
        ("spike.factor = 1", "spike.factor is more than 1 and at most 1000, not 1"),
        ("spike.factor = nan", "spike.factor is more than 1 and at most 1000, not nan"),
        ('spike.factor = "x"', 'spike.factor is a number, not "x"'),
        ('spike.stop = "yes"', 'spike.stop is one of off, ask, on; not "yes"'),
        (
            "spike.floor = 30000",
            "spike.floor (30000) is more than its ceiling (20000): nothing between is judged",
        ),
        (
            "roles.CODER.spike.ceiling = 3000",
            "roles.CODER.spike.floor (5000) is more than its ceiling (3000): nothing between is judged",
        ),
    ],
)
def test_a_spike_rule_that_can_t_be_is_refused(project: Path, text: str, message: str) -> None:
    (project / "teamops.toml").write_text(text)
    with pytest.raises(ConfigError) as refused:
        load(project)
    (problem,) = refused.value.problems
    assert problem.message == message
    assert (problem.line, problem.column) == (1, text.index("=") + 3)


def test_budgets_are_read_for_the_team_and_for_each_role(project: Path) -> None:
    settings = read(
        project,
        """
        [budget]
        hour_usd = 8
        day_usd = 40.10
        soft_percent = 70
        timezone = "Europe/Berlin"
        [roles.DIRECTOR]
        [roles.CODER]
        [roles.CODER.budget]
        day_usd = 12.5
        [roles.REVIEWER.budget]
        hour_usd = 0.5
        soft_percent = 90
        """,
    )
    budgets = settings.budgets
    assert budgets.timezone == "Europe/Berlin"
    assert budgets.team == BudgetRule(hour_usd=Decimal(8), day_usd=Decimal("40.1"), soft_percent=70)
    assert dict(budgets.roles) == {
        "DIRECTOR": BudgetRule(soft_percent=70),
        "CODER": BudgetRule(day_usd=Decimal("12.5"), soft_percent=70),
        "REVIEWER": BudgetRule(hour_usd=Decimal("0.5"), soft_percent=90),
    }


def test_without_budgets_nothing_is_limited(project: Path) -> None:
    budgets = read(project, "[roles.CODER]\n").budgets
    assert not budgets.limits
    assert (budgets.timezone, budgets.team.soft_percent) == ("", 80)
    key = next(key for key in schema.KEYS if key.name == "budget.soft_percent")
    assert key.default == "80"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("budget.day_usd = 0", "budget.day_usd is more than 0 and at most 1000000, not 0"),
        ("budget.day_usd = -5", "budget.day_usd is more than 0 and at most 1000000, not -5"),
        ("budget.day_usd = inf", "budget.day_usd is more than 0 and at most 1000000, not inf"),
        ("budget.day_usd = nan", "budget.day_usd is more than 0 and at most 1000000, not nan"),
        ('budget.day_usd = "5"', 'budget.day_usd is a number of dollars, not "5"'),
        ("budget.hour_usd = true", "budget.hour_usd is a number of dollars, not true"),
        ("budget.soft_percent = 0", "budget.soft_percent is between 1 and 100, not 0"),
        ("budget.soft_percent = 8.5", "budget.soft_percent is a whole number, not 8.5"),
        (
            'budget.timezone = "Europe/Berlim"',
            'budget.timezone is the IANA name of a timezone, not "Europe/Berlim" (did you mean "Europe/Berlin"?)',
        ),
        (
            'budget.timezone = "../x"',
            'budget.timezone is the IANA name of a timezone, not "../x" (such as "Europe/Berlin" or "UTC")',
        ),
        ("budget.timezone = 5", "budget.timezone is a text, not 5"),
        ("budget.days_usd = 5", 'unknown key "days_usd" in [budget] (did you mean "day_usd"?)'),
        ("roles.CODER.budget.day_usd = 0", "roles.CODER.budget.day_usd is more than 0 and at most 1000000, not 0"),
        (
            'roles.CODER.budget.timezone = "UTC"',
            'unknown key "timezone" in [roles.CODER.budget] (it belongs in [budget])',
        ),
    ],
)
def test_a_budget_that_can_t_be_is_refused(project: Path, text: str, message: str) -> None:
    (project / "teamops.toml").write_text(f"{text}\n")
    with pytest.raises(ConfigError) as refused:
        load(project)
    assert [problem.message for problem in refused.value.problems] == [message]


def test_the_documented_defaults_of_spikes_are_the_real_ones() -> None:
    keys = {key.path[-1]: key for key in schema.KEYS if key.path[0] == "spike"}
    assert set(keys) == set(SpikeRule.__struct_fields__)
    for name, key in keys.items():
        written: object = {"false": False}.get(key.default, key.default.strip('"'))
        value = int(written) if isinstance(written, str) and written.isdigit() else written
        assert key.read(value) == getattr(SpikeRule(), name), name


# The schema is the truth for others


def test_every_limit_can_be_configured() -> None:
    configurable = {key.path[-1] for key in schema.KEYS if key.path[0] == "limits"}
    fields = set(Limits.__struct_fields__)
    assert configurable == fields - {"waiting_by_tier", "stale_by_tier"}


def test_the_documented_defaults_of_limits_are_the_real_ones() -> None:
    documented = {key.path[-1]: key for key in schema.KEYS if key.path[0] == "limits" and "*" not in key.path}
    for name, key in documented.items():
        written = key.default.strip('"')
        value: object = int(written) if written.isdigit() else written
        assert key.read(value) == getattr(Limits(), name), name


def test_the_documentation_lists_every_key_with_its_default() -> None:
    page = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    assert schema.documentation() in page


def test_the_documented_examples_are_accepted(project: Path) -> None:
    page = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    examples = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    (project / "bots").mkdir()
    profile = re.search(r"```markdown\n(---.*?)```", page, re.DOTALL)
    assert profile
    (project / "bots" / "tester.md").write_text(profile[1])
    assert [len(read(project, example).roles) for example in examples] == [2, 7]


def test_no_yaml_is_loaded_to_start(project: Path) -> None:
    (project / "teamops.toml").write_text(TEAM)
    program = (
        "import sys; from pathlib import Path; from teamops.config.load import load; load(Path(sys.argv[1])); "
        "print(sorted({'yaml', 'difflib', 'teamops.config.places'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(project)], capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout == "[]\n"


def test_what_models_cost_can_be_said(project: Path) -> None:
    (project / "teamops.toml").write_text(
        '[prices."gpt-9.1"]\ninput = 1.25\noutput = "10"\n[prices.free]\ninput = 0\noutput = 0\n'
        "cache_read = 0.1\ncache_write = 2\ncache_write_1h = 3\nfast = 6\n"
    )
    assert load(project).prices == {
        "gpt-9.1": OwnPrice(input=Decimal("1.25"), output=Decimal(10)),
        "free": OwnPrice(
            input=Decimal(0),
            output=Decimal(0),
            cache_read=Decimal("0.1"),
            cache_write=Decimal(2),
            cache_write_1h=Decimal(3),
            fast=Decimal(6),
        ),
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[prices.m]\ninput = 1\n", "1:9 prices.m says no price of output"),
        ("[prices.m]\nfast = 2\n", "1:9 prices.m says no price of input and output"),
        ("[prices.m]\ninput = -1\noutput = 1\n", "2:9 prices.m.input is between 0 and 1000000, not -1"),
        ("[prices.m]\ninput = nan\noutput = 1\n", "2:9 prices.m.input is between 0"),
        ('[prices.m]\ninput = "cheap"\noutput = 1\n', '2:9 prices.m.input is a number, not "cheap"'),
        ("[prices.m]\ninput = true\noutput = 1\n", "2:9 prices.m.input is a number, not true"),
        ("[prices.m]\ninputs = 1\noutput = 1\n", '2:1 unknown key "inputs" in [prices.m] (did you mean "input"?)'),
        ("[prices]\nm = 1\n", "2:5 prices.m is a table, not 1"),
        ("prices = 1\n", "1:10 prices is a table, not 1"),
    ],
)
def test_a_price_that_can_t_be_is_refused(project: Path, text: str, expected: str) -> None:
    (project / "teamops.toml").write_text(text)
    with pytest.raises(ConfigError) as refused:
        load(project)
    assert f"teamops.toml:{expected}" in str(refused.value)


def test_the_sandbox(tmp_path: Path) -> None:
    (tmp_path / "teamops.toml").write_text('[sandbox]\nmode = "require"\nwrite = ["../c"]\nsockets = ["/run/db"]\n')
    sandbox = load(tmp_path, env={}).sandbox
    assert (sandbox.mode, sandbox.write, sandbox.sockets) == ("require", (tmp_path.parent / "c",), (Path("/run/db"),))
    (tmp_path / "teamops.toml").write_text("")
    assert load(tmp_path, env={}).sandbox.mode == "auto"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('mode = "on"', 'sandbox.mode is one of auto, require, off; not "on"'),
        ('write = "x"', 'sandbox.write is a list of paths, not "x"'),
        ("sockets = [1]", "sandbox.sockets is a text, not 1"),
    ],
)
def test_a_sandbox_that_cannot_be_read(line: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "teamops.toml").write_text(f"[sandbox]\n{line}\n")
    with pytest.raises(ConfigError) as raised:
        load(tmp_path, env={})
    assert said in str(raised.value)


def test_how_long_what_is_kept(project: Path) -> None:
    assert read(project, "").retention == Retention(raw_days=7, minute_days=90)
    assert read(project, "[ledger]\nraw_days = 3\nminute_days = 30\n").retention == Retention(
        raw_days=3, minute_days=30
    )
    for text in ("raw_days = 91", "minute_days = 6", "raw_days = 9\nminute_days = 8"):
        [shown] = refusals(project, f"[ledger]\n{text}\n")
        assert "no longer than its sums" in shown
        assert "teamops.toml:2:" in shown
    [shown] = refusals(project, "[ledger]\nraw_days = 1\nminute_days = 1\n")
    assert "teamops.toml:3:" in shown
    assert "at least 2" in shown
    for text in ("raw_days = 0", 'raw_days = "7d"', "raw_days = 1.5", "minute_days = true"):
        assert len(refusals(project, f"[ledger]\n{text}\n")) == 1


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a.example/x",
        "file:///etc/passwd",
        "a.example/x",
        "https://",
        "https:///x",
        "https://a.example/x y",
        "https://a.example/x?y=1",
        "https://a.example/x#y",
        "https://a.example:99999/x",
        "https://[::1/x",
        "https://ä.example/x",
    ],
)
def test_a_page_that_can_t_be_told_is_refused_and_not_printed(project: Path, url: str) -> None:
    [shown] = refusals(project, f'[watchdog]\nurl = "{url}"\n')
    assert "watchdog.url" in shown
    assert url not in shown
    assert "passwd" not in shown


def test_a_page_is_told(project: Path) -> None:
    assert (
        read(project, '[watchdog]\nurl = "http://127.0.0.1:8000/ping/x/"\n').watchdog_url
        == "http://127.0.0.1:8000/ping/x"
    )
    assert read(project, "").watchdog_url == ""


def test_the_daily_report(tmp_path: Path) -> None:
    assert load(tmp_path, env={}).report == ReportSettings(
        daily=True, folder="reports", formats=("md", "json"), send=False
    )
    (tmp_path / "teamops.toml").write_text(
        '[report]\ndaily = false\nfolder = "docs/days"\nformats = ["html", "text", "html"]\nsend = true\n'
    )
    folder = str(tmp_path / "docs" / "days")
    assert load(tmp_path, env={}).report == ReportSettings(
        daily=False, folder=folder, formats=("html", "text"), send=True
    )


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('formats = ["pdf"]', "report.formats is a list of one or more of text, md, json, html; not"),
        ("formats = []", "report.formats is a list of one or more of"),
        ('formats = "md"', "report.formats is a list of one or more of"),
        ("daily = 1", "report.daily is true or false, not 1"),
    ],
)
def test_a_report_that_cannot_be_read(line: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "teamops.toml").write_text(f"[report]\n{line}\n")
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, env={})
    assert said in str(caught.value)


def test_how_a_person_is_called(project: Path) -> None:
    (project / "teamops.toml").write_text(
        '[notify]\nchannels = ["terminal"]\nquiet = "22:00-7:30"\ncap = 3\nescalate_s = "5m"\nresolved = true\n'
        '[alerts.agent-silent]\npage = true\nfor_s = "30s"\n[alerts.human-turn]\nrepeat_s = "1h"\n',
        encoding="utf-8",
    )
    settings = load(project)
    assert settings.notify.order == ("terminal",)
    assert settings.paging == PagingPolicy(quiet=Quiet(22 * 60, 7 * 60 + 30), cap=3, escalate_s=300.0, resolved=True)
    silent, human = settings.alert_rules["agent-silent"], settings.alert_rules["human-turn"]
    assert (silent.page, silent.for_s, silent.meaning) == (True, 30.0, RULES["agent-silent"].meaning)
    assert (human.page, human.repeat_s) == (True, 3600.0)
    assert settings.alert_rules["agent-dead"] == RULES["agent-dead"]


SOONER = "told again by the same channel before notify.escalate_s lets the next one be told"


def test_the_next_channel_is_told_no_sooner_than_the_first_was_tried(project: Path) -> None:
    (project / "teamops.toml").write_text('[notify]\nescalate_s = "10s"\n', encoding="utf-8")
    (problem,) = [problem for problem in check(project).problems if problem.severity is Severity.ERROR]
    assert problem.message == "notify.escalate_s is longer than 10 s: for so long one channel is tried"
    assert problem.line == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[notify]\nescalate_s = "5m"\n', []),
        (
            '[notify]\nchannels = ["desktop"]\nescalate_s = "5m"\n',
            ["notify.escalate_s has no effect: there is one channel, and no next one"],
        ),
        ('[notify]\nchannels = ["desktop"]\n[alerts.tmux-down]\nrepeat_s = "5m"\n', []),
        (
            '[alerts.tmux-down]\nrepeat_s = "5m"\n[alerts.human-turn]\nrepeat_s = "5m"\n',
            [f"alerts.tmux-down.repeat_s: {SOONER}"],
        ),
        (
            '[notify]\nescalate_s = "2h"\n',
            [f"poke-unproven, forged-sign-off, agent-given-up and 5 more: {SOONER}"],
        ),
    ],
)
def test_when_the_next_channel_is_told_and_when_the_same_again(project: Path, text: str, said: list[str]) -> None:
    (project / "teamops.toml").write_text(text, encoding="utf-8")
    problems = [problem for problem in check(project, thorough=True).problems if "escalate_s" in problem.message]
    assert [problem.message for problem in problems] == said
    assert all(problem.severity is Severity.WARNING for problem in problems)
