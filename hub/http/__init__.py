"""The hub over HTTP: publish, read, acknowledge, audit."""
