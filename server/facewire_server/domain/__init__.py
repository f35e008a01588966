"""What the server is about, without any library: values, decisions, errors, and the ports that others fill."""
