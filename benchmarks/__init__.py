"""Speed of geomflow beside its peers and beside the machine's limit. See README.md."""
