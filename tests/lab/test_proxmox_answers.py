"""Authentication, routing, parameter checks and the forms of Proxmox's answers."""

from proxmoxer.tools import Tasks

from lab.proxmox import formats
from lab.proxmox.routes import ROUTES
from lab.proxmox.schema import CALLS
from tests.lab.cluster import ClusterCase


class AnswerTests(ClusterCase):
    def test_proxmoxer_reads_the_release_with_a_token(self) -> None:
        self.assertEqual("9.2", self.api.version.get()["release"])

    def test_a_wrong_token_is_401_with_an_empty_body(self) -> None:
        wrong = {
            "secret": "PVEAPIToken=api@pam!nodepoint=00000000-0000-0000-0000-000000000000",
            "name": "PVEAPIToken=api@pam!other=x",
            "scheme": "Bearer x",
        }
        for what, header in wrong.items():
            with self.subTest(what):
                answer = self.raw("GET", "/version", headers={"Authorization": header})
                self.assertEqual(
                    (401, "Authentication failed!", b""), (answer.status_code, answer.reason, answer.content)
                )

    def test_no_token_is_no_ticket(self) -> None:
        answer = self.raw("GET", "/version", headers={})
        self.assertEqual((401, "No ticket"), (answer.status_code, answer.reason))

    def test_an_unknown_path_or_method_is_501(self) -> None:
        for method, path in (
            ("GET", "/nodes/node1/qemu"),
            ("POST", "/version"),
            ("PATCH", "/cluster/nextid"),
        ):
            with self.subTest(f"{method} {path}"):
                answer = self.raw(method, path)
                self.assertEqual(501, answer.status_code)
                self.assertEqual(f"Method '{method} {path}' not implemented", answer.reason)

    def test_a_body_on_delete_is_501(self) -> None:
        self.create()
        answer = self.raw("DELETE", "/nodes/node1/lxc/900", data={"purge": 1})
        self.assertEqual((501, "Unexpected content for method 'DELETE'"), (answer.status_code, answer.reason))

    def test_a_failure_carries_its_message_in_reason_and_body_and_closes(self) -> None:
        answer = self.raw("GET", "/nodes/node1/lxc/907/config")
        text = "Configuration file 'nodes/node1/lxc/907.conf' does not exist"
        self.assertEqual((500, text), (answer.status_code, answer.reason))
        self.assertEqual({"data": None, "message": f"{text}\n"}, answer.json())
        self.assertEqual("close", answer.headers["Connection"])

    def test_an_unknown_node_is_a_failed_lookup(self) -> None:
        self.refused(500, "hostname lookup 'node9' failed", self.api.nodes("node9").lxc.get)

    def test_a_json_body_may_hold_true_and_false(self) -> None:
        self.create()
        answer = self.raw("PUT", "/nodes/node1/lxc/900/config", json={"onboot": True, "cores": 2})
        self.assertEqual((200, {"data": None}), (answer.status_code, answer.json()))
        config = self.ct().config.get()
        self.assertEqual((1, 2), (config["onboot"], config["cores"]))

    def test_parameters_that_the_schema_refuses_are_400_by_name(self) -> None:
        refused = {
            "unprivileged": (True, "type check ('boolean') failed - got 'True'"),
            "memory": (15, "value must have a minimum value of 16"),
            "cores": (8193, "value must have a maximum value of 8192"),
            "swap": ("much", "type check ('integer') failed - got 'much'"),
            "cpulimit": ("a", "type check ('number') failed"),
            "hostname": ("under_score", "invalid format"),
            "password": ("1234", "value must be at least 5 characters long"),
            "description": ("x" * 8193, "value may only be 8192 characters long"),
            "ostype": ("windows", "does not have a value in the enumeration"),
            "tags": ("a b;-c", "invalid format"),
            "nameserver": ("one.one.one.one", "invalid format"),
            "searchdomain": ("-x", "invalid format"),
            "startup": ("first", "invalid format"),
            "net0": ("bridge=vmbr1,ip=10.0.0.1", "name: property is missing"),
            "net1": ("name=eth1,gateway=1.2.3.4", "gateway: property is not defined in schema"),
            "rootfs": ("global-lvm:20,acl=yes", "acl: type check ('boolean') failed"),
            "net32": ("name=eth0", "property is not defined in schema"),
            "nmae": ("x", "property is not defined in schema"),
            "unique": (1, "requires this property"),
            "vmid": (99, "value must have a minimum value of 100"),
        }
        for name, (value, text) in refused.items():
            with self.subTest(name):
                error = self.refused(400, "Parameter verification failed.", self.fork_create, **{name: value})
                self.assertEqual([name], list(error.errors))
                self.assertIn(text, error.errors[name])
        self.assertEqual([], self.api.cluster.resources.get(type="vm"))

    def test_a_missing_parameter_is_400_by_name(self) -> None:
        error = self.refused(400, "", self.api.nodes("node1").lxc.post, vmid=900)
        self.assertEqual({"ostemplate": "property is missing and it is not optional"}, error.errors)

    def test_a_snapshot_name_begins_with_a_letter(self) -> None:
        ct = self.create()
        for name in ("1x", "a.b", "a b", "x", "a" * 41):
            with self.subTest(name):
                self.assertIn("snapname", self.refused(400, "", ct.snapshot.post, snapname=name).errors)

    def test_nextid_is_a_text_and_knows_what_is_taken(self) -> None:
        self.create(100)
        self.assertEqual("101", self.api.cluster.nextid.get())
        self.assertEqual("900", self.api.cluster.nextid.get(vmid=900))
        self.assertEqual(
            {"vmid": "VM 100 already exists"},
            self.refused(400, "", self.api.cluster.nextid.get, vmid=100).errors,
        )

    def test_a_upid_has_the_fields_that_proxmoxer_decodes(self) -> None:
        decoded = Tasks.decode_upid(self.fork_create())
        self.assertEqual(("node1", "vzcreate", "900"), (decoded["node"], decoded["type"], decoded["id"]))

    def test_an_unknown_task_is_400(self) -> None:
        upid = "UPID:node1:00000001:00000001:00000001:vzcreate:900:api@pam:"
        self.assertEqual(
            {"upid": "no such task"},
            self.refused(400, "", self.api.nodes("node1").tasks(upid).status.get).errors,
        )

    def test_permissions_of_the_token_are_shown(self) -> None:
        self.assertEqual(1, self.api.access.permissions.get(path="/vms")["/vms"]["VM.Allocate"])

    def test_the_hundredth_answer_ends_a_connection(self) -> None:
        session = self.api._store["session"]
        answers = [session.request("GET", f"{self.api._store['base_url']}/version") for _ in range(100)]
        self.assertEqual(
            ["keep-alive"] * 99 + ["close"], [answer.headers["Connection"] for answer in answers]
        )


class SchemaTests(ClusterCase):
    def test_every_call_has_its_parameter_facts(self) -> None:
        self.assertEqual(set(CALLS), set(ROUTES))

    def test_every_named_format_is_checked(self) -> None:
        for call, facts in CALLS.items():
            for name, fact in facts.items():
                for form in _format_names(fact):
                    with self.subTest(f"{call} {name}"):
                        formats.matches(form, "x")


def _format_names(fact: dict) -> list[str]:
    form = fact.get("format")
    if isinstance(form, dict):
        return [name for inner in form.values() for name in _format_names(inner)]
    return [form] if form else []
