"""New parts of the house, written the way the house is: code, contract and tests that pass its checks."""
