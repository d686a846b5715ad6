"""The store: balances, reasons, case files, rules and position in one transaction, on SQLite or PostgreSQL."""
