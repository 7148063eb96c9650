# SPDX-License-Identifier: MIT
"""Shows: a pipeline of threads that ends by itself.  Introduces: Queue in
batches, close, Map.increment."""
import threading

import girt

TEXT = """the girt ties the columns of a wall together
so that the columns share the load of the wall""".split()

words = girt.Queue(8)
counts = girt.Map()


def count():
    while True:
        try:
            batch = words.get_many(4)  # waits for the first, takes up to four
        except girt.Closed:
            return
        for word in batch:
            counts.increment(word)


workers = [threading.Thread(target=count) for _ in range(3)]
for worker in workers:
    worker.start()
words.put_many(TEXT * 100)  # more than fit at once: it waits for room
words.close()
for worker in workers:
    worker.join()

for word in ("the", "columns", "girt"):
    print(word, counts.number(word))
