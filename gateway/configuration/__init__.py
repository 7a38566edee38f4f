"""What the gateway goes by, as one thing: read, checked, compared, tried on past calls, put in force, taken back."""
