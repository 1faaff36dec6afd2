"""Draw the picture of the README from its own run file: python docs/make_pictures.py."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")

import geomflow as gf
from geomflow.cli.document import read_document
from geomflow.cli.run import Prepared
from geomflow.cli.schema import RunFile

HERE = Path(__file__).parent
RUN_FILE = HERE.parent / "examples" / "kahler" / "calabi_flow_torus.toml"


def main() -> None:
    """Make the run of the file and write the snapshots of its curvature and potential."""
    sol = Prepared.of(read_document(RUN_FILE, RunFile)).solve()
    figure = gf.plot.snapshots(sol)[0, 0].figure
    figure.savefig(HERE / "_static" / "calabi_flow_torus.png", dpi=110)


if __name__ == "__main__":
    main()
