"""A promise is made once: what is published is locked, signed for, and changes only compatibly until it ends as announced."""
