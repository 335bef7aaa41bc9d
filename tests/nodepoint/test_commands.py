"""Every command of ours can be asked what it does."""

from django.core.management import get_commands, load_command_class
from django.test import SimpleTestCase

OURS = ("nodepoint", "sites", "dns", "support")


class HelpTests(SimpleTestCase):
    def test_every_command_has_a_help_text(self) -> None:
        commands = {name: app for name, app in get_commands().items() if app.partition(".")[0] in OURS}
        self.assertGreater(len(commands), 8)
        for name, app in commands.items():
            with self.subTest(command=name):
                text = load_command_class(app, name).create_parser("manage.py", name).format_help()
                self.assertIn(name, text)
                self.assertGreater(len(load_command_class(app, name).help), 20)
