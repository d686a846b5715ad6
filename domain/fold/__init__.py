"""The fold: what each entry adds to which balance, and the digest of all balances."""
