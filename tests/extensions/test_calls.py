"""What the extensions send and read exists: each word of their calls is in the description of the API."""

import re
from typing import Any
from unittest import TestCase

from django.test import SimpleTestCase

from nodepoint.api.documents import openapi
from tests.extensions import php

START = "const CALLS = "
PATHS = {
    "Servers/ProxmoxWP": {
        "/create-site",
        "/service/owner",
        "/delete-site",
        "/suspend",
        "/unsuspend",
        "/wp/upgrade/",
        "/status",
        "/plans",
        "/subdomain",
        "/jobs/{job_id}",
        "/action/start",
        "/action/stop",
        "/action/restart",
        "/action/reset",
        "/action/toggle",
        "/action/primary",
        "/action/export",
        "/action/archives",
        "/action/mkarchive",
        "/action/delarchive",
        "/action/options",
        "/action/replace",
        "/action/safemode",
        "/action/login",
        "/action/getdomain",
        "/action/setdomain",
        "/action/deldomain",
        "/action/getbak",
        "/action/mkbak",
        "/action/delbak",
        "/action/rollback",
    },
    "Servers/SSupport": {
        "/support/create",
        "/support/rotate",
        "/service/owner",
        "/support/suspend",
        "/support/unsuspend",
        "/support/terminate",
        "/support/status",
    },
    "Others/DNS": {
        "/customdomain/getdata",
        "/customdomain/add/zone",
        "/customdomain/delete/zone",
        "/customdomain/add/record",
        "/customdomain/update/record",
        "/customdomain/delete/record",
        "/customdomain/export",
        "/customdomain/import",
        "/customdomain/history",
        "/customdomain/undo",
        "/jobs/{job_id}",
    },
}
NETWORK = re.compile(
    r"Http::|curl_|fsockopen|file_get_contents\s*\(|new GuzzleHttp|->(?:get|post)\(\s*['\"]/"
)
# Fields of the contract's second edition that are not served yet: extensions show nothing where an answer
# lacks one, and those that are sent are ignored.
SECOND_EDITION: dict[str, set[str]] = {}
# Codes that the shared client makes itself, where there was no answer of the API or a job failed.
OWN_CODES = {"timeout", "unreachable", "bad_answer", "settings", "failed"}


def tables(extension: str) -> dict[str, dict[Any, Any]]:
    """Its calls by name."""
    found: dict[str, dict[Any, Any]] = {}
    for path in php.sources(extension):
        table = php.array_after(path.read_text(), START)
        if isinstance(table, dict):
            found |= table
    return found


class Description:
    """The OpenAPI document, asked for single fields."""

    def __init__(self) -> None:
        self.document = openapi()

    def operation(self, method: str, path: str) -> dict[str, Any]:
        """What is said about a call; a slash at the end makes no difference. KeyError when there is no such
        call."""
        return self.document["paths"][path.rstrip("/")][method.lower()]

    def fields(self, schema: dict[str, Any]) -> dict[str, Any]:
        """The schemas of an object's fields by name; `*` for the items of a list or a map."""
        if "$ref" in schema:
            return self.fields(self.document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]])
        found = dict(schema.get("properties", {}))
        for kind in ("allOf", "oneOf", "anyOf"):
            for part in schema.get(kind, []):
                found |= self.fields(part)
        for kind in ("items", "additionalProperties"):
            if isinstance(schema.get(kind), dict):
                found["*"] = schema[kind]
        return found

    def has(self, schema: dict[str, Any], name: str) -> bool:
        """Whether a dotted name leads to a field."""
        for step in name.split("."):
            fields = self.fields(schema)
            if step not in fields:
                return False
            schema = fields[step]
        return True

    def values(self, schema_name: str, field: str) -> set[str]:
        """The values that a field may have."""
        schema = self.document["components"]["schemas"][schema_name]["properties"][field]
        for reference in [schema, *schema.get("allOf", [])]:
            if "$ref" in reference:
                return set(
                    self.document["components"]["schemas"][reference["$ref"].rsplit("/", 1)[1]]["enum"]
                )
        return set(schema["enum"])


class CallTests(SimpleTestCase):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.api = Description()

    def calls(self) -> list[tuple[str, dict[Any, Any]]]:
        """Every call of every extension that has a table."""
        return [
            (f"{extension}: {name}", call)
            for extension in php.EXTENSIONS
            for name, call in tables(extension).items()
        ]

    def test_each_extension_calls_what_it_should(self) -> None:
        for extension, wanted in PATHS.items():
            with self.subTest(extension=extension):
                self.assertEqual({call[1] for call in tables(extension).values()}, wanted)

    def test_every_path_exists(self) -> None:
        for name, call in self.calls():
            with self.subTest(call=name):
                self.assertTrue(self.api.operation(call[0], call[1]))

    def test_every_field_that_is_sent_is_taken_and_none_that_is_needed_is_missing(self) -> None:
        for name, call in self.calls():
            operation = self.api.operation(call[0], call[1])
            with self.subTest(call=name):
                known, needed = self.inputs(operation)
                self.assertLessEqual(set(call["sends"]), known | SECOND_EDITION.get(call[1], set()))
                self.assertLessEqual(needed, set(call["sends"]))

    def inputs(self, operation: dict[str, Any]) -> tuple[set[str], set[str]]:
        """Names of all fields that a call takes, and of those it needs."""
        places = [one for one in operation.get("parameters", []) if one["in"] in ("query", "path")]
        known = {one["name"] for one in places}
        needed = {one["name"] for one in places if one.get("required")}
        if "requestBody" in operation:
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            known |= set(self.api.fields(schema))
            reference = self.api.document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
            needed |= set(reference.get("required", []))
        return known, needed

    def test_every_field_that_is_read_is_answered(self) -> None:
        for name, call in self.calls():
            operation = self.api.operation(call[0], call[1])
            schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
            for field in call["reads"]:
                with self.subTest(call=name, field=field):
                    may_lack = field in SECOND_EDITION.get(call[1], set())
                    self.assertTrue(may_lack or self.api.has(schema, field))

    def test_a_field_that_does_not_exist_would_be_noticed(self) -> None:
        operation = self.api.operation("POST", "/customdomain/getdata")
        schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
        self.assertTrue(self.api.has(schema, "zones.*.zone.records.*.data"))
        for wrong in ("zones.*.records", "zones.zone", "zones.*.zone.records.*.content", "success.x"):
            self.assertFalse(self.api.has(schema, wrong), wrong)
        self.assertRaises(KeyError, self.api.operation, "GET", "/customdomain/getdata")

    def test_what_the_client_reads_of_errors_is_in_every_error(self) -> None:
        fields = self.api.fields({"$ref": "#/components/schemas/ErrorOutput"})
        self.assertLessEqual({"error", "code", "fields", "request_id"}, set(fields))

    def test_states_and_statuses_exist(self) -> None:
        jobs = self.api.values("JobOutput", "state")
        self.assertLessEqual(self.words("Others/DNS/Zones.php", r"\$state, \[([^\]]*)\]"), jobs)
        job = "Servers/ProxmoxWP/Panel/Job.php"
        self.assertEqual(self.words(job, r"const (?:RUNNING|ENDED) = \[([^\]]*)\]"), jobs)
        keys = self.api.values("SupportKeyOutput", "status")
        self.assertEqual(self.words("Servers/SSupport/resources/lang/en/support.php", r"('[A-Z]+') =>"), keys)

    def words(self, file: str, pattern: str) -> set[str]:
        """The words in quotes in all places of a file that a pattern finds."""
        found = re.findall(pattern, (php.ROOT / file).read_text())
        self.assertTrue(found, file)
        return {word for part in found for word in re.findall(r"'(\w+)'", part)}


class BypassTests(TestCase):
    def test_nothing_is_asked_of_the_backend_but_by_the_tables(self) -> None:
        for extension in PATHS:
            for path in php.sources(extension):
                with self.subTest(extension=extension, file=path.name):
                    self.assertIsNone(NETWORK.search(path.read_text()))

    def test_every_code_that_is_asked_for_exists(self) -> None:
        contract = set(re.findall(r"`([a-z_]+)`", codes_of_the_api()))
        asked = set()
        for extension in php.EXTENSIONS:
            for path in php.sources(extension):
                for found in re.findall(r"->is\(([^)]*)\)", path.read_text()):
                    asked |= set(re.findall(r"'(\w+)'", found))
        self.assertLessEqual({"exists", "not_found"}, asked)
        self.assertLessEqual(asked, contract | OWN_CODES)


def codes_of_the_api() -> str:
    """The table of statuses and codes in the documentation of the API."""
    text = (php.ROOT.parent / "docs" / "api.md").read_text()
    at = text.index("| status | code |")
    return text[at : text.index("## Request ids", at)]
