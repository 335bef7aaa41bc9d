"""Real SSH and `pct exec`: quoting, scripts that are cut, clients that are killed, exit codes."""

import signal
import subprocess
import time

from nodepoint.clients.errors import BadAnswer, Busy, NotFound, TimedOut
from sites import install
from tests.containers import base, sites
from tests.containers.base import ContainerTestCase, console
from tests.containers.node import NAME

MARK = "/tmp/BROKEN_OUT"
HOSTILE = [
    f"a;touch {MARK}",
    f"$(touch {MARK})",
    f"`touch {MARK}`",
    f"a\ntouch {MARK}\n",
    f"'; touch {MARK}; '",
    f'"; touch {MARK}; "',
    f"a && touch {MARK}",
    f"a | touch {MARK}",
    "*?[a-z]{1,2}~!#<>()",
    "a  b\tc",
    "\\",
    "-n",
    "",
]


def setUpModule() -> None:
    base.required()


class ConsoleTests(ContainerTestCase):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.container = base.Container(sites.SPARE, base.order(sites.SPARE))
        cls.container.create(base.plain_template())
        cls.addClassCleanup(cls.container.destroy)

    def test_arguments_arrive_as_they_are_and_none_runs_on_the_node(self):
        for argument in HOSTILE:
            with self.subTest(argument):
                output = self.container.run("printf", "%s.", argument, "end")
                self.assertEqual(output.stdout, f"{argument}.end.")
        with_all = self.container.run("bash", "-c", 'printf "%s." "$@"', "-", *HOSTILE)
        self.assertEqual(with_all.stdout, "".join(f"{argument}." for argument in HOSTILE))
        self.assertEqual(base.node().run("test", "-e", MARK, check=False).returncode, 1)
        self.assertEqual(self.container.run("test", "-e", MARK).exit_code, 1)

    def test_what_customers_write_into_an_order_does_not_run(self):
        for email in HOSTILE[:-1]:
            site = base.order(sites.SPARE)
            site.email = email
            script = install.script(site, site.hostname).replace(
                "\n    install -d -m 700", "\n    exit 3 #", 1
            )
            with self.subTest(email):
                wanted = 64 if "\n" in email or "\t" in email else 3
                self.assertEqual(self.container.start_install(script).exit_code, wanted)
        self.assertEqual(base.node().run("test", "-e", MARK, check=False).returncode, 1)
        self.assertEqual(self.container.run("test", "-e", MARK).exit_code, 1)

    def test_nothing_of_the_node_s_environment_leaks_in(self):
        self.assertNotIn("NODE=", self.container.run("env").stdout)

    def test_a_script_that_was_cut_runs_nothing(self):
        script = self.container.script()
        places = [*range(200, len(script), 2500), *(len(script.rstrip()) - n for n in (1, 2, 10, 20))]
        for place in places:
            with self.subTest(place=place):
                self.assertEqual(self.container.start_install(script[:place]).stdout, "")
        self.assertEqual(self.container.run("test", "-e", "/var/lib/nodepoint").exit_code, 1)

    def test_a_command_that_reads_all_input_eats_no_script(self):
        script = self.container.script()
        script = script.replace("main() {\n", "main() {\n    cat >/dev/null\n", 1)
        script = script.replace("\n    install -d -m 700", "\n    echo further; exit 3 #", 1)
        output = self.container.start_install(script)
        self.assertEqual((output.exit_code, output.stdout), (3, "further\n"))

    def test_exit_codes(self):
        for code in (0, 1, 3, 75, 254):
            self.assertEqual(self.container.run("bash", "-c", f"exit {code}").exit_code, code)
        self.assertEqual(self.container.run("bash", "-c", "kill -9 $$").exit_code, 137)
        with self.assertRaises(BadAnswer):  # the command's own, or pct's: nobody can tell
            self.container.run("bash", "-c", "exit 255")
        with self.assertRaises(NotFound):
            console(20).run(NAME, 999, ["true"])
        self.container.pct("stop")
        try:
            with self.assertRaises(Busy) as caught:
                self.container.run("true")
            self.assertIn("not running", caught.exception.vendor)
        finally:
            self.container.pct("start")
        self.assertEqual(self.container.run("true").exit_code, 0)

    def test_a_call_that_took_too_long_goes_on_inside(self):
        with self.assertRaises(TimedOut):
            self.container.run("bash", "-c", "sleep 2; touch /tmp/late", timeout=1)
        self.wait_for("test -e /tmp/late")

    def wait_for(self, condition: str) -> None:
        for _ in range(60):
            if self.container.run("bash", "-c", condition).exit_code == 0:
                return
            time.sleep(0.2)
        self.fail(f"in vain: {condition}")


class DetachedTests(ContainerTestCase):
    """The script on a site that is there already, so that it takes seconds."""

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.container = sites.plain().container

    def slow(self, seconds: int) -> str:
        script = self.container.script()
        slow = script.replace("phase_packages() {\n", f"phase_packages() {{\n    sleep {seconds}\n", 1)
        self.assertNotEqual(slow, script)
        return slow

    def test_while_one_works_another_is_told_so(self):
        self.assertEqual(self.container.start_install(self.slow(3)).stdout, "started\n")
        second = self.container.start_install()
        self.assertEqual((second.exit_code, second.stdout), (install.BUSY, "busy\n"))
        self.assertEqual(self.container.wait()[-1], "done 0")
        self.assertEqual(self.container.install()[-1], "done 0", "the lock is free again")

    def test_a_client_that_is_killed_neither_ends_nor_doubles_it(self):
        ssh = subprocess.Popen(
            base.node().ssh("pct", "exec", str(self.container.vmid), "--", "bash", "-s", "install"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        ssh.stdin.write(self.slow(3).encode())
        ssh.stdin.close()
        self.assertEqual(ssh.stdout.readline(), b"started\n")
        ssh.send_signal(signal.SIGKILL)
        ssh.wait()
        ssh.stdout.close()
        self.assertEqual(self.container.start_install().exit_code, install.BUSY)
        at_work = self.container.run("pgrep", "-fc", "install.sh run").stdout
        self.assertEqual(at_work.strip(), "1")
        self.assertEqual(self.container.wait()[-1], "done 0")

    def test_the_lock_stays_while_a_child_of_a_killed_script_works_on(self):
        self.assertEqual(self.container.start_install(self.slow(3)).stdout, "started\n")
        self.container.run("pkill", "-9", "-f", "install.sh run")
        self.assertEqual(self.container.start_install().exit_code, install.BUSY)
        time.sleep(4)
        self.assertEqual(self.container.status(), [], "no end marker, so nobody believes that it went well")
        self.assertEqual(self.container.install()[-1], "done 0")
