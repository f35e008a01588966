"""The workshop; what needs PyTorch is skipped where it is absent, and says so."""
