"""Studies: the claims about metric flows of networks, each put to the test by runs, with data, a figure and a page.

>>> from geomflow.study import STUDIES
>>> sorted(STUDIES)
['architectures', 'baseline', 'clustering-cost', 'corrections', 'ensemble', 'feature-learning', 'figure2', 'figure3',
 'generalisation', 'lazy-to-rich', 'local-limit', 'locality', 'mixing', 'scaling', 'table1', 'width']
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
