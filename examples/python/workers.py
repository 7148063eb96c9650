# SPDX-License-Identifier: MIT
"""Shows: worker processes with one limit, one queue of jobs and one page of
metrics, one of which is killed.  Introduces: Shared, Channel, shared=."""
import os
import signal

import girt

segment = girt.Shared(4 << 20)
jobs = girt.Channel(256, 128, shared=segment, name="jobs")
results = girt.Channel(256, 128, shared=segment, name="results")
budget = girt.Limiter(0, burst=60, shared=segment, name="budget")
metrics = girt.Metrics(shared=segment)
done = metrics.counter("jobs_done", "Jobs that were worked on.")


def work(number):
    while True:
        job = jobs.get()
        if job is None:
            return
        if job == "crash":
            os.kill(os.getpid(), signal.SIGKILL)
        done.add()
        results.put((job, budget.allow()))


workers = []
for number in range(3):
    pid = os.fork()
    if pid == 0:
        work(number)
        os._exit(0)
    workers.append(pid)

jobs.put_many(range(50))
jobs.put("crash")
jobs.put_many(range(50, 100))
answers = [results.get() for _ in range(100)]
jobs.put_many([None, None])
ends = [os.waitpid(pid, 0)[1] for pid in workers]

print("workers that were killed:", sum(os.WIFSIGNALED(end) for end in ends))
print("each job once:", sorted(job for job, _ in answers) == list(range(100)))
print("within the budget of 60:", sum(allowed for _, allowed in answers))
print(metrics.text().splitlines()[-1])
