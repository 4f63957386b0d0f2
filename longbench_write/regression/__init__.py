"""Has this model become worse? Two runs compared prompt by prompt, and the gate that rests on it."""
