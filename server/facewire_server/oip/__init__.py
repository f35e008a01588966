"""Generated code of the Open Inference Protocol v2. Apart from rpc, so that nothing else of it is named ``inference``."""
