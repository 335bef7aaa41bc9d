"""What each role may do, and that nobody makes himself more than he is."""

import re
from importlib import import_module

from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group, Permission, User
from django.core.checks import run_checks
from django.urls import reverse

from nodepoint.api.models import Token
from nodepoint.staff import roles
from tests.staff.base import PASSWORD, StaffTestCase, make_staff

MIGRATION = import_module("nodepoint.staff.migrations.0001_roles")
ACTS = {"power_site", "back_up_site", "login_site"}  # of sites, that support may do
HARMFUL = re.compile(r"(add|change|delete|suspend|upgrade|route|override|roll_back|steer)_")


def permissions_of(role: str) -> set[str]:
    """`app.codename` of all that the group holds."""
    found = Group.objects.get(name=role).permissions.select_related("content_type")
    return {f"{one.content_type.app_label}.{one.codename}" for one in found}


class GroupTests(StaffTestCase):
    def test_migrations_make_three_roles(self) -> None:
        self.assertEqual(
            set(Group.objects.values_list("name", flat=True)), {"support", "operator", "administrator"}
        )

    def test_support_looks_and_helps_and_does_no_harm(self) -> None:
        held = permissions_of("support")
        harmful = {name for name in held if HARMFUL.search(name.partition(".")[2])}
        self.assertEqual(harmful, {"people.add_note"}, "a note changes nothing of a customer's")
        beyond_looking = {name for name in held if ".view_" not in name}
        helps = {
            "support.rotate_supportkey",
            "notices.send_notice",
            "people.add_note",
            *(f"sites.{act}" for act in ACTS),
        }
        self.assertEqual(beyond_looking, helps)
        self.assertEqual({name for name in held if name.startswith(("auth.", "otp_", "axes."))}, set())

    def test_an_operator_may_do_every_act_that_the_product_names(self) -> None:
        held = permissions_of("operator")
        ours = Permission.objects.filter(content_type__app_label__in=("sites", "dns", "support", "jobs"))
        acts = {
            f"{one.content_type.app_label}.{one.codename}"
            for one in ours.select_related("content_type")
            if not one.codename.startswith(("add_", "change_", "delete_", "view_"))
        }
        self.assertEqual(acts - held, set())
        self.assertEqual({name for name in held if name.startswith(("auth.", "otp_", "axes."))}, set())

    def test_each_role_holds_what_the_one_before_holds(self) -> None:
        self.assertLess(permissions_of("support"), permissions_of("operator"))
        self.assertLess(permissions_of("operator"), permissions_of("administrator"))

    def test_every_page_of_ours_can_be_looked_at_by_some_role(self) -> None:
        """A permission that a new page asks for has to come with a migration."""
        seen = permissions_of("administrator")
        for model in admin.site._registry:
            name = f"{model._meta.app_label}.view_{model._meta.model_name}"
            self.assertIn(name, seen)

    def test_system_checks_ask_no_database(self) -> None:
        """Unfold's do where an action names a permission in full: then `migrate` fails on a new database."""
        with self.assertNumQueries(0):
            run_checks()

    def test_what_an_administrator_changed_stays(self) -> None:
        group = Group.objects.get(name="support")
        taken = Permission.objects.get(codename="login_site")
        group.permissions.remove(taken)
        roles.grant(apps, "default", "support", {"sites.view_site"})
        self.assertNotIn("sites.login_site", permissions_of("support"))

    def test_a_later_release_adds_and_makes_no_deleted_group_again(self) -> None:
        Group.objects.get(name="operator").delete()
        roles.grant(apps, "default", "operator", {"sites.view_site"})
        self.assertFalse(Group.objects.filter(name="operator").exists())
        roles.grant(apps, "default", "support", {"sites.upgrade_site"})
        self.assertIn("sites.upgrade_site", permissions_of("support"))

    def test_an_unknown_permission_is_an_error_and_no_silence(self) -> None:
        with self.assertRaises(LookupError):
            roles.grant(apps, "default", "support", {"sites.fly_site"})

    def test_running_the_migration_anew_changes_nothing(self) -> None:
        before = {role: permissions_of(role) for role in MIGRATION.ROLES}
        MIGRATION.add(apps, None)
        self.assertEqual(before, {role: permissions_of(role) for role in MIGRATION.ROLES})


class PageTests(StaffTestCase):
    def status(self, page: str, *args: int) -> int:
        """Of a GET."""
        return self.client.get(reverse(f"admin:{page}", args=args)).status_code

    def test_support_sees_no_users_and_makes_no_tokens(self) -> None:
        self.client.force_login(make_staff("anna", "support"))
        for page in ("auth_user_changelist", "auth_group_changelist", "axes_accessattempt_changelist"):
            self.assertEqual(self.status(page), 403, page)
        self.assertEqual(self.status("api_token_add"), 403)
        self.assertEqual(self.status("sites_plan_add"), 403)
        self.assertEqual(self.status("api_token_changelist"), 200)
        self.assertEqual(self.status("audit_entry_changelist"), 200)

    def test_support_cannot_revoke_tokens(self) -> None:
        token, _ = Token.issue("Paymenter", ["sites"])
        self.client.force_login(make_staff("anna", "support"))
        chosen = {"action": "revoke", "_selected_action": [token.pk]}
        self.client.post(reverse("admin:api_token_changelist"), chosen)
        token.refresh_from_db()
        self.assertIsNone(token.revoked_at)

    def test_an_operator_makes_tokens_and_sees_no_users(self) -> None:
        self.client.force_login(make_staff("otto", "operator"))
        self.assertEqual(self.status("api_token_add"), 200)
        self.assertEqual(self.status("auth_user_changelist"), 403)

    def test_an_administrator_adds_staff(self) -> None:
        self.client.force_login(make_staff("bob", "administrator"))
        self.assertEqual(self.status("auth_user_add"), 200)
        group = Group.objects.get(name="support")
        data = {
            "username": "anna",
            "usable_password": "true",
            "password1": PASSWORD,
            "password2": PASSWORD,
            "is_staff": "on",
            "groups": [group.pk],
        }
        answer = self.client.post(reverse("admin:auth_user_add"), data)
        self.assertEqual(answer.status_code, 302, answer.content[:2000])
        self.client.logout()
        self.assertEqual(self.log_in("anna")["Location"], "/admin/")
        entry = self.entry("auth.add_user")
        self.assertEqual((entry.label, entry.actor, entry.after["groups"]), ("anna", "bob", ["support"]))
        self.assertNotIn(PASSWORD, str(entry.after))

    def entry(self, act: str):
        """The one entry of an act."""
        from nodepoint.audit.models import Entry

        return Entry.objects.get(act=act)


class EscalationTests(StaffTestCase):
    def setUp(self) -> None:
        self.root = make_staff("root", superuser=True)
        self.bob = make_staff("bob", "administrator")
        self.client.force_login(self.bob)

    def change(self, user: User, **values: object):
        """The form of a user's page."""
        data = {
            "username": user.username,
            "is_active": "on",
            "is_staff": "on",
            "groups": [group.pk for group in user.groups.all()],
        }
        return self.client.post(reverse("admin:auth_user_change", args=[user.pk]), data | values)

    def test_an_administrator_makes_nobody_a_superuser(self) -> None:
        anna = make_staff("anna", "support")
        for user in (anna, self.bob):
            self.assertEqual(self.change(user, is_superuser="on").status_code, 302)
            user.refresh_from_db()
            self.assertFalse(user.is_superuser)

    def test_an_administrator_neither_changes_nor_deletes_superusers(self) -> None:
        self.assertEqual(self.change(self.root, username="mine").status_code, 403)
        page = reverse("admin:auth_user_password_change", args=[self.root.pk])
        passwords = {"password1": "another horse", "password2": "another horse", "usable_password": "true"}
        self.assertEqual(self.client.post(page, passwords).status_code, 403)
        page = reverse("admin:auth_user_delete", args=[self.root.pk])
        self.assertEqual(self.client.post(page, {"post": "yes"}).status_code, 403)
        self.root.refresh_from_db()
        self.assertTrue(self.root.check_password(PASSWORD))

    def test_an_administrator_sets_the_password_of_others(self) -> None:
        anna = make_staff("anna", "support")
        page = reverse("admin:auth_user_password_change", args=[anna.pk])
        new = {"password1": "another horse b", "password2": "another horse b", "usable_password": "true"}
        self.assertEqual(self.client.post(page, new).status_code, 302)
        entry = self.last_entry()
        self.assertEqual((entry.act, entry.label, entry.actor), ("auth.change_user", "anna", "bob"))
        self.assertEqual(entry.after, {"password": "•••"})

    def test_a_superuser_makes_superusers(self) -> None:
        self.client.force_login(self.root)
        self.assertEqual(self.change(self.bob, is_superuser="on").status_code, 302)
        self.bob.refresh_from_db()
        self.assertTrue(self.bob.is_superuser)
        self.assertEqual(self.last_entry().after, {"is_superuser": True})
