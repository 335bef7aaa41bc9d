"""A site whose code is its customer's enemy: root does not work for it, waits for it, or believes it."""

import time

from nodepoint.clients.errors import ClientError
from sites import install
from sites.clients.console import Output
from tests.containers import base, sites
from tests.containers.base import ContainerTestCase

ROOT = "/var/www/wordpress"
TRIES = 10  # a script that wrote by name lost its first or second
PATIENCE = 40.0  # seconds until a script must have ended, whatever the site does
AS_SITE = "setpriv --reuid www-data --regid www-data --clear-groups"
SECRET = "/srv/roots/secret"
PREPARED = f"""
install -d /srv/roots {ROOT}/wp-content/mu-plugins
chown www-data:www-data {ROOT}/wp-content/mu-plugins
echo secret >{SECRET}; chmod 600 {SECRET}
echo kept >/srv/roots/nodepoint-login.php # by this name the script removes an earlier file of its own
mariadb -e 'CREATE DATABASE IF NOT EXISTS aside; CREATE OR REPLACE TABLE aside.ran (who TEXT) ENGINE=MyISAM'
"""
ROWS = "mariadb -BN aside -e 'SELECT * FROM ran'"
UNTOUCHED = f"ls /srv/roots; stat -c '%a %u %g' {SECRET}; cat {SECRET}; {ROWS}"

# Puts a link in the place of wp-config.php, and of each draft that appears in a folder, as fast as it can.
SWAPS_FILES = f"""
chdir "{ROOT}" or die;
while (1) {{
    unlink "wp-config.php" if -l "wp-config.php"; symlink "{SECRET}", "wp-config.php";
    for (glob "wp-config.php.* wp-content/mu-plugins/.nodepoint*") {{
        next if -l; unlink; symlink "{SECRET}", $_;
    }}
}}
"""
# Turns the folder itself into a link and back.
SWAPS_FOLDERS = f"""
chdir "{ROOT}/wp-content" or die;
while (1) {{
    rename "mu-plugins", "kept"; symlink "/srv/roots", "mu-plugins"; select undef, undef, undef, 0.001;
    unlink "mu-plugins"; rename "kept", "mu-plugins"; select undef, undef, undef, 0.001;
}}
"""
# PHP remembers for a while where links led, and what a .user.ini said.
PHP_ANEW = "systemctl restart $(basename /lib/systemd/system/php*-fpm.service)"
PUT_RIGHT = f"""
cd {ROOT}/wp-content; [ ! -L mu-plugins ] || rm mu-plugins; [ ! -d kept ] || mv -T kept mu-plugins
rm -f mu-plugins/.nodepoint*; {PHP_ANEW}
"""
FUNCTION = """
CREATE FUNCTION evil() RETURNS INT SQL SECURITY INVOKER BEGIN
    IF CURRENT_USER() LIKE 'root%' THEN INSERT INTO aside.ran VALUES (CURRENT_USER()); END IF; RETURN 1; END
"""
VIEW = "CREATE SQL SECURITY INVOKER VIEW wp_options AS SELECT * FROM real_options WHERE evil() = 1"
PROCEDURE = """
CREATE PROCEDURE evil() SQL SECURITY INVOKER BEGIN
    IF CURRENT_USER() LIKE 'root%' THEN INSERT INTO aside.ran VALUES (CURRENT_USER()); END IF; END
"""
# Where the name stands already, the script writes nothing.
OTHER_NAME = "UPDATE wp_options SET option_value = 'https://other.example' WHERE option_name = 'siteurl'"
TRIGGER = "CREATE TRIGGER evil BEFORE UPDATE ON wp_options FOR EACH ROW {}"
# What is left behind holds whatever its maker has open.
DAEMON = """
$none = ['file', '/dev/null', 'r+'];
proc_open('exec setsid sleep 100', [$none, fopen('php://stdout', 'w'), fopen('php://stderr', 'w')], $pipes);
"""

POISON = """
install -d -o www-data "$1/evil"; cd "$1/evil"
printf '#!/bin/sh\\necho $0 >>%s/ran\\n' "$PWD" >program; chmod 755 program
for name in $2; do ln -sf program $name; done
echo 'output = /srv/roots/curl' >.curlrc
echo '[client]' | tee my.cnf .my.cnf
echo 'init-command = INSERT INTO aside.ran VALUES (1)' | tee -a my.cnf .my.cnf
echo "auto_prepend_file = $PWD/first.php" | tee php.ini ../php.ini ../.user.ini
echo "<?php if (!posix_getuid()) { touch('$PWD/ran'); }" >first.php
chown -R www-data: .
"""


def setUpModule() -> None:
    base.required(short=True)


class HostileTestCase(ContainerTestCase):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.container = sites.plain().container
        cls.container.shell(PREPARED)
        cls.before = cls.container.shell(UNTOUCHED)

    def assert_untouched(self) -> None:
        self.assertEqual(self.container.shell(UNTOUCHED), self.before)

    def act(self, name: str, *environment: str) -> Output:
        """An act of access.sh; one that has not ended in time fails the test."""
        command = ("env", *environment, "bash", "-s", name)
        script = install.access_script(self.container.site)
        try:
            return self.container.run(*command, stdin=script, timeout=PATIENCE)
        except ClientError as error:
            raise self.failureException(f"{name} does not end") from error

    def ended(self, script: str) -> list[str]:
        """The lines of the status file, which must be whole in time."""
        self.assertEqual(self.container.start_install(script).stdout, "started\n")
        end = time.monotonic() + PATIENCE
        while not (lines := self.container.status()) or not lines[-1].startswith("done "):
            self.assertLess(time.monotonic(), end, f"no end: {lines}")
            time.sleep(0.2)
        return lines

    def only(self, phase: str) -> str:
        """The script with one phase alone."""
        script = self.container.script().replace("\nBASE=(", "\nBASE=() OTHERS=(", 1)
        return script.replace("\nSITE=(", f"\nSITE=({phase}) MORE=(", 1)

    def at_work(self, code: str) -> None:
        """Perl as the site's user, until the end of the test."""
        self.container.run("tee", "/srv/attack.pl", stdin=code)
        self.container.shell(f"setsid {AS_SITE} perl /srv/attack.pl </dev/null >/dev/null 2>&1 &")
        self.addCleanup(self.container.run, "pkill", "-9", "-f", "attack.pl")


class FolderTests(HostileTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.container.shell(f"cp -a {ROOT}/wp-config.php /srv/kept")
        self.addCleanup(self.container.shell, f"mv -T /srv/kept {ROOT}/wp-config.php")

    def test_a_file_or_draft_that_becomes_a_link_is_neither_followed_nor_handed_over_by_root(self):
        self.at_work(SWAPS_FILES)
        for _ in range(TRIES):
            self.act("login")
            self.assert_untouched()
        self.ended(self.only("configuration"))
        self.assert_untouched()

    @base.long_form
    def test_a_folder_that_becomes_a_link_leads_root_nowhere(self):
        self.addCleanup(self.container.shell, PUT_RIGHT)
        self.at_work(SWAPS_FOLDERS)
        for _ in range(TRIES // 2):
            self.ended(self.only("configuration"))
            self.act("login")
            self.assert_untouched()

    def test_links_in_the_place_of_its_files_are_replaced_and_not_written_through(self):
        config = f"{ROOT}/wp-config.php"
        self.container.shell(f"ln -sfT /srv/roots/new {config}")
        self.assertEqual(self.ended(self.only("configuration"))[-1], "done 0")
        self.assertEqual(self.container.shell(f"stat -c '%F %U %a' {config}"), "regular file www-data 640\n")
        self.assert_untouched()

    def test_a_pipe_a_folder_or_half_a_file_in_its_place_holds_nobody_up_and_stays(self):
        config = f"{ROOT}/wp-config.php"
        for made in ("mkfifo", "mkdir", "printf '<?php define(' >"):
            with self.subTest(made):
                self.container.shell(
                    f"rm -rf {config}; {made} {config}; before=$(stat -c %i {config}); echo $before"
                )
                inode = self.container.shell(f"stat -c %i {config}")
                lines = self.ended(self.only("configuration"))
                self.assertEqual(lines[-1], "done 0")
                self.assertEqual(self.container.shell(f"stat -c %i {config}"), inode)
        self.container.shell(f"rm -rf {config}")

    def test_what_it_writes_is_the_sites_own_or_out_of_its_reach(self):
        self.act("login")
        token = "stat -c %U /run/nodepoint-login/* | sort -u"
        self.assertEqual(self.container.shell(token), "www-data\n")
        reach = "find /usr/share/nodepoint /etc/nodepoint /etc/php ! -user root -o ! -type l -perm /022"
        self.assertEqual(self.container.shell(reach), "")


class TableTests(HostileTestCase):
    def tearDown(self) -> None:
        self.container.shell(
            "pkill -9 mariadb$ || true; mariadb -e 'KILL USER wordpress@localhost'\n"
            "mariadb wordpress -e 'DROP TRIGGER IF EXISTS evil; DROP FUNCTION IF EXISTS evil; "
            "DROP PROCEDURE IF EXISTS evil; DROP VIEW IF EXISTS wp_options; "
            "RENAME TABLE IF EXISTS real_options TO wp_options'"
        )
        self.assertEqual(self.ended(self.only("installation"))[-1], "done 0")
        super().tearDown()

    def defined(self, *statements: str) -> None:
        """By the site's own account, as all that a customer can define."""
        password = self.container.shell("cat /var/lib/nodepoint/database").strip()
        text = "".join(f"{statement} //\n" for statement in statements)
        command = ("mariadb", "-uwordpress", f"-p{password}", "--delimiter=//", "wordpress")
        output = self.container.run(*command, stdin=text)
        self.assertEqual((output.exit_code, output.stderr), (0, ""))

    def test_a_view_is_nothing_that_root_looks_through(self):
        self.defined("RENAME TABLE wp_options TO real_options", FUNCTION, VIEW)
        self.assertEqual(self.ended(self.only("installation"))[-1], "done 0")
        self.assert_untouched()

    @base.long_form
    def test_neither_does_a_trigger_or_procedure_run_for_root(self):
        self.defined(OTHER_NAME, PROCEDURE, TRIGGER.format("CALL evil()"))
        self.assertEqual(self.ended(self.only("installation database"))[-1], "done 0")
        self.assert_untouched()

    def test_tables_that_sleep_end_the_phase_with_its_reason(self):
        script = self.only("installation").replace("max_statement_time = 10", "max_statement_time = 2")
        self.defined(OTHER_NAME, TRIGGER.format("DO SLEEP(600)"))
        lines = self.ended(script)
        self.assertEqual(lines[-1], "done 76")
        self.assertRegex(lines[-2], "^failed installation 76 .*max_statement_time")

    @base.long_form
    def test_tables_that_take_off_the_limit_are_ended_from_outside(self):
        script = self.only("installation").replace("timeout -k 2 25", "timeout -k 2 4")
        self.defined(
            OTHER_NAME, TRIGGER.format("BEGIN SET SESSION max_statement_time = 0; DO SLEEP(600); END")
        )
        lines = self.ended(script.replace("max_statement_time = 10", "max_statement_time = 0"))
        self.assertEqual(lines[-1], "done 76")
        self.assertRegex(lines[-2], "^failed installation 76 .*do not answer")
        over = "for i in {1..50}; do mariadb -e 'SHOW PROCESSLIST' | grep SLEEP || exit 0; sleep 0.1; done"
        self.container.run("bash", "-c", over)
        self.assertNotIn("SLEEP", self.container.shell("mariadb -e 'SHOW PROCESSLIST'"))


class ConfigurationTests(HostileTestCase):
    """A wp-config.php that does what it likes."""

    def setUp(self) -> None:
        super().setUp()
        self.container.shell(f"mv -T {ROOT}/wp-config.php /srv/kept")
        self.addCleanup(self.container.run, "pkill", "-9", "-u", "www-data", "-x", "sleep|php.*")
        self.addCleanup(self.container.shell, f"mv -T /srv/kept {ROOT}/wp-config.php")
        self.addCleanup(self.container.shell, "touch /var/lib/nodepoint/installed")

    def poisoned(self, code: str) -> None:
        self.container.run("tee", f"{ROOT}/wp-config.php", stdin=f"<?php\n{code}")
        self.container.shell(f"chown www-data: {ROOT}/wp-config.php")

    @base.long_form
    def test_one_that_ends_at_once_or_names_strangers_gives_no_link(self):
        for code in (
            "exit;",
            'exit("\\nlink https://evil.example/\\n");',
            'exit("\\nkey evil x&redirect_to=//evil.example\\n");',
            "fwrite(STDOUT, str_repeat('x', 10 << 20)); exit;",
            "fwrite(STDERR, str_repeat('x', 10 << 20)); exit;",
        ):
            with self.subTest(code):
                self.poisoned(code)
                output = self.act("password")
                self.assertEqual(output.exit_code, 70)
                self.assertNotIn("link", output.stdout)
                self.assertLess(len(output.stderr), 1000)

    def test_one_that_never_ends_and_stops_the_clock_beside_it_is_ended(self):
        self.poisoned("posix_kill(posix_getppid(), 19); set_time_limit(0); while (true) {}")
        output = self.act("password")
        self.assertEqual((output.exit_code, output.stdout), (70, ""))

    @base.long_form
    def test_what_it_leaves_behind_keeps_nobody_waiting(self):
        self.poisoned(f"{DAEMON} exit;")
        self.assertEqual(self.act("password").exit_code, 70)

    def test_what_it_leaves_behind_keeps_no_lock(self):
        self.container.shell("rm /var/lib/nodepoint/installed")
        self.poisoned(f'{DAEMON} exit("\\ninstalled");')
        self.assertEqual(self.ended(self.only("installation"))[-1], "done 0")
        self.assertEqual(self.ended(self.only("installation"))[-1], "done 0", "it is not busy")

    def test_what_it_says_is_neither_an_end_nor_a_phase(self):
        self.container.shell("rm /var/lib/nodepoint/installed")
        forged = "\\nphase installation 1\\ndone 0\\n\\e[31m"
        self.poisoned(
            f'foreach ([STDOUT, STDERR] as $to) {{ fwrite($to, str_repeat("x", 10 << 20) . "{forged}"); }}\n'
            'exit("not installed");'
        )
        lines = self.ended(self.only("installation"))
        self.assertEqual([line.split()[0] for line in lines], ["failed", "done"], lines)
        self.assertEqual(lines[-1], "done 76")
        self.assertRegex(lines[0], r"^failed installation 76 [ -~]{1,300}$")


class EnvironmentTests(HostileTestCase):
    PROGRAMS = "curl openssl php find mktemp timeout setpriv env mariadb head tail tr sha256sum perl"

    def test_no_program_or_configuration_comes_out_of_a_folder_of_the_site(self):
        ran = f"{ROOT}/evil/ran"
        self.container.run("bash", "-s", ROOT, self.PROGRAMS, stdin=POISON)
        self.addCleanup(self.container.shell, f"cd {ROOT}; rm -r evil php.ini .user.ini; {PHP_ANEW}")
        names = ("CURL_HOME", "MYSQL_HOME", "PHPRC", "PHP_INI_SCAN_DIR", "XDG_CONFIG_HOME", "HOME")
        environment = (f"PATH={ROOT}/evil:/usr/bin:/bin", *(f"{name}={ROOT}/evil" for name in names))
        for act in ("login", "password"):
            self.assertEqual(self.act(act, *environment).exit_code, 0)
        started = self.container.run(
            *("env", f"--chdir={ROOT}/evil", *environment, "bash", "-s", "install"),
            stdin=self.only("database configuration installation verification"),
        )
        self.assertEqual(started.stdout, "started\n")
        self.assertEqual(self.container.wait()[-1], "done 0")
        self.assertEqual(self.container.run("test", "-e", ran).exit_code, 1)
        self.assert_untouched()

    @base.long_form
    def test_what_is_loaded_before_programs_is_not_handed_on(self):
        script = self.only("configuration").replace(
            "phase_configuration() {\n", "phase_configuration() {\n    env >/srv/environment\n", 1
        )
        odd = ("LD_PRELOAD=/nowhere/evil.so", "LD_LIBRARY_PATH=/nowhere", "PERL5OPT=-Mevil", "GLOBIGNORE=*")
        self.container.run("env", *odd, "bash", "-s", "install", stdin=script)
        self.assertEqual(self.container.wait()[-1], "done 0")
        names = {line.partition("=")[0] for line in self.container.shell("cat /srv/environment").splitlines()}
        self.assertLessEqual(
            names,
            {
                "PATH",
                "HOME",
                "LC_ALL",
                "LANG",
                "DEBIAN_FRONTEND",
                "NEEDRESTART_MODE",
                "PWD",
                "OLDPWD",
                "SHLVL",
                "_",
            },
        )
