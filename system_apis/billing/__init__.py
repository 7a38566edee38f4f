"""The billing domain as an API: the same for every vendor."""
