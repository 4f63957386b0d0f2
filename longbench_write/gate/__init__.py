"""The CI gate: whether a model has become worse."""
