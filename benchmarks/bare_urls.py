"""All paths of the product, and `/bare`."""

from django.http import HttpRequest, JsonResponse
from django.urls import path

from nodepoint.urls import urlpatterns as product


def bare(request: HttpRequest) -> JsonResponse:
    """An answer without token, rows or thought."""
    return JsonResponse({"success": True})


urlpatterns = [path("bare", bare), *product]
