"""Fixtures of the attacks: the browser of the page tests."""

from tests.pages.conftest import chromium, open_window, page

__all__ = ["chromium", "open_window", "page"]
