"""The edge that all apps share: tokens, the error envelope, input fields, idempotency, waiting
(docs/api.md)."""
