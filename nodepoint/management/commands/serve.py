"""`manage.py serve`: the production processes, by the settings."""

import os
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack

import structlog
from django.conf import settings
from django.core.checks import ERROR, Tags, run_checks
from django.core.management.base import BaseCommand, CommandError, CommandParser

from nodepoint import logs
from nodepoint.checks import INFRASTRUCTURE
from nodepoint.env import WRONG_SETTINGS
from nodepoint.management.local import NotToBeHad, listen
from nodepoint.supervisor import CallFailed, Child, Stopped, Supervisor

log = structlog.get_logger("nodepoint.serve")

GRACE = 30  # seconds that running requests (22 at most) and steps have to end


def manage(*words: str) -> list[str]:
    """The command line of a management command."""
    return [sys.executable, str(settings.BASE_DIR / "manage.py"), *words]


def web(listener: socket.socket, grace: int = GRACE) -> Iterator[Child]:
    """The web processes, which share one listening socket. They write to the supervisor's own output."""
    argv = manage("web", f"--fd={listener.fileno()}", f"--grace={grace - 2}")
    for number in range(1, settings.WEB_PROCESSES + 1):
        yield Child(f"web-{number}", argv, files=[listener.fileno()])


def bound() -> tuple[str, int]:
    """Where to listen: address and port, by NODEPOINT_BIND and NODEPOINT_PORT. Behind TLS only the proxy on
    this machine should reach us unless the operator says otherwise."""
    everywhere = "0.0.0.0"  # noqa: S104 - the portal is on another machine
    return settings.NODEPOINT_BIND or (
        "127.0.0.1" if settings.BEHIND_TLS else everywhere
    ), settings.NODEPOINT_PORT


class Command(BaseCommand):
    """Checks the settings, brings the database up to date, then keeps web server and workers running."""

    help = "Run the web server and the workers until SIGTERM; NODEPOINT_PORT (8080) is where it listens."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--only", choices=("web", "worker"), help="run only this half, on one of several hosts"
        )

    def handle(self, *, only: str | None, **options: object) -> None:
        os.environ["NODEPOINT_DATA"] = str(settings.NODEPOINT_DATA)  # children have another working folder
        self.check_settings()
        logs.every_line_as_json()
        try:
            with (
                Supervisor(report=self.say, grace=GRACE, cwd=settings.BASE_DIR) as supervisor,
                ExitStack() as port,  # closed before the children end: nobody waits for a host that stops
            ):
                if only != "worker":
                    supervisor.call(manage("collectstatic", "--noinput", "--verbosity=0"))
                supervisor.call(manage("prepare"), aloud=True)
                if only != "worker":
                    self.start_web(supervisor, port)
                if only != "web":
                    supervisor.start(Child("worker", manage("worker")))
                supervisor.run()
        except NotToBeHad as error:
            raise CommandError(str(error)) from error
        except CallFailed as error:
            self.stderr.write(str(error), ending="\n" if str(error) else "")
            sys.exit(error.code if error.code > 0 else 1)
        except Stopped:  # a signal before all had been started: the supervisor has ended what there was
            return

    def start_web(self, supervisor: Supervisor, stack: ExitStack) -> None:
        """Open the port, until the stack ends, and start the web processes on it. NotToBeHad when it is
        not to be had."""
        address, port = bound()
        for child in web(stack.enter_context(listen(address, port))):
            supervisor.start(child)
        self.say(f"listening on {address}:{port}")

    def check_settings(self) -> None:
        """Stop with one line for each setting that is missing, malformed or dangerous; name those that are
        for a demo only."""
        found = run_checks(tags=[INFRASTRUCTURE, Tags.security], include_deployment_checks=True)
        found = [message for message in found if not message.is_silenced()]
        if errors := [message.msg for message in found if message.level >= ERROR]:
            self.stderr.write("\n".join(errors))
            sys.exit(WRONG_SETTINGS)
        for message in found:
            log.warning(message.msg)

    def say(self, line: str) -> None:
        """What the supervisor tells, in the log with everything else."""
        log.info(line)
