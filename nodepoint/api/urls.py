"""The paths that belong to no app."""

from nodepoint.api.documents import DocsView, SchemaView
from nodepoint.api.health import HealthView
from nodepoint.api.operations import JobView, WhoamiView
from nodepoint.api.owners import ChangeOwner
from nodepoint.api.routes import route
from nodepoint.metrics import MetricsView

urlpatterns = [
    route("health", HealthView),
    route("metrics", MetricsView),
    route("whoami", WhoamiView),
    route("service/owner", ChangeOwner),
    route("jobs/<str:job_id>", JobView),
    route("schema", SchemaView),
    route("docs", DocsView),
]
