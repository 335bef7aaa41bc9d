"""The steps of the flows: each looks, acts where needed, and says how it went."""
