"""`manage.py lift [--batch N] [--stop] [--no-wait]`: have sites lifted to this release's script."""

from argparse import ArgumentParser
from time import sleep
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from nodepoint.jobs.errors import JobRefused
from nodepoint.jobs.models import Job
from sites.services import lift

PAUSE = 2.0  # seconds between two looks at the job
ACTOR = "lift"


class Command(BaseCommand):
    """Submits the job and tells how it goes; the workers carry it out, also when the command is ended. Where
    it goes on already it is followed."""

    help = "Run the install script of this release in all sites that an earlier one has made."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--batch", type=int, default=lift.BATCH, help=f"sites at once, 1 to {lift.MOST}")
        parser.add_argument("--stop", action="store_true", help="take up no more sites")
        parser.add_argument("--no-wait", action="store_true", help="print the job's id and leave")

    def handle(self, *, batch: int, stop: bool, no_wait: bool, **options: Any) -> None:
        """Exit code 1 when it stopped by itself, or there is nothing to stop."""
        if not 1 <= batch <= lift.MOST:
            raise CommandError(f"--batch takes 1 to {lift.MOST}.")
        if stop:
            if not lift.stop_lifting(actor=ACTOR):
                raise CommandError("No sites are being lifted.")
            self.stdout.write("No more sites are taken up.")
            return
        if (job := self._job(batch)) is None:
            self.stdout.write(f"All sites that run have level {lift.levels()['level']}.")
            return
        if no_wait:
            self.stdout.write(job.pk)
            return
        job = self.follow(job)
        if job.state in Job.ENDED_BADLY:
            raise CommandError(f"{job.error} {job.detail}".strip())

    def _job(self, batch: int) -> Job | None:
        """The job that goes on, else a new one; None where there is nothing to lift."""
        try:
            return lift.lift_all(batch, actor=ACTOR) if lift.levels()["liftable"] else lift.lifting()
        except JobRefused:
            return lift.lifting()

    def follow(self, job: Job) -> Job:
        """Tell how many are done whenever that changes, until the job has ended."""
        told = ""
        while True:
            job.refresh_from_db()
            now = lift.progress(job)
            said = (
                f"{now.done} lifted, {now.failed} failed, {now.at_work} at work, {job.data['total']} in all"
            )
            if said != told:
                self.stdout.write(said)
                told = said
            if not job.alive:
                return job
            sleep(PAUSE)
