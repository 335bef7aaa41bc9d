"""The cluster behind the API: what exists, what may be done with it, and what takes time. Knows nothing of
HTTP."""
