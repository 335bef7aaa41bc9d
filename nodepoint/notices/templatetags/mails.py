"""What the layout of e-mails needs."""

from django import template

from nodepoint.notices import letters

register = template.Library()
register.filter("wrapped", letters.wrapped)
