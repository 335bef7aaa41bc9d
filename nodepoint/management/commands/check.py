from django.core import checks
from django.core.management.commands import check

from nodepoint.checks import INFRASTRUCTURE, infrastructure


class Command(check.Command):
    """Django's, and the infrastructure settings also without `--deploy`.

    Only from the command line: the test runner calls this command too, and must do without infrastructure.
    """

    def run_from_argv(self, argv: list[str]) -> None:
        """Report what is wrong; exit code 1 for errors."""
        if "--deploy" not in argv:
            checks.register(infrastructure, INFRASTRUCTURE)
        super().run_from_argv(argv)
