"""Caspian Hub: emergency messages between the agencies of the Caspian states."""
