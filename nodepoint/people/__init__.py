"""A customer as one person: what he has of all apps, was told, and what was done for him or noted."""
