"""Commands inside containers against the simulated nodes' SSH servers."""

import multiprocessing
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from unittest import mock

import paramiko

from nodepoint.clients.deadline import deadline
from nodepoint.clients.errors import (
    BadAnswer,
    Busy,
    NotFound,
    Refused,
    TimedOut,
    Unreachable,
)
from sites.clients.console import SESSIONS, Console, pct_error
from tests.clients.base import LabTestCase, hosts
from tests.clients.double import double, unused_address


class Base(LabTestCase):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        test = cls()
        test.made(900, running=True)
        test.made(901)

    def setUp(self) -> None:
        super().setUp()
        self.client = self.console()
        self.addCleanup(self.client.close)


class RunTests(Base):
    def test_a_command_leaves_its_exit_code_and_its_words(self) -> None:
        self.assertEqual(self.client.run("node1", 900, ["true"]).exit_code, 0)
        missing = self.client.run("node1", 900, ["cat", "/no/such/file"])
        self.assertEqual(missing.exit_code, 1)
        self.assertIn("/no/such/file", missing.stderr)
        self.assertEqual(missing.stdout, "")

    def test_a_script_goes_over_stdin(self) -> None:
        broken = self.client.run("node1", 900, ["bash", "-s"], stdin="main() {\n")
        self.assertEqual(broken.exit_code, 2)
        self.assertIn("unexpected end of file", broken.stderr)

    def test_hostile_arguments_stay_arguments(self) -> None:
        for word in ("a;hostname", "$(hostname)", "`hostname`", "a b", "'", '"', "a\nhostname", "-x", "*"):
            with self.subTest(word=word):
                output = self.client.run("node1", 900, ["cat", f"/no/{word}"])
                self.assertEqual(output.exit_code, 1)
                self.assertNotIn("node1", output.stdout)

    def test_the_vmid_must_be_a_number(self) -> None:
        with self.assertRaises(ValueError):
            self.client.run("node1", "900; reboot", ["true"])  # type: ignore[arg-type]

    def test_a_container_elsewhere_is_not_found_and_a_stopped_one_is_busy(self) -> None:
        with self.assert_fails(NotFound):
            self.client.run("node2", 900, ["true"])
        with self.assert_fails(NotFound):
            self.client.run("node1", 999, ["true"])
        with self.assert_fails(Busy):
            self.client.run("node1", 901, ["true"])

    def test_only_the_text_tells_what_exit_code_255_means(self) -> None:
        for text, kind in (
            ("Configuration file 'nodes/node1/lxc/905.conf' does not exist", NotFound),
            ("container '905' not running!", Busy),
            ("CT is locked (rollback)", Busy),
            ("ipcc_send_rec[1] failed: Connection refused", Unreachable),
            ("", BadAnswer),
            ("some text of the command", BadAnswer),
        ):
            with self.subTest(text=text):
                self.assertIs(type(pct_error(text)), kind)


class ConnectionTests(Base):
    def test_all_threads_share_one_connection(self) -> None:
        self.client.connect("node1")
        before = self.transport()
        with ThreadPoolExecutor(16) as pool:
            codes = list(pool.map(lambda _: self.client.run("node1", 900, ["true"]).exit_code, range(32)))
        self.assertEqual(set(codes), {0})
        self.assertIs(self.transport(), before)

    def test_a_broken_connection_is_made_again_unseen(self) -> None:
        self.client.connect("node1")
        self.transport().close()
        self.assertEqual(self.client.run("node1", 900, ["true"]).exit_code, 0)

    def test_a_full_node_is_busy_in_time(self) -> None:
        self.lab.faults.add("ssh", "slow", count=SESSIONS, seconds=1)
        with ThreadPoolExecutor(SESSIONS) as pool:
            running = [pool.submit(self.client.run, "node1", 900, ["true"]) for _ in range(SESSIONS)]
            time.sleep(0.3)
            with self.assert_fails(Busy, within=0.5), deadline(0.2):
                self.client.run("node1", 900, ["true"])
            self.assertEqual({run.result().exit_code for run in running}, {0})

    def test_a_caller_in_a_hurry_does_not_cut_off_the_others(self) -> None:
        self.client.connect("node1")
        self.lab.faults.add("ssh", "slow", count=2, seconds=0.6)
        with ThreadPoolExecutor(1) as pool:
            patient = pool.submit(self.client.run, "node1", 900, ["true"])
            time.sleep(0.1)
            with deadline(0.1), self.assertRaises((TimedOut, Unreachable)):
                self.client.run("node1", 900, ["true"])
            self.assertEqual(patient.result(5).exit_code, 0)

    def transport(self) -> paramiko.Transport:
        client = self.client._nodes["node1"]._client
        assert client is not None
        return client.get_transport()


class RefusalTests(Base):
    def test_an_unknown_node_is_refused(self) -> None:
        with self.assert_fails(Refused):
            self.client.run("node99", 900, ["true"])

    def test_an_unknown_or_wrong_host_key_is_refused(self) -> None:
        lines = Path(self.settings["SSH_KNOWN_HOSTS"]).read_text().splitlines()
        first, second = (line.split() for line in lines[:2])
        for text in ("", f"{first[0]} {first[1]} {second[2]}\n"):
            with tempfile.NamedTemporaryFile("w", suffix="hosts") as file:
                file.write(text)
                file.flush()
                node = next(n for n, (_, port) in hosts(self.settings).items() if str(port) in first[0])
                with self.assert_fails(Refused):
                    self.console(SSH_KNOWN_HOSTS=file.name).run(node, 900, ["true"])

    def test_a_foreign_key_is_refused(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            paramiko.ECDSAKey.generate().write_private_key_file(f"{folder}/key")
            with self.assert_fails(Refused):
                self.console(SSH_KEY_FILE=f"{folder}/key").connect("node1")

    def test_a_failed_connection_leaves_no_thread_behind(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            paramiko.ECDSAKey.generate().write_private_key_file(f"{folder}/key")
            before = len(self.transports())
            with self.assert_fails(Refused):
                self.console(SSH_KEY_FILE=f"{folder}/key").connect("node1")
        for _ in range(100):
            if len(self.transports()) <= before:
                return
            time.sleep(0.02)
        self.fail(f"{len(self.transports()) - before} more than before")

    def transports(self) -> list[threading.Thread]:
        return [t for t in threading.enumerate() if isinstance(t, paramiko.Transport)]

    def test_a_key_or_hosts_file_that_cannot_be_read_is_refused(self) -> None:
        with tempfile.NamedTemporaryFile("w") as nonsense:
            nonsense.write("no key")
            nonsense.flush()
            for change in (
                {"SSH_KEY_FILE": "/nonexistent"},
                {"SSH_KEY_FILE": nonsense.name},
                {"SSH_KNOWN_HOSTS": "/nonexistent"},
            ):
                with self.subTest(change=change), self.assert_fails(Refused):
                    self.console(**change).connect("node1")

    def test_a_node_that_does_not_answer_is_unreachable_in_time(self) -> None:
        with self.assert_fails(Unreachable):
            self.console(SSH_NODE_HOSTS=f"node1={unused_address()}").connect("node1")
        with double(lambda r: None) as silent:
            silent.process_request = lambda sock, peer: self.addCleanup(sock.close)  # type: ignore[method-assign]
            hasty = self.console(timeout=0.4, SSH_NODE_HOSTS=f"node1={silent.address}")
            with self.assert_fails(Unreachable, within=1.5):
                hasty.connect("node1")

    def test_a_node_that_is_away_is_unreachable_and_comes_back(self) -> None:
        self.client.run("node1", 900, ["true"])
        self.node_is_up("node1", False)
        with self.assertRaises((Unreachable, TimedOut)):
            self.client.run("node1", 900, ["true"])
        self.node_is_up("node1", True)
        self.client.connect("node1")


class FaultTests(Base):
    def test_each_fault_has_its_error(self) -> None:
        self.client.connect("node1")
        for kind, expected in (
            ("error", BadAnswer),
            ("refuse", Refused),
            ("drop_before", TimedOut),
            ("drop_after", TimedOut),
        ):
            self.lab.faults.add("ssh", kind, match="EXEC")
            with self.subTest(kind=kind), self.assert_fails(expected):
                self.client.run("node1", 900, ["true"])
            self.lab.faults.clear()
            self.assertEqual(self.client.run("node1", 900, ["true"]).exit_code, 0)

    def test_a_command_that_ends_before_its_script_was_read_has_its_own_error(self) -> None:
        self.lab.faults.add("ssh", "error", match="EXEC", count=50)
        for _ in range(50):  # how much of it the other side took is a matter of chance
            with self.assert_fails(BadAnswer):
                self.client.run("node1", 900, ["bash", "-s"], stdin="true\n" * 50_000)

    def test_a_channel_that_cannot_even_be_closed_keeps_the_error_that_matters(self) -> None:
        self.client.connect("node1")
        self.lab.faults.add("ssh", "drop_before", match="EXEC")
        with mock.patch.object(paramiko.Channel, "close", side_effect=EOFError), self.assert_fails(TimedOut):
            self.client.run("node1", 900, ["true"])

    def test_a_command_that_hangs_is_given_up_in_time(self) -> None:
        self.lab.faults.add("ssh", "hang", count=2, seconds=2)
        hasty = self.console(timeout=0.4)
        self.addCleanup(hasty.close)
        hasty.connect("node1")
        calls = {
            "argv": partial(hasty.run, "node1", 900, ["true"]),
            "stdin": partial(hasty.run, "node1", 900, ["bash", "-s"], stdin="true\n" * 50_000),
        }
        self.assert_all_time_out(calls, within=1.5)


class OutputTests(LabTestCase):
    def test_a_long_output_is_cut_and_does_not_block(self) -> None:
        self.made(902, running=True)
        self.lab.guest_exec = lambda *_: (3, b"o" * 3_000_000, b"e" * 3_000_000)
        output = self.console().run("node1", 902, ["true"])
        self.assertEqual((len(output.stdout), len(output.stderr)), (65536, 65536))
        self.assertEqual((output.exit_code, output.truncated), (3, True))


class ForkTests(LabTestCase):
    def test_a_forked_child_connects_anew(self) -> None:
        self.made(903, running=True)
        client: Console = self.console()
        client.run("node1", 903, ["true"])
        context = multiprocessing.get_context("fork")
        codes = context.SimpleQueue()
        child = context.Process(target=lambda: codes.put(client.run("node1", 903, ["true"]).exit_code))
        child.start()
        child.join(10)
        self.assertEqual(codes.get(), 0)
        self.assertEqual(client.run("node1", 903, ["true"]).exit_code, 0)


GOLDEN = "/var/lib/vz/template/cache/nodepoint-golden_1_amd64.tar.zst"


class NodeCommandTests(Base):
    def digest(self, node: str, path: str) -> str:
        return self.client.on_node(node, ["sha256sum", "--", path]).stdout.split()[0]

    def test_a_command_on_the_node_itself(self) -> None:
        self.assertEqual(self.client.on_node("node2", ["hostname"]).stdout, "node2\n")
        failed = self.client.on_node("node1", ["pvesm", "free", "local:vztmpl/none.tar.zst"])
        self.assertEqual(failed.exit_code, 255, "which is no error of ours here")
        self.assertIn("does not exist", failed.stderr)

    def test_hostile_words_stay_words_there_too(self) -> None:
        for word in ("a;hostname", "$(hostname)", "`hostname`", "a b", "'", "\n"):
            with self.subTest(word=word):
                self.assertEqual(self.client.on_node("node1", ["cat", "--", word]).stdout, "")

    def test_a_file_goes_from_node_to_node(self) -> None:
        self.client.copy("node1", GOLDEN, "node2", "/var/tmp/copy")
        self.assertEqual(self.digest("node1", GOLDEN), self.digest("node2", "/var/tmp/copy"))
        with self.assert_fails(NotFound):
            self.client.copy("node1", "/no/such/file", "node2", "/var/tmp/other")

    def test_a_copy_that_breaks_is_of_unknown_outcome(self) -> None:
        for match in ("cat --", "dd of="):
            for kind in ("drop_before", "drop_after", "error"):
                with self.subTest(match=match, kind=kind):
                    self.lab.faults.add("ssh", kind, match=match)
                    expected = TimedOut if kind != "error" else NotFound if match == "cat --" else BadAnswer
                    with self.assert_fails(expected):
                        self.client.copy("node1", GOLDEN, "node3", "/var/tmp/copy")
                    self.lab.faults.clear()

    def test_a_copy_whose_end_is_closed_before_anything_came_says_why(self) -> None:
        """A full disk: `dd` has ended by the time the first bytes are there."""
        self.lab.faults.add("ssh", "slow", match="cat --", seconds=0.3)
        self.lab.faults.add("ssh", "error", match="dd of=")
        with self.assertRaisesRegex(BadAnswer, "exit code"):
            self.client.copy("node1", GOLDEN, "node3", "/var/tmp/copy")

    def test_a_copy_is_over_in_time(self) -> None:
        self.lab.faults.add("ssh", "hang", match="dd of=", seconds=5)
        with self.assert_fails(TimedOut, within=3):
            self.client.copy("node1", GOLDEN, "node2", "/var/tmp/copy", timeout=0.5)
        self.node_is_up("node2", False)
        self.addCleanup(self.node_is_up, "node2", True)
        with self.assert_fails(Unreachable):
            self.console().copy("node1", GOLDEN, "node2", "/var/tmp/copy", timeout=2)
