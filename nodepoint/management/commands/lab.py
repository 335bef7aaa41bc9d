"""`manage.py lab`: the simulated infrastructure by itself."""

import os
import sys
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser


class Command(BaseCommand):
    """Becomes the lab, which is a program of its own and knows nothing of Django."""

    help = "Run the simulated infrastructure on loopback ports until Ctrl-C; DIR/lab.json tells its settings."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--data", type=Path, default=settings.NODEPOINT_DATA / "lab", metavar="DIR")
        parser.add_argument(
            "--speed", default="1.0", help="1: life-like durations, 0.1: ten times faster, 0: none"
        )
        parser.add_argument("--jitter", default="0", help="0.2: durations vary by up to 20 %%")
        parser.add_argument("--address", default="127.0.0.1", help="to listen on, for whoever reaches it")
        parser.add_argument("--port", default="0", help="of the control calls (default: a free one)")

    def handle(self, **options: str) -> None:
        program = [sys.executable, "-m", "lab", "--data", str(Path(options["data"]).absolute())]
        for name in ("speed", "jitter", "port", "address"):
            program += [f"--{name}", options[name]]
        os.chdir(settings.BASE_DIR)
        os.execv(program[0], program)  # noqa: S606 - no shell; the lab takes over this process and its signals
