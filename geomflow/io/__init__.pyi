from . import export as export
from .reader import to_xarray as to_xarray
from .store import Store as Store
