"""python -m geomflow is the command geomflow."""

import sys

from geomflow.cli import main

sys.exit(main())
