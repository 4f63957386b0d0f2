"""AgentWrite against a server whose plans and paragraphs are known; writes benchmarks/AGENTWRITE.md."""
