from . import export as export
from .datasets import to_xarray as to_xarray
from .store import Store as Store
