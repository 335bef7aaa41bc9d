"""The nodes' SSH servers, driven by a real paramiko client."""

import base64
import contextlib
import logging
import socket
import threading
import time
import unittest
from pathlib import Path

import paramiko

import lab
from tests.lab.containers import INSTALL, make_container


class SshCase(unittest.TestCase):
    """One lab per class, with a running container 900 and a stopped one 901 on node1."""

    lab: lab.Lab

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        # Connections that break are what these tests are about; paramiko reports each with a traceback.
        logger = logging.getLogger("paramiko")
        cls.addClassCleanup(logger.setLevel, logger.level)
        logger.setLevel(logging.CRITICAL)
        cls.lab = lab.start()
        cls.addClassCleanup(cls.lab.stop)
        for vmid in (900, 901):
            make_container(cls.lab, vmid, start=vmid == 900)

    def connect(self, node: str = "node1", **options: object) -> paramiko.SSHClient:
        settings = self.lab.settings
        hosts = dict(item.split("=") for item in settings["SSH_NODE_HOSTS"].split(","))
        host, _, port = hosts[node].partition(":")
        client = paramiko.SSHClient()
        client.load_host_keys(settings["SSH_KNOWN_HOSTS"])
        self.addCleanup(client.close)
        login = {"username": settings["SSH_USER"], "key_filename": settings["SSH_KEY_FILE"]}
        login |= {"allow_agent": False, "look_for_keys": False, "timeout": 5} | options
        connection = socket.create_connection((host, int(port)), timeout=5)
        # Paramiko leaves Nagle's algorithm on, which costs 40 ms a command against delayed acknowledgements.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.connect(host, int(port), sock=connection, **login)
        return client

    def run_on(self, client: paramiko.SSHClient, line: str, stdin: str | None = None) -> tuple[int, str, str]:
        channel_in, out, err = client.exec_command(line, timeout=10)
        if stdin is not None:
            with contextlib.suppress(OSError):  # a session that ends by a fault may be closed already
                channel_in.write(stdin)
                channel_in.channel.shutdown_write()
        texts = out.read().decode(), err.read().decode()
        return out.channel.recv_exit_status(), *texts


class LoginTests(SshCase):
    def test_every_node_has_its_own_key_in_known_hosts(self) -> None:
        for node in ("node1", "node2", "node3"):
            self.assertEqual(self.run_on(self.connect(node), "hostname"), (0, f"{node}\n", ""))
        lines = Path(self.lab.settings["SSH_KNOWN_HOSTS"]).read_text().splitlines()
        self.assertEqual(len({line.split()[2] for line in lines}), 3)

    def test_other_keys_users_and_passwords_are_refused(self) -> None:
        stranger = paramiko.RSAKey.generate(2048)
        for options in (
            {"pkey": stranger, "key_filename": None},
            {"username": "admin"},
            {"password": "secret", "key_filename": None},
        ):
            with self.subTest(options=options), self.assertRaises(paramiko.AuthenticationException):
                self.connect(**options)

    def test_there_is_no_shell_and_no_forwarding(self) -> None:
        client = self.connect()
        with self.assertRaises(paramiko.SSHException):
            client.invoke_shell()
        with self.assertRaises(paramiko.ChannelException):
            client.get_transport().open_channel("direct-tcpip", ("127.0.0.1", 80), ("127.0.0.1", 1))

    def test_at_most_ten_sessions_per_connection(self) -> None:
        transport = self.connect().get_transport()
        channels = [transport.open_session() for _ in range(10)]
        with self.assertRaises(paramiko.ChannelException):
            transport.open_session()

        channels[0].close()
        deadline = time.monotonic() + 2
        while True:
            try:
                transport.open_session().close()
                break
            except paramiko.ChannelException:
                self.assertLess(time.monotonic(), deadline, "the session was never freed")


class CommandTests(SshCase):
    def setUp(self) -> None:
        self.client = self.connect()

    def run_line(self, line: str, stdin: str | None = None) -> tuple[int, str, str]:
        return self.run_on(self.client, line, stdin)

    def test_the_line_is_parsed_by_a_shell(self) -> None:
        self.assertEqual(self.run_line("true"), (0, "", ""))
        self.assertEqual(self.run_line("'hostname'"), (0, "node1\n", ""))
        self.assertEqual(self.run_line("nosuch x"), (127, "", "bash: line 1: nosuch: command not found\n"))

    def test_an_unquoted_semicolon_runs_a_second_command_on_the_node(self) -> None:
        self.assertEqual(self.run_line("pct exec 900 -- true a;hostname"), (0, "node1\n", ""))
        self.assertEqual(self.run_line("pct exec 900 -- true 'a;hostname'"), (0, "", ""))
        self.assertEqual(self.run_line("nosuch && hostname")[1], "")
        self.assertEqual(self.run_line("nosuch || hostname")[1], "node1\n")

    def test_other_shell_syntax_is_refused_not_guessed(self) -> None:
        for line in ("echo $HOME", "cat < file", "true | true", "echo `id`", 'echo "$(id)"', "echo 'open"):
            with self.subTest(line=line):
                self.assertEqual(self.run_line(line)[0], 2)

    def test_pct_status(self) -> None:
        self.assertEqual(self.run_line("pct status 900"), (0, "status: running\n", ""))
        self.assertEqual(self.run_line("pct status 901"), (0, "status: stopped\n", ""))
        code, _, err = self.run_line("pct status 905")
        self.assertEqual(code, 2)
        self.assertIn("Configuration file 'nodes/node1/lxc/905.conf' does not exist", err)

    def test_pct_exec_needs_a_running_container_on_this_node(self) -> None:
        for node, vmid, expected, words in (
            ("node1", 901, 255, "container '901' not running!"),
            ("node1", 905, 2, "Configuration file 'nodes/node1/lxc/905.conf' does not exist"),
            ("node2", 900, 2, "Configuration file 'nodes/node2/lxc/900.conf' does not exist"),
        ):
            with self.subTest(node=node, vmid=vmid):
                code, out, err = self.run_on(self.connect(node), f"pct exec {vmid} -- true")
                self.assertEqual((code, out), (expected, ""))
                self.assertIn(words, err)

    def test_wrong_uses_of_pct(self) -> None:
        for line, expected, words in (
            ("pct", 255, "no command specified"),
            ("pct destroy 900", 255, "unknown command"),
            ("pct exec abc -- true", 2, "type check ('integer') failed"),
            ("pct exec 900 --nosuch -- true", 2, "Unknown option: nosuch"),
        ):
            with self.subTest(line=line):
                code, _, err = self.run_line(line)
                self.assertEqual(code, expected)
                self.assertIn(words, err)

    def test_a_command_in_the_container_needs_no_end_of_stdin(self) -> None:
        self.assertEqual(self.run_line("pct exec 900 --keep-env 0 -- true"), (0, "", ""))
        code, _, err = self.run_line("pct exec 900 -- cat /nowhere")
        self.assertEqual((code, err), (1, "cat: /nowhere: No such file or directory\n"))

    def test_a_script_comes_on_stdin(self) -> None:
        code, out, _ = self.run_line("pct exec 900 --keep-env 0 -- bash -s install", INSTALL)

        self.assertEqual((code, out.strip()), (0, "started"))
        status = self.run_line("pct exec 900 -- cat /var/lib/nodepoint/install.status")[1]
        self.assertEqual(status.splitlines()[-1], "done 0")

    def test_a_script_cut_short_by_a_lost_connection_does_nothing(self) -> None:
        channel = self.client.get_transport().open_session()
        channel.exec_command("pct exec 900 -- bash -s install")
        channel.sendall(INSTALL.replace("install.status", "cut.status")[:-40].encode())
        self.client.close()
        time.sleep(0.1)

        code, _, _ = self.run_on(self.connect(), "pct exec 900 -- test -e /var/lib/nodepoint/cut.status")

        self.assertEqual(code, 1)

    def test_many_commands_at_once_on_one_connection(self) -> None:
        results: list[tuple[int, str, str]] = []
        threads = [
            threading.Thread(target=lambda: results.append(self.run_line("pct status 900"))) for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        self.assertEqual(results, [(0, "status: running\n", "")] * 8)

    def test_short_commands_always_end_well(self) -> None:
        # A command that ends before its acceptance was told would look refused.
        for _ in range(200):
            self.assertEqual(self.run_line("true")[0], 0)


class FaultTests(SshCase):
    def test_error_ends_the_session_with_255(self) -> None:
        self.lab.faults.add("ssh", "error", match="EXEC pct exec 900 -- bash -s install")
        client = self.connect()

        self.assertEqual(self.run_on(client, "pct exec 900 -- bash -s install a", INSTALL)[0], 255)
        self.assertEqual(
            self.run_on(client, "pct exec 900 -- test -e /var/lib/nodepoint/install.status")[0], 1
        )

    def test_refuse_refuses_the_command(self) -> None:
        self.lab.faults.add("ssh", "refuse")
        client = self.connect()
        with self.assertRaises(paramiko.SSHException):
            client.exec_command("true")

    def test_drop_before_and_after(self) -> None:
        for kind, done in (("drop_before", 1), ("drop_after", 0)):
            with self.subTest(kind=kind):
                self.lab.faults.add("ssh", kind, match="install")
                client = self.connect()
                script = INSTALL.replace("install.status", f"{kind}.status")
                stdin, out, _ = client.exec_command("pct exec 900 -- bash -s install", timeout=5)
                try:
                    stdin.write(script)
                    stdin.channel.shutdown_write()
                except (OSError, EOFError):
                    self.assertEqual(kind, "drop_before")
                self.assertEqual(out.channel.recv_exit_status(), -1)

                again = self.run_on(
                    self.connect(), f"pct exec 900 -- test -e /var/lib/nodepoint/{kind}.status"
                )
                self.assertEqual(again[0], done)

    def test_slow_is_late_and_hang_is_no_answer(self) -> None:
        client = self.connect()
        self.lab.faults.add("ssh", "slow", seconds=0.2)
        began = time.monotonic()
        self.assertEqual(self.run_on(client, "hostname")[1], "node1\n")
        self.assertGreater(time.monotonic() - began, 0.19)
        self.lab.faults.add("ssh", "hang", seconds=0.2)
        self.assertEqual(self.run_on(client, "hostname"), (-1, "", ""))

    def test_a_node_that_is_down_answers_nobody(self) -> None:
        client = self.connect("node2")
        with self.lab.lock:
            self.lab.proxmox.cluster.set_node_up("node2", False)
        with self.assertRaises((paramiko.SSHException, OSError, EOFError)):
            self.connect("node2")
        with self.assertRaises((paramiko.SSHException, OSError, EOFError)):
            client.exec_command("true")

        with self.lab.lock:
            self.lab.proxmox.cluster.set_node_up("node2", True)
        self.assertEqual(self.run_on(self.connect("node2"), "true")[0], 0)


class LeavingClientTests(SshCase):
    def test_a_client_that_leaves_does_not_stop_what_runs(self) -> None:
        self.lab.clock.factor = 0.5
        self.addCleanup(setattr, self.lab.clock, "factor", 0.0)
        client = self.connect()
        stdin, _, _ = client.exec_command("pct exec 900 -- bash -s install")
        stdin.write(INSTALL.replace("install.status", "left.status"))
        stdin.channel.shutdown_write()
        time.sleep(0.05)
        client.close()
        time.sleep(0.3)

        self.lab.clock.factor = 0.0
        code = self.run_on(self.connect(), "pct exec 900 -- test -e /var/lib/nodepoint/left.status")[0]
        self.assertEqual(code, 0)


class KeyFileTests(SshCase):
    def test_the_client_key_file_is_private(self) -> None:
        path = Path(self.lab.settings["SSH_KEY_FILE"])

        self.assertEqual(path.stat().st_mode & 0o077, 0)
        self.assertTrue(base64.b64decode(paramiko.Ed25519Key(filename=str(path)).get_base64()))


class NodeCommandTests(SshCase):
    def test_files_of_the_storage_are_worked_with_over_ssh(self) -> None:
        client = self.connect()
        volid = "local:vztmpl/nodepoint-golden_1_amd64.tar.zst"
        code, path, _ = self.run_on(client, f"pvesm path {volid}")
        self.assertEqual((code, path), (0, "/var/lib/vz/template/cache/nodepoint-golden_1_amd64.tar.zst\n"))
        content = self.run_on(client, f"cat -- {path.strip()}")[1]
        self.assertEqual(self.run_on(client, "dd of=/var/tmp/copy bs=1M status=none", stdin=content)[0], 0)
        digests = {
            self.run_on(client, f"sha256sum -- {file}")[1].split()[0]
            for file in (path.strip(), "/var/tmp/copy")
        }
        self.assertEqual(len(digests), 1)

    def test_pct_unlock_takes_off_what_a_dead_task_has_left(self) -> None:
        client = self.connect()
        containers = self.lab.proxmox.cluster.containers
        with self.lab.lock:
            containers[901].config["lock"] = "backup"
        self.assertEqual(self.run_on(client, "pct unlock 901"), (0, "", ""))
        self.assertEqual(containers[901].lock, "")
        code, _, error = self.run_on(client, "pct unlock 999")
        self.assertEqual((code, error), (2, "Configuration file 'nodes/node1/lxc/999.conf' does not exist\n"))
