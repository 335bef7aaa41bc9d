"""What a clock that was a year ahead has left in a site holds nothing up once the clock is right again."""

from tests.containers import base, sites
from tests.containers.base import WORDPRESS, ContainerTestCase

OPCACHE_SINCE = "<?php echo opcache_get_status(false)['opcache_statistics']['start_time'];"
LEFT_BEHIND = """
$ahead = time() + YEAR_IN_SECONDS;
$looks = ['update_core', 'update_plugins', 'update_themes'];
foreach ($looks as $look) {
    set_site_transient($look, (object) ['last_checked' => $ahead, 'updates' => [], 'response' => []]);
}
foreach (_get_cron_array() as $at => $hooks) {
    foreach ($hooks as $hook => $tasks) {
        foreach ($tasks as $task) {
            wp_unschedule_event($at, $hook, $task['args']);
            wp_schedule_event($ahead, $task['schedule'], $hook, $task['args']);
        }
    }
}
set_transient('doing_cron', sprintf('%.22F', $ahead));
"""
ON_PURPOSE = "wp_schedule_event(time() + 3 * DAY_IN_SECONDS, 'daily', 'np_on_purpose');"
STILL_WAITING = """
$late = (float) get_transient('doing_cron') > time() + 600 ? ['lock'] : [];
foreach (['update_core', 'update_plugins', 'update_themes'] as $look) {
    if ((get_site_transient($look)->last_checked ?? 0) > time() + 600) { $late[] = $look; }
}
foreach (_get_cron_array() as $at => $hooks) {
    foreach ($hooks as $hook => $tasks) {
        if ($at > time() + (reset($tasks)['interval'] ?? YEAR_IN_SECONDS)) { $late[] = $hook; }
    }
}
echo implode(' ', $late);
"""
NOT_VALID_YET = """
openssl req -x509 -key /etc/nginx/loopback.key -subj /CN=localhost \
    -addext 'subjectAltName = DNS:{name},DNS:localhost' -addext 'basicConstraints = critical, CA:FALSE' \
    -not_before 20901130000000Z -not_after 20951130000000Z >/etc/nginx/loopback.pem
"""
CALL_TO_ITSELF = (
    "$answer = wp_remote_get(home_url('/'));"
    " echo is_wp_error($answer) ? $answer->get_error_message() : wp_remote_retrieve_response_code($answer);"
)


def setUpModule() -> None:
    base.required()


class ClockTests(ContainerTestCase):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.container = sites.plain().container

    def test_wordpress_s_tasks_and_looks_for_updates_do_not_wait_a_year(self):
        self.container.php(LEFT_BEHIND)
        self.assertIn("wp_version_check", self.container.php(STILL_WAITING))
        self.container.run_cron()
        self.assertEqual(self.container.php(STILL_WAITING), "")

    def test_nor_where_the_last_run_is_the_only_trace(self):
        trace = "file_put_contents('/run/nodepoint-cache/clock', $ahead);"
        self.container.php(LEFT_BEHIND + "array_map('delete_site_transient', $looks);" + trace)
        self.container.run_cron()
        self.assertEqual(self.container.php(STILL_WAITING), "")

    def test_what_shall_begin_in_some_days_does_with_a_clock_that_was_right(self):
        self.container.php(ON_PURPOSE)
        self.addCleanup(self.container.php, "wp_clear_scheduled_hook('np_on_purpose');")
        self.container.run_cron()
        self.assertEqual(self.container.php(STILL_WAITING), "np_on_purpose")

    def test_changed_files_and_pages_are_seen(self):
        probe = f"{WORDPRESS}/probe.php"
        self.container.write(probe, OPCACHE_SINCE)
        self.addCleanup(self.container.run, "rm", probe)
        self.container.shell("date -d '1 year' +%s >/run/nodepoint/clock")
        self.container.visit("/", cached=True)
        self.assertEqual(self.container.visit("/", cached=True).headers["X-Page-Cache"], "HIT")
        before = self.container.visit("/probe.php").text
        seen = []
        for _ in range(2):
            self.container.shell("sleep 1.1; bash /usr/share/nodepoint/denied.sh; sleep 1")
            kept = self.container.visit("/", cached=True).headers["X-Page-Cache"]
            seen.append((kept, self.container.visit("/probe.php").text))
        self.assertEqual([kept for kept, _ in seen], ["MISS", "HIT"])
        self.assertNotEqual(before, seen[0][1])
        self.assertEqual(seen[0][1], seen[1][1], "once is enough")

    def test_a_certificate_of_the_future_is_made_anew(self):
        self.container.shell(NOT_VALID_YET.format(name=self.container.site.hostname))
        self.container.shell("systemctl reload nginx; sleep 1")
        self.assertIn("cURL error 60", self.container.php(CALL_TO_ITSELF))
        self.assertEqual(self.container.install()[-1], "done 0")
        self.container.shell("sleep 1")
        self.assertEqual(self.container.php(CALL_TO_ITSELF), "200")
