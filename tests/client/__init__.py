"""The Python clients, against a hub that runs."""
