# SPDX-License-Identifier: BSD-2-Clause
"""Says of two lists of answers which are equal, which differ for a reason that stands in a table, and shows the rest.

    judge = Judge("transcripts.tsv", show=5)
    judge.compare("console", [(question, answer of sendmail, answer of the candidate), ...])
    sys.exit(judge.verdict())

A row of the table: where (a shell pattern), pattern in the question, pattern in sendmail's answer, what stands there with us (* alone: anything), why.
Where the third begins with "ours: ", its pattern and what stands there are for our answer: what we say more.
Patterns are regular expressions over bytes.  A row that explains nothing any more is told, and fails: reasons do not outlive what they explain."""
import difflib
import fnmatch
import os
import re

OURS = b"ours: "
HERE = os.path.dirname(os.path.abspath(__file__))


def load(name):
    rows = []
    with open(os.path.join(HERE, name), "rb") as handle:
        for number, line in enumerate(handle.read().split(b"\n"), 1):
            if line and not line.startswith(b"#"):
                fields = line.split(b"\t")
                if len(fields) != 5:
                    raise SystemExit(f"{name}: line {number}: five fields are wanted, there are {len(fields)}")
                is_ours = fields[2].startswith(OURS)
                rows.append((f"{name}:{number}", fields[0].decode(), re.compile(fields[1], re.S), re.compile(fields[2].removeprefix(OURS), re.M | re.S),
                             fields[3].decode("unicode_escape").encode("latin-1"), is_ours))
    return rows


def plain(question, answer):
    """Members of a class come in no order that anybody may rely on."""
    return b"".join(sorted(answer.splitlines(keepends=True))) if question.startswith(b"$=") else answer


def apart(real, ours, most=12):
    """The first lines that differ: - is sendmail's, + the candidate's."""
    lines = difflib.ndiff(*([repr(line)[2:-1] for line in answer[:20000].split(b"\n")[:400]] for answer in (real, ours)))
    return "".join(f"    {line[:300]}\n" for line in [line for line in lines if line[0] in "-+"][:most])


class Judge:
    def __init__(self, table, show=5):
        self.rows, self.show = load(table), show
        self.used, self.seen = set(), set()
        self.total = self.unexplained = 0

    def is_explained(self, where, question, real, ours):
        for place, pattern, which, text, replacement, is_ours in self.rows:
            if fnmatch.fnmatch(where, pattern) and which.search(question):
                if replacement == b"*" and text.search(real):
                    self.used.add(place)
                    return True
                answer = ours if is_ours else real
                changed = text.sub(lambda match, by=replacement: match.expand(by), answer)
                if changed != answer:
                    self.used.add(place)
                real, ours = (real, changed) if is_ours else (changed, ours)
        return real == ours

    def compare(self, where, answers, seconds=None):
        self.seen.add(where)
        equal, shown = 0, []
        explained = 0
        for question, real, ours in answers:
            real, ours = plain(question, real), plain(question, ours)
            if real == ours:
                equal += 1
            elif self.is_explained(where, question, real, ours):
                explained += 1
            else:
                shown.append((question, real, ours))
        self.total += len(answers)
        self.unexplained += len(shown)
        took = f" {seconds:6.1f} s" if seconds is not None else ""
        print(f"{where:28} {len(answers):6} answers {equal:6} equal {explained:4} explained {len(shown):5} unexplained{took}", flush=True)
        for question, real, ours in shown[:self.show]:
            print(f"  {question!r}"[:300] + "\n" + apart(real, ours), end="", flush=True)

    def stale(self):
        """Rows for what was compared that changed no answer."""
        return [place for place, pattern, *_ in self.rows if place not in self.used and any(fnmatch.fnmatch(where, pattern) for where in self.seen)]

    def verdict(self, whole=True):
        print(f"{self.total} answers, {self.unexplained} unexplained differences")
        stale = self.stale() if whole else []
        for place in stale:
            print(f"{place}: explains nothing")
        return 1 if self.unexplained or stale or not self.total else 0
