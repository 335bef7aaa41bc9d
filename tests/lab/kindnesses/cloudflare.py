"""Kindnesses of the simulated Cloudflare and of public DNS."""

from lab import nameserver
from lab.cloudflare.state import Zone
from lab.cloudflare.wire import RateLimit
from tests.lab.kindnesses import Kindness, instead

KINDNESSES = (
    Kindness(
        "Cloudflare takes an identical record twice",
        "test_cloudflare.RecordTests.test_repeats",
        instead(Zone, "_refuse_conflict", lambda self, row, own_id: None),
    ),
    Kindness(
        "Cloudflare's PUT keeps what is left out",
        "test_cloudflare.RecordTests.test_patch_keeps_and_put_forgets_what_is_not_given",
        instead(Zone, "overwrite", Zone.edit),
    ),
    Kindness(
        "Cloudflare's batch keeps what succeeded before a failure",
        "test_cloudflare.BatchTests.test_one_failure_undoes_the_whole",
        instead(Zone, "_restore", lambda self, before: None),
    ),
    Kindness(
        "Cloudflare never tires of requests",
        "test_cloudflare.LimitTests.test_beyond_the_limit_everything_is_refused_for_a_while",
        instead(RateLimit, "spend", lambda self: (1199, 300)),
    ),
    Kindness(
        "a name server sends any length over UDP",
        "test_nameserver.NameServerTests.test_long_answers_are_truncated_over_udp_only",
        instead(nameserver, "UDP_LIMIT", 65535),
    ),
)
