"""The description of the calls says exactly what they take and give."""

from django.test import SimpleTestCase

from nodepoint.api.documents import openapi

CALLS = {
    "create": (
        "post",
        {"service_id", "email", "firstname", "lastname"},
        {"service_id", "support_key", "status"},
    ),
    "suspend": ("post", {"service_id"}, {"status"}),
    "unsuspend": ("post", {"service_id"}, {"status"}),
    "terminate": ("post", {"service_id"}, {"status"}),
    "status": ("get", {"service_id"}, {"support_key", "status", "email", "created_at"}),
    "verify": ("post", {"support_key"}, {"valid", "service_id", "firstname", "lastname", "email"}),
}


class SchemaTests(SimpleTestCase):
    def properties(self, found: dict) -> set[str]:
        name = found["$ref"].rpartition("/")[2]
        return set(openapi()["components"]["schemas"][name]["properties"])

    def test_every_call_is_described(self) -> None:
        for name, (method, taken, given) in CALLS.items():
            with self.subTest(call=name):
                operation = openapi()["paths"][f"/support/{name}"][method]
                self.assertEqual(operation["tags"], ["support"])
                body = operation.get("requestBody", {}).get("content", {}).get("application/json")
                parameters = {one["name"] for one in operation["parameters"] if one["in"] == "query"}
                self.assertEqual(self.properties(body["schema"]) if body else parameters, taken)
                (answer,) = operation["responses"]["200"]["content"].values()
                self.assertEqual(self.properties(answer["schema"]["allOf"][1]), given)
