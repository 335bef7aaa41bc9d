"""An installation as in production, on MariaDB and Redis that may be killed: a web host, two of workers."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.e2e.hosts import HostsTestCase
from tests.e2e.mariadb import CLIENT, free_port
from tests.load.clients import Account, Client

SETTLED = 300.0  # seconds after the last call by which all has to have ended


class LoadCase(HostsTestCase):
    """`clients` at work for `seconds`, while something may happen to the installation."""

    speed = 0.02

    def setUp(self) -> None:
        super().setUp()
        self.redis_port, self.redis = free_port(), None
        self.start_redis()
        self.addCleanup(self.kill_redis)
        self.mariadb.start()
        self.start_host("web", "--only", "web")
        self.back("web")
        for name in ("workers-1", "workers-2"):
            self.start_host(name, "--only", "worker")
        self.issue_token()
        self.account = Account()

    def environment(self, name: str, port: int = 0, database: int | None = None) -> dict[str, str]:
        broker = {"QUEUE_BROKER": f"redis://127.0.0.1:{self.redis_port}", "WEB_PROCESSES": "2"}
        return super().environment(name, port, database) | broker

    def start_redis(self) -> None:
        command = ["redis-server", "--port", str(self.redis_port), "--bind", "127.0.0.1", "--save", ""]
        self.redis = subprocess.Popen(command, stdout=subprocess.DEVNULL)

    def kill_redis(self) -> None:
        self.redis.kill()
        self.redis.wait()

    def work(self, clients: int, seconds: float, happens: dict[float, Callable[[], None]]) -> None:
        """Have clients at work; `happens`: what to do at which share of the time."""
        began, waiting = time.monotonic(), sorted(happens.items(), key=lambda one: one[0])
        over = threading.Event()
        with ThreadPoolExecutor(clients) as pool:
            crowd = [Client(n, self.urls["web"], self.headers, self.account) for n in range(clients)]
            running = [pool.submit(one.run, over.is_set) for one in crowd]
            while not all(one.done() for one in running):
                passed = time.monotonic() - began
                if waiting and passed >= waiting[0][0] * seconds:
                    waiting.pop(0)[1]()
                if passed >= seconds:
                    over.set()
                self.supervisor.tick(0.2)
            for one in running:
                one.result()

    def restart_database(self) -> None:
        self.mariadb.kill()
        time.sleep(3)
        self.mariadb.start()

    def restart_broker(self) -> None:
        self.kill_redis()
        time.sleep(3)
        self.start_redis()

    def kill_worker_host(self) -> None:
        """As of a machine that loses its power: all of its processes at once; its unit starts it again."""
        for pid in self.tree("workers-2"):
            os.kill(pid, signal.SIGKILL)

    def tree(self, name: str) -> list[int]:
        """The process ids of a host, its first process at the end."""
        children: dict[int, list[int]] = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    words = (entry / "stat").read_text().rpartition(")")[2].split()
                except OSError:  # it has ended
                    continue
                children.setdefault(int(words[1]), []).append(int(entry.name))
        found, waiting = [], [self.supervisor.pid(name)]
        while waiting:
            found.append(pid := waiting.pop())
            waiting += children.get(pid, [])
        return found[::-1]

    def rows(self, query: str) -> list[list[str]]:
        """What the database says."""
        command = [
            CLIENT,
            "--no-defaults",
            "--user=root",
            f"--socket={self.mariadb.folder}/socket",
            "-N",
            "-B",
        ]
        said = subprocess.run(
            [*command, "nodepoint", "-e", query], capture_output=True, text=True, check=True
        )
        return [line.split("\t") for line in said.stdout.splitlines()]

    def settle(self) -> float:
        """Wait until no job is alive; the seconds that took."""
        alive = "SELECT COUNT(*) FROM jobs_job WHERE finished_at IS NULL AND kind NOT LIKE 'notices.%'"
        began = time.monotonic()
        self.until(lambda: self.rows(alive) == [["0"]], SETTLED)
        return time.monotonic() - began

    def assert_nothing_is_lost_or_double(self) -> None:
        """What was accepted stands, once; what was deleted is gone; nobody else is there."""
        self.assertEqual(self.account.wrong, [])
        standing = self.account.ordered - self.account.deleted
        failed = {name for (name,) in self.rows("SELECT service_id FROM sites_site WHERE state = 'failed'")}
        self.assertEqual(
            failed, set(), self.rows("SELECT kind, state, error, detail FROM jobs_job WHERE error <> ''")
        )
        state = self.state()
        marks = [one["description"].splitlines()[0].split(":")[2] for one in state["proxmox"]["containers"]]
        addresses = [one["ip"] for one in state["proxmox"]["containers"]]
        records = [one["comment"].split(":")[2] for one in state["cloudflare"]["records"]]
        hosts = [one["meta"]["nodepoint"].split(":")[2] for one in state["npm"]["proxy_hosts"]]
        for found in (marks, records, hosts):
            self.assertEqual(sorted(found), sorted(standing))
        self.assertEqual(len(addresses), len(set(addresses)))

    def report(self, seconds: float) -> None:
        """Figures, for docs."""
        account = self.account
        calls = sum(account.ended.values())
        lines = [
            f"{calls} calls, {calls / seconds:.1f} a second; median {account.quantile(0.5) * 1000:.0f} ms, "
            f"95 % {account.quantile(0.95) * 1000:.0f} ms, longest {max(account.seconds):.1f} s",
            f"{len(account.ordered)} sites ordered, {len(account.deleted)} deleted",
            *(f"{count:6} {kind}" for kind, count in account.ended.most_common()),
        ]
        print("\n".join(lines), flush=True)  # noqa: T201
