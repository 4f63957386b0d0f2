"""What is measured: every figure is declared here, once."""
