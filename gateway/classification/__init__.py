"""Fields are classified in the contract, and a caller sees those it is cleared for."""
