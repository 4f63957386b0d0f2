"""Files as the package reads and writes them: JSON lines, whole files, YAML, shipped data."""
