"""Database fields that all apps share."""

from django.db import models


class IdentifierField(models.CharField):
    """Text that is compared byte by byte on every database.

    SQLite does so by itself; MariaDB's usual collations hold `WP-1` and `wp-1` for equal, so the column gets
    a binary one there.
    """

    def db_parameters(self, connection) -> dict:
        """Django's own parameters, with the binary collation on MariaDB."""
        parameters = super().db_parameters(connection)
        if connection.vendor == "mysql":
            parameters["collation"] = "utf8mb4_bin"
        return parameters
