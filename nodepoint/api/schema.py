from drf_spectacular.openapi import AutoSchema


class ApiSchema(AutoSchema):
    """The OpenAPI description of one path."""
