"""Inside a container: pct exec, the played installation, the web server's answers, and curl."""

import time

from tests.lab.cluster import SCRIPT, ClusterCase

STATUS = "/root/install.status"
FULL = ["packages", "wordpress", "system", "database", "configuration", "installation", "web", "verification"]
GOLDEN = "local:vztmpl/nodepoint-golden_1_amd64.tar.zst"


class GuestCase(ClusterCase):
    def run_in(
        self, *argv: str, stdin: bytes = b"", vmid: int = 900, node: str = "node1"
    ) -> tuple[int, bytes, bytes]:
        return self.lab.guest_exec(node, vmid, argv, stdin)

    def start_install(self) -> tuple[int, bytes, bytes]:
        return self.run_in("bash", "-s", "install", stdin=SCRIPT)

    def status(self) -> list[str]:
        return self.run_in("cat", STATUS)[1].decode().splitlines()

    def phases(self) -> list[str]:
        return [line.split()[1] for line in self.status() if line.startswith("phase ")]

    def wait_for_end(self) -> list[str]:
        deadline = time.monotonic() + 5
        while not (lines := self.status()) or not lines[-1].startswith("done "):
            self.assertLess(time.monotonic(), deadline, lines)
            time.sleep(0.01)
        return lines


class ExecTests(GuestCase):
    def test_pct_refuses_what_is_not_there_not_here_or_not_running(self) -> None:
        self.create()
        for node, vmid, code, text in (
            ("node1", 905, 2, b"Configuration file 'nodes/node1/lxc/905.conf' does not exist\n"),
            ("node2", 900, 2, b"Configuration file 'nodes/node2/lxc/900.conf' does not exist\n"),
            ("node1", 900, 255, b"container '900' not running!\n"),
        ):
            with self.subTest(f"{vmid} on {node}"):
                self.assertEqual((code, b"", text), self.run_in("true", vmid=vmid, node=node))

    def test_files_are_there_or_not(self) -> None:
        self.create(start=True)
        self.assertEqual((0, b"", b""), self.run_in("true"))
        self.assertEqual(1, self.run_in("test", "-e", STATUS)[0])
        self.assertEqual(
            (1, b"", f"cat: {STATUS}: No such file or directory\n".encode()), self.run_in("cat", STATUS)
        )
        self.start_install()
        self.assertEqual(0, self.run_in("test", "-e", STATUS)[0])

    def test_env_before_a_command_is_passed_over(self) -> None:
        self.create(start=True)
        self.assertEqual(0, self.run_in("env", "-i", "LANG=C.UTF-8", "/bin/true")[0])

    def test_what_is_not_played_fails_as_not_found(self) -> None:
        self.create(start=True)
        code, _, error = self.run_in("rm", "-rf", "/")
        self.assertEqual(127, code)
        self.assertIn(b"does not play it", error)

    def test_an_unknown_script_fails_with_a_sentence(self) -> None:
        self.create(start=True)
        code, _, error = self.run_in(
            "bash", "-s", stdin=b"#!/bin/bash\necho hello\n# lab: install status=/x\n"
        )
        self.assertEqual(127, code)
        self.assertIn(b"does not know what this script does", error)

    def test_a_script_that_was_cut_off_does_nothing(self) -> None:
        self.create(start=True)
        code, out, error = self.run_in("bash", "-s", stdin=SCRIPT[: SCRIPT.index(b"}")])
        self.assertEqual((2, b""), (code, out))
        self.assertIn(b"syntax error", error)
        self.assertEqual(1, self.run_in("test", "-e", STATUS)[0])


class InstallTests(GuestCase):
    def test_it_is_detached_and_writes_a_line_for_each_phase(self) -> None:
        self.create(start=True)
        self.lab.clock.factor = 0.01
        self.assertEqual((0, b"started\n", b""), self.start_install())
        self.assertEqual([], self.status())
        self.assertEqual((75, b"busy\n", b""), self.start_install())
        self.assertEqual("done 0", self.wait_for_end()[-1])
        self.assertEqual(FULL, self.phases())

    def test_a_golden_template_needs_the_sites_part_only(self) -> None:
        self.create(start=True, ostemplate=GOLDEN)
        self.lab.clock.factor = 0.05
        begun = time.monotonic()
        self.start_install()
        self.wait_for_end()
        self.assertLess(time.monotonic() - begun, 10 * 0.05)  # 3 s of 75
        self.assertEqual(FULL, self.phases())

    def test_a_second_run_is_short_and_keeps_the_site_up(self) -> None:
        self.create(start=True)
        self.start_install()
        self.assertEqual(FULL, self.phases())
        self.lab.clock.factor = 0.05
        self.assertEqual((0, b"started\n", b""), self.start_install())
        self.assertTrue(self.lab.world.reaches_site("192.168.1.100")[0])
        self.wait_for_end()
        self.assertEqual(FULL, self.phases())

    def test_a_stop_ends_it_without_an_end_marker(self) -> None:
        ct = self.create(start=True)
        self.lab.clock.factor = 1
        self.start_install()
        self.lab.clock.factor = 0
        self.done(ct.status.stop.post())
        self.done(ct.status.start.post())
        self.assertEqual([], self.status())
        self.assertEqual((0, b"started\n", b""), self.start_install())
        self.assertEqual("done 0", self.status()[-1])

    def test_faults_reach_into_it_by_phase(self) -> None:
        for kind, ending in (
            ("error", ["failed database 1 database did not work", "done 1"]),
            ("hang", ["phase wordpress 0", "phase system 0"]),
            ("drop_before", ["phase wordpress 0", "phase system 0"]),
        ):
            with self.subTest(kind):
                self.create(start=True)
                self.lab.faults.add("ssh", kind, match="INSTALL 900 database")
                self.start_install()
                self.assertEqual(ending, self.status()[-2:])
                self.assertFalse(self.lab.world.reaches_site("192.168.1.100")[0])
                again = self.start_install()
                self.assertEqual((75, b"busy\n", b"") if kind == "hang" else (0, b"started\n", b""), again)
                self.done(self.ct().delete(force=1))

    def test_other_ssh_faults_do_not(self) -> None:
        self.create(start=True)
        self.lab.faults.add("ssh", "error", match="")
        self.start_install()
        self.assertEqual("done 0", self.status()[-1])
        self.assertEqual(1, len(self.lab.faults.view()))


class WebServerTests(GuestCase):
    def setUp(self) -> None:
        super().setUp()
        self.site = self.create(start=True, hostname="demo")

    def answer(self, path: str = "/") -> tuple[int, str]:
        response = self.lab.world.site_answer("192.168.1.100", "demo.nodepoint.eu", path, {})
        self.assertIsNotNone(response)
        return response.status, response.payload().decode()

    def test_nothing_listens_before_the_installation(self) -> None:
        self.assertIsNone(self.lab.world.site_answer("192.168.1.100", "demo.nodepoint.eu", "/", {}))
        self.assertEqual(
            (False, "nothing listens on port 80 of container 900"),
            self.lab.world.reaches_site("192.168.1.100"),
        )

    def test_an_installed_site_answers_as_wordpress(self) -> None:
        self.install()
        for path, status, text in (
            ("/", 200, "<title>demo</title>"),
            ("/wp-login.php", 200, "Log In"),
            ("/wp-admin/install.php", 200, "Already Installed"),
            ("/nothing", 404, "Page not found"),
        ):
            with self.subTest(path):
                found = self.answer(path)
                self.assertEqual(status, found[0])
                self.assertIn(text, found[1])

    def test_wp_admin_leads_to_the_login(self) -> None:
        self.install()
        headers = {"x-forwarded-proto": "https"}
        response = self.lab.world.site_answer("192.168.1.100", "demo.nodepoint.eu", "/wp-admin/", headers)
        self.assertTrue(response.headers["Location"].startswith("https://demo.nodepoint.eu/wp-login.php?"))

    def test_it_goes_and_comes_with_the_container(self) -> None:
        self.install()
        self.done(self.site.status.shutdown.post())
        self.assertEqual(
            (False, "no running container holds 192.168.1.100"), self.lab.world.reaches_site("192.168.1.100")
        )
        self.done(self.site.status.start.post())
        self.assertEqual(200, self.answer()[0])

    def test_curl_inside_sees_what_the_server_answers(self) -> None:
        code, out, error = self.run_in("curl", "-sS", "http://127.0.0.1/")
        self.assertEqual((7, b""), (code, out))
        self.assertIn(b"curl: (7) Failed to connect to 127.0.0.1 port 80", error)
        self.install()
        for argv, expected in (
            (("-sS", "-o", "/dev/null", "-w", "%{http_code} %{redirect_url}", "http://127.0.0.1/"), b"200 "),
            (("-so/dev/null", "-w%{http_code}\\n", "http://localhost/nothing"), b"404\n"),
            (
                (
                    "-sS",
                    "-o",
                    "/dev/null",
                    "-w",
                    "%{redirect_url}",
                    "-H",
                    "Host: a.example",
                    "http://127.0.0.1/wp-admin/",
                ),
                b"http://a.example/wp-login.php?redirect_to=http%3A%2F%2Fa.example%2Fwp-admin%2F&reauth=1",
            ),
        ):
            with self.subTest(argv):
                self.assertEqual((0, expected, b""), self.run_in("curl", *argv))
        self.assertTrue(self.run_in("curl", "-sSi", "http://127.0.0.1/")[1].startswith(b"HTTP/1.1 200"))
        self.assertEqual(22, self.run_in("curl", "-fsS", "http://127.0.0.1/nothing")[0])
        self.assertEqual(2, self.run_in("curl", "--frobnicate", "http://127.0.0.1/")[0])
        self.assertEqual(7, self.run_in("curl", "-sS", "http://192.168.1.5/")[0])
