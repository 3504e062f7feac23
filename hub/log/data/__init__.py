"""Files that are handed out as they are."""
