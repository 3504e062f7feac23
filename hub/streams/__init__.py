"""All knowledge of Redis: keys, ids, groups, claims, feeds, the embedded server."""
