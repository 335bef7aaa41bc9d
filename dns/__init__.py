"""Customers' DNS zones on ISPConfig. Not dnspython, which must never be installed beside it."""
