"""What can be refused about sites: facts, each with the sentence a customer reads."""

from typing import Any

from nodepoint.api.errors import ApiError, BadRequest, Conflict, Missing
from nodepoint.names import Proof
from sites.thresholds import HELPS


class UnknownSite(Missing):
    """No such service, or not any more."""

    def __init__(self) -> None:
        super().__init__("There is no site for this service.")


class UnknownPlan(BadRequest):
    """The plan does not exist; the sentence lists those that do."""

    def __init__(self, names: list[str]) -> None:
        sentence = f"There is no such plan. The plans are: {', '.join(names)}."
        super().__init__(sentence, fields={"plan": [sentence]})


class SiteExists(Conflict):
    """The service has a site already. `status` and `job` in the body let a repeated order be recognised."""

    code = "exists"
    sentence = "A site for this service exists already."

    def __init__(self, **body: Any) -> None:
        super().__init__(self.sentence, **body)


class SiteBeingDeleted(SiteExists):
    """The service's last site is not gone yet."""

    sentence = "The site of this service is still being deleted. Please try again later."


class UndoUnfinished(SiteExists):
    """The service's last order failed and is still being undone."""

    sentence = "The last order of this service is still being undone. Please try again later."


class NoCapacity(Conflict):
    """Every private address is taken."""

    code = "no_capacity"

    def __init__(self) -> None:
        super().__init__("There is no free address for another site at the moment.")


class OrdersPaused(Conflict):
    """Staff have paused new orders for the whole platform."""

    code = "no_capacity"

    def __init__(self) -> None:
        super().__init__("New orders are paused for maintenance.")


class OrdersHeld(Conflict):
    """The database came back from a dump, and staff have not released it."""

    code = "wrong_state"

    def __init__(self) -> None:
        super().__init__("The restored database has to be released first: that takes orders again.")


class WrongState(Conflict):
    """Impossible while the site is what `status` says."""

    def __init__(self, status: str) -> None:
        super().__init__(f"This is not possible while the site is {status}.", status=status)


class UnknownBackup(Missing):
    """The site has no such backup, or not any more."""

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no backup called {name}.")


class UnknownArchive(Missing):
    """The site has no such archive, or not any more."""

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no archive called {name}.")


class ArchiveProtected(Conflict):
    """Staff, or people at Proxmox VE, want it kept."""

    code = "protected"

    def __init__(self) -> None:
        super().__init__("This archive is protected and cannot be deleted.")


class NoArchives(Conflict):
    """There is no storage for archives, or the plan has none."""

    code = "wrong_state"


class ArchiveTooLarge(Conflict):
    """An archive does not fit on the disk of the plan."""

    code = "disk_too_small"

    def __init__(self, archive_gb: int, plan_gb: int) -> None:
        super().__init__(
            f"The archive is of a site with {archive_gb} GB, and the plan has {plan_gb} GB:"
            f" {archive_gb - plan_gb} GB are missing. Please choose a larger plan first."
        )


class BackupProtected(Conflict):
    """The first snapshot is not the customer's to delete."""

    code = "protected"

    def __init__(self) -> None:
        super().__init__("The first snapshot of a site cannot be deleted.")


class BackupsInTheWay(Conflict):
    """The storage can only go back to the newest snapshot, and this one is not it."""

    code = "backups_in_the_way"


class QuotaExceeded(Conflict):
    """As much as the plan allows, or more, is in use."""

    code = "quota_exceeded"


class BadOptions(BadRequest):
    """Options beyond what a site's plan allows: {name: sentence}."""

    def __init__(self, sentences: dict[str, str]) -> None:
        messages = [f"{name}: {sentence}" for name, sentence in sentences.items()]
        super().__init__(" ".join(sentences.values()), fields={"options": messages})


class BadDomain(BadRequest):
    """A host name that is none, or that does not lead to its site; the sentence says what to set."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, fields={"domain": [sentence]})


class DomainTaken(Conflict):
    """A host name that belongs to a site already, to everybody, or to the platform."""

    code = "taken"

    def __init__(self, domain: str) -> None:
        super().__init__(f"{domain} cannot be added: it is in use already or reserved.")


class DomainNotProven(ApiError):
    """A host name that is had only by who shows that it is his: it is somebody else's (409 `taken`), or does
    not lead here (400). `verification` in the body is the TXT record that shows it."""

    def __init__(self, sentence: str, proof: Proof, *, taken: bool) -> None:
        status = {"http": Conflict.http, "code": "taken"} if taken else {}
        super().__init__(sentence, fields={"domain": [sentence]}, verification=proof.body, **status)


class UnknownDomain(Missing):
    """The site has no such custom domain."""

    def __init__(self) -> None:
        super().__init__("This site has no such domain.")


class DomainNotReady(Conflict):
    """A custom domain that cannot be the site's name yet, or not any more; `why` where its row says so."""

    def __init__(self, domain: str, why: str) -> None:
        sentence = f"{domain} cannot be the site's name: it is not served with a certificate at the moment."
        super().__init__(f"{sentence} {why}".strip())


class DiskTooSmall(Conflict):
    """Disks grow only."""

    code = "disk_too_small"

    def __init__(self, wanted_gb: int, present_gb: int) -> None:
        super().__init__(f"The site's disk has {present_gb} GB and cannot shrink to {wanted_gb} GB.")


class ContentUnknown(Conflict):
    """What is inside the container was not made by us, so that nobody here knows where its content is."""

    def __init__(self) -> None:
        super().__init__("Nothing can be imported: the WordPress of this site was not made by us.")


class DoesNotFit(Conflict):
    """What is to be fetched is larger than the disk has room for."""

    code = "disk_too_small"

    def __init__(self, size_mb: int, missing_mb: int) -> None:
        super().__init__(
            f"The archive has {size_mb} MB, and as much again is needed to unpack it: the disk of the site"
            f" has {missing_mb} MB too little."
        )


class ExportUnknown(Conflict):
    """What is inside the container was not made by us, so that nobody here knows where its content is."""

    def __init__(self) -> None:
        super().__init__("Nothing can be exported: the WordPress of this site was not made by us.")


class ExportDoesNotFit(Conflict):
    """The archive of a site needs more room beside it than its disk has."""

    code = "disk_too_small"

    def __init__(self, missing_mb: int) -> None:
        super().__init__(
            f"An archive of the site needs {missing_mb} MB more than its disk has free. Please delete what is"
            " not needed, or choose a larger plan."
        )


class NoWayIn(Conflict):
    """What would be offered at the site's name could not be fetched while its traffic is off."""

    def __init__(self) -> None:
        super().__init__("The site's traffic is switched off: nobody could fetch the archive. Switch it on.")


class DiskTooFull(Conflict):
    """What was fetched turned out to be larger than the disk has room for."""

    code = "disk_too_small"


class WordPressBroken(Conflict):
    """The container runs, and WordPress in it does not do what is asked of it."""

    def __init__(self, culprit: str = "") -> None:
        cause = (
            f"{culprit[:1].upper()}{culprit[1:]} is at fault"
            if culprit
            else "A plugin or theme may be at fault"
        )
        super().__init__(
            f"WordPress does not answer as it should in this site, so nobody can be logged in. {cause}:"
            " switch safe mode on, or go back to a backup."
        )


class DiskFull(Conflict):
    """WordPress does not do what is asked of it, for want of room."""

    def __init__(self) -> None:
        super().__init__(f"The disk of this site is full, so nobody can be logged in. {HELPS}")


class NameLeadsElsewhere(Conflict):
    """A login link would lead to a name that is somebody else's at this moment."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name}, by which the site goes, does not lead here at the moment, so that nobody can be"
            " logged in there. Please set its DNS right, or remove the domain."
        )


class StillThere(Conflict):
    """A container that is to be gone stands in the cluster, or nobody can tell whether it does."""


class NotAdoptable(Conflict):
    """A container that cannot become a site; the sentence says why."""


class UnknownNode(BadRequest):
    """The node is none of those that are configured."""

    def __init__(self, node: str, known: list[str]) -> None:
        super().__init__(f"{node} is none of the nodes: {', '.join(known)}.")
