"""Models: where they come from, how they are run. The only package that knows OpenVINO."""
