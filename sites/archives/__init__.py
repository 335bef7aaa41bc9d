"""Archives: whole sites on other storage, made every night, when a customer asks, and before a site goes."""
