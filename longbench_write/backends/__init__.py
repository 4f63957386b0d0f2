"""Where completions come from: one small protocol, and a room for each kind of server or engine."""
