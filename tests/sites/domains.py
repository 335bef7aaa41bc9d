"""What the tests of custom domains share."""

from typing import Any

from django.utils import timezone

from nodepoint.jobs.models import Job, JobStep
from sites.models import CustomDomain, Site
from tests.sites.base import SiteMixin, SiteTestCase

SHOP = "shop.example.com"
PROXY = "203.0.113.10"


class DomainMixin(SiteMixin):
    """Names in public DNS, and the calls of custom domains."""

    def point(self, name: str = SHOP, *addresses: str) -> None:
        """Public DNS leads the name to the proxy, or elsewhere."""
        self.lab.dns.set(name, "A", addresses or [PROXY])

    def set_domain(self, domain: Any = SHOP, service_id: str = "1001", verify: str = "", **headers: str):
        """POST /action/setdomain, by the real time as all of the API."""
        self.clock.time = timezone.now()
        body = {"service_id": service_id, "domain": domain} | ({"verify": verify} if verify else {})
        return self.post("/action/setdomain", body, **headers)

    def prove(self, answer) -> None:
        """Public DNS shows what a refusal asks for."""
        asked = answer.json()["verification"]
        self.assertEqual(asked["type"], "TXT")
        self.lab.dns.set(asked["name"], "TXT", [asked["value"]])

    def del_domain(self, domain: Any = SHOP, service_id: str = "1001"):
        """POST /action/deldomain, by the real time as well."""
        self.clock.time = timezone.now()
        return self.post("/action/deldomain", {"service_id": service_id, "domain": domain}, Prefer="wait=0")

    def toggle(self, service_id: str = "1001", **body: Any):
        """POST /action/toggle, by the real time as well."""
        self.clock.time = timezone.now()
        return self.post("/action/toggle", {"service_id": service_id, **body}, Prefer="wait=0")

    def domains(self, service_id: str = "1001") -> dict[str, Any]:
        """The body of GET /action/getdomain."""
        answer = self.get(f"/action/getdomain?service_id={service_id}")
        self.assertEqual(answer.status_code, 200, answer.content)
        return answer.json()

    def accept(self, domain: str = SHOP, service_id: str = "1001") -> CustomDomain:
        """A domain whose DNS is right and that was accepted; its jobs have yet to run."""
        self.point(domain)
        answer = self.set_domain(domain, service_id, Prefer="wait=0")
        self.assertEqual(answer.status_code, 200, answer.content)
        return CustomDomain.objects.get(domain=domain)

    def add(self, domain: str = SHOP, service_id: str = "1001") -> CustomDomain:
        """A domain with all its jobs done."""
        row = self.accept(domain, service_id)
        self.run_jobs()
        row.refresh_from_db()
        return row

    def hosts_of(self, name: str = SHOP) -> list[dict[str, Any]]:
        """The proxy hosts of a name, as they stand in the lab."""
        return [host for host in self.state()["npm"]["proxy_hosts"] if name in host["domain_names"]]

    def host_of(self, name: str = SHOP) -> dict[str, Any]:
        """The only one."""
        (host,) = self.hosts_of(name)
        return host

    def certificates_of(self, name: str = SHOP) -> list[int]:
        """The ids of the certificates for exactly a name."""
        found = self.state()["npm"]["certificates"]
        return [certificate["id"] for certificate in found if certificate["domain_names"] == [name]]

    def served(self, name: str = SHOP) -> bool:
        """Whether nginx leads the name to a container at this moment, whatever NPM's rows say."""
        with self.lab.lock:
            config = self.lab.npm.state.nginx.route(name)
        return config is not None and bool(config["server_names"]) and not config.get("challenge")

    def order_step(self, domain: CustomDomain) -> JobStep:
        """The step that orders the certificate, in the latest job that does."""
        job = Job.objects.filter(subject=domain.key, kind="sites.certificate").order_by("-created_at").first()
        return job.steps.get(name="certificate")

    def orders(self) -> int:
        """How many certificates were asked for."""
        return self.count("npm", "POST /api/nginx/certificates")

    def assert_refused(self, answer, status: int, code: str, *words: str) -> dict[str, Any]:
        """A refusal in the contract's form, before anything was touched: no job, no call to NPM."""
        body = answer.json()
        self.assertEqual((answer.status_code, body["code"]), (status, code), body)
        for word in words:
            self.assertIn(word, body["error"])
        self.assertTrue(body["error"].endswith("."), body["error"])
        return body


class DomainTestCase(DomainMixin, SiteTestCase):
    """With one live site."""

    site: Site

    def setUp(self) -> None:
        super().setUp()
        self.site = self.make_site()
        self.calls.clear()

    def make_site(self) -> Site:
        """The site; tests that never get as far as its proxy need its row alone."""
        return self.live_site()
