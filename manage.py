#!/usr/bin/env python
"""The command line of Cloudconsole; `manage.py help` lists the commands."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cloudconsole.settings")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:  # for whoever set the variable, not for whoever reads code
        sys.exit(f"Misconfigured: {error}")
