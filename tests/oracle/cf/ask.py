# SPDX-License-Identifier: BSD-2-Clause
"""One command stream for -bt, and what each command of it was answered: a marker that is printed after every command splits the output."""
import subprocess
import tempfile

MARK = b"@@MARK@@"
AFTER = b".D{oracleMark}" + MARK + b"\n${oracleMark}\n"
BANNER = b"ADDRESS TEST MODE (ruleset 3 NOT automatically invoked)\nEnter <ruleset> <address>\n"
MISSING = b"(no answer)\n"


def split(output, count):
    """What came before the banner, and the answers."""
    before, banner, rest = output.partition(BANNER)
    answers = [answer[2:] if answer.startswith(b"> ") else answer for answer in rest.split(b"> > " + MARK + b"\n")]
    tail = answers[count:]
    answers = answers[:count] + [MISSING] * (count - len(answers))
    return before if banner else before + b"(no banner)\n", answers, tail


def start(program, commands):
    """Begins to answer; two programs may do so at the same time."""
    source, output = tempfile.TemporaryFile(), tempfile.TemporaryFile()
    source.write(b"".join(command + b"\n" + AFTER for command in commands))
    source.seek(0)
    return subprocess.Popen(stdin=source, stdout=output, stderr=subprocess.STDOUT, **program), output


def finish(process, output, commands, seconds):
    """[(command, answer)], beginning with what was said before the first command and ending with how it ended."""
    try:
        end = process.wait(seconds)
        end = b"exit status %d" % end if end >= 0 else b"killed by signal %d" % -end
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        end = b"no end after %d seconds" % seconds
    output.seek(0)
    before, answers, tail = split(output.read(), len(commands))
    if end.startswith((b"no end", b"killed")) and MISSING in answers:
        end += b", at " + commands[answers.index(MISSING)]
    return [(b"(start)", before), *zip(commands, answers), (b"(end)", b"".join(tail) + end + b"\n")]
