"""The API of a hub that runs."""
