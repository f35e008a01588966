"""Streams: frames in, tracks with identities and events out."""
