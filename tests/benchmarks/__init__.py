"""Each benchmark, small: it still runs to its table."""
