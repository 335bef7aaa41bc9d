"""The product's settings and paths, and beside them a view that does nothing: what every other one is
measured against, in the same process behind the same middleware."""

from nodepoint.settings import *  # noqa: F403

ROOT_URLCONF = "benchmarks.bare_urls"
