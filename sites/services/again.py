"""Asking once more for what a job was asked for, by the service that was asked before."""

from collections.abc import Callable

from nodepoint.jobs.models import Job
from nodepoint.jobs.steering import asked_again_by
from sites import services
from sites.models import Archive, Backup, ClusterNode, CustomDomain, Plan, Site, Spare, Template
from sites.placement.drain import sites_on
from sites.services import (
    adoption,
    archives,
    lift,
    nodes,
    overrides,
    pool,
    repair,
    restores,
    template,
    updates,
)
from sites.services.legality import Facts, legal_acts
from sites.services.standing import failed_last
from sites.steps.lifting import is_below, liftable


def _site(job: Job) -> Site | None:
    return Site.objects.select_related("plan").filter(pk=job.subject_pk).first()


def _fits(*acts: str) -> Callable[[Job], bool]:
    def legal(job: Job) -> bool:
        site = _site(job)
        return site is not None and not legal_acts(Facts(site)).isdisjoint(acts)

    return legal


def _plan(job: Job) -> str:
    return Plan.objects.get(pk=job.data["plan_id"]).name


def _name(job: Job) -> str:
    return job.data["service_id"]


def _toggle(job: Job, actor: str) -> Job:
    site = services.get_site(_name(job))
    return services.toggle_traffic(site.service_id, site.proxy_enabled, actor=actor)[1]


def _switch_safe_mode(job: Job, actor: str) -> Job:
    return services.switch_safe_mode(_name(job), job.data["enabled"], actor=actor)[1]


def _replace(dry_run: bool) -> Callable[[Job, str], Job]:
    def ask(job: Job, actor: str) -> Job:
        names = (job.data["old"], job.data["new"])
        return services.replace_addresses(_name(job), *names, dry_run=dry_run, actor=actor)[1]

    return ask


def _import_fits(job: Job) -> bool:
    """Whether the address is still known, which may hold a key and is kept for a day."""
    return job.secret is not None and _fits("import")(job)


def _import(job: Job, actor: str) -> Job:
    return services.import_content(_name(job), job.secret["url"], actor=actor)[1]


def _update(job: Job, actor: str) -> Job:
    parts = {"wordpress": job.data.get("wordpress", True), "system": job.data.get("system", False)}
    return updates.update_site(_site(job), **parts, actor=actor)


def _roll_back(job: Job, actor: str) -> Job:
    discard = job.data.get("discard_backups", False)
    given = {"discard_backups": discard, "actor": actor}
    return services.roll_back(_name(job), job.data["backup"], **given)[1]


def _night_fits(job: Job) -> bool:
    """Whether the site is still there and has no archive of this night."""
    site = _site(job)
    return site is not None and archives.misses_tonight(site)


def _deletion_fits(job: Job) -> bool:
    return Archive.objects.filter(name=job.data["archive"], state=Archive.State.READY).exists()


def _domain_fits(job: Job) -> bool:
    """Whether the domain of a certificate's job may be tried anew."""
    row = CustomDomain.objects.select_related("site__plan").filter(pk=job.subject_pk).first()
    return row is not None and row.may_be_tried_anew and "retry_domain" in legal_acts(Facts(row.site))


def _add_domain(job: Job, actor: str) -> Job:
    return services.add_domain(_name(job), job.data["domain"], actor=actor)[1]


def _adoption_fits(job: Job) -> bool:
    """Whether the adoption was undone, its job knows of which container, and no other site is asked for."""
    site = _site(job)
    return site is not None and "vmid" in job.data and failed_last(site)


def _adopt(job: Job, actor: str) -> Job:
    return adoption.adopt_again(_site(job), job.data["vmid"], actor=actor)[1]


def _lift_fits(job: Job) -> bool:
    site = _site(job)
    return site is not None and is_below(site) and not site.deletion_requested_at


def _lifting_fits(job: Job) -> bool:
    return lift.lifting() is None and liftable().exists()


def _move_fits(job: Job) -> bool:
    site = _site(job)
    return site is not None and nodes.leaves(site, job.data["from"])


def _node(job: Job) -> ClusterNode | None:
    return ClusterNode.objects.filter(pk=job.subject_pk).first()


def _drain_fits(job: Job) -> bool:
    node = _node(job)
    return node is not None and nodes.draining(node) is None and sites_on(node.name).exists()


def _drain(job: Job, actor: str) -> Job:
    return nodes.drain_node(_node(job), batch=job.data["batch"], actor=actor)


def _template_fits(job: Job) -> bool:
    built = Template.objects.filter(pk=job.subject_pk).first()
    return built is not None and template.failed_last(built)


def _build(job: Job, actor: str) -> Job:
    built = Template.objects.get(pk=job.subject_pk)
    # Jobs of earlier releases have not kept the node; the row has, if the build never came to its archive.
    node = job.data.get("node", built.built_on)
    return template.build_again(built, node=node, actor=actor)[1]


def _fill_fits(job: Job) -> bool:
    """Whether the container was never ready, and the pool is still short."""
    failed = Spare.objects.filter(pk=job.subject_pk, state=Spare.State.FAILED).exists()
    return failed and pool.is_short()


# All of these leave the container running, or not, as is wished last.
POWER = ("sites.start", "sites.stop", "sites.restart", "sites.suspend", "sites.unsuspend", "sites.repair")
# All of these fit the inside to what the row says.
INSIDE = ("sites.start", "sites.restart", "sites.unsuspend", "sites.repair", "sites.upgrade", "sites.primary")
TRAFFIC = ("sites.suspend", "sites.unsuspend", "sites.repair")
DATA = ("sites.rollback", "sites.reset")
MADE_GOOD_BY = {
    "sites.archive": ("sites.nightly_archive",),
    "sites.nightly_archive": ("sites.archive",),
    "sites.start": POWER,
    "sites.stop": POWER,
    "sites.restart": POWER,
    "sites.toggle": TRAFFIC,
    "sites.safemode": DATA,
    "sites.options": INSIDE,
    "sites.lift": INSIDE,
    "sites.rollback": DATA,
    "sites.reset": DATA,
}


def _same_domain(job: Job, later: Job) -> bool:
    """Whether the later job says what is to become of the domain: it is to be served, or to go."""
    kinds = ("sites.add_domain", "sites.remove_domain")
    return later.kind in kinds and later.data.get("domain") == job.data["domain"]


def _same_backup(job: Job, later: Job) -> bool:
    """Whether the later job is to delete the backup, or has gone back to an older one and deleted it."""
    if later.kind in DATA:
        gone = Backup.objects.filter(site=job.subject_pk, name=job.data["backup"], state=Backup.State.DELETED)
        return gone.exists()
    return later.kind == job.kind and later.data.get("backup") == job.data["backup"]


def _same_archive(job: Job, later: Job) -> bool:
    return later.kind == job.kind and later.data.get("archive") == job.data["archive"]


SAME = {
    "sites.add_domain": _same_domain,
    "sites.remove_domain": _same_domain,
    "sites.delete_backup": _same_backup,
    "sites.delete_archive": _same_archive,
}


# By the kind of the job: whether its like may be asked for now, and how.
WAYS: dict[str, tuple[Callable[[Job], bool], Callable[[Job, str], Job | None]]] = {
    "sites.start": (_fits("start", "stop"), lambda job, by: services.start_site(_name(job), actor=by)[1]),
    "sites.stop": (_fits("start", "stop"), lambda job, by: services.stop_site(_name(job), actor=by)[1]),
    "sites.restart": (
        _fits("start", "stop"),
        lambda job, by: services.restart_site(_name(job), actor=by)[1],
    ),
    "sites.backup": (_fits("back_up"), lambda job, by: services.create_backup(_name(job), actor=by)[1]),
    "sites.archive": (_fits("archive"), lambda job, by: services.create_archive(_name(job), actor=by)[1]),
    "sites.nightly_archive": (
        _night_fits,
        lambda job, by: archives.archive_tonight(_site(job), actor=by),
    ),
    "sites.delete_archive": (
        _deletion_fits,
        lambda job, by: archives.delete_again(job.data["archive"], actor=by),
    ),
    "sites.delete_backup": (
        _fits("delete_backup"),
        lambda job, by: services.delete_backup(_name(job), job.data["backup"], actor=by)[1],
    ),
    "sites.rollback": (_fits("roll_back"), _roll_back),
    "sites.reset": (_fits("reset"), _roll_back),
    "sites.upgrade": (
        _fits("upgrade"),
        lambda job, by: services.upgrade_site(_name(job), _plan(job), actor=by)[1],
    ),
    "sites.options": (
        _fits("options"),
        lambda job, by: services.set_options(_name(job), {}, actor=by)[1],
    ),
    "sites.count_addresses": (_fits("replace"), _replace(dry_run=True)),
    "sites.replace_addresses": (_fits("replace"), _replace(dry_run=False)),
    "sites.import": (_import_fits, _import),
    "sites.restore": (
        _fits("restore_archive"),
        lambda job, by: services.restore_archive(_name(job), job.data["archive"], actor=by)[1],
    ),
    "sites.drill": (
        _fits("restore_archive"),
        lambda job, by: restores.try_archive(_site(job), actor=by),
    ),
    "sites.export": (
        _fits("import"),
        lambda job, by: services.export_content(_name(job), actor=by)[1],
    ),
    "sites.safemode": (_fits("safe_mode_on", "safe_mode_off"), _switch_safe_mode),
    "sites.lift": (_lift_fits, lambda job, by: lift.lift_site(_site(job), actor=by)),
    "sites.lifting": (_lifting_fits, lambda job, by: lift.lift_all(job.data["batch"], actor=by)),
    "sites.move": (_move_fits, lambda job, by: nodes.move_site(_site(job), job.data["from"], actor=by)),
    "sites.drain": (_drain_fits, _drain),
    "sites.toggle": (_fits("traffic_on", "traffic_off"), _toggle),
    "sites.add_domain": (_fits("add_domain", "retry_domain"), _add_domain),
    "sites.remove_domain": (
        _fits("remove_domain"),
        lambda job, by: services.remove_domain(_name(job), job.data["domain"], actor=by)[1],
    ),
    "sites.certificate": (_domain_fits, _add_domain),
    "sites.repair": (_fits("repair"), lambda job, by: repair.repair_site(_site(job), actor=by)),
    "sites.update": (_fits("restart"), _update),
    "sites.unlink": (_fits("unlink"), lambda job, by: overrides.unlink_site(_site(job), actor=by)),
    "sites.provision": (
        _fits("order_again"),
        lambda job, by: overrides.order_again(_site(job), actor=by)[1],
    ),
    "sites.adopt": (_adoption_fits, _adopt),
    "sites.template": (_template_fits, _build),
    "sites.pool_fill": (_fill_fits, lambda job, by: pool.fill_again(actor=by)),
}


def register() -> None:
    """Tell the engine."""
    for kind, (legal, ask) in WAYS.items():
        asked_again_by(kind, legal, ask, SAME.get(kind), MADE_GOOD_BY.get(kind, ()))
