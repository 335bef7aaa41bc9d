"""Customers' own host names, their certificates, and the traffic of all host names."""

from nodepoint.jobs.registry import Flow, GivesWay, Step, periodic, register
from sites.flows.domain_notices import DOMAIN_READY
from sites.flows.power import is_live, tuning
from sites.steps import certificates, domains, holding, hosts, traffic

MINUTES, DAYS = 60, 24 * 3600
CUSTOMER = 10 * MINUTES  # until a customer's wish is given up

periodic("sites.tasks.look_at_domains", minutes=1)

ADD_DOMAIN = register(
    Flow(
        "sites.add_domain",
        title="Add domain",
        subject="sites.Site",
        scope="sites",
        deadline=CUSTOMER,
        gives_way=GivesWay.RESUMED,
        version=2,
        steps=(
            Step(
                "accepted",
                "Taking the domain in",
                None,  # its row, in the transaction that accepts the wish
                undo=domains.not_accepted,
                usual=0.1,
            ),
            Step(
                "proven",
                "Making sure whose the domain is",
                holding.proven,
                nothing_to_undo="What was shown to be the customer's stays his.",
                after=("accepted",),
                usual=0.1,
            ),
            Step(
                "proxy_host",
                "Setting up the proxy",
                domains.served,
                # No undo that would wait for an NPM that is away, and the site's other jobs behind it.
                nothing_to_undo="What was made is used when it is asked for anew, or goes with the domain.",
                after=("proven",),
                limits=(hosts.WRITES,),
                usual=1,
            ),
            Step(
                "certificate_wished",
                "Asking for a certificate",
                domains.certificate_wished,
                nothing_to_undo="The order has a job of its own, which ends with the domain.",
                after=("proxy_host",),
                usual=0.1,
            ),
        ),
    )
)

CERTIFICATE = register(
    Flow(
        domains.CERTIFICATE,
        title="Order certificate",
        subject="sites.CustomDomain",
        scope="sites",
        deadline=7 * DAYS,
        version=2,
        alarm_after=8 * DAYS,  # that a customer's DNS is wrong is no alarm for staff
        tells=DOMAIN_READY,
        steps=(
            Step(
                "wished",
                "Taking the order in",
                None,
                undo=domains.no_certificate,
                usual=0.1,
            ),
            Step(
                domains.ORDER,
                "Ordering the certificate",
                domains.certified,
                nothing_to_undo="One that came too late is used next time, or goes with the domain.",
                after=("wished",),
                limits=(certificates.ORDERS,),
                usual=5,
            ),
            Step(
                "encryption",
                "Switching encryption on",
                domains.encrypted,
                nothing_to_undo="The host is served as it is.",
                after=(domains.ORDER,),
                limits=(hosts.WRITES,),
                usual=0.5,
            ),
            Step(
                "primary_wished",
                "Choosing the site's name",
                domains.primary_wished,
                nothing_to_undo="The site goes by the name that its domains say.",
                after=("encryption",),
                usual=0.1,
            ),
        ),
    )
)

# WordPress has one name for itself: the customer's first domain with a certificate, once it has one.
PRIMARY = register(
    Flow(
        domains.PRIMARY,
        title="Switch primary domain",
        subject="sites.Site",
        scope="sites",
        deadline=None,  # its only step has one, and spares the job
        gives_way=GivesWay.RESUMED,
        waited_for=True,
        stands=is_live,
        steps=(tuning(),),
    )
)

REMOVE_DOMAIN = register(
    Flow(
        "sites.remove_domain",
        title="Remove domain",
        subject="sites.Site",
        scope="sites",
        deadline=CUSTOMER,
        gives_way=GivesWay.RESUMED,
        stands=is_live,
        version=2,
        steps=(
            Step(
                "accepted",
                "Taking the wish in",
                None,
                undo=domains.not_accepted,
                usual=0.1,
            ),
            Step(
                "order_stopped",
                "Stopping the order of its certificate",
                domains.order_stopped,
                nothing_to_undo="The domain can be added again, and its certificate ordered.",
                after=("accepted",),
                usual=0.1,
            ),
            # Before the host goes: all other names lead to the site's own, which must be served.
            Step(
                "handed_over",
                # Called as in other flows: what failed is off the board once a later job has done it.
                "Fitting WordPress to plan and name",
                domains.handed_over,
                nothing_to_undo="The domain can be added again, and is the primary one then.",
                after=("order_stopped",),
                needed=domains.goes_by_a_custom_name,
                deadline=3 * MINUTES,
                spares_the_job=True,  # a customer's broken site must not keep his domain from going
                if_skipped="The site's other names lead to a domain that is gone until its next start.",
                usual=3,
            ),
            # The host before its certificate: deleting one that a host uses breaks all of NPM.
            Step(
                "proxy_host_gone",
                "Removing the proxy host",
                domains.host_gone,
                nothing_to_undo="The domain can be added again.",
                after=("handed_over",),
                limits=(hosts.WRITES,),
                usual=0.5,
            ),
            Step(
                "certificate_gone",
                "Removing the certificate",
                domains.certificate_gone,
                nothing_to_undo="It is revoked.",
                after=("proxy_host_gone",),
                limits=(hosts.WRITES,),
                usual=0.5,
            ),
            Step(
                "forgotten",
                "Freeing the name",
                domains.forgotten,
                nothing_to_undo="The domain can be added again.",
                after=("certificate_gone",),
                usual=0.1,
            ),
        ),
    )
)

TOGGLE = register(
    Flow(
        "sites.toggle",
        title="Switch traffic",
        subject="sites.Site",
        scope="sites",
        deadline=CUSTOMER,
        gives_way=GivesWay.DROPPED,
        steps=(
            Step(
                "traffic",
                "Switching the proxy hosts",
                traffic.as_wished,
                nothing_to_undo="The wish stands; asking again, or unsuspending, carries it out.",
                limits=(hosts.WRITES,),
                usual=1,
            ),
        ),
    )
)
