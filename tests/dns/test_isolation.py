"""Any sequence of calls by three customers, with failures in between: nobody sees or changes what is
another's, and every zone can be published after every step."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dns import connections
from dns.models import Customer, Zone
from nodepoint.jobs.models import Job
from tests.dns.base import DnsTestCase

EXAMPLES = int(os.environ.get("DNS_EXAMPLES", "10"))
CHECK = shutil.which("named-checkzone") or shutil.which("named-checkzone", path="/usr/sbin:/sbin")
USERS = ("1", "2", "3")
DOMAINS = ("example.com", "sub.example.com", "example.org")
NAMES = ("@", "www", "a.b", "*", "_x", "ns.other", "www.example.com", "a.example.org.", "x" * 63)
CONTENTS = (
    "192.0.2.1",
    "PROXYSRV",
    "2001:db8::1",
    "example.net",
    "@",
    "www",
    "mail.example.com.",
    "10 mail.example.net",
    'a "b" \\ c',
    '"' * 40 + "a" * 230 + '"' * 40,
    "v=spf1 -all; (x) $ORIGIN x.",
    "$INCLUDE /etc/passwd",
    "x" * 600,
    "a\nb",
    "..",
    "é" * 200,
)
FUNCTIONS = ("dns_zone_get", "dns_rr_get", "_add", "_update", "_delete", "login", "client_")
FAULTS = ("error", "refuse", "drop_before", "drop_after")

users, domains = st.sampled_from(USERS), st.sampled_from(DOMAINS)
callers = st.sampled_from((*["owner"] * 6, *USERS))  # of what is to be changed, mostly its owner
records = st.fixed_dictionaries(
    {
        "type": st.sampled_from(("a", "aaaa", "cname", "mx", "ns", "txt")),
        "name": st.sampled_from(NAMES),
        "content": st.sampled_from(CONTENTS),
        "ttl": st.sampled_from((60, 3600)),
        "priority": st.sampled_from((0, 10)),
    }
)
which = st.integers(0, 5)  # the how-manieth zone or record of all that there are, whoever has them
steps = st.one_of(
    st.tuples(st.just("add/zone"), users, domains),
    st.tuples(st.just("delete/zone"), users, domains),
    st.tuples(st.just("add/record"), callers, which, records),
    st.tuples(st.just("add/record"), callers, which, records),
    st.tuples(st.just("add/record"), callers, which, records),
    st.tuples(st.just("update/record"), callers, which, which, records),
    st.tuples(st.just("delete/record"), callers, which, which),
    st.tuples(st.just("fault"), st.sampled_from(FUNCTIONS), st.sampled_from(FAULTS)),
)


PROFILE = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize="DNS_EXAMPLES" not in os.environ,
    suppress_health_check=list(HealthCheck),
)


class IsolationTests(DnsTestCase):
    def test_customers_are_alone_and_zones_stay_valid(self) -> None:
        # An inner function: Hypothesis wants methods of Django test cases to begin every example with a fresh
        # database, which `fresh` does, lab included.
        @PROFILE
        @given(st.lists(steps, min_size=6, max_size=20))
        def check(sequence: list[tuple]) -> None:
            self.fresh()
            for step in (("add/zone", "1", "example.com"), ("add/zone", "2", "example.org"), *sequence):
                self.take(*step)
                self.assert_all_valid()

        check()

    def fresh(self) -> None:
        """An empty panel, an empty database, and everything delegated here."""
        with self.lab.lock:
            self.lab.ispconfig.panel.empty()
        for model in (Job, Zone, Customer):
            model.objects.all().delete()
        self.lab.faults.clear()
        connections.forget()
        self.delegate(*DOMAINS)

    def take(self, act: str, *arguments: Any) -> None:
        """One step; what customers other than the caller have must be the same afterwards."""
        if act == "fault":
            self.lab.faults.add("ispconfig", arguments[1], match=arguments[0])
            return
        user, *arguments = arguments
        owned = self.owned()
        if user == "owner":
            user = owned.get(self.body(act, arguments)["zone_id"], "1")
        others = {zone["id"]: zone for zone in self.held_by_others(user)}
        answer = self.call(act, user=user, **self.body(act, arguments))
        self.assertIn(answer.status_code, (200, 400, 404, 409, 500), answer.content)
        self.run_jobs()
        self.assertEqual({zone["id"]: zone for zone in self.held_by_others(user)}, others)
        if act in ("update/record", "delete/record"):
            zone = self.body(act, arguments)["zone_id"]
            if zone in owned and owned[zone] != user:
                self.assertIn(answer.status_code, (400, 404, 500), answer.content)
        self.lab.faults.clear()
        self.assert_sees_only_own(user)

    def body(self, act: str, arguments: list[Any]) -> dict[str, Any]:
        if act.endswith("zone"):
            return {"domain": arguments[0]}
        zones = self.rows()
        zone = zones[arguments[0] % len(zones)] if zones else {"id": "7", "records": []}
        if act == "add/record":
            return {"zone_id": zone["id"], **arguments[1]}
        ids = [record["id"] for record in zone["records"]]
        body = {"zone_id": zone["id"], "rc_id": ids[arguments[1] % len(ids)] if ids else "1"}
        return body | (arguments[2] if len(arguments) > 2 else {})

    def rows(self) -> list[dict[str, Any]]:
        with self.lab.lock:
            return self.lab.ispconfig.state_view()["zones"]

    def owned(self) -> dict[str, str]:
        """Zone id -> user, as the panel has it."""
        with self.lab.lock:
            panel = self.lab.ispconfig.panel
            numbers = {
                row["client_id"]: row["customer_no"].rpartition("P")[2] for row in panel.clients.rows()
            }
            groups = {row["groupid"]: numbers.get(row["client_id"]) for row in panel.groups.rows()}
            return {zone["id"]: groups.get(zone["sys_groupid"]) for zone in panel.zones.rows()}

    def held_by_others(self, user: str) -> list[dict[str, Any]]:
        owners = self.owned()
        return [zone for zone in self.rows() if owners[zone["id"]] != user]

    def assert_sees_only_own(self, user: str) -> None:
        """Exactly the caller's zones with exactly their records."""
        owners = self.owned()
        mine = {z["id"]: {r["id"] for r in z["records"]} for z in self.rows() if owners[z["id"]] == user}
        seen = {zone["id"]: set(zone["records"]) for zone in self.zones(user).values()}
        self.assertEqual(seen, mine)
        self.assertEqual(
            len({row["customer_no"] for row in self.panel()["clients"]}), len(self.panel()["clients"])
        )

    def assert_all_valid(self) -> None:
        """What is served can be loaded, and says nothing that no record says."""
        if CHECK is None:
            self.skipTest("named-checkzone is missing: install bind9-utils")
        with self.lab.lock:
            files = {
                zone["origin"]: self.lab.ispconfig.zone_file(zone["origin"])
                for zone in self.lab.ispconfig.panel.zones.rows()
                if zone["active"] == "Y"
            }
        for origin, content in files.items():
            if content in self.checked:
                continue
            self.checked.add(content)
            with tempfile.NamedTemporaryFile(dir=self.folder) as file:
                Path(file.name).write_bytes(content)
                found = subprocess.run(
                    [CHECK, "-i", "local", origin, file.name], capture_output=True, timeout=20
                )
                self.assertEqual(
                    found.returncode, 0, f"{found.stdout.decode()}\n{content.decode(errors='replace')}"
                )

    def setUp(self) -> None:
        super().setUp()
        self.folder = self.enterContext(tempfile.TemporaryDirectory())
        self.checked: set[bytes] = set()
