"""What a server did to a run's answers: who cut them off, at how many tokens, what is out of reach."""
