#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""make.py CONFIGURATION OUTDIR [NAME...]: plays the situations with the real sendmail; runs in the oracle's world (make.sh)."""
import glob
import os
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "..", "story")]
import stage  # noqa: E402
import story  # noqa: E402

PORT, QUEUE, USER = 2526, "/var/spool/mqueue-dsn", "alice"


class Sendmail:
    def __init__(self, configuration, options):
        self.arguments = ["-C", configuration, f"-OQueueDirectory={QUEUE}"] + [f"-O{name}={value}" for name, value in options]
        for path in glob.glob(QUEUE + "/*"):
            os.unlink(path)
        self.process = subprocess.Popen(["/usr/sbin/sendmail", *self.arguments, "-bD"], stdin=subprocess.DEVNULL, env=self.environment())
        story.wait_for("the greeting", self.is_up)

    @staticmethod
    def environment():
        return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "TZ": "UTC"}

    def is_up(self):
        try:
            story.Client(PORT).close()
            return True
        except OSError:
            return False

    def run_queue(self):
        time.sleep(1.2)
        subprocess.run(["/usr/sbin/sendmail", *self.arguments, "-q"], env=self.environment(), check=True)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


def main():
    configuration, out, *names = sys.argv[1:]
    os.makedirs(QUEUE, exist_ok=True)
    os.chmod(QUEUE, 0o700)
    hosts = stage.Stage(25)
    chosen = [s for s in stage.SITUATIONS if not names or s.name in names]
    for options, situations in stage.by_options(chosen).items():
        sendmail = Sendmail(configuration, options)
        try:
            for situation in situations:
                text = stage.play(hosts, situation, PORT, USER, sendmail.run_queue, 1.0)
                with open(os.path.join(out, situation.name + ".txt"), "w", encoding="latin-1") as file:
                    file.write(text)
                print(situation.name, text.count("======== message"), flush=True)
                for path in glob.glob(QUEUE + "/*"):
                    os.unlink(path)
        finally:
            sendmail.stop()
    hosts.close()


if __name__ == "__main__":
    main()
