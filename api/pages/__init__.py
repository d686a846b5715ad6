"""Pages: the HTML site, its words, drawings, tables and sign-in. Each section is a folder."""
