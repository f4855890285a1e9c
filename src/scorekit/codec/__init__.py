"""Bytes to messages and messages to bytes: pure, without I/O, clock or event loop."""
