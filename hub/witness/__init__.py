"""A witness of logs: it cosigns what follows from what it saw, and never two histories."""
