"""Lists as CSV: whole, as chosen, and harmless to whoever opens them."""

import csv
import io
from unittest import mock

from nodepoint import export
from tests.factories import SiteFactory
from tests.staff.operations import BoardTestCase, make_job

SITES = "/admin/sites/site/"


def table(response) -> list[list[str]]:
    """The rows of a download."""
    text = b"".join(response.streaming_content).decode()
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))


class ExportTests(BoardTestCase):
    def test_every_list_has_it(self) -> None:
        site = SiteFactory()
        site.custom_domains.create(domain="shop.example.org")
        make_job(site.key)
        for path, heading in (
            (SITES, "service_id"),
            ("/admin/jobs/job/", "id"),
            ("/admin/sites/customdomain/", "domain"),
            ("/admin/board/finding/", "kind"),
            ("/admin/board/callcount/", "hour"),
            ("/admin/dns/zone/", "name"),
            ("/admin/dns/customer/", "user_id"),
        ):
            response = self.client.get(f"{path}export_list/")
            self.assertEqual(response["Content-Type"], "text/csv; charset=utf-8", path)
            self.assertRegex(
                response["Content-Disposition"], r'attachment; filename="[a-z-]+-[0-9-]{10}.csv"'
            )
            self.assertEqual(table(response)[0][0], heading)

    def test_a_row_says_what_the_site_is(self) -> None:
        site = SiteFactory()
        heading, row = table(self.client.get(f"{SITES}export_list/"))
        found = dict(zip(heading, row, strict=True))
        self.assertEqual(found["service_id"], site.service_id)
        self.assertEqual((found["plan"], found["vmid"]), ("basic", str(site.vmid)))
        self.assertEqual((found["proxy_enabled"], found["suspended_at"]), ("yes", ""))
        self.assertEqual(found["created_at"], site.created_at.isoformat())

    def test_formulas_of_customers_are_disarmed(self) -> None:
        for sign in "=+-@\t＝＋－＠":
            SiteFactory(email=f"{sign}cmd|'/C calc'!A0@example.com")
        for row in table(self.client.get(f"{SITES}export_list/"))[1:]:
            self.assertEqual(row[2][0], "'", row)
        self.assertEqual(export.cell(-5), "-5", "numbers stay numbers")

    def test_long_lists_come_in_pages_and_whole(self) -> None:
        names = [SiteFactory().service_id for _ in range(7)]
        with mock.patch.object(export, "PAGE", 3):
            rows = table(self.client.get(f"{SITES}export_list/"))
        self.assertEqual([row[0] for row in rows[1:]], names)

    def test_the_chosen_ones_and_all_that_are_filtered(self) -> None:
        one, two, other = SiteFactory(node="node2"), SiteFactory(node="node2"), SiteFactory()
        chosen = {"action": "export_chosen", "_selected_action": [other.pk]}
        self.assertEqual([row[0] for row in table(self.client.post(SITES, chosen))[1:]], [other.service_id])
        across = {"action": "export_chosen", "_selected_action": [one.pk], "select_across": "1"}
        rows = table(self.client.post(f"{SITES}?node=node2", across))
        self.assertEqual({row[0] for row in rows[1:]}, {one.service_id, two.service_id})

    def test_jobs_have_ids_that_are_no_numbers(self) -> None:
        jobs = {make_job(f"s:{number}").pk for number in range(5)}
        with mock.patch.object(export, "PAGE", 2):
            rows = table(self.client.get("/admin/jobs/job/export_list/"))
        self.assertEqual({row[0] for row in rows[1:]}, jobs)
