"""What a screen needs: shaped from the processes, with no rules of its own."""
