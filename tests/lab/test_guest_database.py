"""The database inside a container: commits that wait while a snapshot is taken."""

from tests.lab.test_guest import GuestCase

HOLD = b"#!/bin/bash\n# lab: database seconds=20\nmain() { :; }\n"


class DatabaseTests(GuestCase):
    def setUp(self) -> None:
        super().setUp()
        self.create(start=True)

    def hold(self, act: str, script: bytes = HOLD) -> tuple[int, bytes, bytes]:
        return self.run_in("bash", "-s", act, stdin=script)

    def snapshot(self, name: str) -> bool:
        """Take a snapshot; whether no table is half written in it."""
        self.done(self.ct().snapshot.post(snapname=name))
        return self.lab.guest._snapshots[f"900/{name}"]["consistent"]

    def test_a_snapshot_knows_whether_it_was_taken_meanwhile(self) -> None:
        self.start_install()
        self.wait_for_end()
        self.assertFalse(self.snapshot("before"))
        self.assertEqual((0, b"held\n", b""), self.hold("hold"))
        self.assertTrue(self.snapshot("meanwhile"))
        self.assertEqual((0, b"", b""), self.hold("release"))
        self.assertFalse(self.snapshot("after"))

    def test_a_hold_ends_by_itself_and_with_the_container(self) -> None:
        self.start_install()
        self.wait_for_end()
        self.hold("hold", HOLD.replace(b"seconds=20", b"seconds=0"))
        self.assertFalse(self.snapshot("late"))
        self.hold("hold")
        self.done(self.ct().status.stop.post())
        self.assertFalse(self.snapshot("stopped"))

    def test_where_there_is_no_database_yet(self) -> None:
        self.assertEqual(70, self.hold("hold")[0])

    def test_another_act(self) -> None:
        self.start_install()
        self.wait_for_end()
        self.assertEqual(64, self.hold("drop")[0])
