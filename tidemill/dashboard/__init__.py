"""A stack's dashboards as one page that can be sent to anyone."""
