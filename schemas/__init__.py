"""What a message is: data and formats, without I/O."""
