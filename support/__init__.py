"""Support keys: who has a right to support. The billing portal decides it, ticket systems and staff ask."""
