"""WordPress sites, from the paid order to the deleted container. Begin with `flows.py`."""
