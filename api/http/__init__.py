"""HTTP: what all routes share. Access, problems, tickets, cached answers, what is withheld."""
