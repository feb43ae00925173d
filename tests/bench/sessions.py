#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What idle sessions cost in memory, how soon new clients are greeted beside them, and what slow clients do to a fast one.

    tests/bench/sessions.py [--plain 9000] [--secure 1000] [--slow 1000] [--seconds 4] [--rounds 3]

Run in a build directory.  Memory is PSS of the daemon's processes (kB of /proc/PID/smaps_rollup), so no page is counted twice: before any
client has come, with the plain sessions after EHLO, and with those in TLS (after STARTTLS and EHLO) beside them.  A slow client says one byte
of a command in a second and never ends it; the fast client is the load of tests/bench on one connection, measured alone and beside them in turns."""
import argparse
import json
import os
import resource
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "story"))
import story  # noqa: E402

LOAD = os.path.join(story.BUILD, "tests", "bench", "load")


def memory(daemon):
    total = 0
    for pid in daemon.processes():
        with open(f"/proc/{pid}/smaps_rollup") as file:
            total += next(int(line.split()[1]) for line in file if line.startswith("Pss:"))
    return total


def read_reply(stream):
    text = b""
    while not text.endswith(b"\n") or text.splitlines()[-1][3:4] == b"-":
        more = stream.recv(4096)
        if not more:
            raise ConnectionError(text)
        text += more
    return text


def source(number):
    return (f"127.{1 + number // 40000}.0.1", 0)  # a port of its own for each, whatever the range


def plain_session(daemon, number):
    stream = socket.create_connection(("127.0.0.1", daemon.port), 60, source(number))
    read_reply(stream)
    stream.sendall(b"EHLO idle.example\r\n")
    read_reply(stream)
    return stream


def secure_session(daemon, number, context):
    stream = plain_session(daemon, number)
    stream.sendall(b"STARTTLS\r\n")
    read_reply(stream)
    stream = context.wrap_socket(stream)
    stream.sendall(b"EHLO idle.example\r\n")
    read_reply(stream)
    return stream


def greeting_times(daemon, count=50):
    """Milliseconds from connect to the greeting, of clients that come while all others are idle."""
    times = []
    for number in range(count):
        since = time.monotonic()
        with socket.create_connection(("127.0.0.1", daemon.port), 60, source(number)) as stream:
            read_reply(stream)
            times.append((time.monotonic() - since) * 1000)
            stream.sendall(b"QUIT\r\n")
            read_reply(stream)
    return sorted(times)


def certificate(scratch):
    key, cert = os.path.join(scratch, "key.pem"), os.path.join(scratch, "cert.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert, "-days", "2", "-subj", "/CN=mail.example.org"],
                   check=True, stderr=subprocess.DEVNULL)
    os.chmod(key, 0o600)
    return {"ServerCertFile": cert, "ServerKeyFile": key}


def daemon_for(scratch, name, sink_port, more):
    options = {**certificate(scratch), "ConnectionRateThrottle": 0, "MaxDaemonChildren": 0, "LogLevel": 4, **more}
    return story.Daemon(scratch, name, {"options": options, "rules": {"smart_host": f"[127.0.0.1]:{sink_port}"}}).start()


def idle(arguments, scratch):
    daemon = daemon_for(scratch, "idle", 9, {"Timeout": {"command": "1h"}})
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        for number in range(200):  # what is allocated once is there
            plain_session(daemon, number).close()
            secure_session(daemon, number, context).close()
        time.sleep(1)
        empty = memory(daemon)
        plain = [plain_session(daemon, number) for number in range(arguments.plain)]
        time.sleep(2)
        with_plain = memory(daemon)
        secure = [secure_session(daemon, arguments.plain + number, context) for number in range(arguments.secure)]
        time.sleep(2)
        with_secure = memory(daemon)
        times = greeting_times(daemon)
        for stream in plain + secure:
            stream.close()
        return {"empty_kib": empty, "kib_each_plain": round((with_plain - empty) / max(1, arguments.plain), 2),
                "kib_each_secure": round((with_secure - with_plain) / max(1, arguments.secure), 2),
                "greeting_ms_median": round(statistics.median(times), 2), "greeting_ms_worst": round(times[-1], 2)}
    finally:
        daemon.stop()


def fast(daemon, sink_port, seconds):
    done = subprocess.run([LOAD, "--port", str(daemon.port), "--sink", str(sink_port), "--connections", "1", "--seconds", str(seconds), "--domain", "far.example"],
                          stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def drip(streams, stop):
    while not stop.is_set():
        since = time.monotonic()
        for stream in streams:
            try:
                stream.send(b"x")
            except OSError:
                pass  # it may be sent away for it
        stop.wait(max(0, 1 - (time.monotonic() - since)))


def slow(arguments, scratch):
    sink_port = story.free_port()
    daemon = daemon_for(scratch, "slow", sink_port, {})
    alone, beside = [], []
    try:
        fast(daemon, sink_port, 1)
        for _ in range(arguments.rounds):
            alone.append(fast(daemon, sink_port, arguments.seconds))
            streams = [plain_session(daemon, number) for number in range(arguments.slow)]
            stop = threading.Event()
            thread = threading.Thread(target=drip, args=(streams, stop))
            thread.start()
            time.sleep(1)
            beside.append(fast(daemon, sink_port, arguments.seconds))
            stop.set()
            thread.join()
            for stream in streams:
                stream.close()
            time.sleep(1)
        return alone, beside
    finally:
        daemon.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, value in (("plain", 9000), ("secure", 1000), ("slow", 1000), ("seconds", 4), ("rounds", 3)):
        parser.add_argument("--" + name, type=int, default=value)
    arguments = parser.parse_args()
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if most < arguments.plain + arguments.secure + 100:
        sys.exit(f"{most} open files are allowed (ulimit -n), which is too few for these clients")
    with tempfile.TemporaryDirectory(prefix="postrider-sessions-") as scratch:
        os.chmod(scratch, 0o755)
        print(json.dumps(idle(arguments, scratch)), flush=True)
        if arguments.slow:
            alone, beside = slow(arguments, scratch)
            print(json.dumps({"alone": alone, "beside": beside}))


if __name__ == "__main__":
    main()
