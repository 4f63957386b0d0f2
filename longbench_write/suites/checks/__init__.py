"""What a prompt list has to be: lengths as stated, the right distribution, nothing double or official."""
