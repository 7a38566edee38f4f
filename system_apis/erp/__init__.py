"""The ERP domain as an API: the same for every vendor."""
