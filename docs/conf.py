"""How Sphinx builds the site: Markdown (MyST), warnings are errors."""

from importlib.metadata import version as installed_version

project = "ProvGraph"
copyright = "The ProvGraph authors"
version = release = installed_version("provgraph")

extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["scripts"]
# Links to headings, `{#name}` targets, and definition lists.
myst_enable_extensions = ["attrs_block", "attrs_inline", "deflist"]
myst_heading_anchors = 3
nitpicky = True
# A shell's string over two lines is beyond the lexer of console sessions; it is shown all the same.
suppress_warnings = ["misc.highlighting_failure"]

html_theme = "furo"
html_title = "ProvGraph"
html_show_sphinx = False
html_show_copyright = False
