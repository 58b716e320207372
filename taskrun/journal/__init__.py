"""What is remembered: runs, all that happened in them, and who drives them."""
