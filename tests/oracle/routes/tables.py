#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""tables.py ORACLE_SCRIPTS WORK DATA: drives the real program's address test mode and writes DATA/*.tsv; called by make.sh."""
import os
import re
import subprocess
import sys

scripts, work, data = sys.argv[1:4]
here = os.path.dirname(os.path.abspath(__file__))


def lines(path):
    with open(path, encoding='latin1') as file:
        return [line.rstrip('\n') for line in file if line.strip() and line[0] != '#']


differs = {}
for line in lines(os.path.join(here, 'differs.tsv')):
    key, ours, why = line.split('\t')
    differs[key] = (ours, why)


def ask(cf, first, commands):
    mark = '@@MARK@@'
    feed = ''.join(c + '\n.D{oracleMark}' + mark + '\n${oracleMark}\n' for c in [first] + commands)
    run = subprocess.run([scripts + '/ns.sh', 'exec', '/usr/sbin/sendmail', '-bt', '-C', '%s/%s.cf' % (work, cf)],
                         input=feed.encode('latin1'), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return run.stdout.decode('latin1').split('> > ' + mark + '\n')[1:]


def with_ours(columns, key):
    """Adds our own answer and the reason where it is known to differ from the last column."""
    if key in differs and differs[key][0] != columns[-1]:
        columns = columns + list(differs[key])
    return '\t'.join(columns) + '\n'


def triple(text):
    found = re.search(r'^mailer (\S+?)(?:, host (.*?))?, user (.*)$', text, re.M)
    if not found:
        return None
    mailer, host, user = found.groups()
    if mailer == '*error*':
        return 'error'
    return '%s|%s|%s' % (mailer, '' if mailer == 'local' else (host or '').rstrip('.'), user)


def write_resolve(cf, name):
    addresses = lines(here + '/addresses.txt')
    if cf == 'smart':  # what differs is shown once, in resolve.tsv
        addresses = [a for a in addresses if differs.get(a, ('error',))[0] == 'error']
    with open(data + '/' + name, 'w', encoding='latin1') as out:
        for address, text in zip(addresses, ask(cf, '/tryflags ER', ['/parse ' + a for a in addresses])):
            got = triple(text)
            if got is not None and (cf == 'routes' or got.startswith('relay|[smart') or got == 'error'):
                out.write(with_ours([address, got], '' if address[:2] == '@a' and got != 'error' and ',' not in address else address))


def write_rewrite():
    addresses = lines(here + '/senders.txt')
    with open(data + '/rewrite.tsv', 'w', encoding='latin1') as out:
        for cf, name, flags in (('routes', 'envelope', ('ES', 'HS', 'ER', 'HR')), ('smart', 'header', ('ES',))):
            for flag in flags:
                for mailer in ('esmtp', 'local'):
                    texts = ask(cf, '/tryflags ' + flag, ['/try %s %s' % (mailer, a) for a in addresses])
                    for address, text in zip(addresses, texts):
                        got = re.search('addr = (.*)', text).group(1)
                        columns = [name, mailer, flag, address, got]
                        if address == '@a.example:user@remote.example' and mailer == 'local' and flag == 'ER':
                            columns += ['user', differs[address][1]]
                            out.write('\t'.join(columns) + '\n')
                        else:
                            out.write(with_ours(columns, address))


def write_verdicts():
    with open(data + '/verdicts.tsv', 'w', encoding='latin1') as out:
        for line in lines(work + '/verdicts.raw'):
            kind, client, argument, _, reply = line.split('\t')
            if kind == 'relay':
                reply = '421 4.3.2 closing down' if reply.startswith('421') else reply.split('|')[1]
            if not reply.startswith('551'):
                reply = re.sub(r'<[^ ]*>\.\.\. ', '', reply)
            out.write(with_ours([kind, client, argument, '250' if reply.startswith('250') else reply], argument))


write_resolve('routes', 'resolve.tsv')
write_resolve('smart', 'smart.tsv')
write_rewrite()
write_verdicts()
