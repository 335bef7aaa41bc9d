from nodepoint.api.routes import route
from sites import views

urlpatterns = [
    route("create-site", views.CreateSite),
    route("delete-site", views.DeleteSite),
    route("status", views.SiteStatus),
    route("plans", views.Plans),
    route("action/getbak", views.Backups),
    route("action/mkbak", views.MakeBackup),
    route("action/delbak", views.DeleteBackup),
    route("action/rollback", views.Rollback),
    route("action/reset", views.Reset),
    route("suspend", views.SuspendSite),
    route("unsuspend", views.UnsuspendSite),
    route("wp/upgrade", views.UpgradeSite),
    route("action/start", views.StartSite),
    route("action/stop", views.StopSite),
    route("action/restart", views.RestartSite),
    route("action/login", views.LogIn),
    route("action/getdomain", views.Domains),
    route("action/setdomain", views.AddDomain),
    route("action/deldomain", views.RemoveDomain),
    route("action/primary", views.ChoosePrimary),
    route("action/replace", views.ReplaceAddresses),
    route("action/toggle", views.ToggleTraffic),
    route("action/options", views.SetOptions),
    route("action/safemode", views.SwitchSafeMode),
]
