"""A mirror of the log: a state's own copy, proven entry by entry, that others can follow."""
