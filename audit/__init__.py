"""The auditor: folds a journal from zero, by the domain's rules alone. Blind to storage and to projections."""
