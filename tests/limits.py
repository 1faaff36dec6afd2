"""The time limit of the tests, which catches what hangs: no machine needs so long, however busy it is."""

HANGS = 3600.0  # seconds; what runs in the process of the tests has the `timeout` of setup.cfg, which is the same
