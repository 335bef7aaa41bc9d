"""A dump of the test's database, and its way back: what an operator has in the evening of a lost disk."""

import sqlite3
import subprocess

from django.db import connection


class Dump:
    """The rows of all tables as they are now. `restore` brings them back; call it outside a transaction."""

    def __init__(self) -> None:
        connection.ensure_connection()
        if connection.vendor == "sqlite":
            self._copy = sqlite3.connect(":memory:")
            connection.connection.backup(self._copy)
        else:
            self._sql = self._run("mariadb-dump", "--single-transaction", "--skip-comments")

    def restore(self) -> None:
        """All tables are as they were, the counters of their numbers included."""
        if connection.vendor == "sqlite":
            self._copy.backup(connection.connection)
        else:
            self._run("mariadb", said=self._sql)

    def _run(self, program: str, *options: str, said: bytes | None = None) -> bytes:
        values = connection.settings_dict
        where = [f"--socket={values['OPTIONS']['unix_socket']}", f"--user={values['USER']}", values["NAME"]]
        command = [program, "--no-defaults", *options, *where]
        return subprocess.run(command, input=said, capture_output=True, check=True, timeout=60).stdout
