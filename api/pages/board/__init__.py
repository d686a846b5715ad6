"""The board: live rankings of all dinas, redrawn once for everyone who watches."""
