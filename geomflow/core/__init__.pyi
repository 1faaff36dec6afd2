from . import conventions as conventions
