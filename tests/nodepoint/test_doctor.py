"""The doctor: all well, or what to fix, system by system."""

import json
import re
from datetime import timedelta
from io import StringIO
from unittest import mock

from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import override_settings
from django.utils import timezone
from django_q.conf import Conf

import lab.npm.wire
from dns import connections as dns_connections
from dns.models import Customer, Publication, Zone
from lab.proxmox.state.access import PRIVILEGES
from lab.proxmox.state.storages import STORAGES
from nodepoint import servers
from nodepoint.jobs import limits, queue
from nodepoint.jobs.models import Job, Lease
from sites import checkup, connections
from sites.clients.npm import Npm
from tests.base import LabTestCase, on_one_database
from tests.staff.operations import make_job

NOBODY = servers.broker("redis://127.0.0.1:9/0")["redis"]  # discard: nobody listens

ALL = [
    "database",
    "broker",
    "workers",
    "proxmox",
    "ssh node1",
    "ssh node2",
    "ssh node3",
    "cloudflare",
    "npm",
    "dns",
    "ispconfig",
]


@on_one_database
class DoctorTests(LabTestCase):
    def setUp(self) -> None:
        super().setUp()
        limits.take(queue.WORKER, 1, "a worker", timezone.now(), 3600)
        dns_connections.forget()
        self.addCleanup(dns_connections.forget)
        self.addCleanup(connections.forget)

    def run_doctor(self) -> tuple[str, str]:
        """What it prints and what it closes with; empty when it ends well."""
        out = StringIO()
        try:
            call_command("doctor", stdout=out)
        except CommandError as error:
            return out.getvalue(), str(error)
        return out.getvalue(), ""

    def row(self, text: str, system: str) -> list[str]:
        """The columns of a system's line."""
        (line,) = [line for line in text.splitlines() if line.startswith(system)]
        return re.split(r"\s{2,}", line.strip())

    def assert_complains(self, system: str, *words: str) -> None:
        """Only this system is let in and not permitted all that it should be."""
        text, closing = self.run_doctor()
        self.assertEqual(closing, f"To be looked after: {system}.", text)
        self.assertEqual(self.row(text, system)[1:4], ["yes", "yes", "no"])
        for word in words:
            self.assertIn(word, text)

    def test_single_lines_can_be_asked_for_and_read_by_programs(self) -> None:
        out = StringIO()
        call_command("doctor", only=["proxmox", "ssh"], json=True, stdout=out)
        found = json.loads(out.getvalue())
        self.assertEqual(found["settings"], [])
        systems = [finding["system"] for finding in found["findings"]]
        self.assertEqual(systems, ["proxmox", "ssh node1", "ssh node2", "ssh node3"])
        self.assertTrue(all(finding["permitted"] for finding in found["findings"]))
        with self.assertRaisesMessage(CommandError, "No line of the doctor: proxmos; there are broker, "):
            call_command("doctor", only=["proxmos"])

    def test_a_whole_installation_is_well_and_nothing_was_changed(self) -> None:
        before = self.state()
        text, closing = self.run_doctor()
        self.assertEqual(closing, "", text)
        for system in ALL:
            self.assertEqual(self.row(text, system)[1:4], ["yes", "yes", "yes"])
            self.assertRegex(self.row(text, system)[4], r"^\d+ ms$")
        after = self.state()
        self.assertEqual(*({**state, "requests": None} for state in (before, after)))

    def test_a_relay_that_is_named_and_lies_in_a_closed_network(self) -> None:
        with override_settings(SITE_SMTP_URL="smtp+tls://relay.example.com:587"):
            self.lab.dns.set("relay.example.com", "A", ["192.0.2.25"])
            self.assertEqual(self.run_doctor()[1], "")
            self.lab.dns.set("relay.example.com", "A", ["192.0.2.25", "10.0.0.6"])
            self.assert_complains("mail relay", "relay.example.com is 10.0.0.6", "instead of the name")
        with override_settings(SITE_SMTP_URL="smtp+tls://10.0.0.6:587"):
            self.assertNotIn("mail relay", self.run_doctor()[0])

    def test_no_worker_is_named(self) -> None:
        Lease.objects.all().delete()
        self.assert_complains("workers", "script/serve")

    def test_a_line_that_is_not_worked_off_is_named(self) -> None:
        job = make_job(state=Job.State.RUNNING)
        job.steps.update(due_at=timezone.now() - timedelta(seconds=90))
        self.assert_complains("workers", "has been due for 9", "JOB_THREADS")

    def test_a_broker_that_is_away_is_named(self) -> None:
        redis = {"ORM": None, "BROKER_CLASS": None, "REDIS": NOBODY}
        with mock.patch.multiple(Conf, **redis):
            text, closing = self.run_doctor()
        self.assertEqual(closing, "To be looked after: broker.", text)
        self.assertEqual(self.row(text, "broker")[1:3], ["no", "-"])
        self.assertIn("Check QUEUE_BROKER: ConnectionError", text)

    def test_a_missing_setting_is_one_line_and_the_others_are_asked_all_the_same(self) -> None:
        with override_settings(NPM_URL=""):
            text, closing = self.run_doctor()
        self.assertIn("NPM_URL is missing", text.splitlines()[0])
        self.assertEqual(self.row(text, "npm")[1:], ["-", "-", "-", "-", "It is not set up."])
        self.assertEqual(self.row(text, "cloudflare")[1:4], ["yes", "yes", "yes"])
        self.assertEqual(closing, "To be looked after: npm.")

    def test_a_system_that_is_away_is_not_reachable(self) -> None:
        for system, setting in (("cloudflare", "CLOUDFLARE_API_URL"), ("npm", "NPM_URL")):
            with self.subTest(system=system):
                self.fault(system, "drop_before", count=10)
                text, closing = self.run_doctor()
                self.clear_faults()
                self.assertEqual(self.row(text, system)[1:4], ["no", "-", "-"], text)
                self.assertIn(f"Check {setting}: ", text)
                self.assertEqual(closing, f"To be looked after: {system}.")

    def test_wrong_credentials_are_told_from_a_system_that_is_away(self) -> None:
        wrong = {
            "proxmox": {"PROXMOX_TOKEN_VALUE": "00000000-0000-0000-0000-000000000000"},
            "cloudflare": {"CLOUDFLARE_API_TOKEN": "x" * 40},
            "npm": {"NPM_PASSWORD": "wrong password"},
            "ispconfig": {"ISPCONFIG_PASSWORD": "wrong password"},
        }
        for system, settings in wrong.items():
            with self.subTest(system=system), override_settings(**settings):
                connections.forget()
                dns_connections.forget()
                text, closing = self.run_doctor()
                self.assertEqual(self.row(text, system)[1:4], ["yes", "no", "-"], text)
                self.assertIn(next(iter(settings)), self.row(text, system)[5])
                self.assertEqual(closing, f"To be looked after: {system}.")
                self.assertNotIn(next(iter(settings.values())), text)

    def test_each_node_is_asked_for_itself(self) -> None:
        hosts = [host for host in self.lab.settings["SSH_NODE_HOSTS"].split(",") if "node2" not in host]
        with override_settings(SSH_NODE_HOSTS=[*hosts, "node2=127.0.0.1:1"]):
            connections.forget()
            text, closing = self.run_doctor()
        self.assertEqual(self.row(text, "ssh node2")[1:4], ["no", "-", "-"])
        self.assertEqual(closing, "To be looked after: ssh node2.")

    def test_privileges_that_the_token_lacks_are_named_with_their_path(self) -> None:
        gone = {"VM.Snapshot", "Datastore.AllocateSpace", "SDN.Use", "Sys.Console"}
        self.control("rights", rights={"/": [name for name in PRIVILEGES if name not in gone]})
        self.addCleanup(self.control, "rights", rights={"/": list(PRIVILEGES)})
        self.assert_complains(
            "proxmox",
            "lacks VM.Snapshot on /pool/nodepoint:"
            " pveum role add NodePoint-pool-nodepoint --privs 'VM.Snapshot'",
            "pveum acl modify /pool/nodepoint --roles NodePoint-pool-nodepoint --users 'api@pam'"
            " --tokens 'api@pam!nodepoint'",
            "Datastore.AllocateSpace on /storage/global-lvm",
            "Datastore.AllocateSpace on /storage/local:",
            "SDN.Use on /sdn/zones/localnetwork/vmbr1",
            "Sys.Console on /:",
        )

    def complaints_with(self, on_vms: set[str], elsewhere: set[str], tags: str = "free") -> list[str]:
        """What doctor says of a token with these privileges on /vms and on all other paths."""
        client = connections.proxmox()

        def held(path: str) -> dict[str, frozenset[str]]:
            return {path: frozenset(on_vms if path == "/vms" else elsewhere)}

        with (
            mock.patch.object(client, "permissions", held),
            mock.patch.object(client, "user_tag_access", return_value=tags),
        ):
            return list(checkup.proxmox(True))

    def test_privileges_of_the_pool_are_enough_but_for_tags_and_what_is_being_made(self) -> None:
        """Those of a pool carry no propagate flag, and a creation joins it last."""
        everything = set(PRIVILEGES)
        self.assertEqual(self.complaints_with({"VM.Audit", "VM.Config.Options"}, everything), [])
        (complaint,) = self.complaints_with(set(), everything)
        self.assertIn("lacks VM.Audit, VM.Config.Options on /vms: pveum role add", complaint)

    def test_tags_that_the_cluster_lets_nobody_set_are_named(self) -> None:
        everything = set(PRIVILEGES)
        self.assertEqual(self.complaints_with(everything, everything, tags="existing"), [])
        (complaint,) = self.complaints_with(everything, everything - {"Sys.Modify"}, tags="existing")
        self.assertIn("pvesh set /cluster/options --user-tag-access user-allow=free", complaint)

    def test_what_is_missing_at_proxmox_is_named(self) -> None:
        template = "local:vztmpl/no-such_1.tar.zst"
        with override_settings(PROXMOX_POOL="elsewhere", PROXMOX_TEMPLATE=template):
            self.assert_complains("proxmox", "the pool elsewhere", f"{template} is not on node1")
        with override_settings(PROXMOX_STORAGE="nowhere"):
            self.assert_complains("proxmox", "storage 'nowhere' does not exist")
        images = mock.Mock(wraps=STORAGES["global-lvm"], content="images")
        images.configure_mock(name="global-lvm", kind="drbd", shared=True, total=1)
        with mock.patch.dict(STORAGES, {"global-lvm": images}):
            self.assert_complains("proxmox", "may not hold containers (content rootdir) on node1")

    def test_a_node_that_is_away_or_unknown_is_named(self) -> None:
        self.control("node", node="node3", up=False)
        hosts = [*self.lab.settings["SSH_NODE_HOSTS"].split(","), "node9=127.0.0.1:1"]
        with override_settings(PROXMOX_NODES=["node1", "node3", "node9"], SSH_NODE_HOSTS=hosts):
            connections.forget()
            text, closing = self.run_doctor()
        self.assertIn("Node node3 is offline.", text)
        self.assertIn("node9, which is no node of this cluster", text)
        self.assertIn("proxmox", closing)

    def test_a_cluster_without_its_firewall_keeps_no_site_apart(self) -> None:
        with mock.patch.object(connections.proxmox(), "cluster_firewall", return_value=False):
            self.assert_complains("proxmox", "Switch the firewall of the cluster on")

    def test_permissions_of_the_npm_account(self) -> None:
        few = {"visibility": "user", "proxy_hosts": "manage", "certificates": "view"}
        with mock.patch.object(lab.npm.wire, "PERMISSIONS", few):
            self.assert_complains("npm", "see all items", "manage certificates; now it is: view")

    def test_a_wildcard_certificate_that_is_not_there_or_not_ours_or_nearly_over(self) -> None:
        with override_settings(NPM_CERTIFICATE="99"):
            self.assert_complains("npm", "there is no certificate 99")
        with override_settings(BASE_DOMAIN="other.nodepoint.eu"):
            self.assert_complains("npm", "is not for *.other.nodepoint.eu")
        later = timezone.now() + timedelta(days=360)
        with mock.patch("sites.checkup.datetime", mock.Mock(now=lambda zone: later)):
            self.assert_complains("npm", "renew it")

    def test_a_zone_of_another_name(self) -> None:
        connections.cloudflare().create_record("A", "www.nodepoint.eu", "192.0.2.1")
        with override_settings(BASE_DOMAIN="example.org", NPM_CERTIFICATE="letsencrypt"):
            self.assert_complains("cloudflare", "not the zone of example.org", "www.nodepoint.eu")

    def test_a_node_that_lets_us_in_but_not_run_pct(self) -> None:
        self.fault("ssh", "refuse", match="EXEC pct exec", count=1)
        text, closing = self.run_doctor()
        self.assertRegex(closing, r"^To be looked after: ssh node\d\.$", text)
        self.assertEqual(self.row(text, closing[20:29])[1:4], ["yes", "yes", "no"])

    def test_functions_that_the_remote_user_may_not_call_are_named(self) -> None:
        denied = self.lab.ispconfig.sessions.denied
        for function, group in (
            ("client_get", "Client functions"),
            ("dns_a_get", "DNS a functions"),
            ("dns_mx_get", "DNS mx functions"),
            ("dns_txt_get", "DNS txt functions"),
            ("server_get", "Server functions"),
            ("monitor_jobqueue_count", "Monitor functions"),
        ):
            with self.subTest(group):
                denied.clear()
                denied.add(function)
                self.assert_complains("ispconfig", f"Tick “{group}” for the remote user")
        denied.clear()

    def test_a_name_server_of_ours_that_is_silent_and_a_zone_that_is_not_published_are_named(self) -> None:
        self.fault("dns", "hang", match="health.invalid SOA", count=100)
        with mock.patch("dns.clients.nameservers.TRY_SECONDS", 0.2):
            text, _ = self.run_doctor()
        self.clear_faults()
        self.assertEqual(self.row(text, "nameservers")[1], "no", text)
        self.assertIn("ns1.nodepoint.eu, ns2.nodepoint.eu: no answer", text)
        now = timezone.now()
        customer = Customer.objects.create(user_id="1", client_id=1, group_id=1)
        zone = Zone.objects.create(customer=customer, name="a.example", name_key="a.example", state="active")
        seen = {"serial": 5, "served": {"ns1.nodepoint.eu": 4}, "looked_at": now}
        Publication.objects.create(zone=zone, wrong_since=now - timedelta(minutes=9), **seen)
        self.assert_complains("nameservers", "a.example is not published: serial 5 in the panel")

    def test_a_mail_server_is_asked_where_there_is_one(self) -> None:
        smtp = {"EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend"}
        with override_settings(**smtp, EMAIL_HOST="127.0.0.1", EMAIL_PORT=1):
            text, closing = self.run_doctor()
        self.assertEqual(self.row(text, "mail")[1:4], ["no", "-", "-"])
        self.assertEqual(closing, "To be looked after: mail.")

    def test_a_check_of_ours_that_breaks_does_not_hide_the_others(self) -> None:
        broken = mock.patch.object(Npm, "whoami", side_effect=KeyError("x"))
        with broken, self.assertLogs("nodepoint.doctor", "ERROR"):
            text, closing = self.run_doctor()
        self.assertIn("The check itself failed: KeyError", self.row(text, "npm")[5])
        self.assertEqual(closing, "To be looked after: npm.")
