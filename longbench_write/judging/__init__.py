"""How a response becomes six scores, or a reason that there are none."""
