"""Answers to what must not be done twice are kept, so that the same call again gets the same answer."""
