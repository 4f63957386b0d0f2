"""The loopback servers that tests talk to."""
