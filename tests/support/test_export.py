"""The list as CSV."""

import csv
import io
from unittest import mock

from nodepoint.export import harmless
from support import export, services
from tests.support.base import StaffTestCase

LIST = "/admin/support/supportkey/"


def table(response) -> list[list[str]]:
    """The rows of a download."""
    text = b"".join(response.streaming_content).decode()
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))


class ExportTests(StaffTestCase):
    def test_the_whole_list_comes_as_csv(self) -> None:
        row = self.create(firstname='Jane "J", Ann', lastname="Dœ;李")
        self.create(service_id="2")
        services.suspend_support("2", actor="x")
        response = self.client.get(f"{LIST}export/")
        self.assertEqual(response["Content-Type"], "text/csv; charset=utf-8")
        self.assertRegex(
            response["Content-Disposition"], r'attachment; filename="support-keys-[0-9-]{10}.csv"'
        )
        self.assertIn("no-store", response["Cache-Control"])
        heading, first, second = table(response)
        self.assertEqual(heading, list(export.COLUMNS))
        person = ['Jane "J", Ann', "Dœ;李", "jane@example.com"]
        self.assertEqual(first, ["1001", row.support_key, "ACTIVE", *person, row.created_at.isoformat()])
        self.assertEqual((second[0], second[2]), ("2", "SUSPENDED"))

    def test_formulas_are_disarmed(self) -> None:
        for place, sign in enumerate("=+-@＝＋－＠"):
            self.create(
                service_id=str(place), firstname=f'{sign}HYPERLINK("http://x")', email="=1+1@example.com"
            )
        for row in table(self.client.get(f"{LIST}export/"))[1:]:
            self.assertEqual((row[3][0], row[5]), ("'", "'=1+1@example.com"))

    def test_harmless_text_stays_as_it_is(self) -> None:
        for text in ("", "Jane", "O'Brien", "1+1", " =1", "ÄÖ"):
            self.assertEqual(harmless(text), text)
        self.assertEqual([harmless(text) for text in ("\t=1", "\r=1", "\n=1")], ["'\t=1", "'\r=1", "'\n=1"])

    def test_long_lists_come_in_pages_and_whole(self) -> None:
        names = [str(number) for number in range(7)]
        for name in names:
            self.create(service_id=name)
        with (
            mock.patch("nodepoint.export.PAGE", 3),
            self.assertNumQueries(7),
        ):  # session, user, second factor, three pages and the end
            rows = table(self.client.get(f"{LIST}export/"))
        self.assertEqual([row[0] for row in rows[1:]], names)

    def test_the_chosen_ones_can_be_exported(self) -> None:
        self.create(), self.create(service_id="2")
        services.suspend_support("2", actor="x")
        form = {"action": "export_chosen", "select_across": "1", "_selected_action": ["0"]}
        rows = table(self.client.post(f"{LIST}?status__exact=SUSPENDED", form))
        self.assertEqual([row[0] for row in rows[1:]], ["2"])

    def test_it_needs_the_permission_to_view(self) -> None:
        self.log_in_with("view_historyentry")
        self.assertEqual(self.client.get(f"{LIST}export/").status_code, 403)
