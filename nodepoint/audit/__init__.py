"""Who did what, from where: one append-only log of every act."""
