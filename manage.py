#!/usr/bin/env python3
import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    if sys.argv[1:2] == ["gotalk"]:
        from project.cli import run_without_the_site

        exit_code = run_without_the_site(sys.argv[2:])
        if exit_code is not None:
            sys.exit(exit_code)
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        # Written for the operator, who has no use for where in the code it was noticed.
        sys.exit(str(error))
