"""What is done with ready containers and with nodes, as in `deeds`."""

from typing import TYPE_CHECKING

from django.test import override_settings

from sites.models import ClusterNode, Site, Spare
from sites.services import nodes, pool
from tests.sites.acts import RUNNING
from tests.staff.deed import BY, Deed
from tests.staff.outcomes import a_site, ordered, stands_as

if TYPE_CHECKING:
    from tests.staff.test_every_fault import EveryFaultCase as Case


def _with_a_pool(case: "Case") -> None:
    case.enterContext(override_settings(POOL_SIZE=1))


def _with_a_ready_one(case: "Case") -> None:
    _with_a_pool(case)
    pool.fill_pool(**BY)
    case.run_jobs()
    case.assertEqual(Spare.objects.get().state, Spare.State.READY)


def _one_is_ready(case: "Case") -> None:
    spare = Spare.objects.get(state=Spare.State.READY)
    case.assertEqual([c["vmid"] for c in case.leftovers()["containers"]], [spare.vmid])


def _claimed(case: "Case") -> None:
    """By the site, or, where it was of no use, destroyed."""
    ordered(case)
    case.assertFalse(Spare.objects.exclude(state__in=(Spare.State.CLAIMED, Spare.State.GONE)).exists())


def _none_is_left(case: "Case") -> None:
    case.assertEqual(Spare.objects.get().state, Spare.State.GONE)
    case.assert_nothing_left()


def _drain(case: "Case") -> None:
    node, _ = ClusterNode.objects.get_or_create(name="node1")
    nodes.drain_node(node, batch=1, **BY)


def _moved(case: "Case") -> None:
    site = Site.objects.get(live_key="1001")
    case.assertNotEqual(site.node, "node1", case.tale(site))
    case.assertEqual(case.container(site.vmid)["node"], site.node)
    stands_as(RUNNING)(case)


POOL_DEEDS = {
    "fill pool": Deed(
        _with_a_pool, lambda case: pool.fill_pool(**BY) and None, _one_is_ready, place="/admin/sites/spare/"
    ),
    "claim": Deed(_with_a_ready_one, lambda case: case.order(), _claimed),
    "drain pool": Deed(_with_a_ready_one, lambda case: pool.drain_pool(**BY) and None, _none_is_left),
    "drain node": Deed(a_site, _drain, _moved),
}
