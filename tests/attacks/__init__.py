"""The contract over HTTP: what is taken, what is refused and how, what is answered."""
