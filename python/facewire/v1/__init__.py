"""Generated code of the contract, facewire.v1."""
