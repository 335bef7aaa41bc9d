from django.apps import AppConfig


class ApiConfig(AppConfig):
    """What every call of the API passes through, and the tables it needs."""

    name = "nodepoint.api"
    label = "api"
    verbose_name = "API"
