"""A worker process of the example: takes units and runs them until the server is gone."""

import logging
import os
import sys
import time

from coordinate_client import ConnectionFailed
from coordinate_client.worker import SingleWorker

PAUSE = 0.05  # seconds before asking again where there was nothing to do


def main(address: str, worker_number: str, lease: str) -> None:
    """Work for the server at an address, with leases of so many seconds."""
    logging.basicConfig(format=f"worker {worker_number} ({os.getpid()}): %(message)s")
    config = {"address": address, "default_lifetime": float(lease), "retries": 1}
    worker = SingleWorker(config)
    try:
        worker.register(parent=f"run-{os.getppid()}")
        while True:
            if not worker.run():
                time.sleep(PAUSE)
    except ConnectionFailed:
        # The server stops when all is done: there is no other end, and this is a good one.
        return


if __name__ == "__main__":
    main(*sys.argv[1:])
