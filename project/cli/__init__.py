"""The subcommands of `manage.py gotalk`, a module each. Only `serve` and `types` know the site."""
