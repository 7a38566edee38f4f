"""Partners: companies whose clients see their own accounts only, on a plan, counted and closed as one."""
