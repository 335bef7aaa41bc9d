"""A dump of the test's database, and its way back: what an operator has in the evening of a lost disk."""

import sqlite3
from collections.abc import Iterable

from django.db import connection


class Dump:
    """The rows of all tables as they are now. `restore` brings them back; call it outside a transaction. On
    MariaDB the copy is another schema of the same server: not every machine with the server has its dump
    program."""

    def __init__(self) -> None:
        connection.ensure_connection()
        if connection.vendor == "sqlite":
            self._copy = sqlite3.connect(":memory:")
            connection.connection.backup(self._copy)
            return
        self._name = connection.settings_dict["NAME"]
        self._tables = connection.introspection.table_names()
        self._run([f"DROP DATABASE IF EXISTS {self._name}_dump", f"CREATE DATABASE {self._name}_dump"])
        for table in self._tables:
            there, copy = f"{self._name}.{table}", f"{self._name}_dump.{table}"
            self._run([f"CREATE TABLE {copy} LIKE {there}", _copied(there, copy)])

    def restore(self) -> None:
        """All tables are as they were; their numbers go on behind the highest that is there."""
        if connection.vendor == "sqlite":
            self._copy.backup(connection.connection)
            return
        self._run(["SET FOREIGN_KEY_CHECKS = 0"])
        for table in self._tables:
            there, copy = f"{self._name}.{table}", f"{self._name}_dump.{table}"
            self._run([f"TRUNCATE {there}", _copied(copy, there)])
        self._run(["SET FOREIGN_KEY_CHECKS = 1", f"DROP DATABASE {self._name}_dump"])

    @staticmethod
    def _run(statements: Iterable[str]) -> None:
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)


def _copied(source: str, target: str) -> str:
    return f"INSERT INTO {target} SELECT * FROM {source}"  # noqa: S608 - names of our own tables
