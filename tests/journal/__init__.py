"""The journal and the store of balances: what they hold, what they refuse, and what survives."""
