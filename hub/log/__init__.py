"""The auditable log: append, read, prove, verify, replay."""
