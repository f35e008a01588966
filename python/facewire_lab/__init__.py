"""The workshop: models trained on the owner's pictures, on the owner's machine, for the facewire server.

Needs ``pip install 'facewire[lab]'``: PyTorch, whose CPU build is enough. The verbs are ``facewire lab ...``.
"""
