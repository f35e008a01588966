"""Generated code of the Open Inference Protocol v2."""
