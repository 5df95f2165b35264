"""A shell of the smallest kind: one job on a terminal, which it can put into the foreground.

Started as `python job_shell.py TERMINAL COMMAND [ARGUMENT ...]`, in a session of its own. It reads
`fg`, `bg` and `wait`, a line each, and says `done` to the first two. To `wait` it says what has
become of the job, `stopped NUMBER` or `ended CODE`, and is in the foreground itself then.
"""

import os
import signal
import subprocess
import sys


def take_terminal(terminal, group):
    """Put a process group into the foreground."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTTOU})
    os.tcsetpgrp(terminal, group)
    signal.pthread_sigmask(signal.SIG_SETMASK, before)


def become_of(job):
    """Wait until a job has stopped or ended."""
    _, status = os.waitpid(job, os.WUNTRACED)
    if os.WIFSTOPPED(status):
        return f"stopped {os.WSTOPSIG(status)}"
    return f"ended {os.waitstatus_to_exitcode(status)}"


def main():
    """Start the job in the background, and do as is told."""
    # A session without a terminal gets the first one that it opens.
    terminal = os.open(sys.argv[1], os.O_RDWR)
    job = subprocess.Popen(
        sys.argv[2:], stdin=terminal, stdout=terminal, stderr=terminal, process_group=0
    )
    for line in sys.stdin:
        told = "done"
        if line == "wait\n":
            told = become_of(job.pid)
            take_terminal(terminal, os.getpgrp())
        else:
            take_terminal(terminal, job.pid if line == "fg\n" else os.getpgrp())
            os.killpg(job.pid, signal.SIGCONT)
        sys.stdout.write(f"{told}\n")
        sys.stdout.flush()
    # The job ends with its terminal.
    os._exit(0)


if __name__ == "__main__":
    main()
