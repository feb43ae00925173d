#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""5,000 messages from 50 connections while every process is killed with -9 at random ten times: what got its 250 arrives,
byte for byte; duplicates only for what was in flight at a kill.

The negative control: the same bookkeeping is shown a message that was accepted and never arrived, and says so."""
import collections
import os
import random
import re
import signal
import threading
import time

import story

MESSAGES, CONNECTIONS, KILLS = (5000, 50, 10) if story.SLOW == 1 else (1000, 20, 5)


def body(number):
    return f"number {number}\n" + ("line of message %d .\n..\n" % number) * (number % 40) + "end\n"


def account(accepted, arrived):
    """(lost, changed, doubled) of two {number: body or count} records."""
    lost = sorted(set(accepted) - set(arrived))
    changed = sorted(n for n, bodies in arrived.items() if any(b != body(n) for b in bodies))
    doubled = sorted(n for n, bodies in arrived.items() if len(bodies) > 1)
    return lost, changed, doubled


class Kills(story.Story):
    def test_control(self):
        self.assertEqual(account({1: 1, 2: 1}, {1: [body(1)]}), ([2], [], []))
        self.assertEqual(account({1: 1}, {1: [body(1) + "x"]}), ([], [1], []))
        self.assertEqual(account({1: 1}, {1: [body(1)] * 2}), ([], [], [1]))

    def test_kills(self):
        seed = int(os.environ.get("STORY_SEED", str(random.randrange(10 ** 6))))
        dice = random.Random(seed)
        sink = self.sink()
        daemon = self.daemon(rules={"smart_host": f"[127.0.0.1]:{sink.port}", "local_domains": ["example.org"]},
                             options={"MinQueueAge": "1s", "MaxQueueAge": "2s", "QueueInterval": "2s", "Timeout": {"hoststatus": "1s"}})
        numbers = iter(range(MESSAGES))
        lock, accepted, kills, finished = threading.Lock(), {}, [], threading.Event()

        def sender():
            client = None
            while True:
                with lock:
                    number = next(numbers, None)
                if number is None:
                    break
                while number not in accepted:
                    try:
                        client = client or daemon.client(timeout=20)
                        code, _ = client.message("a@example.net", [f"n{number}@example.com"], f"Subject: {number}\n\n" + body(number))
                        if code == 250:
                            accepted[number] = time.monotonic()
                        elif code == 421:
                            client = None
                        else:
                            client.command("RSET")
                    except (OSError, ConnectionError, ValueError):
                        client = None
                        time.sleep(0.05)

        def killer():
            while len(kills) < KILLS and not finished.is_set():
                time.sleep(dice.uniform(0.3, 1.0))
                tree = daemon.processes()
                if not tree:
                    continue
                pid = dice.choice(sorted(tree))
                try:
                    os.kill(pid, signal.SIGKILL)
                except OSError:
                    continue
                kills.append((time.monotonic(), tree[pid]))
                if tree[pid] == "master":  # nobody else can start it again
                    daemon.process.wait()
                    for other in tree:
                        story.wait_for(f"{tree[other]} {other} to leave after its master", lambda p=other: not story.is_alive(p), 40)
                    daemon.start()

        threads = [threading.Thread(target=sender, daemon=True) for _ in range(CONNECTIONS)]
        killing = threading.Thread(target=killer, daemon=True)
        for thread in threads:
            thread.start()
        killing.start()
        killing.join(240 * story.SLOW)
        for thread in threads:
            thread.join(240 * story.SLOW)
        finished.set()
        self.assertEqual(len(accepted), MESSAGES, daemon.log()[-3000:])
        self.assertEqual(len(kills), KILLS)

        def arrived():
            found = collections.defaultdict(list)
            for _, _, text in list(sink.messages):
                found[int(re.search(r"(?m)^Subject: (\d+)", text).group(1))].append(text.split("\n\n", 1)[1])
            return found

        with_deadline = time.monotonic() + 120 * story.SLOW
        while time.monotonic() < with_deadline and (len(arrived()) < MESSAGES or daemon.queue_ids()):
            time.sleep(0.5)
        lost, changed, doubled = account(accepted, arrived())
        print(f"\n  seed {seed}: {MESSAGES} accepted, kills {collections.Counter(role for _, role in kills)}, "
              f"lost {len(lost)}, changed {len(changed)}, doubled {len(doubled)} ({100 * len(doubled) / MESSAGES:.2f} %)")
        self.assertEqual((lost[:10], changed[:10]), ([], []), f"seed {seed}\n" + daemon.log()[-3000:])
        self.assertLess(len(doubled), MESSAGES * 0.05)
        self.assertEqual(daemon.queue_ids(), [])


if __name__ == "__main__":
    story.main()
