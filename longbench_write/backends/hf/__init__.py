"""The "hf" backend: transformers' `generate` inside this process."""
