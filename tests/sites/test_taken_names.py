"""A stranger's record or proxy host on the wanted name: the same job takes another one and leaves nothing
under the first. Billing asks only once."""

import re
from unittest import mock

from django.core import mail
from django.test import override_settings

from nodepoint.clients.errors import Conflict
from sites import allocation
from sites.connections import cloudflare, npm
from sites.models import Site, TakenName
from sites.reconcile import compare
from sites.steps import hosts, renaming
from tests.sites.base import SiteTestCase, SiteTransactionTestCase, at_once, foreign_record

NAME = "janedoe.nodepoint.eu"
OTHER = r"^janedoe-[a-z0-9]{4}$"


class TakenNameCase(SiteTestCase):
    def assert_moved(self, site: Site, *, records: int = 0, proxy_hosts: int = 0) -> None:
        """Live under another name in every place, and beside it only what strangers have (so many)."""
        site.refresh_from_db()
        self.assertEqual((site.state, self.job(site).state), ("live", "succeeded"), self.tale(site))
        self.assertRegex(site.subdomain, OTHER)
        state = self.state()
        ours = [r["name"] for r in state["cloudflare"]["records"] if r["comment"] == site.owner_mark]
        self.assertEqual(ours, [site.hostname], self.tale(site))
        self.assertEqual(len(state["cloudflare"]["records"]), records + 1)
        marked = [h for h in state["npm"]["proxy_hosts"] if h["meta"].get("nodepoint") == site.owner_mark]
        self.assertEqual([h["domain_names"] for h in marked], [[site.hostname]], self.tale(site))
        self.assertEqual(len(state["npm"]["proxy_hosts"]), proxy_hosts + 1)
        self.assertEqual((site.dns_record_id, site.proxy_host_id), (self.record_id(site), marked[0]["id"]))
        self.assertEqual(self.container(site.vmid)["name"], site.subdomain)
        self.assertEqual(site.serves_as, site.hostname)
        self.assertIn(site.hostname, mail.outbox[-1].subject)
        shown = self.get(f"/status?service_id={site.service_id}").json()
        self.assertEqual((shown["subdomain"], shown["url"]), (site.subdomain, f"https://{site.hostname}"))
        self.assertEqual(shown["domains"], [site.hostname])
        self.assertEqual(TakenName.objects.get().subdomain, "janedoe")

    def record_id(self, site: Site) -> str:
        (record,) = cloudflare().find_records(site.hostname)
        return record.id

    def assert_nothing_of(self, site: Site) -> None:
        """Strangers' things alone are left."""
        left = self.leftovers()
        self.assertEqual(
            (left["containers"], left["ha"], left["certificates"]), ([], [], []), self.tale(site)
        )
        self.assertNotIn("nodepoint:", str(left["records"]) + str(left["proxy_hosts"]))


class RecordTests(TakenNameCase):
    def test_a_strangers_record_makes_the_same_job_take_another_name(self) -> None:
        for type, content in (("A", "198.51.100.9"), ("AAAA", "2001:db8::7"), ("CNAME", "elsewhere.example")):
            with self.subTest(type):
                theirs = foreign_record(NAME, type, content)
                answer = self.order(service_id=type).json()
                self.assertEqual(answer["subdomain"], "janedoe", "nobody has asked Cloudflare yet")
                site = Site.objects.get(live_key=type)
                self.run_jobs()
                self.assert_moved(site, records=1)
                self.assertEqual(TakenName.objects.get().holder, f"record {type} {content}")
                self.delete(type)
                self.run_jobs()
                self.assert_nothing_of(site)
                cloudflare().delete_record(theirs)
                compare()  # the name is free again

    def test_the_first_wordpress_knows_no_other_name_where_it_is_found_in_time(self) -> None:
        foreign_record(NAME)
        site = self.create()
        self.run_until(site, "wordpress", state="done")
        site.refresh_from_db()
        self.assertEqual(site.serves_as, site.hostname)
        self.run_jobs()
        self.assertEqual(self.step(site, "wordpress").data["primary"], site.hostname)
        self.assert_moved(site, records=1)

    def test_one_that_is_found_when_wordpress_was_installed_renames_that_too(self) -> None:
        self.fault("cloudflare", "drop_before", count=100_000)
        site = self.create()
        self.run_until(site, "proxy_host", state="done")
        self.run_until(site, "wordpress", state="done")
        site.refresh_from_db()
        self.assertEqual((site.serves_as, self.container(site.vmid)["name"]), (NAME, "janedoe"))
        self.assertEqual([h["domain_names"] for h in self.state()["npm"]["proxy_hosts"]], [[NAME]])
        self.clear_faults()
        foreign_record(NAME)
        self.run_jobs()
        self.assert_moved(site, records=1)

    def test_a_live_site_keeps_its_name_when_a_stranger_comes_later(self) -> None:
        site = self.live_site()
        foreign_record(NAME, "AAAA", "2001:db8::7")
        self.post("/suspend", {"service_id": "1001"}, Prefer="respond-async")
        self.post("/unsuspend", {"service_id": "1001"}, Prefer="respond-async")
        self.run_jobs()
        site.refresh_from_db()
        self.assertEqual((site.subdomain, site.former_subdomains), ("janedoe", []))


class ProxyHostTests(TakenNameCase):
    def test_a_strangers_proxy_host_makes_the_same_job_take_another_name(self) -> None:
        theirs = npm().create_proxy_host([NAME, "x.example.org"], "192.168.1.77", meta={"made_by": "hand"})
        site = self.create()
        self.run_jobs()
        self.assert_moved(site, proxy_hosts=1)
        self.assertEqual(npm().proxy_host(theirs.id).forward_host, "192.168.1.77")

    def test_a_redirection_or_404_host_is_known_to_the_check_for_duplicates_alone(self) -> None:
        self.lab.npm.state.other_names.add(NAME)
        site = self.create()
        self.run_jobs()
        self.assert_moved(site)

    def test_one_that_appears_between_the_two_steps_takes_the_record_along(self) -> None:
        self.fault("npm", "drop_before", count=100_000)
        site = self.create()
        self.run_until(site, "dns_record", state="done")
        self.assertEqual([r["name"] for r in self.state()["cloudflare"]["records"]], [NAME])
        self.clear_faults()
        npm().create_proxy_host([NAME], "192.168.1.77")
        self.run_jobs()
        self.assert_moved(site, proxy_hosts=1)

    def test_of_two_strangers_on_one_name_it_is_lost_once(self) -> None:
        foreign_record(NAME)
        npm().create_proxy_host([NAME], "192.168.1.77")
        site = self.create()
        self.run_jobs()
        self.assert_moved(site, records=1, proxy_hosts=1)
        self.assertEqual(site.former_subdomains, ["janedoe"])

    def test_a_host_of_ours_whose_making_was_only_slow_is_no_stranger(self) -> None:
        site = self.create()
        made = hosts._create

        def twice(wanted: hosts.HostName):
            made(wanted)  # an earlier call, which comes to its effect between our look and our call
            raise Conflict("npm", f"{wanted.name} is already in use")

        with mock.patch.object(hosts, "_create", twice):
            self.run_until(site, "proxy_host", state="done")
        self.run_jobs()
        self.assert_live(site)
        self.assertEqual(site.subdomain, "janedoe")

    @override_settings(NPM_CERTIFICATE="letsencrypt", LETSENCRYPT_EMAIL="ops@example.com")
    def test_a_certificate_is_ordered_for_the_name_that_it_gets(self) -> None:
        foreign_record(NAME)
        site = self.create()
        self.run_jobs()
        self.assert_moved(site, records=1)
        shared = str(self.lab.settings["NPM_CERTIFICATE"])
        certificates = [c for c in self.state()["npm"]["certificates"] if str(c["id"]) != shared]
        self.assertEqual([c["domain_names"] for c in certificates], [[site.hostname]])


class InterruptedTests(TakenNameCase):
    def test_a_step_that_was_under_way_when_the_name_changed_leaves_nothing(self) -> None:
        """Its runner has read the site before the other step changed the name, and writes after it."""
        site = self.create()
        create = cloudflare().create_record

        def slowly(*values, **more):
            allocation.reserve_other_name(Site.objects.get(pk=site.pk))
            TakenName.objects.get_or_create(subdomain="janedoe", defaults={"holder": "a proxy host"})
            cloudflare().create_record = create
            return create(*values, **more)

        with mock.patch.object(cloudflare(), "create_record", slowly):
            self.run_until(site, "dns_record", state="done")
        self.assertEqual([r["name"] for r in self.state()["cloudflare"]["records"]], [NAME])
        self.run_jobs()
        self.assert_moved(site)

    def test_lost_answers_in_the_middle_of_the_move_leave_nothing(self) -> None:
        for system, match in (
            ("cloudflare", "DELETE /client"),
            ("cloudflare", "POST /client"),
            ("npm", "POST /api/nginx/proxy-hosts"),
        ):
            for kind in ("drop_before", "drop_after", "error"):
                with self.subTest(f"{system} {kind}"):
                    self.fault("npm", "drop_before", count=100_000)
                    site = self.create(service_id=f"{system}-{kind}-{match[:4]}")
                    self.run_until(site, "dns_record", state="done")
                    self.clear_faults()
                    self.lab.npm.state.other_names.add(NAME)
                    self.fault(system, kind, match)
                    self.run_jobs()
                    self.assert_moved(site)
                    self.delete(site.service_id)
                    self.run_jobs()
                    self.assert_nothing_of(site)
                    self.lab.npm.state.other_names.clear()
                    TakenName.objects.all().delete()

    def test_an_order_that_is_undone_after_the_move_began_leaves_nothing_under_either_name(self) -> None:
        self.fault("npm", "drop_before", count=100_000)
        site = self.create()
        self.run_until(site, "dns_record", state="done")
        self.clear_faults()
        self.lab.npm.state.other_names.add(NAME)
        self.run_until(site, "proxy_host", state="done")  # under the new name; the record under the old one
        self.fault("ssh", "error", count=100_000)
        self.fault("cloudflare", "error", "DELETE", count=30)
        self.run_jobs()
        self.assertEqual(self.job(site).state, "rolled_back", self.tale(site))
        self.assert_nothing_left()
        site.refresh_from_db()
        self.assertEqual((site.subdomain, site.former_subdomains), (None, []))

    def test_a_deletion_in_the_middle_of_the_move_leaves_nothing_under_either_name(self) -> None:
        self.fault("npm", "drop_before", count=100_000)
        site = self.create()
        self.run_until(site, "dns_record", state="done")
        self.clear_faults()
        self.lab.npm.state.other_names.add(NAME)
        self.run_until(site, "proxy_host", state="done")
        self.delete()
        self.run_jobs()
        site.refresh_from_db()
        self.assertEqual(site.state, "deleted", self.tale(site))
        self.assert_nothing_left()

    def test_an_order_that_loses_every_name_is_undone_in_the_end(self) -> None:
        refuse = mock.Mock(side_effect=Conflict("npm", "is already in use"))
        with mock.patch.object(hosts, "_create", refuse):
            site = self.create()
            self.run_jobs()
        self.assert_undone(site)
        self.assertEqual(refuse.call_count, renaming.MOST + 1)

    def test_a_repeat_of_the_order_tells_the_name_as_it_is(self) -> None:
        foreign_record(NAME)
        key = {"Idempotency-Key": "k1"}
        first = self.post(
            "/create-site",
            {
                "service_id": "1001",
                "email": "jane.doe@example.com",
                "plan": "basic",
                "public_ip": "203.0.113.10",
            },
            **key,
        ).json()
        self.run_jobs()
        again = self.post(
            "/create-site",
            {
                "service_id": "1001",
                "email": "jane.doe@example.com",
                "plan": "basic",
                "public_ip": "203.0.113.10",
            },
            **key,
        ).json()
        self.assertEqual(again, first, "a kept answer is the first one")
        self.assertTrue(re.search(OTHER, self.get("/status?service_id=1001").json()["subdomain"]))
        self.assertEqual(self.order().status_code, 409)
        self.assertEqual(Site.objects.count(), 1)


class AtOnceTests(SiteTransactionTestCase):
    def test_two_steps_that_find_a_stranger_at_once_agree_on_one_name(self) -> None:
        site = self.create()
        held = [Site.objects.get(pk=site.pk) for _ in range(4)]
        names = at_once([lambda one=one: allocation.reserve_other_name(one) for one in held])
        self.assertEqual(len(set(names)), 1)
        site.refresh_from_db()
        self.assertIn(site.subdomain, names)
        self.assertEqual(site.former_subdomains, ["janedoe"])

    def test_orders_for_one_taken_name_at_once_get_names_of_their_own(self) -> None:
        foreign_record(NAME)
        sites = [self.create(service_id=str(number)) for number in range(3)]
        self.run_jobs()
        names = set(Site.objects.values_list("subdomain", flat=True))
        self.assertEqual(len(names), 3)
        self.assertNotIn("janedoe", names)
        self.assertEqual({Site.objects.get(pk=site.pk).state for site in sites}, {"live"})
        self.assertEqual(len(self.state()["cloudflare"]["records"]), 4)
