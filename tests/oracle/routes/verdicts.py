#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Asks a server on 127.0.0.1:2525 for its verdicts: kind, client, argument, reply; runs inside the private world of make.sh."""
import socket
def talk(client, cmds):
    s=socket.create_connection(('127.0.0.1',2525),30,(client,0)); f=s.makefile('rb'); out=[]
    def rd():
        t=b''
        while True:
            l=f.readline()
            if not l: return '(closed)'
            t=l.rstrip(b'\r\n')
            if l[3:4]!=b'-': return t.decode('latin1')
    out.append(rd())
    for c in cmds:
        try: s.sendall(c.encode('latin1')+b'\r\n'); out.append(rd())
        except OSError: out.append('(closed)')
    s.close(); return out
for c in ['127.0.0.1','127.0.0.2','127.0.0.5','127.0.0.9','127.0.0.66','127.0.0.67','127.0.0.68','127.0.0.69','127.0.0.70','127.0.0.71','127.0.0.72','127.0.0.73','127.0.0.74','127.0.1.5','127.0.2.5','127.0.0.11']:
    o=talk(c,['EHLO x','MAIL FROM:<user@remote.example>','QUIT'])
    print('relay',c,'','',o[0][:4]+'|'+o[2],sep='\t')
mails=['<>','<user@remote.example>','<spammer@remote.example>','<other@spam.example>','<a@ok.spam.example>','<x@discard.example>','<x@quar.example>','<friend@remote.example>','<friend+x@remote.example>','<user@nosuch.invalid>','<user@tempfail.example>','<user@nomx.remote.example>','<user@nullmx.example>','<alice>','<alice@corp.example>','<user@cyberspammer.example>','<user@okay.cyberspammer.example>','<user@x.cyberspammer.example>','<u@sendmail.example>','<u@textonly.example>','<u@code.example>','<u@code2.example>','<u@quoted.example>','<user@exact.example>','<other@exact.example>','<u@nosuchdomain.invalid>','<u@relayme.example>','<u@skip.example>','<u@x.skip.example>','<user@[127.0.0.9]>','<user@[10.1.2.3]>','<nobody@remote.example>','<user@pc1.corp.example>','<user@a..b>','<user@.b>','<@a.example:user@remote.example>','<user%remote.example@corp.example>','<spammer+x@remote.example>','<SPAMMER@REMOTE.EXAMPLE>','<u@virt.example>','<user@192.0.2.5>','<user@localhost>','<user@six.example>','<user@alias.remote.example>','<u@x.spam.example>','<user@olddomain.example>', '<a@b@remote.example>','<@remote.example>','<user@>','<a!b@remote.example>','<a!b>','<"a b"@remote.example>','<user@gone.example>','<user@loop.example>']
for c in ['127.0.0.1','127.0.0.2','127.0.0.9','127.0.0.11']:
    for m in mails:
        o=talk(c,['EHLO x','MAIL FROM:'+m,'QUIT']); print('mail',c,m,'',o[2],sep='\t')
rcpts=['<alice@corp.example>','<alice>','<nosuch@corp.example>','<user@remote.example>','<user%remote.example@corp.example>','<user%remote.example>','<@corp.example:user@remote.example>','<@remote.example:alice@corp.example>','<remote.example!user>','<remote.example!user@corp.example>','<host!user@corp.example>','<"user@remote.example"@corp.example>','<"user%remote.example"@corp.example>','<user@remote.example@corp.example>','<user@relayed.example>','<user@sub.relayed.example>','<user@relayto.example>','<user@sub.relayto.example>','<blocked@corp.example>','<blocked+x@corp.example>','<user@gone.example>','<nobody@corp.example>','<textonly@corp.example>','<dis@corp.example>','<busy@corp.example>','<quar@corp.example>','<alice@corp2.example>','<okay@corp2.example>','<u@denied.example>','<info@virt.example>','<unknown@virt.example>','<err@virt.example>','<nouser@virt.example>','<tmp@virt.example>','<x4@virt.example>','<nocode@virt.example>','<unavail@virt.example>','<textonly@virt.example>','<dsncode@virt.example>','<user@err.example>','<user@errq.example>','<user@plainerr.example>','<user@nouser.example>','<user@code4.example>','<user@locdom.example>','<user@localdom.example>','<alice@[127.0.0.1]>','<alice@[127.0.0.9]>','<alice@localhost>','<postmaster>','<postmaster@corp.example>','<user@a..b>','<user@>','<@corp.example>','<"|/bin/cat">','<"|/bin/cat"@corp.example>','</etc/passwd>','</etc/passwd@corp.example>','<:include:/etc/passwd>','<":include:/etc/passwd"@corp.example>','<\\alice@corp.example>','<a@b@corp.example>','<alice@CORP.EXAMPLE.>','<user@x.old.example>','<user@olddomain.example>','<user@old.corp.example>','<alice@www.corp.example>','<x@lists.example>','<user@sub.corp.example>','<user%a%b@corp.example>','<user%corp.example@corp.example>','<user@remote.example.REDIRECT>','<corp.example!alice>','<loop1@virt2.example>','<carol+x@virt2.example>','<alice@corp.example@remote.example>','<user@relayed.example%remote.example>','<user%remote.example@relayed.example>','<user@192.0.2.7>','<user@[192.0.2.7]>','<u@cyberspammer.example>','<u@okay.cyberspammer.example>','<user@pc1.corp.example>','<user@quar.example>']
for c in ['127.0.0.1','127.0.0.2','127.0.0.5','127.0.0.9','127.0.0.67','127.0.1.5']:
    rs=rcpts if c in('127.0.0.1','127.0.0.9') else rcpts[:20]
    for r in rs:
        o=talk(c,['EHLO x','MAIL FROM:<user@remote.example>','RCPT TO:'+r,'QUIT']); print('rcpt',c,r,'<user@remote.example>',o[3],sep='\t')
