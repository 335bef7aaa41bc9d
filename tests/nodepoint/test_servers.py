"""What every connection to MariaDB is told."""

from unittest import skipUnless

from django.db import connection
from django.test import TestCase


@skipUnless(connection.vendor == "mysql", "of MariaDB only")
class ConnectionTests(TestCase):
    def test_what_a_lost_host_had_locked_is_free_soon(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT @@idle_transaction_timeout, @@tx_isolation")
            self.assertEqual(cursor.fetchone(), (15, "READ-COMMITTED"))
