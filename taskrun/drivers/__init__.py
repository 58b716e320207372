"""Who acts: drivers feed the machine with events, make its transitions durable, and carry out its commands."""
