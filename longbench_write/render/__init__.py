"""Text made safe for where it is shown: CSV, Markdown, HTML, LaTeX, a terminal, a CI log."""
