"""What a token may and may not do: along paths, through its pool, and what it does not even see."""

from typing import Any

from lab.proxmox.rights import OPEN, RIGHTS
from lab.proxmox.routes import ROUTES
from lab.proxmox.state.access import PRIVILEGES
from tests.lab.cluster import ClusterCase

GUEST = [name for name in PRIVILEGES if name.startswith("VM.")]
POOL_ONLY = {
    "/pool/nodepoint": [*GUEST, "Pool.Audit", "Pool.Allocate"],
    "/storage/global-lvm": ["Datastore.AllocateSpace", "Datastore.Audit"],
    "/storage/local": ["Datastore.AllocateSpace", "Datastore.Audit"],
    "/sdn/zones/localnetwork/vmbr1": ["SDN.Use"],
    "/nodes": ["Sys.Audit"],
}


class RightsCase(ClusterCase):
    def rights(self, *lists: dict[str, list[str]], propagate: bool = True, **more: list[str]) -> None:
        merged: dict[str, list[str]] = {}
        for each in lists:
            merged |= each
        answer = self.control("POST", "rights", {"rights": merged, "propagate": propagate})
        self.assertEqual(200, answer.status_code, answer.text)

    def denied(self, what: str, call: Any, **values: Any) -> None:
        error = self.refused(403, "Permission check failed", call, **values)
        self.assertEqual(f"Permission check failed ({what})", error.content)


class PathTests(RightsCase):
    def test_the_deepest_role_that_reaches_a_path_counts(self) -> None:
        """pve-access-control 9.1.1, src/PVE/AccessControl.pm:1788 (roles)."""
        self.create()
        self.rights({"/": ["VM.Audit", "VM.PowerMgmt"], "/vms/900": ["VM.Audit"]})
        self.assertEqual({"VM.Audit": 1}, self.permissions("/vms/900"))
        self.denied("/vms/900, VM.PowerMgmt", self.ct().status.start.post)

    def test_a_role_without_propagation_stays_where_it_is(self) -> None:
        self.create()
        self.rights({"/vms": ["VM.Audit"]}, propagate=False)
        self.assertEqual({"VM.Audit": 0}, self.permissions("/vms"))
        self.denied("/vms/900, VM.Audit", self.ct().config.get)

    def test_what_comes_from_a_pool_never_propagates(self) -> None:
        """src/PVE/RPCEnvironment.pm:64-82."""
        self.create(pool="nodepoint")
        self.rights({"/pool/nodepoint": ["VM.Audit"]})
        self.assertEqual({"VM.Audit": 0}, self.permissions("/vms/900"))
        self.assertEqual({"VM.Audit": 1}, self.permissions("/pool/nodepoint"))
        self.assertIn("/vms/900", self.api.access.permissions.get())

    def test_a_role_of_nothing_shuts_out_whatever_the_pool_says(self) -> None:
        self.create(pool="nodepoint")
        self.rights({"/pool/nodepoint": ["VM.Audit"], "/vms/900": []})
        self.denied("/vms/900, VM.Audit", self.ct().config.get)

    def test_the_right_is_asked_for_before_the_parameters_and_the_node(self) -> None:
        """pve-manager 9.2.11, PVE/HTTPServer.pm (rest_handler): rights, then proxying, then the schema."""
        self.rights({"/vms": ["VM.Audit"]})
        self.control("POST", "node", {"node": "node2", "up": False})
        self.denied("/vms/907, VM.PowerMgmt", self.ct(907, "node2").status.start.post, nonsense=1)

    def test_any_of_several_is_named_as_such(self) -> None:
        self.create()
        self.rights({"/vms": ["VM.Audit"]})
        self.denied("/vms/900, VM.Snapshot|VM.Snapshot.Rollback", self.ct().snapshot("initial").rollback.post)

    def test_every_call_declares_its_right_or_is_open(self) -> None:
        self.assertEqual(set(ROUTES), {*RIGHTS, *OPEN})
        self.assertEqual(set(), set(RIGHTS) & set(OPEN))

    def permissions(self, path: str) -> dict[str, int]:
        return self.api.access.permissions.get(path=path)[path]


class PoolTokenTests(RightsCase):
    """A token with rights on a pool, its storages and its bridge."""

    def test_it_makes_a_container_in_its_pool_and_sees_it_when_it_has_joined(self) -> None:
        self.rights(POOL_ONLY)
        self.done(self.fork_create(pool="nodepoint", hostname="site", onboot=1))
        self.assertEqual("nodepoint", self.resource()["pool"])
        self.done(self.ct().status.start.post())

    def test_while_it_is_being_made_it_is_not_seen(self) -> None:
        self.rights(POOL_ONLY)
        self.lab.clock.factor = 1
        self.fork_create(pool="nodepoint")
        self.assertEqual([], self.api.cluster.resources.get(type="vm"))
        self.denied("/vms/900, VM.Audit", self.ct().config.get)
        self.assertEqual({"vmid": "VM 900 already exists"}, self.taken(900))

    def test_tags_need_the_right_on_the_guest_itself(self) -> None:
        """pve-guest-common 6.0.2, src/PVE/GuestHelpers.pm: assert_tag_permissions passes no pool."""
        self.rights(POOL_ONLY)
        self.denied("/vms/900, VM.Config.Options", self.fork_create, pool="nodepoint", tags="a")
        self.rights(POOL_ONLY, {"/vms": ["VM.Config.Options"]})
        self.done(self.fork_create(pool="nodepoint", tags="a"))

    def test_without_a_pool_it_makes_nothing(self) -> None:
        self.rights(POOL_ONLY)
        error = self.refused(403, "Permission check failed", self.fork_create)
        self.assertEqual("Permission check failed", error.content)

    def test_each_option_needs_its_own_right(self) -> None:
        needed = {
            "VM.Config.Memory": {"memory": 2048},
            "VM.Config.CPU": {"cores": 2},
            "VM.Config.Disk": {"rootfs": "global-lvm:20"},
            "VM.Config.Network": {"hostname": "x"},
            "VM.Config.Options": {"onboot": 1},
        }
        for privilege, values in needed.items():
            with self.subTest(privilege):
                left = [name for name in POOL_ONLY["/pool/nodepoint"] if name != privilege]
                self.rights(POOL_ONLY, {"/pool/nodepoint": left})
                self.denied(f"/vms/900, {privilege}", self.fork_create, pool="nodepoint", **values)

    def test_storages_and_bridges_are_asked_for_themselves(self) -> None:
        missing = {
            "/storage/global-lvm, Datastore.AllocateSpace": "/storage/global-lvm",
            "/storage/local, Datastore.AllocateSpace|Datastore.Audit": "/storage/local",
            "/sdn/zones/localnetwork/vmbr1, SDN.Use": "/sdn/zones/localnetwork/vmbr1",
        }
        for text, path in missing.items():
            with self.subTest(text):
                self.rights({key: names for key, names in POOL_ONLY.items() if key != path})
                self.denied(text, self.fork_create, pool="nodepoint")

    def test_a_guest_joins_a_pool_by_rights_on_both(self) -> None:
        """pve-manager 9.2.11, API2/Pool.pm:278, 333: Pool.Allocate, then check_perm_modify on the guest."""
        self.create()
        self.rights(POOL_ONLY)
        self.denied(
            "/vms/900, Permissions.Modify|VM.Allocate", self.api.pools.put, poolid="nodepoint", vms="900"
        )
        self.rights({"/vms": ["VM.Allocate"]})
        self.denied("/pool/nodepoint, Pool.Allocate", self.api.pools.put, poolid="nodepoint", vms="900")
        self.rights(POOL_ONLY, {"/vms": ["VM.Allocate", "VM.Audit"]})
        self.api.pools.put(poolid="nodepoint", vms="900")
        self.assertEqual("nodepoint", self.resource()["pool"])

    def test_high_availability_needs_the_console(self) -> None:
        self.rights(POOL_ONLY)
        self.denied("/, Sys.Console", self.fork_create, pool="nodepoint", **{"ha-managed": 1})
        self.denied("/, Sys.Audit", self.api.cluster.ha.resources.get)
        self.denied("/, Sys.Console", self.api.cluster.ha.resources.post, sid="ct:900")

    def test_a_backup_needs_its_right_and_room_on_the_storage(self) -> None:
        self.create(pool="nodepoint")
        dump = self.api.nodes("node1").vzdump
        values = {"vmid": 900, "mode": "stop", "compress": "zstd", "storage": "local"}
        self.rights(POOL_ONLY, {"/storage/local": ["Datastore.Audit"]})
        self.denied("/storage/local, Datastore.AllocateSpace", dump.post, **values)
        left = [name for name in POOL_ONLY["/pool/nodepoint"] if name != "VM.Backup"]
        self.rights(POOL_ONLY, {"/pool/nodepoint": left})
        self.assertEqual(
            "Permission check failed (/vms/900, VM.Backup)", self.exitstatus(dump.post(**values))
        )

    def taken(self, vmid: int) -> dict[str, str]:
        return self.refused(400, "", self.api.cluster.nextid.get, vmid=vmid).errors


class TagTests(RightsCase):
    """user-tag-access of the datacenter, for who may not Sys.Modify on /."""

    def setUp(self) -> None:
        super().setUp()
        self.rights({"/": [name for name in PRIVILEGES if name != "Sys.Modify"]})

    def test_tags_may_be_free_listed_existing_or_none(self) -> None:
        self.create(901, tags="there")
        cases = {
            "user-allow=none": {"new": False, "listed": False, "there": False},
            "user-allow=list,user-allow-list=listed": {"new": False, "listed": True, "there": False},
            "user-allow=existing,user-allow-list=listed": {"new": False, "listed": True, "there": True},
            "user-allow=free": {"new": True, "listed": True, "there": True},
        }
        ct = self.create(900)
        for access, tags in cases.items():
            self.datacenter({"user-tag-access": access})
            for tag, allowed in tags.items():
                with self.subTest(access=access, tag=tag):
                    if allowed:
                        ct.config.put(tags=tag)
                        ct.config.put(delete="tags")
                    else:
                        self.denied(f"/, Sys.Modify for modifying tag '{tag}'", ct.config.put, tags=tag)

    def test_a_registered_tag_is_the_administrators(self) -> None:
        self.datacenter({"registered-tags": "np"})
        self.denied("/, Sys.Modify for modifying tag 'np'", self.fork_create, tags="np")

    def test_the_options_show_what_is_allowed(self) -> None:
        self.datacenter({"user-tag-access": "user-allow=list,user-allow-list=a;b"})
        options = self.api.cluster.options.get()
        self.assertEqual(["a", "b"], options["allowed-tags"])
        self.assertEqual({"user-allow": "list", "user-allow-list": ["a", "b"]}, options["user-tag-access"])
        self.rights({"/vms": ["VM.Audit"]})
        self.assertNotIn("user-tag-access", self.api.cluster.options.get())

    def datacenter(self, options: dict[str, str]) -> None:
        self.assertEqual(200, self.control("POST", "datacenter", options).status_code)


class StrangerTests(RightsCase):
    def test_a_guest_that_the_token_does_not_see_takes_its_vmid_all_the_same(self) -> None:
        """pve-manager 9.2.11, PVE/API2/Cluster.pm: resources asks for VM.Audit, nextid for nothing."""
        for vmid, type, kind in ((900, "qemu", "VM"), (901, "lxc", "CT")):
            with self.subTest(type):
                body = {"vmid": vmid, "node": "node2", "type": type, "hidden": True}
                self.assertEqual(200, self.control("POST", "stranger", body).status_code)
                self.assertEqual([], self.api.cluster.resources.get(type="vm"))
                self.assertIn("vmid", self.refused(400, "", self.api.cluster.nextid.get, vmid=vmid).errors)
                self.denied(f"/vms/{vmid}, VM.Audit", self.ct(vmid, "node2").config.get)
                text = f"{kind} {vmid} already exists on node 'node2'"
                self.refused(500, text, self.fork_create, vmid)

    def test_one_that_is_seen_is_listed_with_its_type(self) -> None:
        self.control("POST", "stranger", {"vmid": 950, "node": "node3", "name": "mail"})
        (guest,) = self.api.cluster.resources.get(type="vm")
        self.assertEqual(("qemu", "mail", "node3"), (guest["type"], guest["name"], guest["node"]))
        self.refused(500, "Configuration file 'nodes/node3/lxc/950.conf'", self.ct(950, "node3").config.get)

    def test_a_call_that_makes_no_sense_is_refused(self) -> None:
        self.create(900)
        for body in (
            {"vmid": 900, "node": "node1"},
            {"vmid": "x", "node": "node1"},
            {"vmid": 950, "node": "node9"},
            {"vmid": 950, "node": "node1", "type": "pod"},
        ):
            with self.subTest(body):
                self.assertEqual(400, self.control("POST", "stranger", body).status_code)

    def test_rights_outlive_the_process_even_when_there_are_none(self) -> None:
        self.rights({})
        again = type(self.lab.proxmox.cluster.access)(self.lab.store, self.lab.proxmox.cluster)
        self.assertEqual({}, self.api.access.permissions.get())
        self.assertIsNotNone(again)
