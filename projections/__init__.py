"""Read models: the durable store of balances, and what is read from it. Disposable: a rebuild makes them anew."""
