"""Databases that were reached and are not as the program expects: migrations, tables, locks."""

from __future__ import annotations

from kausa.diagnosis.rules.application.idea import Idea, any_of
from kausa.resources.category import Category

__all__ = ["SCHEMA_IDEAS"]

_Q = r"[\"'`]?"

SCHEMA_IDEAS: tuple[Idea, ...] = (
    Idea(
        rule="application.database-missing",
        category=Category.DEPENDENCY,
        look=any_of(
            rf"database {_Q}(?P<name>[\w.-]{{1,120}}){_Q} does not exist",
            rf"Unknown database {_Q}(?P<name>[\w.-]{{1,120}})",
            rf"Cannot open database {_Q}(?P<name>[\w.-]{{1,120}})",
            rf"keyspace {_Q}(?P<name>[\w.-]{{1,120}}){_Q} does not exist",
        ),
        summary="container {container} needs the database {name}, which does not exist",
        cause="The database server answers container {container}, and has no database {name}.",
        explanation="It was never created there, or the name in the configuration is wrong.",
        advice="Create the database {name}, or correct its name",
        confidence=94,
    ),
    Idea(
        rule="application.schema",
        category=Category.DEPENDENCY,
        look=any_of(
            rf"(?P<what>relation|table|column|view|schema|type|"
            rf"function) {_Q}(?P<name>[\w.\"-]{{1,120}}?){_Q} "
            r"(?:of relation \S{1,120} )?(?:does not|doesn't) exist",
            rf"(?P<what>table) {_Q}(?P<name>[\w.-]{{1,120}}){_Q} doesn't exist",
            rf"no such (?P<what>table|column): {_Q}(?P<name>[\w.-]{{1,120}})",
            rf"Unknown (?P<what>column) {_Q}(?P<name>[\w.-]{{1,120}})",
            rf"Invalid (?P<what>object|column) name {_Q}(?P<name>[\w.-]{{1,120}})",
            r"missing (?P<what>table|column) \[(?P<name>[\w.-]{1,120})\]",
        ),
        summary="container {container} needs {what} {name}, which does not exist in the database",
        cause="The schema of the database does not fit the program in container {container}: "
        "{what} {name} does not exist.",
        explanation="A migration was not run, ran in part, or another version of the program "
        "changed the schema.",
        advice="Run the migrations of this version, or return to the version that fits the schema",
        confidence=91,
    ),
    Idea(
        rule="application.schema-exists",
        category=Category.DEPENDENCY,
        look=any_of(
            rf"(?P<what>table|relation|column) {_Q}(?P<name>[\w.-]{{1,120}}){_Q} already exists",
        ),
        summary="container {container} makes {what} {name}, which exists in the database already",
        cause="The schema of the database is further than the program in container {container} "
        "believes: {what} {name} already exists.",
        explanation="A migration ran without being noted down, ran in part, or two Pods ran it at "
        "once.",
        advice="Compare the schema with what the migrations have noted down, and mend the note",
        confidence=91,
    ),
    Idea(
        rule="application.migration",
        category=Category.DEPENDENCY,
        look=any_of(
            r"(?P<why>(?:Validate failed: )?Migrations? (?:have |has )?(?:failed|checksum "
            r"mismatch)[^\n]{0,100}|FlywayValidateException[^\n]{0,100}|"
            r"FlywayException[^\n]{0,100}|LiquibaseException[^\n]{0,100}|"
            r"MigrationFailedException[^\n]{0,100}|Can't locate revision identified by "
            r"'?\w{1,60}'?|Multiple head revisions[^\n]{0,60}|Dirty database version "
            r"\d{1,12}[^\n]{0,60}|Migrations are pending[^\n]{0,60}|"
            r"PendingMigrationError[^\n]{0,60}|You have \d{1,5} unapplied "
            r"migration\(s\)[^\n]{0,60}|migration \S{1,100} (?:failed|cannot be applied|was "
            r"already applied)[^\n]{0,80}|(?:failed|error|unable)[^\n]{0,30} (?:to )?(?:run|apply|"
            r"running|applying|execute)[^\n]{0,20} migrations?[^\n]{0,80}|schema version \S{1,20} "
            r"(?:is|does)[^\n]{0,80})"
        ),
        summary="container {container} fails in its database migration: {why}",
        cause="The database migration of container {container} fails: {why}.",
        explanation="The program does not start before its schema is in the state that it expects.",
        advice="Mend the migration that failed, and run it again",
        confidence=89,
    ),
    Idea(
        rule="application.lock",
        category=Category.DEPENDENCY,
        look=any_of(
            r"(?P<why>Waiting for changelog lock[^\n]{0,60}|Could not acquire change log "
            r"lock[^\n]{0,80}|lock wait timeout exceeded|deadlock (?:detected|found)[^\n]{0,60}|"
            r"database is locked|could not (?:acquire|obtain) lock[^\n]{0,80}|canceling statement "
            r"due to lock timeout|failed to obtain node locks?[^\n]{0,80}|lock held by[^\n]{0,80}|"
            r"(?:another|other) (?:process|instance) (?:is )?(?:already )?(?:using|running|holds|"
            r"locked)[^\n]{0,60}|resource temporarily unavailable: lock[^\n]{0,40}|(?:lock ?file|"
            r"pid ?file)[^\n]{0,60}(?:already exists|is (?:locked|held))[^\n]{0,40}|could not "
            r"lock[^\n]{0,60})"
        ),
        summary="container {container} cannot get a lock that another holds: {why}",
        cause="Container {container} cannot get a lock: {why}.",
        explanation="Another instance still runs, or one that was killed left its lock behind.",
        advice="See who holds the lock; remove a stale one once nobody uses it",
        confidence=87,
    ),
)
