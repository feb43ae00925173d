#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What a backlog costs: bytes of the courier per message, microseconds of mailq per message, and the rate of new mail beside it.

  queue_list.py BUILD [--messages 100000] [--port 2525] [--at DIRECTORY]

Measures the rate of new mail (10 clients, relayed to a sink) through a private relay with an empty queue; fills the queue with deferred
messages that are not due, runs mailq without a daemon, starts the relay again, runs mailq with it, and measures the rate once more.
Prints a line for each figure; "exit 1" when one misses its bound.  Needs `make tests/bench/load`.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
BOUNDS = {'bytes per message': 400, 'us per message, no daemon': 30, 'us per message, daemon': 5, 'rate of an empty queue over the rate beside it': 1.25}


def fill(queue, count):
    now = int(time.time())
    os.makedirs(queue, exist_ok=True)
    for i in range(count):
        name = '6AKD%03dKg%06d' % (i // 1000000, i)
        with open(f'{queue}/df{name}', 'w') as body:
            body.write('x' * 100 + '\n')
        with open(f'{queue}/qf{name}', 'w') as control:
            control.write(f'V8\nT{now - 600}\nK{now}\nN1\nP{30000 + i}\nB8BITMIME\nMDeferred: Connection refused by [127.0.0.1]\n'
                          f'$_localhost [127.0.0.1]\n$rESMTP\n$sclient.example\n${{daemon_flags}}\nS<sender{i % 5000}@example.com>\n'
                          f'MDeferred: Connection refused by [127.0.0.1]\nrRFC822; user{i}@host{i % 700}.example.net\n'
                          f'RPFD:<user{i}@host{i % 700}.example.net>\nH?P?Return-Path: <g>\nH??From: a@example.com\n'
                          f'H??Subject: message {i}\nH??Message-Id: <{i}@example.com>\n.\n')


def own(directory, like):
    """The daemon's users own what is in their queue."""
    st = os.stat(like)
    for name in os.listdir(directory):
        path = os.path.join(directory, name)
        if name[:2] in ('qf', 'df'):
            os.chown(path, st.st_uid, st.st_gid)
            os.chmod(path, 0o640)


def pss(pid):
    with open(f'/proc/{pid}/smaps_rollup') as rollup:
        for line in rollup:
            if line.startswith('Pss:'):
                return int(line.split()[1]) * 1024
    raise RuntimeError('no Pss')


class Relay:
    def __init__(self, options, spool, more):
        self.options, self.spool = options, spool
        env = dict(os.environ, POSTRIDER_BUILD=options.build)
        script = open(os.path.join(HERE, '../tool/relay')).read()
        own_script = os.path.join(spool, 'relay')
        with open(own_script, 'w') as out:
            out.write(script.replace('	MinQueueAge = 0;', more).replace('"b";', '"b"; QueueInterval = "1h";'))
        self.log = open(os.path.join(spool, 'relay.out'), 'w')
        self.process = subprocess.Popen(['sh', own_script, str(options.port), f'[127.0.0.1]:{options.port + 1}', spool], env=env,
                                        stdout=self.log, stderr=self.log)

    def ask(self, *words):
        return subprocess.run([f'{self.options.build}/postrider', words[0], '-C', f'{self.spool}/postrider.conf', *words[1:]],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout

    def status(self):
        return self.ask('postriderctl', 'status')

    def wait(self, count):
        started = time.monotonic()
        while time.monotonic() - started < 300:
            text = self.ask('sendmail', '-bP')
            if (count == 0 and 'is empty' in text) or f'entries={count}\n' in text:
                return time.monotonic() - started
            if self.process.poll() is not None:
                sys.exit('the relay did not start: ' + open(f'{self.spool}/log').read()[-500:] + open(self.log.name).read()[-500:])
            time.sleep(0.2)
        sys.exit('the queue was not read in 300 s')

    def courier(self):
        for line in self.status().splitlines():
            if line.startswith('courier pid '):
                return int(line.split()[2])
        sys.exit('no courier')

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(60)


def rate(options):
    """New messages accepted a second; all of them reach the sink."""
    done = subprocess.run([f'{options.build}/tests/bench/load', '--port', str(options.port), '--sink', str(options.port + 1), '--messages', '400000',
                           '--connections', '10', '--seconds', '4', '--size', '1024', '--drain', '20'], stdout=subprocess.PIPE, check=True)
    result = json.loads(done.stdout)
    assert result['missing'] == 0, result
    return result['accept_rate']


def timed(options, spool, rounds=3):
    best, usage = None, None
    for _ in range(rounds):
        started = time.monotonic()
        process = subprocess.Popen([f'{options.build}/.libs/postrider', 'mailq', '-C', f'{spool}/postrider.conf'], stdout=subprocess.PIPE,
                                   env=dict(os.environ, LD_LIBRARY_PATH=f'{options.build}/.libs'))
        first = process.stdout.read(1)
        first_at = time.monotonic() - started
        rest = process.stdout.read()
        process.wait()
        took = time.monotonic() - started
        if best is None or took < best[0]:
            best = (took, first_at, (first + rest).count(b'\n6AKD'))
    return best


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('build')
    parser.add_argument('--messages', type=int, default=100000)
    parser.add_argument('--port', type=int, default=2525)
    parser.add_argument('--at', default=None)
    options = parser.parse_args()
    options.build = os.path.abspath(options.build)
    spool = tempfile.mkdtemp(prefix='postrider-list-', dir=options.at)
    os.chmod(spool, 0o755)
    results = {}
    relay = None
    try:
        relay = Relay(options, spool, '	MinQueueAge = "1h";')
        relay.wait(0)
        empty = pss(relay.courier())
        rates = [rate(options)]
        relay.stop()
        queue = f'{spool}/mqueue'
        fill(queue, options.messages)
        own(queue, queue)
        took, first, seen = timed(options, spool)
        assert seen == options.messages, (seen, options.messages)
        results['us per message, no daemon'] = took / seen * 1e6
        print(f'mailq without a daemon: {took:.2f} s, first byte after {first:.2f} s')
        relay = Relay(options, spool, '	MinQueueAge = "1h";')
        print(f'start-up: all {options.messages} read {relay.wait(options.messages):.1f} s after the start')
        results['bytes per message'] = (pss(relay.courier()) - empty) / options.messages
        took, first, seen = timed(options, spool)
        assert seen == options.messages, (seen, options.messages)
        results['us per message, daemon'] = took / seen * 1e6
        print(f'mailq with the daemon: {took:.2f} s, first byte after {first:.2f} s')
        after = (pss(relay.courier()) - empty) / options.messages
        print(f'bytes per message after the listings: {after:.0f}')
        rates.append(rate(options))
        print(f'new mail: {rates[0]:.0f} messages a second with an empty queue, {rates[1]:.0f} with this one')
        results['rate of an empty queue over the rate beside it'] = rates[0] / rates[1]
        relay.stop()
    finally:
        if relay is not None:
            relay.stop()
        shutil.rmtree(spool, ignore_errors=True)
    failed = False
    for name, bound in BOUNDS.items():
        good = results[name] < bound
        failed |= not good
        print(f'{name}: {results[name]:.2f} (bound {bound}){"" if good else "  MISSED"}')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
