"""Verbs that need the server's parts: serve, models, demo."""
