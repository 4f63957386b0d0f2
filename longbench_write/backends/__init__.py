"""Where completions come from: one small protocol, and a module for each kind of server or engine."""
