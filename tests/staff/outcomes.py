"""What deeds of several files begin and end with."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from sites.models import Site

if TYPE_CHECKING:
    from tests.staff.test_every_fault import EveryFaultCase as Case

HA_OF = {"running": "started", "stopped": "stopped"}


def a_site(case: "Case") -> Site:
    return case.live_site(plan=case.plan)


def ordered(case: "Case") -> None:
    site = Site.objects.get(live_key="1001")
    case.assertEqual(site.state, Site.State.LIVE, case.tale(site))
    left = case.leftovers()
    case.assertEqual([c["vmid"] for c in left["containers"]], [site.vmid], case.tale(site))
    case.assertEqual([r["content"] for r in left["records"]], [site.public_ip])
    case.assertEqual([h["forward_host"] for h in left["proxy_hosts"]], [site.private_ip])
    case.assertEqual(case.container(site.vmid)["snapshots"], ["initial"])


def stands_as(expected: dict) -> Callable[["Case"], None]:
    def stands(case: "Case") -> None:
        site = Site.objects.get(live_key="1001")
        ha = HA_OF[expected["container"]] if site.plan.name == "premium" else None
        case.assertEqual(case.places(site), {**expected, "ha": ha}, case.tale(site))

    return stands
