"""The ledger's tables, and the way from every older version to the newest."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence

from teamops.model.errors import TeamopsError

FIRST = """
CREATE TABLE position(
  path TEXT PRIMARY KEY, device INTEGER NOT NULL, inode INTEGER NOT NULL, generation INTEGER NOT NULL,
  offset INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE beat_minute(
  role TEXT NOT NULL, minute INTEGER NOT NULL, beats INTEGER NOT NULL, tokens INTEGER NOT NULL,
  tool_calls INTEGER NOT NULL, cost_usd TEXT NOT NULL, PRIMARY KEY(role, minute)) STRICT, WITHOUT ROWID;
CREATE INDEX beat_minute_by_minute ON beat_minute(minute);
CREATE TABLE last_beat(role TEXT PRIMARY KEY, wall REAL NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE usage_minute(
  role TEXT NOT NULL, minute INTEGER NOT NULL, model TEXT NOT NULL, responses INTEGER NOT NULL,
  input INTEGER NOT NULL, output INTEGER NOT NULL, cache_write INTEGER NOT NULL, cache_write_1h INTEGER NOT NULL,
  cache_read INTEGER NOT NULL, cost_usd TEXT NOT NULL, unpriced INTEGER NOT NULL,
  PRIMARY KEY(role, minute, model)) STRICT, WITHOUT ROWID;
CREATE INDEX usage_minute_by_minute ON usage_minute(minute);
CREATE TABLE unpriced(
  id INTEGER PRIMARY KEY, role TEXT NOT NULL, wall REAL NOT NULL, model TEXT NOT NULL, input INTEGER NOT NULL,
  output INTEGER NOT NULL, cache_write INTEGER NOT NULL, cache_write_1h INTEGER NOT NULL, cache_read INTEGER NOT NULL,
  client TEXT NOT NULL, session TEXT NOT NULL, speed TEXT NOT NULL, service_tier TEXT NOT NULL,
  key TEXT NOT NULL, context INTEGER NOT NULL) STRICT;
CREATE INDEX unpriced_by_wall ON unpriced(role, wall);
CREATE TABLE rates(
  model TEXT NOT NULL, day TEXT NOT NULL, rates TEXT NOT NULL, PRIMARY KEY(model, day)) STRICT, WITHOUT ROWID;
CREATE TABLE light(
  task TEXT NOT NULL, digest TEXT NOT NULL, role TEXT NOT NULL, wall REAL NOT NULL,
  PRIMARY KEY(task, digest, role)) STRICT, WITHOUT ROWID;
CREATE INDEX light_by_wall ON light(wall);
CREATE TABLE state_edge(
  id INTEGER PRIMARY KEY, wall REAL NOT NULL, role TEXT NOT NULL, state TEXT NOT NULL, evidence TEXT NOT NULL) STRICT;
CREATE INDEX state_edge_by_wall ON state_edge(wall);
CREATE TABLE alert(
  code TEXT NOT NULL, subject TEXT NOT NULL, severity TEXT NOT NULL, state TEXT NOT NULL, message TEXT NOT NULL,
  do TEXT NOT NULL, agent TEXT, since_wall REAL NOT NULL, changed_wall REAL NOT NULL, rounds INTEGER NOT NULL,
  notify INTEGER NOT NULL, PRIMARY KEY(code, subject)) STRICT, WITHOUT ROWID;
CREATE TABLE alert_edge(
  id INTEGER PRIMARY KEY, wall REAL NOT NULL, code TEXT NOT NULL, subject TEXT NOT NULL, severity TEXT NOT NULL,
  state TEXT NOT NULL, message TEXT NOT NULL, agent TEXT) STRICT;
CREATE INDEX alert_edge_by_wall ON alert_edge(wall);
CREATE TABLE action(
  id INTEGER PRIMARY KEY, wall REAL NOT NULL, kind TEXT NOT NULL, role TEXT, text TEXT NOT NULL, title TEXT NOT NULL,
  critical INTEGER NOT NULL, decided_by TEXT NOT NULL, reason TEXT NOT NULL, ended_wall REAL, ok INTEGER,
  message TEXT NOT NULL DEFAULT '', hint TEXT NOT NULL DEFAULT '', evidence TEXT NOT NULL DEFAULT '') STRICT;
CREATE INDEX action_by_wall ON action(wall);
"""

ACTION_PID = """
ALTER TABLE action ADD COLUMN pid INTEGER NOT NULL DEFAULT 0;
"""

PROTOCOL = """
CREATE TABLE block(
  id INTEGER PRIMARY KEY, digest TEXT NOT NULL, role TEXT NOT NULL, task TEXT, heading TEXT NOT NULL,
  text BLOB NOT NULL, wall REAL NOT NULL, adopted INTEGER NOT NULL, place INTEGER NOT NULL, state TEXT NOT NULL,
  archived_wall REAL) STRICT;
CREATE INDEX block_by_place ON block(state, place);
CREATE INDEX block_by_digest ON block(digest);
CREATE TABLE tamper(
  id INTEGER PRIMARY KEY, wall REAL NOT NULL, kind TEXT NOT NULL, before INTEGER REFERENCES block(id),
  after TEXT NOT NULL, accepted TEXT NOT NULL DEFAULT '', accepted_wall REAL, mended INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE TABLE approval(
  id INTEGER PRIMARY KEY, task TEXT, approver TEXT NOT NULL, wall REAL NOT NULL, verdict TEXT NOT NULL,
  note TEXT NOT NULL, digest TEXT NOT NULL, chain TEXT NOT NULL) STRICT;
CREATE INDEX approval_by_digest ON approval(digest);
CREATE TABLE gate_run(
  id INTEGER PRIMARY KEY, task TEXT, gate TEXT NOT NULL, command TEXT NOT NULL, ok INTEGER NOT NULL,
  exit_status INTEGER, started_wall REAL NOT NULL, seconds REAL NOT NULL, commit_id TEXT NOT NULL, tree TEXT NOT NULL,
  tail TEXT NOT NULL) STRICT;
CREATE TABLE announced(
  task TEXT NOT NULL, digest TEXT NOT NULL, role TEXT NOT NULL, how TEXT NOT NULL, wall REAL NOT NULL,
  PRIMARY KEY(task, digest, role)) STRICT, WITHOUT ROWID;
CREATE TABLE forced(
  id INTEGER PRIMARY KEY, wall REAL NOT NULL, role TEXT NOT NULL, task TEXT, digest TEXT NOT NULL,
  why TEXT NOT NULL) STRICT;
"""

ROTATION = """
CREATE TABLE rotation(
  id INTEGER PRIMARY KEY, wall REAL NOT NULL, blocks INTEGER NOT NULL, tasks INTEGER NOT NULL) STRICT;
"""

LIFE = """
CREATE TABLE delivery(
  action INTEGER PRIMARY KEY, role TEXT NOT NULL, light TEXT NOT NULL, attempt INTEGER NOT NULL,
  decided_wall REAL NOT NULL, typed_wall REAL, accepted_wall REAL, working_wall REAL, refused TEXT NOT NULL DEFAULT '',
  proof TEXT NOT NULL DEFAULT '', over INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE INDEX delivery_by_role ON delivery(role, decided_wall);
CREATE INDEX delivery_by_light ON delivery(light, role);
CREATE TABLE restart(
  action INTEGER PRIMARY KEY, role TEXT NOT NULL, wall REAL NOT NULL, decided_by TEXT NOT NULL, cause TEXT NOT NULL,
  ending TEXT NOT NULL, attempt INTEGER NOT NULL, screen TEXT NOT NULL DEFAULT '', notes TEXT NOT NULL DEFAULT '',
  session TEXT NOT NULL DEFAULT '') STRICT;
CREATE INDEX restart_by_role ON restart(role, wall);
CREATE TABLE keeping(
  role TEXT PRIMARY KEY, attempts INTEGER NOT NULL, last_wall REAL, given_up_wall REAL, held TEXT NOT NULL,
  held_why TEXT NOT NULL, changed_wall REAL NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE launch(
  role TEXT PRIMARY KEY, session TEXT NOT NULL, pane TEXT NOT NULL, pid INTEGER NOT NULL, born TEXT NOT NULL,
  client TEXT NOT NULL, client_session TEXT NOT NULL, wall REAL NOT NULL,
  adopted INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE rss_minute(
  role TEXT NOT NULL, pid INTEGER NOT NULL, minute INTEGER NOT NULL, rss INTEGER NOT NULL,
  PRIMARY KEY(role, pid, minute)) STRICT, WITHOUT ROWID;
CREATE INDEX rss_minute_by_minute ON rss_minute(minute);
"""

BEATEN = """
ALTER TABLE usage_minute ADD COLUMN beaten INTEGER NOT NULL DEFAULT 0;
"""

SPIKES = """
CREATE TABLE usual(
  role TEXT PRIMARY KEY, usual TEXT NOT NULL, spike TEXT NOT NULL, wall REAL NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE spike(
  id INTEGER PRIMARY KEY, role TEXT NOT NULL, began_wall REAL NOT NULL, ended_wall REAL, peak INTEGER NOT NULL,
  usual INTEGER, threshold INTEGER NOT NULL, tokens INTEGER NOT NULL, cost_usd TEXT NOT NULL, why TEXT NOT NULL,
  trace TEXT NOT NULL) STRICT;
CREATE INDEX spike_by_role ON spike(role, began_wall);
"""

CLIENT_SESSIONS = """
CREATE TABLE client_session(
  session TEXT PRIMARY KEY, role TEXT NOT NULL, wall REAL NOT NULL) STRICT, WITHOUT ROWID;
INSERT OR IGNORE INTO client_session SELECT client_session, role, wall FROM launch WHERE client_session <> '';
"""

SPENT = """
CREATE TABLE spent_name(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE spent(
  id INTEGER PRIMARY KEY, role INTEGER NOT NULL REFERENCES spent_name(id), wall REAL NOT NULL, source INTEGER NOT NULL,
  cycle REAL, model INTEGER NOT NULL REFERENCES spent_name(id), client INTEGER NOT NULL REFERENCES spent_name(id),
  session INTEGER NOT NULL REFERENCES spent_name(id), input INTEGER NOT NULL, output INTEGER NOT NULL,
  cache_write INTEGER NOT NULL, cache_write_1h INTEGER NOT NULL, cache_read INTEGER NOT NULL, pico INTEGER,
  cost_usd TEXT) STRICT;
CREATE INDEX spent_by_wall ON spent(role, wall);
CREATE TABLE spent_priced(id INTEGER PRIMARY KEY CHECK(id = 1), times INTEGER NOT NULL) STRICT;
INSERT INTO spent_priced(id, times) VALUES(1, 0);
"""

BUDGETS = """
CREATE TABLE budget_hold(
  scope TEXT NOT NULL, wall REAL NOT NULL, cause TEXT NOT NULL, why TEXT NOT NULL, day TEXT NOT NULL, limit_usd TEXT,
  spent_usd TEXT, lifted_wall REAL, lifted_by TEXT NOT NULL DEFAULT '', new_limit_usd TEXT,
  PRIMARY KEY(scope, wall)) STRICT, WITHOUT ROWID;
CREATE TABLE budget_limit(
  scope TEXT NOT NULL, day TEXT NOT NULL, limit_usd TEXT NOT NULL, wall REAL NOT NULL, decided_by TEXT NOT NULL,
  PRIMARY KEY(scope, day)) STRICT, WITHOUT ROWID;
CREATE TABLE budget_step(
  scope TEXT NOT NULL, hold_wall REAL NOT NULL, role TEXT NOT NULL, step TEXT NOT NULL, wall REAL NOT NULL,
  ok INTEGER NOT NULL, message TEXT NOT NULL, PRIMARY KEY(scope, hold_wall, role, step)) STRICT, WITHOUT ROWID;
"""

LOGS = """
CREATE TABLE log(path TEXT PRIMARY KEY, role TEXT NOT NULL, client TEXT NOT NULL, wall REAL NOT NULL)
  STRICT, WITHOUT ROWID;
CREATE TABLE told(
  client TEXT NOT NULL, key TEXT NOT NULL, wall REAL NOT NULL, model TEXT NOT NULL, input INTEGER NOT NULL,
  output INTEGER NOT NULL, cache_write INTEGER NOT NULL, cache_write_1h INTEGER NOT NULL, cache_read INTEGER NOT NULL,
  session TEXT NOT NULL, speed TEXT NOT NULL, service_tier TEXT NOT NULL, cost_usd TEXT) STRICT;
"""

SPENT_QUARTERS = """
CREATE TABLE spent_quarter(
  quarter INTEGER NOT NULL, role INTEGER NOT NULL REFERENCES spent_name(id),
  model INTEGER NOT NULL REFERENCES spent_name(id), responses INTEGER NOT NULL, input INTEGER NOT NULL,
  output INTEGER NOT NULL, cache_write INTEGER NOT NULL, cache_write_1h INTEGER NOT NULL, cache_read INTEGER NOT NULL,
  pico INTEGER NOT NULL, unpriced INTEGER NOT NULL, PRIMARY KEY(quarter, role, model)) STRICT, WITHOUT ROWID;
CREATE INDEX spent_told ON spent(wall) WHERE cost_usd IS NOT NULL;
INSERT INTO spent_quarter SELECT CAST(wall / 900 AS INTEGER), role, model, count(*), sum(input), sum(output),
  sum(cache_write), sum(cache_write_1h), sum(cache_read), coalesce(sum(pico), 0),
  coalesce(sum(CASE WHEN pico IS NULL AND cost_usd IS NULL THEN input + output + cache_write + cache_read END), 0)
  FROM spent GROUP BY 1, 2, 3;
CREATE TRIGGER spent_added AFTER INSERT ON spent BEGIN
  INSERT INTO spent_quarter VALUES(
    CAST(NEW.wall / 900 AS INTEGER), NEW.role, NEW.model, 1, NEW.input, NEW.output, NEW.cache_write, NEW.cache_write_1h,
    NEW.cache_read, coalesce(NEW.pico, 0), (NEW.pico IS NULL AND NEW.cost_usd IS NULL)
    * (NEW.input + NEW.output + NEW.cache_write + NEW.cache_read))
    ON CONFLICT(quarter, role, model) DO UPDATE SET responses = responses + 1, input = input + excluded.input,
    output = output + excluded.output, cache_write = cache_write + excluded.cache_write,
    cache_write_1h = cache_write_1h + excluded.cache_write_1h, cache_read = cache_read + excluded.cache_read,
    pico = pico + excluded.pico, unpriced = unpriced + excluded.unpriced;
END;
CREATE TRIGGER spent_repriced AFTER UPDATE OF pico, cost_usd ON spent BEGIN
  UPDATE spent_quarter SET pico = pico + coalesce(NEW.pico, 0) - coalesce(OLD.pico, 0),
    unpriced = unpriced + ((NEW.pico IS NULL AND NEW.cost_usd IS NULL) - (OLD.pico IS NULL AND OLD.cost_usd IS NULL))
    * (NEW.input + NEW.output + NEW.cache_write + NEW.cache_read)
    WHERE quarter = CAST(NEW.wall / 900 AS INTEGER) AND role = NEW.role AND model = NEW.model;
END;
"""

BOUNDARIES = """
CREATE TABLE decision(
  id INTEGER PRIMARY KEY, role TEXT NOT NULL, wall REAL NOT NULL, verdict TEXT NOT NULL, rule TEXT NOT NULL,
  about TEXT NOT NULL, why TEXT NOT NULL) STRICT;
CREATE INDEX decision_by_role ON decision(role, verdict);
CREATE INDEX decision_refused ON decision(wall) WHERE verdict <> 'allow';
CREATE TABLE violation(
  id INTEGER PRIMARY KEY, wall REAL NOT NULL, path TEXT NOT NULL, change TEXT NOT NULL, roles TEXT NOT NULL,
  rule TEXT NOT NULL, why TEXT NOT NULL, evidence TEXT NOT NULL, added INTEGER, removed INTEGER, state TEXT NOT NULL,
  note TEXT NOT NULL DEFAULT '', changed_wall REAL, patch TEXT NOT NULL DEFAULT '') STRICT;
CREATE INDEX violation_by_wall ON violation(wall);
ALTER TABLE launch ADD COLUMN kernel TEXT NOT NULL DEFAULT '';
ALTER TABLE launch ADD COLUMN hooked INTEGER NOT NULL DEFAULT 0;
ALTER TABLE launch ADD COLUMN unheld TEXT NOT NULL DEFAULT '';
"""

CHECKS = """
CREATE TABLE boundary_check(
  role TEXT NOT NULL, layer TEXT NOT NULL, word TEXT NOT NULL, why TEXT NOT NULL, do TEXT NOT NULL, ms INTEGER,
  wall REAL NOT NULL, PRIMARY KEY(role, layer)) STRICT;
"""

RETENTION = """
ALTER TABLE spent ADD COLUMN responses INTEGER NOT NULL DEFAULT 1;
ALTER TABLE spent ADD COLUMN grain INTEGER NOT NULL DEFAULT 0;
CREATE INDEX spent_by_grain ON spent(grain, role, wall) WHERE grain < 900;
DROP TRIGGER spent_repriced;
CREATE TRIGGER spent_repriced AFTER UPDATE OF pico, cost_usd ON spent WHEN NEW.responses = OLD.responses BEGIN
  UPDATE spent_quarter SET pico = pico + coalesce(NEW.pico, 0) - coalesce(OLD.pico, 0),
    unpriced = unpriced + ((NEW.pico IS NULL AND NEW.cost_usd IS NULL) - (OLD.pico IS NULL AND OLD.cost_usd IS NULL))
    * (NEW.input + NEW.output + NEW.cache_write + NEW.cache_read)
    WHERE quarter = CAST(NEW.wall / 900 AS INTEGER) AND role = NEW.role AND model = NEW.model;
END;
CREATE TABLE sweep(
  id INTEGER PRIMARY KEY CHECK(id = 1), wall REAL NOT NULL, gone INTEGER NOT NULL, merged INTEGER NOT NULL) STRICT;
"""

DAYS = """
CREATE TABLE watched(id INTEGER PRIMARY KEY, since_wall REAL NOT NULL, until_wall REAL NOT NULL) STRICT;
CREATE INDEX watched_by_end ON watched(until_wall);
CREATE INDEX state_edge_by_role ON state_edge(role, wall);
CREATE INDEX alert_edge_by_cause ON alert_edge(code, subject, wall);
CREATE INDEX decision_by_wall ON decision(wall);
CREATE INDEX action_by_kind ON action(kind, wall);
"""

PAGES = """
ALTER TABLE alert ADD COLUMN silenced_wall REAL;
ALTER TABLE alert ADD COLUMN silenced_until REAL;
ALTER TABLE alert ADD COLUMN hidden_by TEXT NOT NULL DEFAULT '';
ALTER TABLE alert ADD COLUMN paged_wall REAL;
ALTER TABLE alert ADD COLUMN escalated INTEGER NOT NULL DEFAULT 0;
ALTER TABLE alert ADD COLUMN thread TEXT NOT NULL DEFAULT '';
UPDATE alert SET paged_wall = since_wall WHERE notify = 1 AND state IN ('firing', 'acked');
CREATE TABLE page(
  id TEXT PRIMARY KEY, wall REAL NOT NULL, transition TEXT NOT NULL, keys TEXT NOT NULL, thread TEXT NOT NULL,
  severity TEXT NOT NULL, project TEXT NOT NULL, title TEXT NOT NULL, body TEXT NOT NULL, do TEXT NOT NULL, role TEXT,
  buttons TEXT NOT NULL, first INTEGER NOT NULL, over_wall REAL, over TEXT NOT NULL DEFAULT '') STRICT, WITHOUT ROWID;
CREATE INDEX page_by_wall ON page(wall);
CREATE INDEX page_waiting ON page(over_wall) WHERE over_wall IS NULL;
CREATE TABLE page_attempt(
  id INTEGER PRIMARY KEY, page TEXT NOT NULL REFERENCES page(id), channel TEXT NOT NULL, wall REAL NOT NULL,
  ended_wall REAL, ok INTEGER, message TEXT NOT NULL DEFAULT '', evidence TEXT NOT NULL DEFAULT '',
  hint TEXT NOT NULL DEFAULT '', absent INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE INDEX page_attempt_by_page ON page_attempt(page);
CREATE INDEX page_attempt_by_wall ON page_attempt(ended_wall);
INSERT INTO page SELECT 'action ' || id, wall, 'fired', '[]', '', iif(critical, 'critical', 'warning'), '', title, text,
  '', role, '[]', 0, coalesce(ended_wall, wall), 'delivered' FROM action WHERE kind = 'notify';
INSERT INTO page_attempt(page, channel, wall, ended_wall, ok, message, evidence, hint) SELECT 'action ' || id,
  iif(evidence LIKE 'bell%', 'terminal', 'desktop'), wall, coalesce(ended_wall, wall), coalesce(ok, 0), message,
  evidence, hint FROM action WHERE kind = 'notify';
DELETE FROM action WHERE kind = 'notify';
"""

ANSWERS = """
ALTER TABLE alert ADD COLUMN asked_wall REAL;
ALTER TABLE alert ADD COLUMN owed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE alert ADD COLUMN answered INTEGER NOT NULL DEFAULT 0;
UPDATE alert SET asked_wall = paged_wall;
ALTER TABLE page ADD COLUMN channel TEXT NOT NULL DEFAULT '';
ALTER TABLE page ADD COLUMN tries INTEGER NOT NULL DEFAULT 0;
ALTER TABLE page ADD COLUMN laps INTEGER NOT NULL DEFAULT 0;
ALTER TABLE page ADD COLUMN due_wall REAL;
ALTER TABLE page_attempt ADD COLUMN parts TEXT NOT NULL DEFAULT '[]';
CREATE INDEX page_by_end ON page(over_wall);
"""

WHOSE = """
ALTER TABLE violation ADD COLUMN direct INTEGER NOT NULL DEFAULT 0;
ALTER TABLE violation ADD COLUMN sure INTEGER NOT NULL DEFAULT 0;
CREATE TABLE own_write(
  id INTEGER PRIMARY KEY, wall REAL NOT NULL, path TEXT NOT NULL, digest TEXT NOT NULL, what TEXT NOT NULL,
  made_of TEXT NOT NULL) STRICT;
CREATE INDEX own_write_by_wall ON own_write(wall);
"""

HELD = """
ALTER TABLE alert ADD COLUMN held_wall REAL;
"""

STEPS: Sequence[str] = (
    FIRST, ACTION_PID, PROTOCOL, ROTATION, LIFE, SPIKES, BEATEN, CLIENT_SESSIONS, SPENT, BUDGETS, LOGS, SPENT_QUARTERS,
    BOUNDARIES, CHECKS, RETENTION, DAYS, PAGES, ANSWERS, WHOSE, HELD,
)  # fmt: skip
"""``STEPS[n]`` leads from version n to n + 1. A step that was ever released never changes."""


class NewerLedgerError(TeamopsError):
    """The file was written by a newer teamops."""


def migrate(connection: sqlite3.Connection, steps: Sequence[str] = STEPS) -> int:
    """Bring the file to the newest version and return the version it had.

    All steps happen in one transaction, so that a kill leaves the old version or the new one. Two processes may come
    at once: the second waits, and finds nothing left to do. Raises ``NewerLedgerError`` without touching the file, and
    ``sqlite3.Error``.
    """
    version = _version(connection)
    if version == len(steps):
        return version
    if version < len(steps):
        connection.execute("BEGIN IMMEDIATE")
        try:
            version = _version(connection)
            for step in steps[version:]:
                for statement in _statements(step):
                    connection.execute(statement)
            if version < len(steps):
                connection.execute(f"PRAGMA user_version = {len(steps)}")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
    if version > len(steps):
        raise NewerLedgerError(
            f"the ledger was written by a newer teamops (its version {version}, known here {len(steps)})",
            "upgrade teamops, or name another state directory",
        )
    return version


def _statements(step: str) -> Iterator[str]:
    """Return the statements of a step: a trigger has semicolons of its own."""
    statement = ""
    for part in step.split(";"):
        statement += part + ";"
        if sqlite3.complete_statement(statement):
            if statement.strip(" \n;"):
                yield statement
            statement = ""


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])
