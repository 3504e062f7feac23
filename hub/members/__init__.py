"""Agencies' people and systems: their credentials and roles."""
