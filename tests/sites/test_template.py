"""`manage.py build_template`: an archive from which containers need the site's own part only."""

import io
import time
from contextlib import redirect_stderr
from unittest import mock

from django.core.management import CommandError, call_command
from django.test import override_settings

from lab import guest
from lab.proxmox.state import storages
from nodepoint.jobs.models import Job
from sites import install, services
from sites.allocation import free_address, free_vmid
from sites.clients.console import Console
from sites.errors import UnknownNode
from sites.management.commands import build_template as command
from sites.models import Site, Template
from sites.reconcile import compare
from tests.base import on_one_database
from tests.sites.base import SiteTestCase

PLAIN = "local:vztmpl/ubuntu-24.04-standard_24.04-2_amd64.tar.zst"
NODES = ("node1", "node2", "node3")


class TemplateCase(SiteTestCase):
    def build(self, **options: str) -> Template:
        """A build that went to its end."""
        template, _ = services.build_template(**options)
        self.clock.time = template.created_at
        self.run_jobs()
        template.refresh_from_db()
        return template

    def built(self, **options: str) -> Template:
        template = self.build(**options)
        self.assertEqual(template.state, "ready", self.tale(template))
        return template

    def files(self, node: str) -> dict[str, dict]:
        """What of ours lies on a node's storage, by path."""
        with self.lab.lock:
            found = self.lab.proxmox.cluster.files._files
            return {
                key.partition(":")[2]: file
                for key, file in found.items()
                if key.startswith(node) and "ubuntu-24.04-standard" not in key and "golden_1" not in key
            }

    def assert_no_trace(self) -> None:
        """Neither container nor file of a build is left, nor what it had reserved."""
        self.assert_nothing_left()
        self.assertEqual({node: self.files(node) for node in NODES}, {node: {} for node in NODES})
        self.assertFalse(Template.objects.exclude(vmid=None, private_ip=None, node="").exists())
        self.assertEqual((free_vmid(), free_address()), (900, "192.168.1.100"))

    def run_up_to(self, template: Template, step: str) -> None:
        """Call one step after the other until that one is done."""
        for _ in range(300):
            if self.steps(template)[step] == "done":
                return
            self.run_calls(1)
        raise AssertionError(self.tale(template))

    def steps(self, template: Template) -> dict[str, str]:
        job = Job.objects.get(subject=template.key)
        return dict(job.steps.values_list("name", "state"))


@on_one_database
class BuildTests(TemplateCase):
    def test_the_archive_is_on_every_node_and_the_container_is_gone(self):
        template = self.built()
        name = template.volid.removeprefix("local:vztmpl/")
        self.assertRegex(name, rf"^nodepoint-debian-13-\d{{8}}-{template.build_id}_amd64\.tar\.zst$")
        for node in NODES:
            with self.subTest(node):
                (path,) = self.files(node)
                self.assertEqual(path, f"/var/lib/vz/template/cache/{name}")
        self.assertEqual(
            (template.source, template.wordpress_version, template.built_on), (PLAIN, "6.9", "node1")
        )
        self.assertEqual((template.vmid, template.private_ip, template.node), (None, None, ""))
        self.assertIsNotNone(template.built_at)
        self.assertEqual(Job.objects.get(subject=template.key).warning, "")
        self.assert_nothing_left()

    def test_a_site_made_from_it_needs_its_own_part_only(self):
        template = self.built()
        with override_settings(PROXMOX_TEMPLATE=template.volid):
            site = self.live_site()
        with self.lab.lock:
            guest = self.lab.guest._guests[site.vmid]
        self.assertIn(f"build {template.build_id}\n", guest["files"]["/etc/nodepoint-template"])
        seconds = dict(
            line.split()[1:] for line in guest["files"]["/run/nodepoint/install.status"].splitlines()[:-1]
        )
        self.assertEqual(seconds["packages"], "0")

    def test_it_is_built_where_it_is_wished_and_from_what(self):
        template = self.built(node="node2")
        self.assertEqual((template.built_on, len(self.files("node1"))), ("node2", 1))
        with self.assertRaises(UnknownNode):
            services.build_template(node="node9")
        failed = self.build(source="local:vztmpl/none.tar.zst")
        self.assertEqual((failed.state, failed.source), ("failed", "local:vztmpl/none.tar.zst"))

    def test_the_next_one_is_built_from_the_same_plain_template(self):
        first = self.built()
        with override_settings(PROXMOX_TEMPLATE=first.volid):
            second = self.built()
        self.assertEqual(second.source, PLAIN)
        self.assertNotEqual(first.volid, second.volid)
        self.assertEqual(len(self.files("node3")), 2)

    def test_sites_and_builds_do_not_get_one_anothers_places(self):
        template, _ = services.build_template()
        site = self.create()
        other, _ = services.build_template()
        held = [(row.vmid, row.private_ip) for row in (template, site, other)]
        self.assertEqual(held, [(900, "192.168.1.100"), (901, "192.168.1.101"), (902, "192.168.1.102")])
        self.run_jobs()
        site.refresh_from_db()
        self.assertEqual(site.state, Site.State.LIVE, self.tale(site))
        self.assertEqual([row.state for row in Template.objects.all()], ["ready", "ready"])

    def test_its_container_is_closed_like_a_sites(self):
        template, _ = services.build_template()
        self.clock.time = template.created_at
        self.run_up_to(template, "started")
        firewall = self.container(900)["firewall"]
        self.assertEqual(firewall["options"]["policy_in"], "DROP")
        self.assertEqual(self.container(900)["description"], template.owner_mark)
        self.assertFalse(template.owner_mark.startswith("nodepoint:"), "no site's mark may be like it")

    def test_reconciling_leaves_a_build_alone(self):
        template, _ = services.build_template()
        self.clock.time = template.created_at
        self.run_up_to(template, "started")
        self.assertEqual(compare().findings, [])
        self.run_jobs()
        self.assertEqual(compare().findings, [])

    def test_a_storage_that_is_shared_needs_no_copies(self):
        shared = {
            **storages.STORAGES,
            "local": storages.Storage("local", "nfs", "vztmpl,backup,rootdir", 10**12, shared=True),
        }
        with mock.patch.dict(storages.STORAGES, shared):
            self.built()
        self.assertEqual([len(self.files(node)) for node in NODES], [1, 0, 0])


@on_one_database
class FailureTests(TemplateCase):
    def test_a_base_that_cannot_be_installed_leaves_nothing(self):
        self.fault("ssh", "error", "INSTALL 900 packages", count=10)
        self.assertEqual(self.build().state, "failed")
        self.assert_no_trace()

    def test_what_holds_a_site_is_never_sealed(self):
        script = install.base_script(2048).replace("PART=base", "PART=all")
        with mock.patch.object(install, "base_script", return_value=script):
            template = self.build()
        self.assertEqual(template.state, "failed")
        self.assertIn("exit code 73", Job.objects.get(subject=template.key).detail)
        self.assert_no_trace()

    def test_one_that_does_not_say_what_it_is_made_of_is_none(self):
        silent = {**guest.SEALS, "# lab: seal": lambda inside, plan: (0, b"sealed\n", b"")}
        with mock.patch.object(guest, "SEALS", silent):
            template = self.build()
        self.assertEqual(template.state, "failed")
        job = Job.objects.get(subject=template.key)
        self.assertEqual(job.error, "The template could not be sealed.")
        self.assertIn("It does not say its distribution and wordpress.", job.detail)
        self.assert_no_trace()

    def test_a_storage_that_takes_no_backups_is_named(self):
        poor = {**storages.STORAGES, "local": storages.Storage("local", "dir", "vztmpl,iso", 10**12)}
        with mock.patch.dict(storages.STORAGES, poor):
            template = self.build()
        self.assertEqual(template.state, "failed")
        self.assertIn(
            "must allow the contents backup and vztmpl", Job.objects.get(subject=template.key).detail
        )
        self.assert_no_trace()

    def test_a_backup_that_fails_is_tried_again(self):
        template, _ = services.build_template()
        self.clock.time = template.created_at
        self.run_up_to(template, "stopped")
        with self.lab.lock:
            container = self.lab.proxmox.cluster.containers[900]
            container.config["lock"] = "snapshot"
        self.run_for(5)
        self.assertNotIn(self.steps(template)["archived"], ("done", "failed"))
        with self.lab.lock:
            container.config.pop("lock")
        self.run_jobs()
        template.refresh_from_db()
        self.assertEqual(template.state, "ready")

    def test_a_lost_answer_makes_no_second_archive(self):
        self.fault("proxmox", "drop_after", "POST /api2/json/nodes/node1/vzdump")
        self.built()
        self.assertEqual([len(self.files(node)) for node in NODES], [1, 1, 1])

    def test_an_earlier_backup_of_that_vmid_is_no_archive_of_ours(self):
        path = "/var/lib/vz/dump/vzdump-lxc-900-2026_01_01-00_00_00.tar.zst"
        foreign = {"size": 1, "ctime": 1, "golden": False, "files": {}, "vmid": 900, "notes": "customer"}
        with self.lab.lock:
            self.lab.proxmox.cluster.files.write("node1", path, foreign)
        self.built()
        self.assertEqual(self.files("node1")[path], foreign)

    def test_a_node_that_is_away_is_a_warning_and_gets_it_when_it_is_back(self):
        self.control("node", node="node2", up=False)
        template, job = services.build_template()
        self.clock.time = template.created_at
        self.run_for(300)
        self.assertEqual([len(self.files(node)) for node in NODES], [1, 0, 1])
        self.control("node", node="node2", up=True)
        self.run_jobs()
        job.refresh_from_db()
        self.assertEqual((len(self.files("node2")), job.state, job.warning), (1, "succeeded", ""))

    def test_a_node_that_stays_away_is_told(self):
        self.control("node", node="node2", up=False)
        template = self.built()
        self.assertIn("could not be reached", Job.objects.get(subject=template.key).warning)

    def test_a_copy_that_is_cut_short_never_gets_its_name(self):
        template, _ = services.build_template()
        self.clock.time = template.created_at
        self.run_up_to(template, "placed")
        self.fault("ssh", "drop_before", "dd of=", count=2)
        self.fault("ssh", "drop_after", "sha256sum", count=1)
        self.run_jobs()
        for node in NODES:
            self.assertEqual([path.endswith(".part") for path in self.files(node)], [False])
        self.assertEqual(len({path for node in NODES for path in self.files(node)}), 1)

    def test_a_copy_that_is_not_like_the_original_is_made_anew(self):
        whole = Console.copy

        def torn(console: Console, node: str, path: str, to_node: str, to_path: str) -> None:
            with self.lab.lock:
                file = {"size": 9, "ctime": 1, "golden": False, "files": {}, "torn": "x"}
                self.lab.proxmox.cluster.files.write(to_node, to_path, file)
            copies.append(to_node)
            if len(copies) > 2:
                whole(console, node, path, to_node, to_path)

        copies: list[str] = []
        with mock.patch.object(Console, "copy", torn):
            self.built()
        self.assertEqual(len(copies), 4)
        self.assertFalse(any("torn" in file for node in NODES for file in self.files(node).values()))

    def test_a_build_that_cannot_be_put_in_place_leaves_nothing_there(self):
        self.fault("ssh", "error", "mv -T", count=100)
        self.assertEqual(self.build().state, "failed")
        self.assert_no_trace()

    def test_a_job_that_was_killed_anywhere_is_taken_up(self):
        """Every call that changes something loses its answer once."""
        for match in ("POST", "PUT", "DELETE"):
            self.fault("proxmox", "drop_after", f"{match} /api2/json/nodes/node1", count=3)
        for match in ("cp --reflink", "mv -T", "pvesm free", "-- bash -s seal", "-- bash -s install"):
            self.fault("ssh", "drop_after", match)
        self.built()
        self.assert_nothing_left()
        self.assertEqual([len(self.files(node)) for node in NODES], [1, 1, 1])
        self.assertEqual(self.creations(), 1)


@on_one_database
class CommandTests(TemplateCase):
    def call(self, *arguments: str) -> tuple[str, str]:
        out, err = io.StringIO(), io.StringIO()
        with mock.patch.object(command, "sleep", lambda _: self._work()), redirect_stderr(err):
            call_command("build_template", *arguments, stdout=out, stderr=err)
        return out.getvalue(), err.getvalue()

    def _work(self) -> None:
        self.clock.time = Template.objects.first().created_at
        self.run_jobs()

    def test_its_last_line_is_the_setting(self):
        out, err = self.call()
        template = Template.objects.get()
        self.assertEqual(out, f"PROXMOX_TEMPLATE={template.volid}\n")
        for title in ("Sealing it", "Copying the archive to the other nodes"):
            self.assertIn(title, err)

    def test_a_failure_is_its_exit(self):
        self.fault("ssh", "error", "INSTALL 900 packages", count=10)
        with self.assertRaisesRegex(CommandError, "WordPress could not be installed"):
            self.call()

    def test_a_node_that_is_none_of_ours(self):
        with self.assertRaisesRegex(CommandError, "node9 is none of the nodes: node1, node2, node3"):
            self.call("--node", "node9")
        self.assertFalse(Template.objects.exists())

    def test_it_need_not_be_waited_for(self):
        begun = time.monotonic()
        out, _ = self.call("--no-wait")
        self.assertEqual(out.strip(), Job.objects.get().pk)
        self.assertLess(time.monotonic() - begun, 5)
