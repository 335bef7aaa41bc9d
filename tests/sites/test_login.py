"""`POST /action/login`: a link that lets its holder into wp-admin once, and that is written down nowhere."""

import io
import json
import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from unittest import mock
from urllib.parse import urlsplit

import requests
from django.core import serializers
from django.test import Client

from nodepoint.api.models import KeptAnswer
from nodepoint.audit.models import Entry
from nodepoint.jobs.models import Job, JobStep
from sites import access
from sites.clients.console import Console, Output
from sites.models import CustomDomain, Site
from tests.base import LabTestCase, LabTransactionTestCase
from tests.sites.base import ORDER, SiteTestCase
from tests.visitor import visit

SERVICE = {"service_id": "1001"}


class Visitor:
    """A browser: what stands behind the # stays with it until the page's script sends it."""

    def __init__(self, lab) -> None:
        self.address = lab.settings["PROXY_CHECK_ADDRESS"]
        self.ca_file = str(lab.keys.authority_file)

    def get(self, url: str, cookie: str = "") -> requests.Response:
        """GET, through the proxy."""
        return self._send("GET", url, cookie=cookie)

    def redeem(self, url: str) -> requests.Response:
        """What the page's script does with the link."""
        return self._send("POST", url, data={"nodepoint_token": urlsplit(url).fragment})

    def _send(self, method: str, url: str, cookie: str = "", **more) -> requests.Response:
        return visit(self.address, url, method, headers={"Cookie": cookie}, verify=self.ca_file, **more)


class LoginTests(SiteTestCase):
    def log_in(self, **headers: str):
        return self.post("/action/login", SERVICE, **headers)

    def refused(self, status: int, code: str) -> dict:
        answer = self.log_in()
        self.assertEqual((answer.status_code, answer.json()["code"]), (status, code), answer.content)
        self.assertNotIn("url", answer.json())
        return answer.json()

    def link(self) -> str:
        answer = self.log_in()
        self.assertEqual(answer.status_code, 200, answer.content)
        return answer.json()["url"]

    def test_what_is_not_there_or_not_live_is_refused_without_a_call(self):
        self.refused(404, "not_found")
        self.create()
        self.calls.clear()
        self.refused(409, "busy")
        self.assertEqual(self.calls, [])

    def test_a_suspended_site_is_401(self):
        self.live_site()
        self.post("/suspend", SERVICE, Prefer="respond-async")
        answer = self.log_in()
        self.assertEqual((answer.status_code, answer.json()["code"]), (401, "service_suspended"))
        self.assertNotIn("WWW-Authenticate", answer)

    def test_a_stopped_site_is_409_whoever_has_stopped_it(self):
        site = self.live_site()
        with self.lab.lock:
            container = self.lab.proxmox.cluster.containers[site.vmid]
            self.lab.proxmox.cluster.power.halt(container, time.time())
        self.assertIn("stopped", self.refused(409, "wrong_state")["error"])
        Site.objects.update(wanted_power="stopped")
        self.calls.clear()
        self.assertIn("stopped", self.refused(409, "wrong_state")["error"])
        self.assertEqual(self.calls, [])

    def test_a_site_that_is_being_deleted_is_409(self):
        self.live_site()
        self.delete()
        self.refused(409, "wrong_state")

    def test_a_job_that_ends_the_container_goes_first(self):
        self.live_site()
        self.post("/action/rollback", {**SERVICE, "bak": "initial"}, Prefer="respond-async")
        self.assertIn("still running", self.refused(409, "busy")["error"])
        self.run_jobs()
        self.post("/action/mkbak", SERVICE, Prefer="respond-async")
        self.link()

    def test_a_node_that_is_away_is_told_within_the_time(self):
        self.live_site()
        self.control("node", node="node1", up=False)
        begun = time.monotonic()
        self.assert_readable(self.refused(500, "infrastructure")["error"])
        self.assertLess(time.monotonic() - begun, access.SECONDS + 1)

    def test_a_shell_that_hangs_is_given_up(self):
        self.live_site()
        self.fault("ssh", "hang", seconds=30)
        begun = time.monotonic()
        with mock.patch.object(access, "SECONDS", 1.0):
            self.assert_readable(self.refused(500, "infrastructure")["error"])
        self.assertLess(time.monotonic() - begun, 5)

    def test_a_wordpress_that_is_broken_is_409_with_a_sentence(self):
        site = self.live_site()
        self.lab.guest.break_site(site.vmid, "database")
        self.assertIn("WordPress does not answer", self.refused(409, "wrong_state")["error"])

    def test_a_foreign_container_in_its_place_is_not_entered(self):
        site = self.live_site()
        with self.lab.lock:
            self.lab.proxmox.cluster.containers[site.vmid].config["description"] = "somebody else's"
        self.calls.clear()
        self.refused(500, "infrastructure")
        self.assertEqual(self.count("ssh"), 0)

    def test_it_lets_in_once(self):
        self.live_site()
        url = self.link()
        self.assertTrue(url.startswith("https://janedoe.nodepoint.eu/wp-admin/admin-post.php?"), url)
        visitor = Visitor(self.lab)
        for _ in range(3):  # a mail scanner, a preview: looking uses nothing up
            page = visitor.get(url)
            self.assertEqual((page.status_code, page.headers["Cache-Control"]), (200, "no-store"))
        redeemed = visitor.redeem(url)
        self.assertEqual(redeemed.headers["Location"], "https://janedoe.nodepoint.eu/wp-admin/")
        cookie = redeemed.headers["Set-Cookie"].partition(";")[0]
        self.assertIn("Dashboard", visitor.get(redeemed.headers["Location"], cookie).text)
        self.assertEqual(visitor.redeem(url).status_code, 403)
        self.assertEqual(visitor.redeem(url[:-1] + "x").status_code, 403)

    def test_it_is_void_after_five_minutes_and_after_a_restart(self):
        site = self.live_site()
        old, lost = self.link(), ""
        with self.lab.lock:
            logins = self.lab.guest._guests[site.vmid]["logins"]
            logins |= {digest: made - 301 for digest, made in logins.items()}
        self.assertEqual(Visitor(self.lab).redeem(old).status_code, 403)
        lost = self.link()
        self.post("/action/restart", SERVICE, Prefer="respond-async")
        self.run_jobs()
        self.assertEqual(Visitor(self.lab).redeem(lost).status_code, 403)

    def test_it_leads_to_the_primary_domain_whichever_that_is(self):
        site = self.live_site()
        CustomDomain.objects.create(site=site, domain="shop.example.com", status="active")
        with self.lab.lock:
            files = self.lab.guest._guests[site.vmid]["files"]
            files["/etc/wordpress-primary-domain"] = "shop.example.com\n"
        self.lab.dns.set("shop.example.com", "A", ["203.0.113.10"])
        self.assertTrue(self.link().startswith("https://shop.example.com/wp-admin/admin-post.php?"))

    def lapsed(self) -> Site:
        """A site that goes by a customer's domain, which leads elsewhere."""
        site = self.live_site()
        CustomDomain.objects.create(site=site, domain="shop.example.com", status="active")
        with self.lab.lock:
            self.lab.guest._guests[site.vmid]["files"]["/etc/wordpress-primary-domain"] = "shop.example.com\n"
        self.lab.dns.set("shop.example.com", "A", ["198.51.100.77"])
        return site

    def test_a_name_that_does_not_lead_here_gets_no_token_and_the_platforms_lets_in(self):
        self.lapsed()
        own = "https://janedoe.nodepoint.eu/wp-admin/"
        visitor = Visitor(self.lab)
        for values in (["198.51.100.77"], [], ["203.0.113.10", "198.51.100.77"]):
            self.lab.dns.set("shop.example.com", "A", values)
            with self.subTest(values):
                url = self.link()
                self.assertTrue(url.startswith(f"{own}admin-post.php?"), url)
                self.assertEqual(visitor.get(url).status_code, 200, "it leads nowhere else")
                redeemed = visitor.redeem(url)
                self.assertEqual(redeemed.headers["Location"], own)
                cookie = redeemed.headers["Set-Cookie"].partition(";")[0]
                self.assertIn("Dashboard", visitor.get(own, cookie).text)
        self.assertEqual(visitor.get("https://janedoe.nodepoint.eu/").status_code, 301)

    def test_a_name_that_has_moved_away_gets_no_token_before_wordpress_is_told(self):
        self.lapsed()
        CustomDomain.objects.all().delete()
        self.lab.dns.set("shop.example.com", "A", ["203.0.113.10"])  # it leads to the other site here
        url = self.link()
        self.assertTrue(url.startswith("https://janedoe.nodepoint.eu/wp-admin/"), url)
        self.assertEqual(Visitor(self.lab).redeem(url).status_code, 302)

    def test_unknown_is_not_here(self):
        self.lapsed()
        self.lab.dns.set("shop.example.com", "A", ["203.0.113.10"])
        for kind in ("error", "hang"):
            self.fault("dns", kind, "QUERY shop.example.com A", count=50, seconds=10)
            with self.subTest(kind):
                self.assertTrue(self.link().startswith("https://janedoe.nodepoint.eu/"))
            self.clear_faults()

    def test_a_site_that_leads_every_name_to_the_lapsed_one_gives_no_link(self):
        site = self.lapsed()
        with self.lab.lock:
            del self.lab.guest._guests[site.vmid]["files"]["/etc/wordpress-platform-domain"]
        self.assertIn("shop.example.com, by which the site goes", self.refused(409, "wrong_state")["error"])

    def test_a_container_cannot_send_its_customer_anywhere_else(self):
        site = self.live_site()
        with self.lab.lock:
            files = self.lab.guest._guests[site.vmid]["files"]
            files["/etc/wordpress-primary-domain"] = "phishing.example\n"
        self.assertTrue(self.link().startswith("https://janedoe.nodepoint.eu/wp-admin/"))
        path = "/wp-admin/admin-post.php?action=nodepoint_login#"
        for line in (
            f"link https://janedoe.nodepoint.eu.evil.example{path}{'a' * 64}",
            f"link https://janedoe.nodepoint.eu@evil.example{path}{'a' * 64}",
            f"link http://janedoe.nodepoint.eu{path}{'a' * 64}",
            f"link https://janedoe.nodepoint.eu{path}{'a' * 64}\nmore",
            f"link https://janedoe.nodepoint.eu{path}<script>",
            "link javascript:alert(1)",
            "",
        ):
            with (
                self.subTest(line),
                mock.patch.object(Console, "run", return_value=Output(0, line, "", truncated=False)),
            ):
                self.refused(409, "wrong_state")

    def test_every_link_is_another(self):
        self.live_site()
        self.assertEqual(len({self.link() for _ in range(3)}), 3)

    def test_it_must_not_be_kept_on_the_way(self):
        self.live_site()
        self.assertEqual(self.log_in()["Cache-Control"], "no-store")


class SecrecyTests(LabTestCase):
    def test_the_token_is_in_no_row_and_no_log(self):
        self.post("/create-site", ORDER)
        self.run_jobs()
        stream = io.StringIO()
        handler = logging.StreamHandler(stream)
        root = logging.getLogger()
        level = root.level
        root.addHandler(handler)
        root.setLevel(logging.DEBUG)
        try:
            headers = {"Idempotency-Key": "k1"}
            first = self.post("/action/login", SERVICE, **headers).json()["url"]
            again = self.post("/action/login", SERVICE, **headers).json()["url"]
            self.lab.guest.break_site(Site.objects.get().vmid, "php")
            self.assertEqual(self.post("/action/login", SERVICE, **headers).status_code, 409)
        finally:
            root.removeHandler(handler)
            root.setLevel(level)
        self.assertNotEqual(first, again, "a repeat makes a link of its own")
        self.assertEqual(KeptAnswer.objects.count(), 0)
        self.assertIn("/action/login", stream.getvalue())
        made = Entry.objects.filter(act="sites.login")
        self.assertEqual([(entry.label, entry.actor) for entry in made], [("1001", "tests")] * 2)
        kept = [*Job.objects.all(), *JobStep.objects.all(), *Site.objects.all(), *Entry.objects.all()]
        rows = serializers.serialize("json", kept)
        for url in (first, again):
            token = urlsplit(url).fragment
            self.assertEqual(len(token), 64)
            for place in (stream.getvalue(), rows, json.dumps(self.state())):
                self.assertNotIn(token, place)


class AtOnceTests(LabTransactionTestCase):
    def test_two_clients_get_a_link_each_and_one_link_lets_one_in(self):
        self.post("/create-site", ORDER)
        self.run_jobs()
        both = threading.Barrier(2)

        def log_in(_: int) -> str:
            both.wait(10)
            answer = Client().post(
                "/action/login", SERVICE, content_type="application/json", headers=self.headers()
            )
            return answer.json()["url"]

        with ThreadPoolExecutor(2) as pool:
            urls = list(pool.map(log_in, range(2)))
        self.assertEqual(len(set(urls)), 2)
        with ThreadPoolExecutor(4) as pool:
            ends = list(pool.map(lambda _: Visitor(self.lab).redeem(urls[0]).status_code, range(4)))
        self.assertEqual(sorted(ends), [302, 403, 403, 403])
        self.assertEqual(Visitor(self.lab).redeem(urls[1]).status_code, 302)

    def test_it_leaves_half_of_the_threads_to_others(self):
        with mock.patch("sites.views.login.place") as place:
            place.return_value.__enter__.return_value = False
            answer = self.post("/action/login", SERVICE)
        self.assertEqual((answer.status_code, answer.json()["code"]), (429, "rate_limited"))
        self.assertEqual(answer["Retry-After"], "5")
