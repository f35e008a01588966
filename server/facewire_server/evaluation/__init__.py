"""Measures the product in the field's terms, through a real server."""
