"""Clients of the systems that hold and delegate zones."""
