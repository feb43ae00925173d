# SPDX-License-Identifier: BSD-2-Clause
"""The program that is judged: ours, or another command line (--candidate 'PROGRAM ARGUMENT... FILE ...': FILE stands for the configuration)."""
import os
import shlex


class Candidate:
    def __init__(self, place, words=None):
        self.place, self.words = place, shlex.split(words) if words else None

    def command(self, cf, mode="-bt"):
        """How to start it, for subprocess.  A command line of one's own is for -bt."""
        if self.words is None:
            ours = self.place.ours(cf)
            return {**ours, "args": [mode if word == "-bt" else word for word in ours["args"]]}
        return {"args": [cf if word == "FILE" else word for word in self.words], "env": dict(os.environ, TZ="UTC")}


def add_argument(parser):
    parser.add_argument("--candidate", metavar="'COMMAND'", help="judge this command line in place of postrider; FILE in it is the configuration")
