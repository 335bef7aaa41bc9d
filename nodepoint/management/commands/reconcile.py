"""`manage.py reconcile [--fix]`: our rows against what the systems hold."""

from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterable

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from django.db.models import Model

from nodepoint import restoration
from nodepoint.checks import infrastructure
from nodepoint.clients.errors import ClientError
from nodepoint.models import Restoration
from nodepoint.reconcile import Finding, Report, Side, sides

FEW = 10  # things of a system below which any share of them may be changed
MOST = 0.3  # share of a system's things that may be changed without --force
ACTOR = "reconcile"


class Command(BaseCommand):
    """Prints what differs; exit code 1 when something does, or a system could not be read. Changes nothing
    without --fix."""

    help = "Compare the database with Proxmox VE, Cloudflare, Nginx Proxy Manager and ISPConfig."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--fix", action="store_true", help="put right what differs, remove old orphans")
        parser.add_argument("--yes", action="store_true", help="do not ask before --fix changes something")
        parser.add_argument(
            "--force",
            action="store_true",
            help=f"also where that is more than {100 * MOST:.0f} %% of a system",
        )

    def handle(self, **options: bool) -> None:
        """Compare, print, and with --fix act."""
        if wrong := infrastructure():
            raise CommandError(" ".join(message.msg for message in wrong))
        try:
            reports = [(side, side.compare()) for side in sides()]
        except DatabaseError as error:
            raise CommandError(f"The database cannot be used ({error}). Has `migrate` been run?") from error
        whole = _whole(report for _, report in reports)
        self.stdout.write("\n".join(lines(whole)))
        if options["fix"] and whole.findings and Restoration.is_open():
            raise CommandError(f"{restoration.SENTENCE} Run `manage.py restored --release` first.")
        left = len(whole.findings)
        if options["fix"]:
            left -= self.fix(reports, whole, **options)
        if whole.unread:
            raise CommandError("Not everything could be read.")
        if left:
            raise CommandError(f"Left as they are: {left}.")

    def fix(
        self, reports: list[tuple[Side, Report]], whole: Report, *, yes: bool, force: bool, **_: object
    ) -> int:
        """Returns how many findings were acted on."""
        todo = [finding for finding in whole.findings if finding.repairable or _removable(finding)]
        if not todo:
            return 0
        if not force and (system := too_many(todo, whole.things)):
            raise CommandError(
                f"That would change more than {MOST:.0%} of what we have at {system}. Nothing was changed; "
                "--force does it all the same."
            )
        owners = {finding.owner for finding in todo if finding.repairable}
        orphans = sum(map(_removable, todo))
        question = f"Repair {len(owners)} sites or zones and remove {orphans} orphans for good? [y/N] "
        if not yes and not _agreed(question):
            raise CommandError("Nothing was changed.")
        return sum(self._act(side, report.findings) for side, report in reports)

    def _act(self, side: Side, findings: list[Finding]) -> int:
        removed = sum(self._remove(side, finding) for finding in findings if _removable(finding))
        owners = {finding.owner for finding in findings if finding.repairable}
        repaired = {owner for owner in sorted(owners, key=str) if self._repair(side, owner)}
        return removed + sum(finding.repairable and finding.owner in repaired for finding in findings)

    def _remove(self, side: Side, finding: Finding) -> bool:
        try:
            side.remove(finding.orphan, finding.mark)
        except ClientError as error:
            self.stdout.write(f"not removed: {finding.thing}: {error}")
            return False
        self.stdout.write(f"removed: {finding.system} {finding.thing}")
        return True

    def _repair(self, side: Side, owner: Model) -> bool:
        job = side.repair(owner, actor=ACTOR)
        if job is None:
            self.stdout.write(f"not repaired: {owner}: something else goes on there")
            return False
        self.stdout.write(f"repairing: {owner}: job {job.pk}")
        return True


def _removable(finding: Finding) -> bool:
    """Whether it may be removed without a person who has looked at this one thing."""
    return bool(finding.orphan) and not finding.unproven


def _whole(reports: Iterable[Report]) -> Report:
    """All reports in one."""
    whole = Report()
    for report in reports:
        whole.findings += report.findings
        whole.things += report.things
        whole.unread += report.unread
    return whole


def too_many(todo: list[Finding], things: Counter[str]) -> str:
    """The system of which more would be changed than a slip of ours should be able to; empty when none."""
    changes = Counter(system for system, _ in {(finding.system, finding.thing) for finding in todo})
    crowded = (s for s, count in changes.items() if things[s] >= FEW and count > MOST * things[s])
    return next(crowded, "")


def lines(report: Report) -> list[str]:
    """The report as a table, then how much was looked at."""
    rows = [
        _row(finding)
        for finding in sorted(report.findings, key=lambda one: (one.kind, one.system, one.thing))
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(5)] if rows else []
    looked = ", ".join(f"{system} {count}" for system, count in sorted(report.things.items()))
    return [
        *("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows),
        *(f"could not be read: {error}" for error in report.unread),
        f"Looked at {looked or 'nothing'}; {len(rows)} found.",
    ]


def _row(finding: Finding) -> tuple[str, ...]:
    owner = str(finding.owner or "-")
    return tuple(map(_plain, (finding.kind, finding.system, owner, finding.thing, _detail(finding))))


def _detail(finding: Finding) -> str:
    act = "--fix repairs it" if finding.repairable else "--fix removes it" if _removable(finding) else ""
    if finding.unproven:
        act = "its page on the board removes it"
    return " ".join(filter(None, (finding.detail, f"({act})" if act else "")))


def _plain(text: str) -> str:
    """Names that others have given may hold anything, such as a terminal's control characters."""
    return "".join(c if c.isprintable() else "?" for c in text)


def _agreed(question: str) -> bool:
    try:
        return input(question).strip().lower() in ("y", "yes")
    except EOFError:
        return False
