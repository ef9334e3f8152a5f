"""What a classifier is: its card, its checkpoint, how it answers, and which films it may judge."""
