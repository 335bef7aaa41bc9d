"""All paths. The API's stand at the root; `/admin/` is for staff."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

urlpatterns = [
    path("", include("nodepoint.api.urls")),
    path("", include("sites.urls")),
    path("", include("dns.urls")),
    path("", include("support.urls")),
    path("admin/", admin.site.urls),
    path("admin", RedirectView.as_view(url="/admin/")),
]

handler400 = "nodepoint.staff.failures.unreadable"
handler403 = "nodepoint.staff.failures.forbidden"
handler404 = "nodepoint.staff.failures.not_found"
handler500 = "nodepoint.staff.failures.failed"
