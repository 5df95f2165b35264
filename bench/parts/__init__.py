"""The parts of the suite: each measures one thing and puts its tables into the report."""
