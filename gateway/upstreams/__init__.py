"""Calls that leave this process: connections, which upstream of several, how often, and what passes in both directions."""
