"""Decisions, pure: values in, values out. No clock, key, socket or environment is read here."""
