"""One customer, one page: what he has of all apps, what he was told, what was done, what staff note."""

from django.contrib.auth.models import Permission
from django.test import TestCase
from django.urls import reverse

from dns.models import Customer, Zone
from nodepoint import anonymity
from nodepoint.audit.models import Entry
from nodepoint.notices.models import Notice
from nodepoint.people.models import LONGEST, Note
from nodepoint.people.person import Person, key_of, parts, url_of, whole
from sites.models import Site
from support.services import create_support_key
from tests.factories import SiteFactory
from tests.staff.base import make_staff

JANE = "jane@example.com"


def key(service_id: str, email: str) -> None:
    """A support key."""
    create_support_key(service_id=service_id, email=email, firstname="Jane", lastname="Doe", actor="tests")


class WhoTests(TestCase):
    def test_a_user_leads_to_all_that_is_his(self) -> None:
        SiteFactory(service_id="1", user_id="17", email="Jane@Example.com")
        SiteFactory(service_id="2", user_id="17", email="office@example.org")
        person = whole(Person.parse("user:17"))
        self.assertEqual(person, Person.of(["17"], [JANE, "office@example.org"], ["1", "2"]))

    def test_an_address_leads_to_its_user_and_from_there_to_the_rest(self) -> None:
        SiteFactory(service_id="1", user_id="17", email=JANE)
        SiteFactory(service_id="2", user_id="17", email="office@example.org")
        self.assertEqual(whole(Person.parse(f"email:{JANE}")).services, {"1", "2"})

    def test_two_users_at_one_address_stay_two(self) -> None:
        SiteFactory(service_id="1", user_id="17", email=JANE)
        SiteFactory(service_id="2", user_id="18", email=JANE)
        key("2", JANE)
        self.assertEqual(whole(Person.parse("user:17")).user_ids, {"17"})
        self.assertNotIn("2", {site.name for site in self.things("user:17", "Sites")})

    def test_zones_and_keys_are_found_from_each_side(self) -> None:
        SiteFactory(service_id="1", user_id="17", email=JANE)
        Zone.objects.create(customer=Customer.objects.create(user_id="17", email=JANE), name="example.com")
        key("1", "other@example.com")
        self.assertEqual([one.name for one in self.things("user:17", "Zones")], ["example.com"])
        self.assertEqual(len(self.things("user:17", "Support keys")), 1)
        self.assertEqual(whole(Person.parse("email:other@example.com")).user_ids, {"17"})

    def things(self, who: str, title: str):
        found = {name: part for name, _, part in parts(whole(Person.parse(who)))}
        return found[title].things


class PageTests(TestCase):
    def setUp(self) -> None:
        self.site = SiteFactory(service_id="1001", user_id="17", email=JANE)
        self.page = url_of("17", JANE)
        self.client.force_login(make_staff("sam", "support"))

    def test_it_shows_everything_and_the_site_leads_there(self) -> None:
        Notice.objects.create(id="a" * 32, kind="notices.site_live", about=self.site.key, recipient=JANE)
        Entry.objects.create(act="sites.login", subject=self.site.key, kind="api", actor="paymenter")
        for shown in (JANE, "1001", self.site.hostname, "Make a login link", "paymenter"):
            self.assertContains(self.client.get(self.page), shown)
        site = reverse("admin:sites_site_change", args=[self.site.pk])
        self.assertContains(self.client.get(site), self.page)

    def test_its_queries_do_not_grow_with_what_he_has(self) -> None:
        with self.assertNumQueries(22):
            self.client.get(self.page)
        for number in range(9):
            SiteFactory(service_id=str(number), user_id="17", email=f"{number}@example.com")
            key(str(number), f"{number}@example.com")
        with self.assertNumQueries(22):
            self.client.get(self.page)

    def test_a_note_is_kept_found_by_its_tag_and_removed_by_who_wrote_it(self) -> None:
        self.client.post(self.page, {"text": "Calls often. #VIP <b>bold</b>"})
        self.assertContains(self.client.get(self.page), "&lt;b&gt;bold&lt;/b&gt;")
        found = self.client.get("/admin/board/systemstate/search/?s=%23vip")
        self.assertRedirects(found, self.page, fetch_redirect_response=False)
        note = Note.objects.get()
        gone = reverse("admin:people_remove_note", args=["user:17", note.pk])
        self.client.force_login(make_staff("sue", "support"))
        self.assertEqual(self.client.post(gone).status_code, 403)
        self.client.get(gone)
        self.assertTrue(Note.objects.exists(), "looking removes nothing")
        self.client.force_login(make_staff("otto", "operator"))
        self.client.post(gone)
        self.assertFalse(Note.objects.exists())
        self.assertEqual(
            list(Entry.objects.filter(act__startswith="people.").values_list("act", flat=True)),
            ["people.remove_note", "people.add_note"],
        )

    def test_notes_that_cannot_be_are_refused_with_a_sentence(self) -> None:
        self.assertContains(self.client.post(self.page, {"text": " "}), "This field is required")
        self.assertContains(self.client.post(self.page, {"text": "x" * (LONGEST + 1)}), f"{LONGEST}")
        self.assertFalse(Note.objects.exists())

    def test_a_customer_that_nobody_knows_and_an_address_that_is_none(self) -> None:
        self.assertContains(self.client.get(url_of("", "nobody@example.com")), "None.")
        nothing = reverse("admin:people_customer", args=["nonsense"])
        self.assertContains(self.client.get(nothing), "There is no customer nonsense", status_code=404)

    def test_what_a_role_may_not_see_is_not_shown(self) -> None:
        user = make_staff("nina")
        user.user_permissions.add(Permission.objects.get(codename="view_note"))
        self.client.force_login(user)
        page = self.client.get(self.page)
        self.assertNotContains(page, "Keep the note")
        self.assertNotContains(page, self.site.hostname)

    def test_hostile_texts_stay_texts(self) -> None:
        Site.objects.update(email='"<script>alert(1)</script>"@example.com')
        self.assertNotContains(self.client.get(self.page), "<script>alert")

    def test_notes_go_with_the_last_service(self) -> None:
        Note.objects.create(whose=key_of("17", JANE), text="pays late", by="sam")
        other = SiteFactory(service_id="1002", user_id="17", email=JANE)
        Site.objects.filter(pk=self.site.pk).update(state=Site.State.DELETED)
        anonymity.anonymise("1001")
        self.assertTrue(Note.objects.exists())
        Site.objects.filter(pk=other.pk).update(state=Site.State.DELETED)
        anonymity.anonymise("1002")
        self.assertFalse(Note.objects.exists())
