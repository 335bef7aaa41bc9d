"""Nobody becomes more than he is, and nobody runs code by the admin."""

from django.contrib import admin
from django.contrib.auth.models import Group, Permission, User
from django.urls import reverse
from django_q.models import OrmQ, Schedule

from nodepoint.staff import topics
from tests.staff.base import PASSWORD, StaffTestCase, make_staff
from tests.staff.test_roles import permissions_of

# Every page of the admin that is about a model, and why it is there.
PAGES = {
    "api.Token": "tokens are made, limited and revoked",
    "audit.Entry": "the log of acts is read",
    "auth.Group": "roles",
    "auth.User": "staff",
    "axes.AccessAttempt": "locked logins are unlocked",
    "board.Alert": "which troubles stand or stood, and who was told",
    "board.CallCount": "how much the API is used, and how that ends",
    "board.Finding": "what differs from the systems is put right",
    "board.SystemState": "how the systems are",
    "dns.Customer": "who owns zones",
    "dns.TemplateRecord": "what a new zone begins with",
    "dns.Zone": "zones and their records",
    "jobs.Job": "jobs are watched and steered",
    "notices.Notice": "what was told to whom, and sending it again",
    "notices.Preferences": "quiet hours, and how customers are written to",
    "people.Note": "customers, and what staff note about them",
    "sites.ClusterNode": "nodes are closed, limited and emptied",
    "sites.Archive": "what was archived when, and what was not",
    "sites.CustomDomain": "domains of all sites",
    "sites.Plan": "what is sold",
    "sites.Platform": "new orders are paused",
    "sites.Site": "everything about a site",
    "sites.Spare": "ready containers are watched and steered",
    "sites.Template": "golden templates are watched",
    "support.HistoryEntry": "what became of a key",
    "support.SupportKey": "support keys",
}


class PagesTests(StaffTestCase):
    def test_every_page_is_there_for_a_reason(self) -> None:
        self.assertEqual({model._meta.label for model in admin.site._registry}, set(PAGES))

    def test_every_page_is_ours(self) -> None:
        for page in admin.site._registry.values():
            self.assertIn(type(page).__module__.partition(".")[0], ("nodepoint", "sites", "dns", "support"))

    def test_nobody_plans_a_function_not_even_a_superuser(self) -> None:
        self.client.force_login(make_staff("root", superuser=True))
        for model in ("schedule", "ormq", "success", "failure"):
            for path in ("", "add/", "1/change/", "1/delete/"):
                self.assertEqual(
                    self.client.get(f"/admin/django_q/{model}/{path}").status_code, 404, (model, path)
                )
        data = {"name": "x", "func": "os.system", "args": "'id'", "schedule_type": "O", "repeats": 1}
        self.client.post("/admin/django_q/schedule/add/", data)
        self.assertFalse(Schedule.objects.filter(func="os.system").exists())
        self.assertFalse(OrmQ.objects.exists())


class TopicsTests(StaffTestCase):
    def test_the_topics_are_what_administrators_hold(self) -> None:
        """A new permission gets its words in `topics`."""
        self.assertEqual(topics.names(), permissions_of("administrator"))

    def test_a_role_is_chosen_by_topic(self) -> None:
        self.client.force_login(make_staff("root", superuser=True))
        page = self.client.get(reverse("admin:auth_group_add")).content.decode()
        for topic, words in topics.TOPICS.items():
            self.assertIn(topic, page)
            for word in words.values():
                self.assertIn(word, page)
        self.assertNotIn("logentry", page)


class GrantingTests(StaffTestCase):
    def setUp(self) -> None:
        self.bob = make_staff("bob")
        held = [
            "auth.view_group",
            "auth.add_group",
            "auth.change_group",
            "auth.delete_group",
            "sites.view_site",
        ]
        held += ["auth.view_user", "auth.add_user", "auth.change_user", "auth.delete_user"]
        self.own = Group.objects.create(name="personnel")
        self.own.permissions.set(self.permission(name) for name in held)
        self.bob.groups.set([self.own])
        self.operators = Group.objects.get(name="operator")
        self.client.force_login(self.bob)

    def permission(self, name: str) -> Permission:
        app, _, codename = name.partition(".")
        return Permission.objects.get(content_type__app_label=app, codename=codename)

    def save_role(self, group: Group | None, *names: str) -> int:
        """The form of a role, as its page would send it; the status of the answer."""
        page = (
            reverse("admin:auth_group_change", args=[group.pk]) if group else reverse("admin:auth_group_add")
        )
        name = group.name if group else "new"
        return self.client.post(
            page, {"name": name, "permissions": [self.permission(one).pk for one in names]}
        ).status_code

    def save_user(self, user: User, **values: object) -> int:
        data = {"username": user.username, "is_active": "on", "is_staff": "on"}
        return self.client.post(reverse("admin:auth_user_change", args=[user.pk]), data | values).status_code

    def test_a_role_gets_what_one_holds(self) -> None:
        self.assertEqual(self.save_role(None, "sites.view_site"), 302)
        self.assertEqual(permissions_of("new"), {"sites.view_site"})

    def test_a_role_gets_nothing_that_one_does_not_hold(self) -> None:
        for name in ("sites.delete_site", "django_q.add_schedule", "auth.add_permission"):
            self.assertEqual(self.save_role(None, name), 200, name)  # the form says what is wrong
            self.assertEqual(self.save_role(self.own, name), 200, name)
        self.assertFalse(Group.objects.filter(name="new").exists())
        self.assertNotIn("sites.delete_site", permissions_of("personnel"))

    def test_a_role_that_holds_more_is_only_looked_at(self) -> None:
        self.assertEqual(self.save_role(self.operators, "sites.view_site"), 403)
        page = reverse("admin:auth_group_delete", args=[self.operators.pk])
        self.assertEqual(self.client.post(page, {"post": "yes"}).status_code, 403)
        self.assertIn("sites.delete_site", permissions_of("operator"))
        chosen = {"action": "delete_selected", "_selected_action": [self.operators.pk], "post": "yes"}
        self.client.post(reverse("admin:auth_group_changelist"), chosen)
        self.assertTrue(Group.objects.filter(pk=self.operators.pk).exists())

    def test_nobody_gets_a_role_that_holds_more(self) -> None:
        anna = make_staff("anna")
        for user in (anna, self.bob):
            self.assertEqual(self.save_user(user, groups=[self.operators.pk]), 200)
            self.assertFalse(user.groups.filter(pk=self.operators.pk).exists())
        self.assertEqual(self.save_user(anna, groups=[self.own.pk]), 302)

    def test_permissions_of_a_user_and_superuser_are_not_taken_from_a_form(self) -> None:
        anna = make_staff("anna")
        schedule = Permission.objects.get(codename="add_schedule")
        self.assertEqual(self.save_user(anna, user_permissions=[schedule.pk], is_superuser="on"), 302)
        anna.refresh_from_db()
        self.assertEqual((anna.is_superuser, anna.user_permissions.count()), (False, 0))

    def test_who_may_do_more_is_not_touched(self) -> None:
        otto = make_staff("otto", "operator")
        asleep = make_staff("rosa", "operator")
        User.objects.filter(pk=asleep.pk).update(is_active=False)
        before = otto.password
        for user in (otto, asleep, make_staff("root", superuser=True)):
            self.assertEqual(self.save_user(user, email="mine@example.com"), 403)
            password = reverse("admin:auth_user_password_change", args=[user.pk])
            self.assertEqual(
                self.client.post(
                    password, {"password1": PASSWORD + "x", "password2": PASSWORD + "x"}
                ).status_code,
                403,
            )
            page = reverse("admin:auth_user_delete", args=[user.pk])
            self.assertEqual(self.client.post(page, {"post": "yes"}).status_code, 403)
        otto.refresh_from_db()
        self.assertEqual(otto.password, before)
