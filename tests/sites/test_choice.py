"""Which node gets a container: a table of what is known, and what follows from it."""

from django.test import SimpleTestCase

from sites.placement.choice import GB, Disk, NodeReading, Wish, choose

SIZE = Wish(memory=2 * GB, disk=20)


def node(name: str, left: float = 100.0, **more) -> NodeReading:
    """Of 128 GB of memory, `left` of them not promised; nothing in use, nothing known of the disk."""
    memory = 128 * GB
    return NodeReading(name, memory=memory, limit=memory, promised=memory - round(left * GB), **more)


def disk(left: float, **more) -> Disk:
    return Disk(**{"total": 1000.0, "used": 0.0, "promised": 1000.0 - left, "limit": 1000.0, **more})


class ChoiceTests(SimpleTestCase):
    def test_what_decides_in_its_order(self) -> None:
        for why, nodes, home, chosen in (
            ("the only one that can take it", [node("a")], "", "a"),
            ("the home node", [node("a"), node("b", 50, kin=3, load=0.9)], "b", "b"),
            ("fewest sites of this customer", [node("a", kin=2), node("b", 50, kin=1, load=0.9)], "", "b"),
            ("cores to spare", [node("a", load=0.8), node("b", 50, load=0.79)], "", "b"),
            ("most memory left", [node("a", 40), node("b", 60, at_work=5)], "", "b"),
            ("fewest orders at work", [node("a", 61, at_work=2), node("b", 60, at_work=1)], "", "b"),
            ("lowest load", [node("a", 61, load=0.5), node("b", 60, load=0.1)], "", "b"),
            ("most memory left", [node("a", 60, load=0.52), node("b", 61, load=0.54)], "", "b"),
            ("first by name", [node("b"), node("a")], "", "a"),
        ):
            with self.subTest(why, home=home):
                found = choose(nodes, SIZE, home)
                self.assertEqual((found.node, found.why), (chosen, why))
                self.assertEqual(choose(reversed(nodes), SIZE, home), found, "whatever their order")

    def test_why_a_node_is_refused(self) -> None:
        full = {"memory": 128 * GB, "limit": 126 * GB}
        for reason, one in (
            ("is not in the cluster", node("a", in_cluster=False)),
            ("is offline", node("a", online=False)),
            ("is in the HA manager's maintenance mode", node("a", ha_maintenance=True)),
            ("is in maintenance", node("a", maintenance="")),
            ("is in maintenance (new disks)", node("a", maintenance="new disks")),
            ("takes no new sites (too old)", node("a", closed="too old")),
            (
                "is at its limit of memory (125 of 126 GB promised)",
                NodeReading("a", promised=125 * GB, **full),
            ),
            ("has no more than 1.5 GB of memory free", NodeReading("a", used=round(126.5 * GB), **full)),
            ("has no storage for sites that is active", node("a", disk=disk(500, active=False))),
            ("is at its limit of disk (981 of 1000 GB promised)", node("a", disk=disk(19))),
            ("is at its limit of disk (990 of 1000 GB promised)", node("a", disk=disk(500, used=990.0))),
            ("has no more than 15 GB of disk free", node("a", disk=disk(900, used=985.0, limit=2000.0))),
            ("is the one that it leaves", node("a")),
        ):
            with self.subTest(reason):
                without = (("a", reason),) if reason.startswith("is the one") else ()
                found = choose([one], Wish(SIZE.memory, SIZE.disk, without=without))
                self.assertEqual((found.node, found.refused), ("", (("a", reason),)))
                self.assertEqual(found.sentence, f"no node can take it; a {reason}.")

    def test_the_very_last_place_is_given_and_no_more(self) -> None:
        for left, fits in ((2.0, True), (1.99, False)):
            self.assertEqual(bool(choose([node("a", left)], SIZE).node), fits, left)
        for left, fits in ((20.0, True), (19.9, False)):
            self.assertEqual(bool(choose([node("a", disk=disk(left))], SIZE).node), fits, left)

    def test_what_is_kept_for_orders_is_not_given_to_ready_containers(self) -> None:
        spare = Wish(SIZE.memory, SIZE.disk, kept=0.1)
        for one, fits in (
            (node("a", 15), True),
            (node("a", 14), False),
            (node("a", disk=disk(120)), True),
            (node("a", disk=disk(119)), False),
        ):
            self.assertEqual(bool(choose([one], spare).node), fits, one)

    def test_what_nobody_knows_refuses_nobody(self) -> None:
        self.assertEqual(choose([NodeReading("a")], SIZE).node, "a")
        self.assertEqual(choose([node("a", disk=Disk(0.0, 0.0, 0.0, 0.0))], SIZE).node, "a")

    def test_a_reserved_place_is_kept_as_long_as_it_fits(self) -> None:
        nodes = [node("a"), node("b", 50)]
        self.assertEqual(choose(nodes, SIZE, home="a", prefer="b").node, "b")
        self.assertEqual(choose([node("a"), node("b", 1)], SIZE, home="a", prefer="b").node, "a")

    def test_the_sentence_for_staff(self) -> None:
        nodes = [node("node1", 1), node("node2", 90), node("node3", closed=""), node("node4", 40)]
        self.assertEqual(
            choose(nodes, SIZE).sentence,
            "node2: most memory left; node1 is at its limit of memory (127 of 128 GB promised);"
            " node3 takes no new sites.",
        )
        self.assertEqual(choose([], SIZE).sentence, "PROXMOX_NODES names no node.")
