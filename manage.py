#!/usr/bin/env python
"""The command line of NodePoint: `manage.py help` lists what there is."""

import os
import sys


def main() -> None:
    """Run one command; a wrong setting ends in one line that names it and an exit code of its own, not in a
    traceback."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "nodepoint.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        from nodepoint.env import WRONG_SETTINGS

        sys.stderr.write(f"nodepoint: {error}\n")
        sys.exit(WRONG_SETTINGS)


if __name__ == "__main__":
    main()
