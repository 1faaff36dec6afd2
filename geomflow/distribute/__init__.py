"""The same work spread over a Dask cluster, with the same results, bit for bit on processors of one kind.

>>> with as_workers(None) as workers:  # None: this process; 2: two local ones; "tcp://host:8786": a cluster
...     workers.map(pow, [2, 3], [5, 2])
[32, 9]
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
