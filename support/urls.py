from nodepoint.api.routes import route
from support import views

urlpatterns = [
    route("support/create", views.CreateSupportKey),
    route("support/suspend", views.SuspendSupport),
    route("support/unsuspend", views.UnsuspendSupport),
    route("support/terminate", views.TerminateSupport),
    route("support/rotate", views.RotateSupportKey),
    route("support/status", views.SupportStatus),
    route("support/verify", views.VerifySupportKey),
]
