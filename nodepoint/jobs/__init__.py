"""The engine of all long work: flows made of steps, kept in rows, carried out by runners (docs/jobs.md)."""
