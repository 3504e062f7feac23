"""The consumers, against a real Valkey and a real log."""
