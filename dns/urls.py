from dns import views
from nodepoint.api.routes import route

urlpatterns = [
    route("customdomain/getdata", views.Zones),
    route("customdomain/add/zone", views.AddZone),
    route("customdomain/delete/zone", views.DeleteZone),
    route("customdomain/add/record", views.AddRecord),
    route("customdomain/update/record", views.UpdateRecord),
    route("customdomain/delete/record", views.DeleteRecord),
]
