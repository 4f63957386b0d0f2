"""How a prompt becomes a response."""
