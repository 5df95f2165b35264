"""What the server offers: wire values in, model calls, wire values out, and the group commit."""
