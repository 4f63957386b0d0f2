"""Records become rows, rows a summary."""
