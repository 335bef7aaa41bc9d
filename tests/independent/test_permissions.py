"""`doctor` asks for privileges as Proxmox checks them, and names the command that gives what is missing."""

import io
from contextlib import suppress

from django.core.management import CommandError, call_command

from tests.independent.base import IndependentCase


class Doctor(IndependentCase):
    """The lines about Proxmox."""

    def doctor(self) -> str:
        """What it prints of Proxmox."""
        output = io.StringIO()
        with suppress(CommandError):  # its exit code where something is wrong
            call_command("doctor", stdout=output)
        text = output.getvalue()
        return text[text.index("proxmox") : text.index("ssh node1")]

    def assert_well(self) -> None:
        found = self.doctor()
        self.assertRegex(found, r"proxmox +yes +yes +yes")

    def assert_missing(self, *words: str) -> None:
        found = self.doctor()
        self.assertRegex(found, r"proxmox +yes +yes +no")
        for word in ("pveum", *words):
            self.assertIn(word, found)
        self.assertNotIn("VM.Monitor", found)


class Enough(Doctor):
    """Nothing is missing."""

    def test_a_token_with_all_that_is_needed_is_well(self):
        self.assert_well()

    def test_privileges_that_come_from_the_pool_are_as_good(self):
        self.cluster.permissions.by_pool()
        self.assert_well()

    def test_an_order_goes_live_with_the_privileges_of_a_pool(self):
        self.cluster.permissions.by_pool()
        self.live_site(plan="premium")
        self.assertFalse([r for r in self.api.requests if r.status == 403])


class EnoughOn84(Enough):
    """The same on 8.4."""

    version = "8.4"


class TooLittle(Doctor):
    """Each thing that is missing is named."""

    def test_tags_need_their_privilege_on_vms_whatever_the_pool_gives(self):
        self.cluster.permissions.by_pool()
        self.cluster.permissions.revoke("/vms", "VM.Config.Options")
        self.assert_missing("VM.Config.Options", "/vms")

    def test_one_that_is_in_no_pool_yet_must_be_seen(self):
        self.cluster.permissions.by_pool()
        self.cluster.permissions.revoke("/vms", "VM.Audit")
        self.assert_missing("VM.Audit", "/vms")

    def test_containers_cannot_join_a_pool_that_may_not_be_changed(self):
        self.cluster.permissions.revoke("/pool/nodepoint", "Pool.Allocate")
        self.assert_missing("Pool.Allocate", "/pool/nodepoint")

    def test_tags_that_users_may_not_give_are_said(self):
        self.cluster.permissions.tag_access = "none"
        found = self.doctor()
        self.assertIn("user-tag-access", found)

    def test_a_template_needs_backup_and_space(self):
        self.cluster.permissions.revoke("/vms", "VM.Backup")
        self.assert_missing("VM.Backup")
        self.cluster.permissions.everything()
        self.cluster.permissions.revoke("/storage/local", "Datastore.AllocateSpace")
        self.assert_missing("Datastore.AllocateSpace", "/storage/local")

    def test_each_privilege_that_an_order_needs_is_missed(self):
        for path, privilege in (
            ("/vms", "VM.Allocate"),
            ("/vms", "VM.Config.Network"),
            ("/vms", "VM.Snapshot"),
            ("/storage/global-lvm", "Datastore.AllocateSpace"),
            ("/sdn/zones/localnetwork/vmbr1", "SDN.Use"),
            ("/", "Sys.Console"),
        ):
            with self.subTest(privilege):
                self.cluster.permissions.everything()
                self.cluster.permissions.acl["/pool/nodepoint"] = {"Pool.Audit": True, "Pool.Allocate": True}
                self.cluster.permissions.revoke(path, privilege)
                self.assert_missing(privilege)
