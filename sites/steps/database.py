"""Holding the site's database while a snapshot is taken, as well as it can be done.

Proxmox VE freezes a container for a snapshot, but tells nobody inside: tables that cannot recover by
themselves (MyISAM) would come back marked as crashed. Measured: only BACKUP STAGE, held meanwhile, prevents
that."""

from nodepoint.clients.deadline import deadline
from nodepoint.clients.errors import ClientError
from sites import answers, install
from sites.connections import console
from sites.steps.proxmox import Container

PATIENCE = 8.0  # seconds; a snapshot does not wait any longer for a site whose database is busy or broken


def hold(container: Container) -> str:
    """Commits wait from now on, for 20 s at most. Returns why not; empty when all is well."""
    return _run(container, "hold")


def release(container: Container) -> str:
    """Commits go on. Returns why nobody could be told; they go on by themselves then."""
    return _run(container, "release")


def _run(container: Container, act: str) -> str:
    try:
        with deadline(PATIENCE):
            command = ["bash", "-s", act]
            output = console().run(container.node, container.vmid, command, install.database_script())
    except ClientError as error:
        return str(error)
    if output.exit_code == 0:
        return ""
    return answers.complaint(output)
