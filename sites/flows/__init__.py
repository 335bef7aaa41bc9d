"""What happens to a site, step by step. Read this first.

Steps whose forerunners (`after`) are done run side by side. When a step fails for good, everything that was begun is undone, last first. Deleting a
site is made of the same undos: DNS first, so that visitors go, the address last, so that nobody else gets it before the container is gone.
"""

from sites.flows.lifecycle import PROVISION, TERMINATE

__all__ = ["PROVISION", "TERMINATE"]
