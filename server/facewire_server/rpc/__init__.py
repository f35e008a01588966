"""gRPC: the only package of the server that knows protobuf."""
