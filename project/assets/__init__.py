"""The static files of the site: their addresses, and how they are answered before Django is asked."""
