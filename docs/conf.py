"""How the documentation is built: python -m sphinx docs docs/_build.

`make quick` in docs/, or `-t quick -D plot_gallery=0`, builds all pages in a minute or two: studies, functionals,
commands and examples are not run; what an earlier build has kept of functionals is shown. `make check` looks at them.
"""

import doctest
import os
import sys
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))
os.environ.setdefault("MPLBACKEND", "Agg")

import geomflow

project = "geomflow"
author = copyright = "The geomflow developers"
version = release = geomflow.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.doctest",
    "sphinx.ext.viewcode",
    "sphinx_gallery.gen_gallery",
    "mathml",
    "landing",
    "outside_names",
    "source_pages",
    "plain_docstrings",
    "plain_signatures",
    "glossary_terms",
    "reference_names",
    "run_file_keys",
    "ran_commands",
    "functional_pages",
    "study_pages",
]
exclude_patterns = [
    "_build", "_ext", "full_size", "gallery/**/*.ipynb", "gallery/**/*.py", "gallery/**/*.md5", "**/*.zip",
]  # fmt: skip
nitpicky = False
suppress_warnings = ["ref.python"]  # a type in a signature may have the name of two classes; missing ones still warn
default_role = "code"

myst_enable_extensions = ["amsmath", "dollarmath", "deflist", "colon_fence"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
python_maximum_signature_line_length = 88
python_use_unqualified_type_names = True
toc_object_entries = False  # the tables of a page list what is on it, and every page would carry every name
autodoc_default_options = {"members": True, "show-inheritance": False}
add_module_names = False

# Examples in docstrings run under pytest; those of the pages run under `sphinx -b doctest`.
doctest_test_doctest_blocks = ""
doctest_default_flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE

html_theme = "furo"
html_title = f"geomflow {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_math_renderer_name = "mathml"
html_theme_options = {"footer_icons": []}

sphinx_gallery_conf = {
    "examples_dirs": ["../examples"],
    "gallery_dirs": ["gallery"],
    "filename_pattern": r"\.py$",
    "within_subsection_order": "FileNameSortKey",
    "download_all_examples": False,
    "write_computation_times": False,  # that page loads scripts from the network
    "show_memory": False,
    "show_signature": False,
    "remove_config_comments": True,
    "ignore_repr_types": r"matplotlib|numpy\.ndarray",  # a picture stands there, not the axes that it was drawn in
    "matplotlib_animations": False,
    "abort_on_example_error": True,
    "parallel": 2,
}

warnings.filterwarnings("ignore", message="FigureCanvasAgg is non-interactive", category=UserWarning)
