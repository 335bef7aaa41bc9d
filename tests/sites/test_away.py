"""What visitors get of a site whose container does not answer: the operator's page, 503 and Retry-After."""

import tempfile
from pathlib import Path

from django.conf import settings
from django.test import SimpleTestCase, override_settings

from lab.npm.nginx import away_of, flaw_of
from sites import proxy_config
from tests.base import on_one_database
from tests.sites.acts import ActsMixin
from tests.sites.base import SiteTestCase
from tests.visitor import visit

HARD = '<p>"quoted" \\ {x} # ; $1 $host 100 % ü “é”</p>' * 200


@on_one_database
class PageTests(SimpleTestCase):
    def test_any_page_reaches_the_visitor_whole(self):
        for page in ("", "x", HARD):
            text = proxy_config.away_config(page)
            self.assertIsNone(flaw_of("192.168.1.100", text), page[:20])
            shown = away_of(text)["body"].replace("&#36;", "$")
            self.assertEqual(shown, page.encode("ascii", "xmlcharrefreplace").decode())
            self.assertTrue(text.isascii())

    def test_operators_put_theirs_beside_the_data(self):
        with tempfile.TemporaryDirectory() as folder:
            own = Path(folder) / "sites"
            own.mkdir()
            (own / "away.html").write_text("<p>Back soon, says Example Ltd.</p>")
            mine = [{**settings.TEMPLATES[0], "DIRS": [folder, *settings.TEMPLATES[0]["DIRS"]]}]
            self.assertEqual(settings.TEMPLATES[0]["DIRS"][0], settings.NODEPOINT_DATA / "templates")
            with override_settings(TEMPLATES=mine):
                self.assertIn("Example Ltd.", proxy_config.advanced_config())
        self.assertIn("not available at the moment", proxy_config.advanced_config())


class AwayTests(ActsMixin, SiteTestCase):
    def test_a_stopped_site_says_so_and_a_suspended_one_is_off_the_net(self):
        site = self.live_site()
        npm, authority = self.lab.npm, str(self.lab.keys.authority_file)

        def look(path: str = "/"):
            url = f"https://{site.hostname}{path}"
            return visit(f"127.0.0.1:{npm.https_port}", url, verify=authority)

        self.act("/action/stop")
        for path in ("/", "/wp-login.php"):
            answer = look(path)
            self.assertEqual((answer.status_code, answer.headers["Retry-After"]), (503, "300"))
            self.assertEqual(answer.headers["Cache-Control"], "no-store")
            self.assertIn("<h1>This site is not available at the moment</h1>", answer.text)
        self.act("/action/start")
        self.assertEqual(look().status_code, 200)
        self.lab.guest.break_site(site.vmid, "php")
        answer = look()
        self.assertEqual((answer.status_code, answer.headers.get("Retry-After")), (502, None), "its own")
        self.act("/suspend")
        plain = visit(f"127.0.0.1:{npm.http_port}", f"http://{site.hostname}/")
        self.assertNotIn("not available at the moment", plain.text)
