"""Bytes to messages and back: one asyncio protocol for each connection."""
