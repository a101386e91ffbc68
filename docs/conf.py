"""How Sphinx builds the documentation (`make docs`)."""

from pinwarden import __version__

project = "Pinwarden"
copyright = "The Pinwarden authors"  # noqa: A001
release = version = __version__

extensions = ["myst_parser"]
exclude_patterns = ["_build"]
myst_heading_anchors = 3

html_theme = "furo"
html_title = f"Pinwarden {release}"
# Nothing is fetched from third parties when a page is read.
html_show_sphinx = False
