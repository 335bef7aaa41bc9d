from dns import many_views, views
from nodepoint.api.routes import route

urlpatterns = [
    route("customdomain/getdata", views.Zones),
    route("customdomain/add/zone", views.AddZone),
    route("customdomain/delete/zone", views.DeleteZone),
    route("customdomain/add/record", views.AddRecord),
    route("customdomain/update/record", views.UpdateRecord),
    route("customdomain/delete/record", views.DeleteRecord),
    route("customdomain/dnssec", views.Dnssec),
    route("customdomain/export", many_views.Export),
    route("customdomain/import", many_views.Import),
    route("customdomain/bulk", many_views.Bulk),
    route("customdomain/history", many_views.History),
    route("customdomain/undo", many_views.Undo),
]
