"""HTTP: what all routes share. Doors, access, the watch for the log, problems, tickets, cached answers, what is withheld."""
