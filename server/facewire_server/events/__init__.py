"""The event ring: the latest events of all streams, on disk."""
