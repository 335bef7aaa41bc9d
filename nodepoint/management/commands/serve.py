"""`manage.py serve`: the production processes, by the settings."""

import os
import sys

from django.conf import settings
from django.core.checks import ERROR, run_checks
from django.core.management.base import BaseCommand, CommandError

from nodepoint import env
from nodepoint.supervisor import CallFailed, Child, Stopped, Supervisor

GRACE = 30  # seconds that running requests (22 at most) and steps have to end


def manage(*words: str) -> list[str]:
    """The command line of a management command."""
    return [sys.executable, str(settings.BASE_DIR / "manage.py"), *words]


def web(bind: str, grace: int = GRACE) -> list[str]:
    """The command line of the web server. Requests may wait for a job (20 s), hence many threads."""
    options = {
        "bind": bind,
        "workers": "2",
        "worker-class": "nodepoint.api.server.Worker",
        "threads": str(settings.WEB_THREADS),
        "timeout": "60",
        "graceful-timeout": str(grace - 2),
        "keep-alive": "20",
    }
    # Preloaded: one import for all processes, and one that died is back at once. The control socket would lie
    # in the home folder, shared by all installations of this user.
    flags = ["--preload", "--no-control-socket"]
    arguments = [f"--{name}={value}" for name, value in options.items()]
    return [sys.executable, "-m", "gunicorn", *arguments, *flags, "nodepoint.wsgi:application"]


class Command(BaseCommand):
    """Checks the settings, brings the database up to date, then keeps web server and workers running."""

    help = "Run the web server and the workers until SIGTERM; NODEPOINT_PORT (8080) is where it listens."
    requires_system_checks = []

    def handle(self, **options: object) -> None:
        os.environ["NODEPOINT_DATA"] = str(settings.NODEPOINT_DATA)  # children have another working folder
        self.check_infrastructure()
        address = env.text("NODEPOINT_BIND", "0.0.0.0")  # noqa: S104 - the portal is on another machine
        bind = f"{address}:{env.integer('NODEPOINT_PORT', 8080, minimum=1)}"
        try:
            with Supervisor(report=self.say, grace=GRACE, cwd=settings.BASE_DIR) as supervisor:
                for words in (
                    ("migrate", "--noinput", "--verbosity=0"),
                    ("collectstatic", "--noinput", "--verbosity=0"),
                ):
                    supervisor.call(manage(*words))
                supervisor.start(Child("web", web(bind)))
                supervisor.start(Child("worker", manage("worker")))
                self.say(f"listening on {bind}")
                supervisor.run()
        except CallFailed as error:
            raise CommandError(str(error)) from error
        except Stopped:
            return

    def check_infrastructure(self) -> None:
        """Stop with one line for each setting that is missing or malformed."""
        found = run_checks(tags=["infrastructure"], include_deployment_checks=True)
        errors = [message.msg for message in found if message.level >= ERROR]
        if errors:
            self.stderr.write("\n".join(errors))
            sys.exit(1)

    def say(self, line: str) -> None:
        self.stdout.write(f"nodepoint: {line}")
        self.stdout.flush()
