"""The contract's section 2 over HTTP, in the life of one site: what succeeds and what is refused."""

from typing import Any

from tests.base import LabTestCase

SERVICE = {"service_id": "1001"}
ORDER = {**SERVICE, "email": "jane.doe@example.com", "plan": "basic", "public_ip": "203.0.113.10"}
JOB = {"id", "kind", "state", "percent", "step", "eta_seconds", "error"}
# Paths for which the site's own state decides; each is refused where there is no such service.
ACTS = (
    "/action/start",
    "/action/stop",
    "/action/restart",
    "/action/reset",
    "/action/login",
    "/action/mkbak",
    "/action/toggle",
)


class ContractTests(LabTestCase):
    def act(self, path: str, **body: Any) -> dict[str, Any]:
        """POST for the site, let the job run to its end, and give the answer of a repeat of the look."""
        answer = self.post(path, {**SERVICE, **body}, Prefer="respond-async")
        self.assertEqual(answer.status_code, 200, answer.content)
        body = answer.json()
        self.assertIs(body["success"], True)
        if "job" in body:
            self.assertEqual(set(body["job"]), JOB)
        self.run_jobs()
        return body

    def refused(self, status: int, code: str, path: str, **body: Any) -> dict[str, Any]:
        """POST that is refused in the one error form."""
        answer = self.post(path, {**SERVICE, **body}, Prefer="respond-async")
        self.assertEqual((answer.status_code, answer.json()["code"]), (status, code), answer.content)
        self.assertLessEqual({"success", "error", "code", "request_id"}, set(answer.json()))
        return answer.json()

    def look(self, path: str, status: int = 200) -> dict[str, Any]:
        answer = self.get(f"{path}?service_id=1001")
        self.assertEqual(answer.status_code, status, answer.content)
        return answer.json()

    def test_the_life_of_a_site(self) -> None:
        self.never_seen()
        self.order()
        self.status()
        self.login()
        self.power()
        self.plans()
        self.domains()
        self.traffic()
        self.backups()
        self.suspension()
        self.end()

    def never_seen(self) -> None:
        for path in (*ACTS, "/suspend", "/unsuspend", "/delete-site"):
            self.refused(404, "not_found", path)
        for path in ("/status", "/action/getdomain", "/action/getbak"):
            self.assertEqual(self.look(path, 404)["code"], "not_found")
        self.refused(404, "not_found", "/wp/upgrade/", plan="basic")

    def order(self) -> None:
        self.refused(400, "validation", "/create-site", **ORDER | {"plan": "gold"})
        answer = self.act("/create-site", **ORDER)
        known = {"status": "provisioning", "vmid": 900, "private_ip": "192.168.1.100", "subdomain": "janedoe"}
        self.assertLessEqual(known.items(), answer.items())
        self.assertEqual(answer["url"], "https://janedoe.nodepoint.eu")
        again = self.refused(409, "exists", "/create-site", **ORDER)
        self.assertEqual((again["status"], again["job"]["state"]), ("running", "succeeded"))
        details = self.get(f"/jobs/{answer['job']['id']}").json()["job"]
        self.assertLessEqual({"name", "state", "started_at", "seconds", "error"}, set(details["steps"][0]))

    def status(self) -> None:
        site = self.look("/status")
        self.assertEqual((site["status"], site["node"], site["vmid"]), ("running", "node1", 900))
        self.assertEqual(site["plan"]["memory_mb"], 2048)
        self.assertEqual(set(site["resources"]), {"cpu", "memory", "disk", "uptime"})
        self.assertEqual(site["domains"], ["janedoe.nodepoint.eu"])
        self.assertEqual(set(site["job"]), JOB)
        self.assertEqual(len(self.get("/plans").json()["plans"]), 3)

    def login(self) -> None:
        answer = self.act("/action/login")
        self.assertEqual(set(answer), {"success", "url"})
        self.assertRegex(answer["url"], r"^https://janedoe\.nodepoint\.eu/wp-admin/.+#[0-9a-f]{64}$")

    def power(self) -> None:
        for path, status in (("stop", "stopped"), ("start", "running"), ("restart", "running")):
            self.act(f"/action/{path}", status=1)  # Paymenter sends a status of its own
            self.assertEqual(self.look("/status")["status"], status)

    def plans(self) -> None:
        self.refused(400, "validation", "/wp/upgrade", plan="gold")
        self.assertEqual(self.act("/wp/upgrade/", plan="Standard")["plan"], "standard")
        self.refused(409, "disk_too_small", "/wp/upgrade", plan="basic")
        self.act("/wp/upgrade", plan="standard")
        self.assertEqual(self.look("/status")["plan"]["name"], "standard")

    def domains(self) -> None:
        self.control("dns", name="shop.example.com", type="A", values=["203.0.113.10"])
        self.control("dns", name="blog.example.com", type="A", values=["198.51.100.7"])
        refusal = self.refused(400, "validation", "/action/setdomain", domain="blog.example.com")
        self.assertIn("198.51.100.7", refusal["error"])
        for name in ("co.uk", "else.nodepoint.eu"):
            self.refused(409, "taken", "/action/setdomain", domain=name)
        self.act("/action/setdomain", domain="shop.example.com")
        found = self.look("/action/getdomain")
        self.assertEqual((found["domains"], found["count"]), (["shop.example.com"], 4))
        self.assertEqual(found["details"][0]["certificate"], "active")
        self.act("/action/deldomain", domain="shop.example.com")
        self.refused(404, "not_found", "/action/deldomain", domain="shop.example.com")

    def traffic(self) -> None:
        self.assertIs(self.act("/action/toggle", enabled=False)["enabled"], False)
        self.assertIs(self.look("/status")["proxy_enabled"], False)
        self.assertIs(self.act("/action/toggle")["enabled"], True)

    def backups(self) -> None:
        names = [self.act("/action/mkbak")["backup"] for _ in range(3)]
        self.refused(409, "quota_exceeded", "/action/mkbak")
        found = self.look("/action/getbak")
        self.assertEqual((found["quota"], found["used"], found["allowed"]), ("3/3", 3, 3))
        self.assertEqual([backup["name"] for backup in found["backups"]], names[::-1])
        self.act("/action/rollback", bak=names[0])
        self.act("/action/delbak", bak=names[0])
        self.refused(404, "not_found", "/action/rollback", bak=names[0])
        self.refused(409, "protected", "/action/delbak", bak="initial")
        self.act("/action/reset")
        self.assertEqual(self.look("/status")["plan"]["name"], "standard")

    def suspension(self) -> None:
        self.act("/suspend")
        self.assertEqual(self.look("/status")["status"], "suspended")
        for path in ACTS:
            self.refused(401, "service_suspended", path)
        self.act("/suspend")
        self.act("/unsuspend")
        self.assertEqual(self.look("/status")["status"], "running")

    def end(self) -> None:
        first = self.post("/delete-site", SERVICE).json()
        again = self.post("/delete-site", SERVICE).json()
        self.assertEqual((first["status"], again["job"]["id"]), ("deleting", first["job"]["id"]))
        self.refused(409, "exists", "/create-site", **ORDER)
        self.run_jobs()
        self.assertEqual(self.post("/delete-site", SERVICE).json()["status"], "deleted")
        self.look("/status", 404)
        self.assert_nothing_left()
        self.act("/create-site", **ORDER)
        self.assertEqual(self.look("/status")["status"], "running")
