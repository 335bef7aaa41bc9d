"""Support keys: who has a right to support, decided by the billing portal, asked by ticket systems and staff."""
