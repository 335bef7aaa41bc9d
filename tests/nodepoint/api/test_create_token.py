from datetime import timedelta
from io import StringIO
from unittest import mock

from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.test import TestCase
from django.utils import timezone

from nodepoint.api.models import Token


class CreateTokenTests(TestCase):
    def create(self, *arguments: str) -> str:
        output = StringIO()
        call_command("create_token", *arguments, stdout=output)
        return output.getvalue()

    def test_the_token_stands_alone_on_its_line(self) -> None:
        text = self.create("Paymenter", "--scopes", "sites,dns, support")
        self.assertRegex(text, r"\Anp_[0-9a-f]{12}_[A-Za-z0-9_-]{43}\n\Z")
        token = Token.of(text.strip())
        self.assertEqual((token.name, token.scopes), ("Paymenter", ["sites", "dns", "support"]))
        self.assertEqual((token.rate_per_minute, token.expires_at, token.networks), (6000, None, []))

    def test_what_it_may_do_and_how_long_it_may_lie_idle_can_be_given(self) -> None:
        self.create("x", "--scopes=sites", "--read-only", "--unused=90")
        token = Token.objects.get()
        self.assertEqual((token.read_only, token.max_unused_days), (True, 90))
        with self.assertRaisesMessage(CommandError, "--unused"):
            self.create("y", "--scopes=sites", "--unused=0")

    def test_rate_expiry_and_networks_can_be_given(self) -> None:
        self.create("x", "--scopes=sites", "--rate=0", "--expires=30", "--networks=10.0.0.0/8,2001:db8::/32")
        token = Token.objects.get()
        self.assertEqual((token.rate_per_minute, token.networks), (0, ["10.0.0.0/8", "2001:db8::/32"]))
        self.assertAlmostEqual(
            token.expires_at, timezone.now() + timedelta(days=30), delta=timedelta(minutes=1)
        )

    def test_what_makes_no_sense_is_one_line_and_makes_no_token(self) -> None:
        wrong = [
            ("x", "--scopes=sites,root"),
            ("x", "--scopes=sites", "--networks=10.0.0.1/8"),
            ("x", "--scopes=sites", "--rate=-1"),
            ("x", "--scopes=sites", "--expires=0"),
            (" ", "--scopes=sites"),
            ("x" * 101, "--scopes=sites"),
        ]
        for arguments in wrong:
            with self.subTest(arguments=arguments), self.assertRaises(CommandError) as caught:
                self.create(*arguments)
            self.assertNotIn("\n", str(caught.exception))
            self.assertEqual(caught.exception.returncode, 1)
        self.assertFalse(Token.objects.exists())

    def test_without_tables_it_says_what_to_do(self) -> None:
        away = mock.patch.object(Token, "save", side_effect=OperationalError("no such table"))
        with away, self.assertRaisesMessage(CommandError, "migrate"):
            self.create("x", "--scopes=sites")
