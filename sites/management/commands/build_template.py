"""`manage.py build_template [--node N] [--source TEMPLATE]`: make a golden template on a node."""

from argparse import ArgumentParser
from time import sleep
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from nodepoint.api.errors import ApiError
from nodepoint.checks import infrastructure
from nodepoint.jobs.models import Job, JobStep
from sites import services
from sites.models import Template

PAUSE = 0.5  # seconds between two looks at the job
ACTOR = "build_template"


class Command(BaseCommand):
    """Submits the job and tells how it goes; the workers carry it out, also when the command is ended. The
    last line is the value for PROXMOX_TEMPLATE."""

    help = "Build a golden template: containers made from it need the site's own part only."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--node", default="", help="where to build it; default: where sites are created")
        parser.add_argument(
            "--source", default="", help="plain template, such as local:vztmpl/debian-13…tar.zst"
        )
        parser.add_argument("--no-wait", action="store_true", help="print the job's id and leave")

    def handle(self, *, node: str, source: str, no_wait: bool, **options: Any) -> None:
        """Exit code 1 when the template could not be built."""
        if wrong := infrastructure():
            raise CommandError(" ".join(message.msg for message in wrong))
        try:
            template, job = services.build_template(node=node, source=source, actor=ACTOR)
        except ApiError as error:
            raise CommandError(error.sentence) from error
        self.stderr.write(f"Building from {template.source}: job {job.pk}")
        if no_wait:
            self.stdout.write(job.pk)
            return
        job = self.follow(job)
        template.refresh_from_db()
        if template.state != Template.State.READY:
            raise CommandError(f"{job.error or 'It was given up.'} {job.detail}".strip())
        if job.warning:
            self.stderr.write(f"Warning: {job.warning}")
        self.stderr.write("To have containers made from it, set PROXMOX_TEMPLATE and start the service anew:")
        self.stdout.write(f"PROXMOX_TEMPLATE={template.volid}")

    def follow(self, job: Job) -> Job:
        """Name each step as it begins, until the job has ended."""
        told: set[str] = set()
        while True:
            job.refresh_from_db()
            for step in job.steps.exclude(state=JobStep.State.PENDING):
                if step.started_at and step.title not in told:
                    told.add(step.title)
                    self.stderr.write(f"  {step.title}")
            if not job.alive:
                return job
            sleep(PAUSE)
