"""What goes over the wire between a coordinated server and its clients, without doing any I/O."""
