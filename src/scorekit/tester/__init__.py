"""The contract tester: what must hold between a contract and a server that claims to keep it."""
