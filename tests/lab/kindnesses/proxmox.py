"""Kindnesses of the simulated Proxmox VE and its nodes."""

from typing import Any

from lab.proxmox import readings, schema
from lab.proxmox.errors import TaskFailed
from lab.proxmox.state import (
    backups,
    cluster,
    configrights,
    containers,
    firewall,
    ha,
    restores,
    snapshots,
    tasks,
    volumes,
)
from lab.proxmox.state.access import Access
from lab.proxmox.state.inventory import Inventory
from lab.proxmox.state.model import Container
from lab.proxmox.state.power import Power
from lab.proxmox.state.storages import Storage
from lab.proxmox.wire import ProxmoxWire
from tests.lab.kindnesses import Kindness, instead, wrapped


def _rule_at_its_place(add: Any, self: firewall.Firewall, container: Container, values: dict) -> None:
    add(self, container, dict(values))
    container.firewall_rules.insert(values.get("pos", 0), container.firewall_rules.pop(0))


def _pool_at_once(create: Any, self: Any, node: str, user: str, now: float, values: dict) -> str:
    upid = create(self, node, user, now, values)
    self._inventory.containers[values["vmid"]].pool = values.get("pool", "")
    return upid


def _out_of_error(update: Any, self: ha.HighAvailability, sid: str, values: dict, now: float) -> None:
    resource = self._resources[ha.canonical(sid)]
    if resource["crm"] == "error":
        resource["crm"] = "stopped"
    update(self, sid, values, now)


def _only_ours(self: Inventory, vmid: int) -> str:
    return f"CT {vmid} already exists on node 'node1'" if vmid in self.containers else ""


def _sees_all(allows: Any, self: Access, path: str, *privileges: str, any: bool = False) -> bool:
    return privileges == ("VM.Audit",) or allows(self, path, *privileges, any=any)


def _propagated(permissions: Any, self: Access, path: str) -> dict[str, int]:
    return dict.fromkeys(permissions(self, path), 1)


def _unlocked(stuck: Any, self: snapshots.Snapshots, task: Any) -> str:
    text = stuck(self, task)
    self._unlock(self._tasks.container(task))
    return text


def _killing(fork: Any, self: Power, container: Container, user: str, now: float, **more: Any) -> str:
    return fork(self, container, user, now, **{**more, "kill": True})


def _stopped_at_once(self: ha.HighAvailability, vmid: int, timeout: int, now: float) -> None:
    self.set_state(vmid, "stopped", now)


def _unknown_passed_over(call: str, parameters: dict[str, str], calls: Any) -> Any:
    values, errors = _check(call, parameters, calls)
    return values, {name: text for name, text in errors.items() if text != schema.UNKNOWN}


_check = schema.check
_listed = readings.listed

KINDNESSES = (
    Kindness(
        "a new firewall rule goes where `pos` says",
        "test_proxmox_firewall.FirewallTests.test_a_new_rule_comes_first_whatever_pos_says_and_is_off",
        wrapped(firewall.Firewall, "add_rule", _rule_at_its_place),
    ),
    Kindness(
        "ports need no protocol beside a macro",
        "test_proxmox_firewall.FirewallTests.test_refusals",
        instead(firewall, "_port_errors", lambda rule: {}),
    ),
    Kindness(
        "what goes out of a container is never filtered",
        "test_proxmox_firewall.FirewallTests.test_a_drop_above_the_name_server_lets_nothing_be_fetched",
        instead(Container, "firewall_lets_out", lambda self, dest, proto, port: True),
    ),
    Kindness(
        "a running task is listed as its own status calls it",
        "test_proxmox_readings.ReadingTests.test_a_running_task_is_listed_as_running_in_capitals",
        instead(readings, "listed", lambda task: {"status": "running", **_listed(task)}),
    ),
    Kindness(
        "pct exits 255 whatever is wrong",
        "test_ssh.CommandTests.test_pct_exec_needs_a_running_container_on_this_node",
        instead(cluster, "PCT_NOT_HERE", 255),
    ),
    Kindness(
        "a container is in its pool from the beginning of its creation",
        "test_proxmox_rights.PoolTokenTests.test_while_it_is_being_made_it_is_not_seen",
        wrapped(containers.Containers, "create", _pool_at_once),
    ),
    Kindness(
        "a container is locked until its creation ends",
        "test_proxmox_containers.CreateTests.test_in_its_second_half_it_is_seen_without_a_lock_and_in_no_pool_yet",
        instead(containers.Containers, "_write_safe_config", lambda self, now, upid, node: None),
    ),
    Kindness(
        "a description comes back as it was written",
        "test_proxmox_containers.ConfigTests.test_a_description_comes_back_with_one_newline_at_its_end",
        instead(containers, "stored_text", lambda text: text),
    ),
    Kindness(
        "an HA resource in error is started by asking for it",
        "test_proxmox_ha.ResourceTests.test_a_resource_in_error_takes_nothing_but_disabled",
        wrapped(ha.HighAvailability, "update", _out_of_error),
    ),
    Kindness(
        "the HA manager kills what does not obey",
        "test_proxmox_ha.ResourceTests.test_a_guest_that_does_not_obey_brings_its_resource_into_error",
        wrapped(Power, "fork_shutdown", _killing),
    ),
    Kindness(
        "a stop through the HA manager is written down at once",
        "test_proxmox_ha.ManagerInTimeTests.test_a_request_takes_effect_only_a_round_later",
        instead(ha.HighAvailability, "command_stop", _stopped_at_once),
    ),
    Kindness(
        "`nextid` overlooks guests that the token does not see",
        "test_proxmox_rights.StrangerTests.test_a_guest_that_the_token_does_not_see_takes_its_vmid_all_the_same",
        instead(Inventory, "taken", _only_ours),
    ),
    Kindness(
        "every guest is listed for everybody",
        "test_proxmox_rights.StrangerTests.test_a_guest_that_the_token_does_not_see_takes_its_vmid_all_the_same",
        wrapped(Access, "allows", _sees_all),
    ),
    Kindness(
        "rights from a pool carry the propagate flag",
        "test_proxmox_rights.PathTests.test_what_comes_from_a_pool_never_propagates",
        wrapped(Access, "permissions", _propagated),
    ),
    Kindness(
        "tags are set by the rights of the pool",
        "test_proxmox_rights.PoolTokenTests.test_tags_need_the_right_on_the_guest_itself",
        instead(configrights.ConfigRights, "_check_tags", lambda self, vmid, old, new: None),
    ),
    Kindness(
        "parameters are looked at before rights",
        "test_proxmox_rights.PathTests.test_the_right_is_asked_for_before_the_parameters_and_the_node",
        instead(ProxmoxWire, "_check_right", lambda self, call, values: None),
    ),
    Kindness(
        "unknown parameters are passed over",
        "test_proxmox_answers.AnswerTests.test_parameters_that_the_schema_refuses_are_400_by_name",
        instead(schema, "check", _unknown_passed_over),
    ),
    Kindness(
        "there is always room for one more",
        "test_proxmox_storages.FullTests.test_a_snapshot_of_it_fails_and_leaves_no_lock",
        instead(Inventory, "free", lambda self, storage: 2**60),
    ),
    Kindness(
        "ZFS goes back past newer snapshots, that of a backup too",
        "test_proxmox_snapshots.BackupTests.test_zfs_refuses_a_rollback_meanwhile_for_its_newer_snapshot",
        instead(Storage, "newest_only", False),
    ),
    Kindness(
        "a snapshot that could not be deleted takes its lock along",
        "test_proxmox_snapshots.FailedTests.test_a_deletion_that_fails_leaves_its_lock_and_its_mark",
        wrapped(snapshots.Snapshots, "_stuck", _unlocked),
    ),
    Kindness(
        "backups are made side by side on a node",
        "test_proxmox_vzdump.ModeTests.test_one_at_a_time_on_a_node",
        instead(tasks.Tasks, "_holder", lambda self, task: None),
    ),
    Kindness(
        "a backup that failed says why in its end",
        "test_proxmox_vzdump.ModeTests.test_one_that_breaks_tidies_up",
        instead(backups.Backups, "_failed", lambda self, task, text: TaskFailed(text)),
    ),
    Kindness(
        "what a storage keeps by its own configuration limits nobody",
        "test_proxmox_vzdump.RetentionTests"
        ".test_a_storage_with_a_retention_of_its_own_loses_old_ones_unless_the_call_forbids_it",
        instead(backups.Backups, "_retention", lambda self, storage, options: {}),
    ),
    Kindness(
        "archives of guests that are gone are shown by rights on their pool",
        "test_proxmox_vzdump.RightTests.test_the_archives_of_a_guest_that_is_gone_are_hidden_from_rights_on_a_pool",
        instead(volumes.Volumes, "_readable", lambda self, storage, owner: True),
    ),
    Kindness(
        "a restore that finds no room leaves what stands there",
        "test_proxmox_vzdump.RestoreTests.test_a_full_storage_costs_the_old_one_its_configuration",
        instead(restores.Restores, "_lose", lambda self, *which: self._give_back(*which)),
    ),
)
