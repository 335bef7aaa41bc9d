"""The operations board: what needs a human, what is going on, and how it has been going."""
