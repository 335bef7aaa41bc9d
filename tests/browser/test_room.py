"""What staff do in their room all day, in a real browser."""

from django.test import Client
from django_otp.plugins.otp_totp.models import TOTPDevice
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from nodepoint.audit.models import Entry
from nodepoint.board import calls
from nodepoint.staff import second_factor
from sites.models import Site
from tests.browser.base import BOARD, DESKTOP, PHONE, StaffBrowserTestCase
from tests.sites.domains import SHOP
from tests.staff.base import PASSWORD, code_of, make_staff

TOO_WIDE = "return document.documentElement.scrollWidth > window.innerWidth"


class RoomTests(StaffBrowserTestCase):
    def test_a_wrong_code_is_refused_and_the_right_one_lets_in(self) -> None:
        anna = make_staff("anna", "operator")
        key = second_factor.new_key()
        second_factor.enrol(anna, key, code_of(second_factor.draft(anna, key), steps=-1))
        self.browser.delete_all_cookies()
        self.go(BOARD)
        self.fill(username="anna")
        self.find("#id_password").send_keys(PASSWORD)
        self.submit("#login-form button[type=submit]")
        right = code_of(TOTPDevice.objects.get(user=anna))
        self.fill(code=f"{(int(right) + 1) % 1_000_000:06d}")
        self.submit("#code-form button[type=submit]")
        self.shows("This code is wrong or was used before.", css="body")
        self.assertTrue(self.path().startswith("/admin/code/"))
        TOTPDevice.objects.update(throttling_failure_timestamp=None, throttling_failure_count=0)  # a pause
        self.fill(code=code_of(TOTPDevice.objects.get(user=anna)))
        self.submit("#code-form button[type=submit]")
        self.assertEqual(self.path(), BOARD)

    def test_an_order_is_watched_until_the_site_is_live(self) -> None:
        self.live_site(service_id="1000", email="first@example.com")
        self.pass_time(600)
        self.look_at_everything()
        calls.write()
        self.go(BOARD)
        self.assertEqual(self.verdict(), ("well", "All is well. Nothing needs you."))
        self.until(lambda: self.browser.find_elements(By.CSS_SELECTOR, "canvas[style*=block]"))
        self.picture("board")
        self.control("speed", factor=0.05)
        with self.workers():
            self.assertEqual(self.order().status_code, 200)
            self.shows("Create site: 1001", "%", css="#np-flight")  # it appears by itself
            self.click("Create site: 1001")
            self.click("1001")
            self.browser.execute_script("window.notReloaded = true")
            self.shows("PROVISIONING")
            self.until(lambda: self.browser.find_elements(By.CSS_SELECTOR, "progress[value]"))
            self.until(lambda: "Installing WordPress" in self.text("[data-live-part=job]"), 20)
            self.picture("site-provisioning")
            self.until(lambda: "SUCCEEDED" in self.text("[data-live-part=job]"), 30)
            self.shows("RUNNING", css="[data-live-part=now]")
        self.assertTrue(self.browser.execute_script("return window.notReloaded"))
        self.assertEqual(Site.objects.get(service_id="1001").state, Site.State.LIVE)

    def test_an_operator_suspends_a_site_and_takes_it_back(self) -> None:
        site = self.live_site()
        self.go(self.site_page(site))
        self.click("Suspend")
        self.shows("Visitors get nothing any more", "The billing portal is not told")
        self.fill(reason="Sends spam")
        self.click("Yes, do it")
        self.shows("It is suspended.", css="body")
        self.run_jobs()
        self.shows("SUSPENDED", css="[data-live-part=now]")
        self.assertEqual(self.container(site.vmid)["status"], "stopped")
        self.shows("Sends spam", "oliva", css="[data-live-part=entries]")
        self.click("Unsuspend")
        self.click("Yes, do it")
        self.run_jobs()
        self.shows("RUNNING", css="[data-live-part=now]")
        self.assertEqual(self.container(site.vmid)["status"], "running")

    def test_support_sees_no_way_to_delete_and_has_none(self) -> None:
        site = self.live_site()
        self.enter_as("support")
        self.go(self.site_page(site))
        self.shows("Restart", "Back up", "Login link", css="[data-live-part=acts]")
        self.shows_not("Delete", "Suspend", "Reset", "Quotas", "Change plan", css="[data-live-part=acts]")
        client = Client()
        client.cookies.load({one["name"]: one["value"] for one in self.browser.get_cookies()})
        for act in ("delete", "suspend", "reset", "force_state", "upgrade"):
            given = {"typed": site.service_id, "reason": "because", "plan": "premium", "state": "deleted"}
            answer = client.post(f"/admin/sites/site/{site.pk}/act/{act}/", given)
            self.assertEqual(answer.status_code, 403, act)
        self.run_jobs()
        self.assert_live(site)

    def test_the_search_box_opens_what_a_domain_belongs_to(self) -> None:
        site = self.live_site()
        site.custom_domains.create(domain=SHOP, status="active", certificate="active")
        self.go(BOARD)
        self.find("#np-find").send_keys(f"https://{SHOP}/cart", Keys.ENTER)
        self.until(lambda: self.path() != BOARD)
        self.shows(SHOP, "1001")
        self.click(SHOP)
        self.shows(SHOP, "1001")
        self.go(BOARD)
        self.find("#np-find").send_keys("nobody.example", Keys.ENTER)
        self.shows("Nothing begins with “nobody.example”.")

    def test_a_login_link_is_shown_once(self) -> None:
        site = self.live_site()
        self.go(self.site_page(site))
        self.click("Login link")
        self.shows("It is shown once, works once within five minutes")
        self.click("Yes, do it")
        link = self.find("#main a[href*='nodepoint_login']").get_attribute("href")
        self.assertTrue(link.startswith(f"https://{site.hostname}/wp-admin/admin-post.php"))
        self.go(self.path())
        self.shows("Make a link into this customer's WordPress?")
        self.assertNotIn("nodepoint_login", self.browser.page_source)
        self.go(self.site_page(site))
        self.assertNotIn("nodepoint_login", self.browser.page_source)
        self.assertEqual(Entry.objects.get(act="sites.login").actor, "oliva")

    def test_an_act_is_reached_and_done_by_keyboard_alone(self) -> None:
        site = self.live_site()
        self.go(self.site_page(site))
        self.tab_to("Restart").send_keys(Keys.ENTER)
        self.shows("Restart this site?")
        self.tab_to("Yes, do it").send_keys(Keys.ENTER)
        self.shows("It is being restarted.", css="body")
        self.run_jobs()
        self.assertEqual(self.job(site, "sites.restart").state, "succeeded")

    def tab_to(self, name: str, most: int = 80):
        """Press Tab until what has the focus is named so; it must be seen to have it."""
        for _ in range(most):
            self.browser.switch_to.active_element.send_keys(Keys.TAB)
            focused = self.browser.switch_to.active_element
            if focused.text.endswith(name):
                style = "const one = getComputedStyle(arguments[0]); return one.outlineStyle + one.boxShadow"
                self.assertNotEqual(self.browser.execute_script(style, focused), "nonenone", name)
                return focused
        raise AssertionError(f"{name!r} has no place in the order of the page.")

    def test_nobody_is_kept_out_of_the_board_and_the_lists(self) -> None:
        """By axe: no serious or critical finding on a desk or a phone, in light and dark."""
        self.live_site()
        self.fault("npm", "drop_before", count=100_000)
        self.ask("/action/toggle")
        self.pass_time(700)
        self.look_at_everything()
        pages = {
            "board": BOARD,
            "sites": "/admin/sites/site/",
            "jobs": "/admin/jobs/job/",
            "systems": "/admin/board/systemstate/",
            "differences": "/admin/board/finding/",
            "addresses": "/admin/sites/site/addresses/",
            "zones": "/admin/dns/zone/",
            "search": "/admin/board/systemstate/search/?s=100",
        }
        for dark in (False, True):
            self.in_the_dark(dark)
            self.screen(*(PHONE if dark else DESKTOP))
            for name, page in pages.items():
                with self.subTest(page=name, dark=dark):
                    self.go(page)
                    self.assertEqual(self.barriers(), [])
                    self.assertFalse(self.browser.execute_script(TOO_WIDE), "it scrolls sideways")
                    self.assertEqual(self.console(), [])
                    if dark and name == "board":
                        self.picture("board-phone-dark")
                    if not dark and name == "sites":
                        self.picture("sites")
