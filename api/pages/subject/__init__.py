"""Subject pages: a dinas or an ASN, the reasons of a score, its events and case files."""
