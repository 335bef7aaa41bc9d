"""Clients of what a site is made of: text and numbers in, frozen dataclasses out, one remote call per
method."""
