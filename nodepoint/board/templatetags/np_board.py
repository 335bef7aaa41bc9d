"""Pages are called as the sidebar calls them."""

from typing import Any

from django import template
from django.http import HttpRequest

from nodepoint.board import navigation

register = template.Library()


@register.simple_tag
def crumbs(parts: list[dict[str, Any]], request: HttpRequest) -> list[dict[str, Any]]:
    """The theme's way to a page, whose names are those of our tables, in the words of the sidebar."""
    return navigation.named(parts, request)


@register.simple_tag
def list_name(cl: Any) -> str:
    """What the sidebar calls a list, else the plural of its rows."""
    return navigation.name_of(cl.opts) or str(cl.opts.verbose_name_plural).capitalize()
