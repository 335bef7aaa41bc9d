"""A signal for what works in a web process beside the requests."""

from django.dispatch import Signal

begun = Signal()  # sent once in each process that serves requests, after its fork
