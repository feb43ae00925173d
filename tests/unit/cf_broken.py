#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Wrong sendmail.cf files: each has beside it what sendmail 8.17.1 says of it when its test mode starts, and its exit status.

    data/cf/wrong/NAME.cf     data/cf/wrong/NAME.txt: "exit 70", then the lines, with FILE for the path
"""
import glob
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.abspath(os.environ.get("top_builddir", "."))
END = b"ADDRESS TEST MODE"


def said(path, conf):
    done = subprocess.run([os.path.join(BUILD, "postrider"), "sendmail", "-bt", "-C", path], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=dict(os.environ, POSTRIDER_CONF=conf), timeout=60)
    return b"exit %d\n" % done.returncode + done.stdout.split(END)[0].replace(path.encode(), b"FILE")


def main():
    bad = 0
    paths = sorted(glob.glob(os.path.join(HERE, "data", "cf", "wrong", "*.cf")))
    with tempfile.TemporaryDirectory() as top:
        conf = os.path.join(top, "postrider.conf")
        with open(conf, "w") as handle:
            handle.write(f'module_directory = "{BUILD}";\n')
        for path in paths:
            with open(path[:-3] + ".txt", "rb") as handle:
                wanted = handle.read()
            got = said(path, conf)
            if got != wanted:
                bad += 1
                print(f"{os.path.basename(path)}: wanted\n{wanted.decode('latin1')}got\n{got.decode('latin1')}")
    print(f"{len(paths)} files, {bad} differ")
    return 1 if bad or len(paths) < 40 else 0


if __name__ == "__main__":
    sys.exit(main())
