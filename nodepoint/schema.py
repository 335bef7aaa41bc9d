"""The schema of the database: whose it is, and that one process at a time changes it."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from django.apps import apps
from django.conf import settings
from django.core.management.base import CommandError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from nodepoint.env import WRONG_SETTINGS

TRY_SECONDS = 10  # of one try for MariaDB's lock; shorter than the time in which it has to answer
OURS = "jobs_job"  # a table that every release has had


class Refused(CommandError):
    """This release must not touch the database; the text says why and what to do. Trying again is in vain."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, returncode=WRONG_SETTINGS)


@contextmanager
def alone(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Only one process on any host is inside at a time; others wait. MariaDB's lock ends with the connection
    that holds it, the file's with the process."""
    if connection.vendor != "mysql":
        settings.NODEPOINT_DATA.mkdir(parents=True, exist_ok=True)
        with (settings.NODEPOINT_DATA / "migrate.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
        return
    name = f"nodepoint.migrate.{connection.settings_dict['NAME']}"[:64]
    with connection.cursor() as cursor:
        got = None
        while got != 1:
            cursor.execute("SELECT GET_LOCK(%s, %s)", [name, TRY_SECONDS])
            (got,) = cursor.fetchone()
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT RELEASE_LOCK(%s)", [name])


def unhurried(connection: BaseDatabaseWrapper) -> None:
    """Let a statement of this connection take as long as it needs: MariaDB says nothing while it rebuilds a
    large table."""
    options = connection.settings_dict["OPTIONS"]
    if connection.vendor == "mysql" and "read_timeout" in options:
        connection.close()
        connection.settings_dict["OPTIONS"] = {
            name: value for name, value in options.items() if name not in ("read_timeout", "write_timeout")
        }


def refuse_others(connection: BaseDatabaseWrapper) -> None:
    """Refused where the database is another application's, or was changed by a newer release than this."""
    if _is_anothers(connection):
        raise Refused(
            "DATABASE_URL leads to a database with tables of something else. Give NodePoint one of its own."
        )
    if found := newer(connection):
        raise Refused(
            f"The database belongs to a newer release: it has {found}, which this one does not know."
            " Start that release again, or bring back the dump that was made before the upgrade."
        )


def _is_anothers(connection: BaseDatabaseWrapper) -> bool:
    """A first migration that broke off has left some of our tables and no word of any app but ours."""
    tables = connection.introspection.table_names()
    if not tables or OURS in tables:
        return False
    if MigrationRecorder.Migration._meta.db_table not in tables:
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT app FROM django_migrations")
        applied = {app for (app,) in cursor.fetchall()}
    return not applied <= {config.label for config in apps.get_app_configs()}


def newer(connection: BaseDatabaseWrapper) -> str:
    """A migration that was applied and comes after all that this release knows of its app; empty where there
    is none. One that is unknown but older was squashed or renamed since."""
    loader = MigrationLoader(connection)
    latest = {app: "" for app in loader.migrated_apps}
    for app, name in loader.disk_migrations:
        latest[app] = max(latest[app], name)
    applied = sorted(MigrationRecorder(connection).applied_migrations())
    unknown = [key for key in applied if key[0] in latest and key not in loader.disk_migrations]
    return next((f"{app}.{name}" for app, name in unknown if name[:4] > latest[app][:4]), "")
