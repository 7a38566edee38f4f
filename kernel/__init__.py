"""What every layer stands on. No business words."""
