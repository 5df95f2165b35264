"""The queues that are measured on the same work, and the leanest client for each."""
