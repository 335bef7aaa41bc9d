from nodepoint.api.routes import route
from sites import views

urlpatterns = [
    route("create-site", views.CreateSite),
    route("delete-site", views.DeleteSite),
    route("status", views.SiteStatus),
    route("plans", views.Plans),
]
