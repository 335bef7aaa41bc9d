"""Staff: who they are, how they prove it, and what their pages may do."""
