"""The facewire server. Import the client from :mod:`facewire`; this package is started, not imported."""
