"""Settings that gunicorn reads from the folder it starts in."""

import os

bind = "0.0.0.0:5000"
workers = int(os.environ.get("WEB_CONCURRENCY") or 1)
threads = 4
# Each worker touches a file to show that it is alive. /tmp may be a disk; /dev/shm is memory.
worker_tmp_dir = "/dev/shm"
accesslog = "-"
