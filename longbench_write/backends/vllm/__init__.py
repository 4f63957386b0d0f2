"""The "vllm" backend: vLLM's engine inside this process."""
