"""Every act is written down once, with who asked for it and what it changed; nothing is ever rewritten."""

import json
import re
from io import StringIO
from unittest import skipUnless

from django.core.management import call_command
from django.db import connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from dns.models import TemplateRecord
from nodepoint.api.models import Token
from nodepoint.audit import origin, trail
from nodepoint.audit.models import Entry
from nodepoint.jobs.models import Job
from sites import services
from sites.models import Plan, Site
from support.services import create_support_key, rotate_key, suspend_support
from tests.base import ApiMixin, LabTestCase
from tests.staff.base import StaffTestCase, make_staff

LIST = "/admin/audit/entry/"


def values(entry: Entry, *names: str) -> tuple:
    """Some columns of an entry."""
    return tuple(getattr(entry, name) for name in names)


class RecordTests(TestCase):
    def test_the_platform_itself_acts_where_nobody_called(self) -> None:
        entry = trail.record("a.b", "a.b:1", actor="periodic check")
        self.assertEqual(values(entry, "kind", "actor", "address"), ("system", "periodic check", ""))

    def test_the_origin_is_forgotten_after_the_request(self) -> None:
        with origin.acting_as(origin.SYSTEM):
            origin.note(origin.Origin("api", "Paymenter", "192.0.2.1"))
            self.assertEqual(trail.record("a.b", "a.b:1", actor="x").actor, "Paymenter")
        self.assertEqual(origin.current(), origin.SYSTEM)

    def test_a_reason_given_once_stands_in_all_entries(self) -> None:
        with origin.because("asked on the phone"):
            self.assertEqual(trail.record("a.b", "a.b:1").reason, "asked on the phone")
            self.assertEqual(trail.record("a.b", "a.b:1", reason="another").reason, "another")
        self.assertEqual(trail.record("a.b", "a.b:1").reason, "")

    def test_texts_that_are_too_long_are_cut(self) -> None:
        entry = trail.record("a.b", "a.b:1", label="l" * 300, reason="r" * 600, actor="a" * 200)
        entry.refresh_from_db()
        self.assertEqual((len(entry.label), len(entry.reason), len(entry.actor)), (255, 500, 128))

    def test_entries_cannot_be_changed(self) -> None:
        entry = trail.record("a.b", "a.b:1")
        for attempt in (entry.save, entry.delete, Entry.objects.all().delete):
            self.assertRaises(TypeError, attempt)
        self.assertRaises(TypeError, Entry.objects.update, act="c")


class ApiTests(LabTestCase):
    def order(self) -> Site:
        """A site that was ordered by the API, on its way."""
        order = {"service_id": "7", "email": "a@example.com", "plan": "basic", "public_ip": "203.0.113.10"}
        answer = self.post("/create-site", order, **{"X-Request-ID": "req-1", "Prefer": "respond-async"})
        self.assertEqual(answer.status_code, 200, answer.content)
        return Site.objects.get(service_id="7")

    def live(self) -> Site:
        """The same, live."""
        self.order()
        self.run_jobs()
        return Site.objects.get(service_id="7")

    def test_an_order_names_token_address_request_and_job(self) -> None:
        site = self.order()
        entry = Entry.objects.get()
        self.assertEqual(
            values(entry, "act", "subject", "label", "kind", "actor", "address", "request_id"),
            ("sites.provision", site.key, "7", "api", "tests", "127.0.0.1", "req-1"),
        )
        self.assertEqual(entry.job_id, Job.objects.get(kind="sites.provision").pk)
        self.assertEqual((entry.after["plan"], entry.after["email"]), ("basic", "a@example.com"))

    def test_a_refused_or_repeated_call_leaves_no_entry(self) -> None:
        self.live()
        Entry_count = Entry.objects.count()
        self.assertEqual(self.post("/create-site", {"service_id": "7"}).status_code, 400)
        self.assertEqual(self.post("/action/start", {"service_id": "8"}).status_code, 404)
        self.assertEqual(Entry.objects.count(), Entry_count)

    def test_acts_say_what_was_before_and_what_is_wished(self) -> None:
        self.live()
        wait = {"Prefer": "respond-async"}
        acts = [
            ("/action/stop", {}, {"wanted_power": "running"}, {"wanted_power": "stopped"}),
            ("/action/toggle", {}, {"proxy_enabled": True}, {"proxy_enabled": False}),
            ("/wp/upgrade", {"plan": "standard"}, {"plan": "basic"}, {"plan": "standard"}),
            ("/suspend", {}, {"suspended": False}, {"suspended": True}),
            ("/unsuspend", {}, {"suspended": True}, {"suspended": False}),
        ]
        for path, more, before, after in acts:
            with self.subTest(path=path):
                self.assertEqual(self.post(path, {"service_id": "7", **more}, **wait).status_code, 200)
                entry = Entry.objects.filter(kind="api").order_by("-pk")[0]
                self.assertEqual((entry.before, entry.after), (before, after))
                self.run_jobs()

    def test_what_follows_by_itself_is_the_systems(self) -> None:
        site = self.live()
        services.suspend_site("7", actor="token tests")
        self.run_jobs()
        self.assertTrue(services.enforce_suspension(Site.objects.get(pk=site.pk)))
        entry = Entry.objects.order_by("-pk")[0]
        self.assertEqual(values(entry, "act", "kind", "actor"), ("sites.suspend", "system", "periodic check"))

    def test_no_entry_holds_a_secret(self) -> None:
        self.live()
        text = json.dumps(list(Entry.objects.values("before", "after")))
        self.assertNotIn(self.secret, text)


class SupportTests(TestCase):
    def test_acts_on_support_keys_are_written_down_without_the_key(self) -> None:
        names = {"service_id": "7", "email": "a@example.com", "firstname": "A", "lastname": "B"}
        row = create_support_key(**names, actor="token tests")
        old = row.support_key
        suspend_support("7", actor="token tests", reason="unpaid")
        suspend_support("7", actor="token tests")
        new = rotate_key("7", old_key=old, actor="staff anna", reason="leaked").support_key
        entries = list(Entry.objects.order_by("pk"))
        self.assertEqual(
            [values(one, "act", "before", "reason") for one in entries],
            [
                ("support.create", {}, ""),
                ("support.suspend", {"status": "ACTIVE"}, "unpaid"),
                ("support.rotate", {"status": "SUSPENDED"}, "leaked"),
            ],
        )
        text = str([(one.before, one.after, one.label) for one in entries])
        self.assertFalse(old in text or new in text)


PLAN = (
    "name",
    "memory_mb",
    "disk_gb",
    "cores",
    "backups",
    "domains",
    "archives_daily",
    "archives_weekly",
)


class StaffTests(StaffTestCase):
    def setUp(self) -> None:
        self.otto = make_staff("otto", "operator")
        self.client.force_login(self.otto)

    def test_a_change_of_a_plan_says_what_was_before(self) -> None:
        plan = Plan.objects.get(name="basic")
        data = {name: getattr(plan, name) for name in PLAN}
        page = reverse("admin:sites_plan_change", args=[plan.pk])
        answer = self.client.post(page, data | {"domains": 9}, REMOTE_ADDR="192.0.2.7")
        self.assertEqual(answer.status_code, 302, answer.content[-2000:])
        entry = self.last_entry()
        self.assertEqual(
            values(entry, "act", "subject", "label", "kind", "actor", "address"),
            ("sites.change_plan", f"sites.plan:{plan.pk}", "basic", "staff", "otto", "192.0.2.7"),
        )
        self.assertEqual((entry.before, entry.after), ({"domains": plan.domains}, {"domains": 9}))
        self.assertTrue(entry.request_id)

    def test_a_save_without_a_change_is_no_act(self) -> None:
        before = Entry.objects.count()
        plan = Plan.objects.get(name="basic")
        self.client.post(
            reverse("admin:sites_plan_change", args=[plan.pk]), {name: getattr(plan, name) for name in PLAN}
        )
        self.assertEqual(Entry.objects.count(), before)

    def test_additions_and_deletions_are_acts(self) -> None:
        data = {"name": "huge", "memory_mb": 16384, "disk_gb": 160, "cores": 8, "backups": 9, "domains": 20}
        data |= {"archives_daily": 7, "archives_weekly": 4}
        self.client.post(reverse("admin:sites_plan_add"), data)
        self.assertEqual(values(self.last_entry(), "act", "label"), ("sites.add_plan", "huge"))
        self.assertEqual(self.last_entry().after["memory_mb"], 16384)
        plan = Plan.objects.get(name="huge")
        self.client.post(reverse("admin:sites_plan_delete", args=[plan.pk]), {"post": "yes"})
        entry = self.last_entry()
        self.assertEqual(
            values(entry, "act", "subject", "before"),
            ("sites.delete_plan", f"sites.plan:{plan.pk}", {"was": "huge"}),
        )

    def test_changes_within_a_list_are_acts_too(self) -> None:
        row = TemplateRecord.objects.first()
        rows = list(TemplateRecord.objects.all())
        data = {"form-TOTAL_FORMS": len(rows), "form-INITIAL_FORMS": len(rows), "_save": "Save"}
        for number, one in enumerate(rows):
            data |= {f"form-{number}-id": one.pk, f"form-{number}-position": one.position}
        data["form-0-position"] = 77
        self.client.post(reverse("admin:dns_templaterecord_changelist"), data)
        entry = Entry.objects.get(act="dns.change_templaterecord")
        self.assertEqual(entry.subject, f"dns.templaterecord:{row.pk}")
        self.assertEqual(entry.after, {"position": 77})

    def test_a_token_is_written_down_without_its_secret(self) -> None:
        data = {"name": "Paymenter", "scopes": ["sites"], "networks": "[]", "rate_per_minute": 6000}
        answer = self.client.post(reverse("admin:api_token_add"), data, follow=True)
        token = Token.objects.get(name="Paymenter")
        secret = answer.content.decode().partition(f"np_{token.prefix}_")[2].partition(" ")[0]
        self.assertGreater(len(secret), 20)
        entry = Entry.objects.get(act="api.add_token")
        self.assertEqual((entry.actor, entry.after["scopes"]), ("otto", ["sites"]))
        self.assertNotIn(secret, str([entry.before, entry.after, entry.label]))
        chosen = {"action": "revoke", "_selected_action": [token.pk]}
        self.client.post(reverse("admin:api_token_changelist"), chosen)
        self.assertEqual(values(self.last_entry(), "act", "actor"), ("api.revoke_token", "otto"))

    def test_a_token_of_the_command_line_is_written_down(self) -> None:
        call_command("create_token", "script", "--scopes", "dns", stdout=StringIO())
        entry = self.last_entry()
        self.assertEqual(
            values(entry, "act", "kind", "actor"), ("api.add_token", "system", "manage.py create_token")
        )


class ListTests(ApiMixin, StaffTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.client.force_login(make_staff("anna", "support"))
        with origin.acting_as(origin.Origin("api", "Paymenter", "192.0.2.1")):
            self.entry = trail.record(
                "sites.suspend",
                "sites.site:1",
                label="WP-17",
                before={"suspended": False},
                after={"suspended": True},
            )
        trail.record("sites.stop", "sites.site:2", label="other")

    def found(self, query: str) -> list[str]:
        """The labels of the acts that the list shows."""
        answer = self.client.get(f"{LIST}?{query}")
        self.assertEqual(answer.status_code, 200, answer)
        return [entry.label for entry in answer.context["cl"].result_list]

    def test_it_is_searched_by_label_its_beginning_actor_and_request(self) -> None:
        Entry.objects.bulk_create([Entry(act="a.b", subject="a.b:1", label="asked", request_id="req-9")])
        self.assertEqual(self.found("q=WP-17"), ["WP-17"])
        self.assertEqual(self.found("q=WP-"), ["WP-17"])
        self.assertEqual(self.found("q=Paymenter"), ["WP-17"])
        self.assertEqual(self.found("q=req-9"), ["asked"])
        self.assertEqual(self.found("q=nothing"), [])

    def test_it_is_filtered_by_kind_act_and_time(self) -> None:
        self.assertEqual(self.found("kind__exact=api"), ["WP-17"])
        self.assertEqual(self.found("act=sites.stop"), ["other"])
        self.assertEqual(self.found("at_to_0=2000-12-31&at_to_1=00:00"), [])
        self.assertIn("WP-17", self.found("at_from_0=2000-01-01&at_from_1=00:00"))

    def test_a_page_shows_what_was_before_and_is_now(self) -> None:
        page = self.client.get(f"{LIST}{self.entry.pk}/change/")
        for text in ("suspended", "yes", "no", "Paymenter", "192.0.2.1"):
            self.assertContains(page, text)

    def test_what_changed_is_said_in_words(self) -> None:
        entry = Entry(
            before={"suspended": False, "quota": None},
            after={
                "suspended": True,
                "quota": 4,
                "entry": {"type": "TXT", "priority": None},
                "names": ["a", "b"],
            },
        )
        self.assertEqual(
            entry.changes,
            [
                ("suspended", "no", "yes"),
                ("quota", "none", "4"),
                ("entry", "", "type TXT"),
                ("names", "", "a, b"),
            ],
        )

    def test_what_customers_wrote_does_no_harm(self) -> None:
        evil = "<script>alert(1)</script>"
        entry = trail.record("a.b", "a.b:1", label=evil, reason=evil, after={evil: evil})
        for path in (LIST, f"{LIST}{entry.pk}/change/"):
            self.assertNotContains(self.client.get(path), "<script>alert")

    def test_nobody_changes_it(self) -> None:
        self.client.force_login(make_staff("root", superuser=True))
        page = f"{LIST}{self.entry.pk}"
        self.assertEqual(self.client.post(f"{page}/change/", {"act": "c"}).status_code, 403)
        self.assertEqual(self.client.post(f"{page}/delete/", {"post": "yes"}).status_code, 403)
        self.assertEqual(self.client.get(f"{LIST}add/").status_code, 403)

    def test_the_list_costs_the_same_for_many(self) -> None:
        self.client.get(LIST)
        few = self.cost()
        Entry.objects.bulk_create(
            Entry(act="sites.stop", subject=f"sites.site:{number}", label=f"WP-{number}")
            for number in range(300)
        )
        self.assertEqual(self.cost(), few)
        self.assertLessEqual(few, 7)

    @skipUnless(connection.vendor == "sqlite", "SQLite says in one word what it does")
    def test_every_question_is_answered_by_an_index(self) -> None:
        """In the order in which the answers are shown: nothing is read through, nothing sorted."""
        Entry.objects.bulk_create(
            Entry(act=f"a.{number % 7}", subject=f"b:{number}", label=f"L{number}") for number in range(2000)
        )
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        for query in ("", "kind__exact=staff", "act=a.3", "q=L77", "q=Paymenter", "q=b:9", "p=3"):
            with CaptureQueriesContext(connection) as queries:
                self.found(query)
            for sql in (one["sql"] for one in queries if "audit_entry" in one["sql"]):
                with self.subTest(query=query), connection.cursor() as cursor:
                    cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
                    plan = [row[3] for row in cursor.fetchall()]
                    read_through = [step for step in plan if re.match(r"SCAN audit_entry(?!.*INDEX)", step)]
                    self.assertEqual(read_through, [], sql)
                    if "LIMIT 50" in sql and "q=" not in query:
                        self.assertFalse([step for step in plan if "TEMP B-TREE" in step], (plan, sql))

    def cost(self) -> int:
        """Queries of the list."""
        with CaptureQueriesContext(connection) as queries:
            self.client.get(LIST)
        return len(queries)
