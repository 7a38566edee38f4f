"""The command `trivium`: what a person types."""
