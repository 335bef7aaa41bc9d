"""Staff in the admin: one step to the answer, acts with a question before, and nothing else."""

from support import services
from support.acts import ACTS
from support.models import HistoryEntry, SupportKey
from tests.support.base import WRONG, StaffTestCase

LIST = "/admin/support/supportkey/"


class VerdictTests(StaffTestCase):
    def ask(self, text: str, *sentences: str) -> None:
        page = self.client.get(LIST, {"q": text})
        for sentence in sentences:
            self.assertContains(page, sentence)

    def test_the_search_box_answers_whether_a_key_is_good(self) -> None:
        row = self.create()
        link = f'href="{LIST}{row.pk}/change/"'
        self.ask(row.support_key.lower(), f"{row.support_key} is good: service 1001, Jane Doe", link)
        services.suspend_support("1001", actor="x")
        self.ask(row.support_key, f"{row.support_key} is not good: suspended since ", link)
        services.terminate_support("1001", actor="x")
        self.ask(row.support_key, "is not good: terminated since ")
        services.rotate_key("1001", old_key=row.support_key, actor="x", reason="x")
        self.ask(row.support_key, "is not good: it was replaced by a newer one on ", link)
        self.ask(WRONG, f"{WRONG} is not good: there is no such key.")

    def test_other_searches_get_no_answer(self) -> None:
        self.create()
        for text in ("", "jane", "SUP-123"):
            self.assertIsNone(self.client.get(LIST, {"q": text}).context["verdict"])

    def test_names_are_no_markup(self) -> None:
        row = self.create(firstname="<script>alert(1)</script>", lastname="{{ 7|add:7 }}")
        for page in (
            self.client.get(LIST, {"q": row.support_key}),
            self.client.get(f"{LIST}{row.pk}/change/"),
        ):
            self.assertNotContains(page, "<script>alert")
            self.assertContains(page, "&lt;script&gt;alert(1)&lt;/script&gt; {{ 7|add:7 }}")


class ActTests(StaffTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.row = self.create()
        self.page = f"{LIST}{self.row.pk}/"

    def act(self, name: str, reason: str = "asked for", **changes: str):
        form = {"reason": reason, "old_key": self.row.support_key, **changes}
        return self.client.post(f"{self.page}{name}/", form, follow=True)

    def offered(self) -> set[str]:
        page = self.client.get(f"{self.page}change/").content.decode()
        return {
            name for name in ("suspend", "unsuspend", "terminate", "rotate") if f"{self.page}{name}/" in page
        }

    def test_the_status_decides_what_is_offered(self) -> None:
        self.assertEqual(self.offered(), {"suspend", "terminate", "rotate"})
        services.suspend_support("1001", actor="x")
        self.assertEqual(self.offered(), {"unsuspend", "terminate", "rotate"})
        services.terminate_support("1001", actor="x")
        self.assertEqual(self.offered(), {"unsuspend", "rotate"})

    def test_a_get_only_asks(self) -> None:
        for name in ("suspend", "terminate", "rotate"):
            with self.subTest(name=name):
                page = self.client.get(f"{self.page}{name}/")
                self.assertContains(page, self.row.support_key)
                self.assertContains(page, ACTS[name].question)
                self.assertContains(page, 'method="post"')
        self.assertEqual(HistoryEntry.objects.count(), 1)
        self.assertEqual(SupportKey.objects.get().support_key, self.row.support_key)

    def test_a_post_acts_and_the_history_names_the_member_of_staff(self) -> None:
        statuses = [("suspend", "SUSPENDED"), ("unsuspend", "ACTIVE"), ("terminate", "INACTIVE")]
        for name, status in statuses:
            page = self.act(name, reason=f"why {name}")
            self.assertRedirects(page, f"{self.page}change/")
            self.assert_status("1001", status)
            entry = HistoryEntry.objects.first()
            self.assertEqual((entry.after, entry.actor, entry.reason), (status, "staff anna", f"why {name}"))
            self.assertContains(page, f"why {name}")
            self.assertNotContains(page, f"(&#x27;{status}")  # a label of unfold, shown where labels are not

    def test_a_reason_may_be_missing_but_for_a_new_key(self) -> None:
        self.act("suspend", reason="")
        self.assert_status("1001", "SUSPENDED")
        self.assertContains(self.act("rotate", reason="  "), "This field is required.")
        self.assertEqual(SupportKey.objects.get().support_key, self.row.support_key)

    def test_a_new_key_is_shown_and_the_old_one_is_dead(self) -> None:
        page = self.act("rotate")
        new = SupportKey.objects.get().support_key
        self.assertNotEqual(new, self.row.support_key)
        self.assertContains(page, new)
        self.assertIs(self.verify(self.row.support_key).json()["valid"], False)

    def test_a_second_click_makes_no_second_key(self) -> None:
        self.act("rotate")
        new = SupportKey.objects.get().support_key
        self.assertContains(self.act("rotate"), "was replaced by somebody else")
        self.assertEqual(SupportKey.objects.get().support_key, new)

    def test_reasons_hold_no_line_breaks(self) -> None:
        page = self.act("suspend", reason="a\x0bb")
        self.assertContains(page, "Control characters and line breaks are not allowed.")
        self.assert_status("1001", "ACTIVE")

    def test_a_forged_post_is_refused(self) -> None:
        strict = self.client_class(enforce_csrf_checks=True)
        strict.force_login(self.staff)
        self.assertEqual(strict.post(f"{self.page}suspend/", {"reason": "x"}).status_code, 403)
        self.assert_status("1001", "ACTIVE")

    def test_a_key_that_is_not_there_is_named(self) -> None:
        self.assertContains(
            self.client.get(f"{LIST}999/suspend/"), "There is no support key 999", status_code=404
        )

    def test_looking_does_not_permit_acting(self) -> None:
        self.log_in_with("view_supportkey")
        self.assertContains(self.client.get(f"{self.page}change/"), "token tests")
        self.assertEqual(self.offered(), set())
        for name in ("suspend", "unsuspend", "terminate", "rotate"):
            self.assertEqual(self.act(name).status_code, 403)
        self.assert_status("1001", "ACTIVE")

    def test_others_see_nothing(self) -> None:
        self.log_in_with()
        for path in (LIST, f"{self.page}change/", f"{LIST}export/", "/admin/support/historyentry/"):
            self.assertEqual(self.client.get(path).status_code, 403, path)
        self.client.logout()
        self.assertEqual(self.client.get(f"{self.page}suspend/").status_code, 302)


class ReadOnlyTests(StaffTestCase):
    def test_nothing_is_added_changed_or_deleted_by_hand(self) -> None:
        row = self.create()
        for path in (LIST, "/admin/support/historyentry/"):
            pk = row.pk if path == LIST else HistoryEntry.objects.get().pk
            self.assertEqual(self.client.post(f"{path}{pk}/change/", {"status": "INACTIVE"}).status_code, 403)
            self.assertEqual(self.client.post(f"{path}{pk}/delete/", {"post": "yes"}).status_code, 403)
            self.assertEqual(self.client.get(f"{path}add/").status_code, 403)
        self.assert_status("1001", "ACTIVE")

    def test_lists_cost_the_same_for_many(self) -> None:
        self.create()
        for path, cost in ((LIST, 5), ("/admin/support/historyentry/", 5), (f"{LIST}?q=jane", 7)):
            self.client.get(path)
            with self.subTest(path=path), self.assertNumQueries(cost):
                self.client.get(path)
        for number in range(5):
            self.create(service_id=f"m{number}")
        for path, cost in ((LIST, 5), ("/admin/support/historyentry/", 5), (f"{LIST}?q=jane", 7)):
            with self.subTest(path=path), self.assertNumQueries(cost):
                self.client.get(path)
