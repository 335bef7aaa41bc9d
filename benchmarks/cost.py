"""What a page costs in two databases, one with few rows and one with many: the server's time at p95, the
queries, and the rows that it lists."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext, setup_test_environment, teardown_test_environment

FEWEST, SECONDS = 20, 1.5  # of a page: repeats, and how long they last together, at least
WARM = 3  # requests before: what is read once in a process is not the page's


class Desk:
    """A database of its own, and a member of staff in front of it."""

    def __init__(self, usual: str, name: str) -> None:
        self.connection, self.usual = connection.copy(), usual
        self.connection.settings_dict["NAME"] = usual
        self.connection.settings_dict["TEST"]["NAME"] = f"test_{usual}_{name}"
        self.use()
        self.connection.creation.create_test_db(verbosity=0, autoclobber=True)
        self.client = Client()
        user = get_user_model().objects.create_superuser("benchmark")
        self.client.force_login(user)

    def use(self) -> None:
        """Have every query go to this database, as if there were no other."""
        connections[DEFAULT_DB_ALIAS] = self.connection

    def remove(self) -> None:
        """Drop the database."""
        self.use()
        self.connection.creation.destroy_test_db(self.usual, verbosity=0)


@contextmanager
def desks(*names: str) -> Iterator[list[Desk]]:
    """A database for each name. They are gone afterwards."""
    usual, made = connections[DEFAULT_DB_ALIAS], []
    usual_name = usual.settings_dict["NAME"]
    try:
        for name in names:
            made.append(Desk(usual_name, name))
        yield made
    finally:
        for desk in made:
            desk.remove()
        connections[DEFAULT_DB_ALIAS] = usual


@dataclass(frozen=True)
class Cost:
    """Of a page: milliseconds at p95, queries, and how many rows of a list, or hits of the search box, it
    shows."""

    ms: float
    queries: int
    rows: int


@dataclass
class Visited:
    """A page of one database; `most`: as if its list had at most so many rows a page."""

    desk: Desk
    path: str
    most: int = 0
    rows: int = 0
    model_admin: Any = None
    times: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Look what it lists. Raises SystemExit when it is not answered."""
        answer = self._described()
        where_to = answer.headers.get("Location", "")  # the search box leads to what a text can only mean
        if answer.status_code not in (200, 302) or where_to.endswith("?e=1"):
            raise SystemExit(f"{self.path}: {answer.status_code} {where_to} {answer.content[:300]}")
        context = answer.context or {}
        self.rows = 1 if where_to else len(context.get("hits", ()))
        if listed := context.get("cl"):
            self.model_admin = listed.model_admin
            self.rows = min(len(listed.result_list), self.most or len(listed.result_list))
        for _ in range(WARM):
            self.get()

    def _described(self) -> Any:
        """An answer with its context, which is copied for each template: nobody pays for that in a web
        process, nor here where it is timed."""
        self.desk.use()
        setup_test_environment(debug=False)
        try:
            return self.desk.client.get(self.path)
        finally:
            teardown_test_environment()

    def get(self) -> float:
        """Ask for it once. Milliseconds of the server: processor time and waiting for the database, but not
        for a processor that others use."""
        self.desk.use()
        cut = mock.patch.object(self.model_admin, "list_per_page", self.most) if self.most else nullcontext()
        with cut:
            return _server_ms(self.desk.client, self.path)

    def cost(self) -> Cost:
        """As measured."""
        self.desk.use()
        cache.clear()
        with CaptureQueriesContext(self.desk.connection) as captured:
            self.get()
        p95 = sorted(self.times)[-(-len(self.times) * 95 // 100) - 1]  # what 95 of 100 stay below
        return Cost(p95, len(captured), self.rows)


def compare(few: Desk, few_path: str, many: Desk, many_path: str) -> tuple[Cost, Cost, Cost]:
    """What a page costs with few rows, with many, and with many when it lists no more of them than with few.
    They are asked for in turn, so that whatever else goes on meanwhile is the same for all."""
    small, natural = Visited(few, few_path), Visited(many, many_path)
    cut = natural.model_admin and 0 < small.rows < natural.rows
    equal = Visited(many, many_path, small.rows) if cut else natural
    pages = [small, natural, equal] if cut else [small, natural]
    end = time.monotonic() + SECONDS * len(pages)
    while len(small.times) < FEWEST or time.monotonic() < end:
        for page in pages:
            page.times.append(page.get())
    return small.cost(), natural.cost(), equal.cost()


def _server_ms(client: Client, path: str) -> float:
    waited = 0.0

    def wait(execute: Callable[..., Any], *arguments: Any) -> Any:
        nonlocal waited
        begun, own = time.perf_counter(), time.process_time()
        try:
            return execute(*arguments)
        finally:
            waited += time.perf_counter() - begun - (time.process_time() - own)

    begun = time.process_time()
    with connection.execute_wrapper(wait):
        client.get(path)
    return (time.process_time() - begun + waited) * 1000
