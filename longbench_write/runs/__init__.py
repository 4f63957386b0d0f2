"""A run: who writes and judges, its folder, its schedule."""
