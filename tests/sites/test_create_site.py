"""POST /create-site: what is answered, what is made, and what stands in the way of an order."""

from unittest import mock

from django.conf import settings
from django.core import mail
from django.db import connection
from django.test import override_settings

from nodepoint.jobs.models import Job
from sites import live
from sites.models import Plan, Site
from sites.proxy_config import advanced_config
from tests.factories import SiteFactory
from tests.sites.base import ORDER, SiteTestCase


class OrderTests(SiteTestCase):
    def test_the_answer_says_at_once_where_the_site_will_be(self):
        answer = self.order()
        self.assertEqual(answer.status_code, 200)
        body = answer.json()
        job = body.pop("job")
        expected = {
            "success": True,
            "state": "running",
            "service_id": "1001",
            "status": "provisioning",
            "vmid": 900,
            "private_ip": "192.168.1.100",
            "subdomain": "janedoe",
            "url": "https://janedoe.nodepoint.eu",
        }
        self.assertEqual(body, expected)
        keys = {"id", "kind", "state", "percent", "step", "eta_seconds", "error"}
        self.assertEqual(set(job), keys)
        self.assertEqual((job["kind"], job["state"], job["error"]), ("sites.provision", "running", None))
        self.assertEqual(self.calls, [], "an order is accepted without asking anybody")

    def test_with_and_without_slash_as_json_and_as_a_form(self):
        answers = [
            self.order(service_id="a"),
            self.post("/create-site/", {**ORDER, "service_id": "b"}),
            self.client.post("/create-site", {**ORDER, "service_id": "c"}, headers=self.headers()),
        ]
        form = "service_id=d&email=jane%40example.com&plan=basic&public_ip=203.0.113.10"
        kind = "application/x-www-form-urlencoded"
        answers.append(self.client.post("/create-site/", form, content_type=kind, headers=self.headers()))
        self.assertEqual([answer.status_code for answer in answers], [200, 200, 415, 200])
        self.assertEqual(set(Site.objects.values_list("service_id", flat=True)), {"a", "b", "d"})

    def test_a_numeric_service_id_means_its_decimal_string(self):
        self.assertEqual(self.order(service_id=1001).json()["service_id"], "1001")
        self.assertEqual(self.order(service_id="1001").status_code, 409)

    def test_service_ids_are_case_sensitive(self):
        self.assertEqual([self.order(service_id=name).status_code for name in ("abc", "ABC")], [200, 200])

    def test_a_plan_is_found_without_regard_to_case(self):
        self.assertEqual(self.order(plan="PREMIUM").status_code, 200)
        self.assertEqual(Site.objects.get().plan.name, "premium")

    def test_an_unknown_plan_lists_the_plans(self):
        answer = self.order(plan="gigantic")
        self.assertEqual((answer.status_code, answer.json()["code"]), (400, "validation"))
        for name in ("basic", "standard", "premium"):
            self.assertIn(name, answer.json()["error"])
            self.assertIn(name, answer.json()["fields"]["plan"][0])
        self.assertEqual(Site.objects.count(), 0)

    def test_an_order_that_is_asked_to_wait_waits_and_says_so(self):
        answer = self.post("/create-site", ORDER, Prefer="wait=0")
        self.assertEqual(answer.headers["Preference-Applied"], "wait=0")
        self.assertEqual(answer.json()["state"], "running")


class LiveSiteTests(SiteTestCase):
    def test_every_system_holds_what_the_contract_says(self):
        site = self.live_site()
        state = self.state()
        with self.subTest("container"):
            self._check_container(site)
        with self.subTest("record"):
            (record,) = state["cloudflare"]["records"]
            wanted = {"type": "A", "name": "janedoe.nodepoint.eu", "content": "203.0.113.10", "ttl": 300}
            self.assertEqual(record | wanted | {"proxied": False, "comment": site.owner_mark}, record)
            self.assertEqual(site.dns_record_id, record["id"])
        with self.subTest("proxy host"):
            (host,) = state["npm"]["proxy_hosts"]
            wanted = {
                "domain_names": ["janedoe.nodepoint.eu"],
                "forward_scheme": "http",
                "forward_host": "192.168.1.100",
                "forward_port": 80,
                "certificate_id": int(self.lab.settings["NPM_CERTIFICATE"]),
                "ssl_forced": True,
                "http2_support": True,
                "allow_websocket_upgrade": True,
                "block_exploits": True,
                "caching_enabled": False,
                "enabled": True,
                "advanced_config": advanced_config(),
            }
            self.assertEqual(host | wanted, host)
            self.assertEqual(host["meta"]["nodepoint"], site.owner_mark)
            self.assertIs(host["meta"]["nginx_online"], True)
            self.assertEqual(site.proxy_host_id, host["id"])
        with self.subTest("high availability"):
            self.assertEqual(state["proxmox"]["ha"], [], "the plan basic has none")

    def _check_container(self, site: Site) -> None:
        container, config = self.container(900), self.config(900)
        wanted = {
            "name": "janedoe",
            "node": "node1",
            "status": "running",
            "ip": "192.168.1.100/24",
            "memory": 2048,
            "cores": 2,
            "disk": 20.0,
            "tags": "nodepoint",
            "description": site.owner_mark,
            "snapshots": ["initial"],
            "lock": "",
            "onboot": 1,
            "pool": "nodepoint",
        }
        self.assertEqual(container | wanted, container)
        self.assertEqual(config["unprivileged"], 1)
        self.assertTrue(config["rootfs"].startswith("global-lvm:"), config["rootfs"])
        self.assertEqual(config["nameserver"], "192.168.1.1")
        net0 = dict(part.split("=", 1) for part in config["net0"].split(","))
        wanted = {
            "name": "eth0",
            "bridge": "vmbr1",
            "ip": "192.168.1.100/24",
            "gw": "192.168.1.1",
            "firewall": "1",
        }
        self.assertEqual(net0 | wanted, net0)
        options = {"enable": 1, "policy_in": "DROP", "policy_out": "ACCEPT", "ipfilter": 1, "macfilter": 1}
        self.assertEqual(container["firewall"]["options"] | options, container["firewall"]["options"])
        rules = [
            {"type": "in", "action": "ACCEPT", "proto": "tcp", "source": "192.168.1.5", "dport": "80"},
            {"type": "out", "action": "ACCEPT", "dest": "192.168.1.1"},
            {"type": "out", "action": "DROP", "dest": ",".join(settings.CLOSED_NETWORKS[:5])},
            {"type": "out", "action": "DROP", "dest": "fc00::/7,fe80::/10"},
        ]
        self.assertEqual(container["firewall"]["rules"], [{**rule, "enable": 1} for rule in rules])

    def test_the_rows_say_that_it_is_live(self):
        site = self.live_site()
        self.assertEqual((site.node, site.power), ("node1", "running"))
        self.assertIsNotNone(site.live_at)
        job = self.job(site)
        self.assertEqual((job.state, job.error, job.warning), ("succeeded", "", ""))
        skipped = {
            "certificate",
            "encryption",
            "high_availability",
            "name",
            "renamed",
        }  # plan without HA
        states = {step.name: step.state for step in job.steps.all()}
        self.assertEqual({name for name, state in states.items() if state == "skipped"}, skipped)
        self.assertEqual({state for name, state in states.items() if name not in skipped}, {"done"})
        self.assertEqual(self.get(f"/jobs/{job.pk}").json()["job"]["percent"], 100)

    def test_plans_differ_in_size_and_high_availability(self):
        self.live_site(service_id="s", plan="standard")
        site = self.live_site(service_id="p", plan="premium")
        sizes = [(c["memory"], c["cores"], c["disk"], c["ha"]) for c in self.state()["proxmox"]["containers"]]
        self.assertEqual(sizes, [(4096, 2, 40.0, None), (8192, 4, 80.0, "started")])
        (resource,) = self.state()["proxmox"]["ha"]
        self.assertEqual((resource["sid"], resource["comment"]), (f"ct:{site.vmid}", site.owner_mark))

    def test_the_staffs_word_on_high_availability_overrides_the_plan(self):
        for service, plan, word in (("a", "basic", True), ("b", "premium", False)):
            site = self.create(service_id=service, plan=plan)
            Site.objects.filter(pk=site.pk).update(high_availability=word)
            self.run_jobs()
            self.assertEqual(self.container(site.vmid)["ha"], "started" if word else None)

    @override_settings(STAFF_EMAIL=["staff@example.com"])
    def test_the_customer_gets_one_e_mail_and_staff_none(self):
        self.live_site()
        (message,) = mail.outbox
        self.assertEqual(message.to, ["Jane.Doe@example.com"])
        self.assertEqual((message.cc, message.bcc), ([], []))
        self.assertIn("janedoe.nodepoint.eu", message.subject)
        self.assertIn("https://janedoe.nodepoint.eu/wp-login.php", message.body)

    def test_the_site_is_served_through_the_proxy(self):
        self.live_site()
        self.assertEqual(self.count("front", "GET /"), 1)

    def test_without_a_way_to_the_proxy_the_inside_look_must_do(self):
        with override_settings(PROXY_CHECK_ADDRESS=""):
            site = self.live_site()
        self.assertEqual(self.count("front"), 0)
        self.assertIn("PROXY_CHECK_ADDRESS", self.step(site, "verified").detail)


class InTheWayTests(SiteTestCase):
    def test_a_service_that_has_a_site_is_told_its_state_and_job(self):
        first = self.order().json()
        answer = self.order(email="other@example.com")
        self.assertEqual((answer.status_code, answer.json()["code"]), (409, "exists"))
        self.assertEqual(answer.json()["status"], "provisioning")
        self.assertEqual(answer.json()["job"]["id"], first["job"]["id"])
        self.run_jobs()
        self.assertEqual(self.order().json()["status"], "running")
        self.assertEqual(
            (
                Site.objects.count(),
                Job.objects.exclude(kind__startswith="notices.").count(),
                self.creations(),
            ),
            (1, 1, 1),
        )

    def test_no_reading_of_the_cluster_is_waited_for_while_other_orders_wait(self):
        """A repeated order may ask Proxmox how the site is; that must not happen inside the transaction."""
        self.live_site()
        outside, depths = len(connection.savepoint_ids), []

        def reading() -> live.Reading:
            depths.append(len(connection.savepoint_ids))
            return live.Reading()

        with mock.patch.object(live, "reading", reading):
            self.assertEqual(self.order().status_code, 409)
        self.assertEqual(depths, [outside])

    def test_a_site_that_is_being_deleted_is_in_the_way_until_it_is_gone(self):
        self.live_site()
        self.delete()
        answer = self.order()
        self.assertEqual((answer.status_code, answer.json()["status"]), (409, "deleting"))
        self.assertEqual(answer.json()["job"]["kind"], "sites.terminate")
        self.assertIn("deleted", answer.json()["error"])
        self.run_jobs()
        self.assertEqual(self.order().status_code, 200)

    def test_after_deletion_the_service_gets_a_new_site_with_the_same_names(self):
        first = self.live_site()
        self.delete()
        self.run_jobs()
        again = self.live_site()
        self.assertNotEqual(again.pk, first.pk)
        self.assertEqual((again.vmid, again.private_ip, again.subdomain), (900, "192.168.1.100", "janedoe"))
        self.assertNotEqual(again.owner_mark, first.owner_mark)

    def test_an_unfinished_undo_is_in_the_way_and_a_finished_one_is_not(self):
        self.fault("ssh", "refuse", "curl", count=1000)  # when everything was made
        self.fault("cloudflare", "error", "DELETE", count=1000)
        site = self.create()
        self.run_for(600)
        self.assertEqual(self.job(site).state, "rolling_back")
        answer = self.order()
        self.assertEqual((answer.status_code, answer.json()["code"]), (409, "exists"))
        self.assertEqual(answer.json()["job"]["state"], "rolling_back")
        self.assertIn("undone", answer.json()["error"])
        self.clear_faults()
        self.run_jobs()
        self.assert_undone(site)
        status = self.get("/status?service_id=1001").json()
        self.assertEqual((status["status"], status["vmid"], status["url"]), ("failed", None, None))
        self.assertEqual(status["job"]["state"], "rolled_back")
        self.assert_live(self.live_site())

    def test_no_free_address(self):
        with override_settings(SITE_IP_RANGE="192.168.1.100-192.168.1.101"):
            self.create(service_id="a")
            self.create(service_id="b")
            answer = self.order(service_id="c")
        self.assertEqual((answer.status_code, answer.json()["code"]), (409, "no_capacity"))
        self.assertEqual((Site.objects.count(), Job.objects.count()), (2, 2))

    def test_rows_of_the_past_are_not_in_the_way(self):
        SiteFactory(service_id="1001", failed=True)
        SiteFactory(service_id="1001", deleted=True)
        self.assertEqual(self.order().status_code, 200)

    def test_a_plan_that_staff_have_added_can_be_ordered(self):
        Plan.objects.create(name="tiny 2", memory_mb=512, disk_gb=4, cores=1, backups=0, domains=0)
        site = self.live_site(plan="Tiny 2")
        self.assertEqual(self.container(site.vmid)["memory"], 512)


class IdempotencyKeyTests(SiteTestCase):
    KEY = {"Idempotency-Key": "order-1"}

    def test_a_repeat_with_the_key_gets_the_first_answer_and_does_nothing(self):
        first = self.post("/create-site", ORDER, **self.KEY)
        self.run_jobs()
        second = self.post("/create-site", ORDER, **self.KEY)
        self.assertEqual((second.status_code, second.json()), (200, first.json()))
        self.assertEqual((Site.objects.count(), self.creations()), (1, 1))

    def test_the_key_with_another_body_is_a_mismatch(self):
        self.post("/create-site", ORDER, **self.KEY)
        answer = self.post("/create-site", {**ORDER, "plan": "premium"}, **self.KEY)
        self.assertEqual((answer.status_code, answer.json()["code"]), (409, "idempotency_mismatch"))

    def test_the_key_of_an_order_that_was_undone_is_forgotten(self):
        self.fault("cloudflare", "refuse", "POST", count=1000)
        first = self.post("/create-site", ORDER, **self.KEY)
        self.run_jobs()
        self.clear_faults()
        second = self.post("/create-site", ORDER, **self.KEY)
        self.assertEqual(second.status_code, 200)
        self.assertNotEqual(second.json()["job"]["id"], first.json()["job"]["id"])
        self.run_jobs()
        self.assert_live(Site.objects.get(live_key="1001"))
