# SPDX-License-Identifier: BSD-2-Clause
"""Debian's Postfix, Exim and sendmail as neighbours: each has an address of its own, mailboxes for who lives at its domain, speaks TLS, believes nobody else's certificate,
and sends everything else to us.

    peer_programs.world()                                  # after sendmail.enter(): /usr, /etc and /var with their packages in them
    peer = Postfix(pki, hop=25001); peer.start(scratch)    # mail for somebody else goes to that port of 127.0.0.1
    Postfix(pki, 25001, login=Login("PLAIN", "secret"))    # authenticates with us so, and takes nothing from us without that
    peer.mailbox("bob")                                    # what lies there
    peer.stop()"""
import glob
import os
import pwd
import shutil
import signal
import subprocess

import sendmail
import story

PORT = 2525
US = "mail.example.org"
PACKAGES = ("sendmail-bin", "postfix", "exim4-daemon-light")
PEOPLE = {"postfix": 3001, "postdrop": 3011, "Debian-exim": 3004, "smmta": 3002, "smmsp": 3003, "bob": 3021, "carl": 3022}
BOXES = "/mnt/box"
INTERNATIONAL = "b\u00f6b"  # reads bob's mail, where addresses may be UTF-8
DELIVER = f"""#!/bin/sh
# what sendmail gives to a mailbox
umask 022
letter="{BOXES}/.$1.$$.$(date +%N)"
cat >"$letter" && mv "$letter" "{BOXES}/$(basename "$letter" | cut -c 2-)"
"""


def must(*words):
    status, text = sendmail.output_of(*words)
    if status != 0:
        raise AssertionError(f"{' '.join(words)}: {text.strip()}")


def write(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as handle:
        handle.write(text)
    os.chmod(path, mode)
    return path


def world():
    """The packages lie over /usr; /etc is a copy with their people in it; /var is empty.  All of it vanishes with the namespaces."""
    for one in PEERS:
        must("ip", "address", "add", one.address + "/8", "dev", "lo")
    must("mount", "-t", "overlay", "overlay", "-o", f"lowerdir={sendmail.ROOT}/usr:/usr", "/usr")
    must("mount", "-t", "tmpfs", "-o", "mode=755", "world", "/mnt")
    must("cp", "-a", "/etc", "/mnt/etc")
    must("cp", "-a", os.path.join(sendmail.ROOT, "etc", "postfix"), "/mnt/etc/")
    must("mount", "--bind", "/mnt/etc", "/etc")
    for place in ("/var/spool", "/var/log", "/var/lib", "/var/mail"):
        must("mount", "-t", "tmpfs", "-o", "mode=755", "world", place)
    for name, number in PEOPLE.items():
        for path, line in (("/etc/passwd", f"{name}:x:{number}:{number}::/mnt/home/{name}:/bin/sh\n"), ("/etc/group", f"{name}:x:{number}:\n")):
            with open(path) as handle:
                known = handle.read()
            write(path, "".join(one + "\n" for one in known.splitlines() if not one.startswith(name + ":")) + line)
        os.makedirs(f"/mnt/home/{name}")
        os.chown(f"/mnt/home/{name}", number, number)
    write("/etc/hosts", f"127.0.0.1 localhost {US}\n" + "".join(f"{one.address} {one.domain}\n" for one in PEERS))
    write("/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\nservices: files\nprotocols: files\n")
    write("/etc/resolv.conf", "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")


class Login:
    """What a peer says to us, and what we must say to it: the name is joe, his right password is in a database of Cyrus SASL."""

    def __init__(self, mechanism, password, right="secret"):
        self.mechanism, self.password, self.right = mechanism, password, right

    def database(self, path, realm, owner):
        program = shutil.which("saslpasswd2") or os.path.join(sendmail.ROOT, "usr/sbin/saslpasswd2")
        subprocess.run([program, "-p", "-c", "-f", path, "-u", realm, "joe"], input=self.right, text=True, check=True)
        os.chmod(path, 0o640)
        shutil.chown(path, owner)
        return f"pwcheck_method: auxprop\nauxprop_plugin: sasldb\nsasldb_path: {path}\nmech_list: {self.mechanism}\n"


class Peer:
    domain, address, owner = "", "", "root"
    takes_chunks = sends_chunks = True
    international = True
    mechanisms = ("SCRAM-SHA-256", "CRAM-MD5", "PLAIN")
    decodes = True  # what came as xtext, when it shows it in a notice

    def __init__(self, pki, hop, roots=None, name=None, login=None):
        """Its certificate is of that authority, and of another name where one is given; it believes only certificates of `roots` that name us."""
        self.pki, self.hop, self.roots, self.name = pki, hop, roots or pki.path, name or self.domain
        self.login, self.process = login, None

    def start(self, scratch):
        self.scratch = os.path.join(scratch, self.domain)
        shutil.rmtree(BOXES, ignore_errors=True)
        os.makedirs(BOXES)
        os.chmod(BOXES, 0o1777)
        for name in PEOPLE:
            shutil.rmtree(f"/mnt/home/{name}/Maildir", ignore_errors=True)
        certificate, key = self.pki.certificate(self.name)
        self.tls = {"certificate": shutil.copy(certificate, f"/etc/{self.domain}.pem"), "key": shutil.copy(key, f"/etc/{self.domain}.key"),
                    "roots": shutil.copy(self.roots, f"/etc/{self.domain}.roots")}
        os.chmod(self.tls["roots"], 0o644)
        os.chmod(self.tls["key"], 0o600)
        shutil.chown(self.tls["key"], self.owner)
        write(self.log_path, "", 0o666)
        self.output = os.path.join(scratch, self.domain + ".out")
        with open(self.output, "wb") as output:
            self.process = subprocess.Popen(self.prepare(), stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
        story.wait_for(lambda: f"the greeting of {self.domain}\n" + self.log(), self.is_up, 30)
        return self

    def is_up(self):
        if self.process.poll() is not None:
            raise AssertionError(f"{self.domain} left with {self.process.returncode}\n{self.log()}")
        try:
            self.client().close()
            return True
        except OSError:
            return False

    def client(self):
        """From an address whose certificate nobody asks for."""
        return story.Client(PORT, self.address, source="127.0.0.9")

    def log(self):
        text = ""
        for path in (self.output, self.log_path):
            with open(path, errors="replace") as handle:
                text += handle.read()
        return text

    def stop(self):
        """Its whole tree, by pid."""
        if self.process is None:
            return
        tree = story.descendants(self.process.pid)
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)
        for pid in tree:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process = None

    def mailbox(self, name):
        letters = []
        for path in sorted(glob.glob(self.boxes.format(name=name))):
            with open(path, encoding="latin-1", newline="") as handle:
                letters.append(handle.read())
        return letters


class Postfix(Peer):
    domain, address, boxes, log_path = "postfix.example", "127.0.0.2", "/mnt/home/{name}/Maildir/new/*", "/var/log/postfix.log"
    sends_chunks = False  # its client has no BDAT
    MAIN = """compatibility_level = 3.6
queue_directory = /var/spool/postfix
data_directory = /var/lib/postfix
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
shlib_directory = /usr/lib/postfix
meta_directory = /etc/postfix
maillog_file = {log}
myhostname = {domain}
mydestination = {domain}
inet_interfaces = {address}
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
relayhost = [{us}]:{hop}
smtp_dns_support_level = disabled
alias_maps =
alias_database =
local_recipient_maps = unix:passwd.byname
home_mailbox = Maildir/
biff = no
smtpd_peername_lookup = no
smtputf8_enable = yes
virtual_alias_maps = inline:{{{{{international}@{domain}=bob@{domain}}}}}
smtpd_tls_security_level = may
smtpd_tls_cert_file = {certificate}
smtpd_tls_key_file = {key}
smtpd_tls_received_header = yes
smtp_tls_security_level = secure
smtp_tls_secure_cert_match = {us}
smtp_tls_CAfile = {roots}
smtp_tls_loglevel = 1
"""
    LOGIN = """smtpd_sasl_auth_enable = yes
smtpd_sasl_local_domain = {domain}
smtpd_client_restrictions = permit_sasl_authenticated, check_client_access inline:{{{{127.0.0.1=REJECT who are you}}}}
smtpd_delay_reject = yes
smtp_sasl_auth_enable = yes
smtp_sasl_password_maps = inline:{{{{[{us}]:{hop}=joe:{password}}}}}
smtp_sasl_security_options = noanonymous
smtp_sasl_mechanism_filter = {mechanism}
"""
    SERVICES = (("pickup", "unix", "60", 1), ("cleanup", "unix", "-", 0), ("qmgr", "unix", "300", 1), ("tlsmgr", "unix", "1000?", 1), ("rewrite", "unix", "-", "-"),
                ("bounce", "unix", "-", 0), ("defer", "unix", "-", 0), ("trace", "unix", "-", 0), ("verify", "unix", "-", 1), ("flush", "unix", "1000?", 0),
                ("proxymap", "unix", "-", "-"), ("smtp", "unix", "-", "-"), ("relay", "unix", "-", "-"), ("showq", "unix", "-", "-"), ("error", "unix", "-", "-"),
                ("retry", "unix", "-", "-"), ("discard", "unix", "-", "-"), ("local", "unix", "-", "-"), ("anvil", "unix", "-", 1), ("scache", "unix", "-", 1),
                ("postlog", "unix-dgram", "-", 1))
    PROGRAMS = {"rewrite": "trivial-rewrite", "defer": "bounce", "trace": "bounce", "relay": "smtp", "retry": "error", "postlog": "postlogd"}

    def prepare(self):
        shutil.rmtree("/var/spool/postfix", ignore_errors=True)
        os.makedirs("/var/spool/postfix")
        os.makedirs("/var/lib/postfix", exist_ok=True)
        shutil.chown("/var/lib/postfix", "postfix")
        main = self.MAIN.format(domain=self.domain, address=self.address, us=US, hop=self.hop, log=self.log_path, international=INTERNATIONAL, **self.tls)
        if self.login:
            main += self.LOGIN.format(domain=self.domain, us=US, hop=self.hop, **vars(self.login))
            write("/etc/postfix/sasl/smtpd.conf", self.login.database("/etc/postfix.sasldb", self.domain, "postfix"))
        write("/etc/postfix/main.cf", main)
        lines = [f"{self.address}:{PORT} inet n - n - - smtpd"]
        public = ("pickup", "cleanup", "qmgr", "flush", "showq", "postlog")
        lines += [f"{name} {kind} {'n' if name in public else '-'} {'n' if name == 'local' else '-'} n {wake} {most} {self.PROGRAMS.get(name, name)}"
                  for name, kind, wake, most in self.SERVICES]
        write("/etc/postfix/master.cf", "\n".join(lines) + "\n")
        for name in ("dynamicmaps.cf", "makedefs.out"):
            shutil.copy(os.path.join("/usr/share/postfix", name), "/etc/postfix/")
        return ["postfix", "start-fg"]

    def took_chunks(self):
        return " bdat=" in self.log()

    def refused_us(self):
        return "Server certificate not verified" in self.log()


class Exim(Peer):
    domain, address, boxes, log_path, owner = "exim.example", "127.0.0.3", BOXES + "/{name}/new/*", "/var/log/exim4/mainlog", "Debian-exim"
    decodes, mechanisms = False, ("CRAM-MD5", "PLAIN")
    CONF = """primary_hostname = {domain}
exim_user = Debian-exim
exim_group = Debian-exim
spool_directory = /var/spool/exim4
log_file_path = /var/log/exim4/%slog
log_selector = +tls_certificate_verified +received_recipients
local_interfaces = {address}
daemon_smtp_ports = {port}
host_lookup =
rfc1413_query_timeout = 0s
acl_smtp_rcpt = acl_recipient
acl_smtp_data = accept
trusted_users = Debian-exim
dsn_advertise_hosts = *
chunking_advertise_hosts = *
smtputf8_advertise_hosts = *
tls_advertise_hosts = *
tls_certificate = {certificate}
tls_privatekey = {key}
tls_verify_certificates = {roots}
tls_verify_hosts = 127.0.0.1
begin acl
acl_recipient:
{acl}  require verify = recipient
  accept
begin routers
us:
  driver = manualroute
  domains = ! {domain}
  transport = to_us
  route_list = * {us} byname
  self = send
  no_more
international:
  driver = redirect
  local_parts = {international}
  data = bob@{domain}
mailbox:
  driver = accept
  check_local_user
  transport = to_mailbox
begin transports
to_us:
  driver = smtp
  port = {hop}
  allow_localhost
  interface = {address}
  hosts_try_dane =
  hosts_require_tls = *
  tls_verify_hosts = *
  tls_verify_certificates = {roots}
  tls_verify_cert_hostnames = *
{auth}to_mailbox:
  driver = appendfile
  directory = {boxes}/$local_part_data
  maildir_format
  create_directory
begin retry
* * F,2h,15m
"""
    LOGIN = """begin authenticators
cram:
  driver = cram_md5
  public_name = CRAM-MD5
  server_secret = {right}
  server_set_id = $auth1
  client_name = joe
  client_secret = {password}
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${{if and{{{{eq{{$auth2}}{{joe}}}}{{eq{{$auth3}}{{{right}}}}}}}}}
  server_set_id = $auth2
  client_send = ^joe^{password}
"""

    def prepare(self):
        shutil.rmtree("/var/spool/exim4", ignore_errors=True)
        for place in ("/var/spool/exim4", "/var/log/exim4"):
            os.makedirs(place, exist_ok=True)
            shutil.chown(place, "Debian-exim", "Debian-exim")
        shutil.chown(self.log_path, "Debian-exim")
        for name in ("bob", "carl"):
            os.makedirs(f"{BOXES}/{name}")
            shutil.chown(f"{BOXES}/{name}", name)
        write("/etc/exim4/exim4.conf", self.CONF.format(domain=self.domain, address=self.address, port=PORT, us=US, hop=self.hop, boxes=BOXES, international=INTERNATIONAL, **self.tls,
              acl="  deny hosts = 127.0.0.1\n       !authenticated = *\n" if self.login else "", auth="  hosts_require_auth = *\n" if self.login else "") +
              (self.LOGIN.format(**vars(self.login)) if self.login else ""))
        return ["/usr/sbin/exim4", "-bdf", "-q30m"]  # with -C it would lose its privileges

    def took_chunks(self):
        return any(" K " in line for line in self.log().splitlines() if f" H=({US}) " in line and " <= " in line)

    def sent_chunks(self):
        return any(" K " in line for line in self.log().splitlines() if " => " in line and "T=to_us" in line)

    def refused_us(self):
        return "certificate verification failed" in self.log()


class Sendmail(Peer):
    """8.17 as Debian builds it knows no CHUNKING, neither as client nor as server, and no SMTPUTF8."""
    domain, address, boxes, log_path = "sendmail.example", "127.0.0.4", BOXES + "/{name}.*", "/var/log/sendmail.log"
    takes_chunks = sends_chunks = international = False
    CF = """V10/Berkeley
Dj{domain}
DnMAILER-DAEMON
Do.:%@!^/[]+
Cwlocalhost {domain}
O QueueDirectory=/var/spool/mqueue
O DaemonPortOptions=Name=MTA, Addr={address}, Port={port}
O ClientPortOptions=Addr={address}
O AliasFile=
O LogLevel=14
O MinQueueAge=0
O MinFreeBlocks=0
O QueueLA=1000
O RefuseLA=1000
O ServiceSwitchFile=/etc/{domain}.switch
O HostsFile=/etc/hosts
O EightBitMode=pass8
O SuperSafe=True
O DontProbeInterfaces=True
O DeliveryMode=background
O HelpFile=/nonexistent
O PidFile=/var/spool/sendmail.pid
O Timeout.ident=0
O Timeout.queuereturn=5d
O CACertFile={roots}
O CACertPath=/etc/ssl/certs
O ServerCertFile={certificate}
O ServerKeyFile={key}
O DontBlameSendmail=GroupReadableKeyFile
Troot daemon
H?D?Date: $a
H?M?Message-Id: <$t.$i@$j>
HReceived: $?sfrom $s $.$?_($?s$|from $.$_)
	$.by $j ($v)$?r with $r$. id $i$?u
	for $u; $|;
	$.$b
Scanonify=3
R$* < $* > $*		$: $2
R$@			$@ <@>
R$+ @ $+		$@ $1 < @ $2 >
Sfinal=4
R$* < $* > $*		$@ $1 $2 $3
Sparse=0
R<@>			$#local $: <@>
R$+ < @ $=w >		$#local $: $1
R$+ < @ $+ >		$#us $@ {us} $: $1 @ $2
R$+			$#local $: $1
Stls_server
R$*			$: $1 $| $&{{cn_subject}}
ROK $| {us}		$@ OK
R$*			$#error $@ 4.7.0 $: "403 the certificate is not believed"
{login}Mlocal, P=/mnt/deliver, F=lsDFMw:/|@q8, T=DNS/RFC822/X-Unix, A=deliver $u
Mprog, P=/bin/sh, F=lsDFMoqeu9, A=sh -c $u
Mus, P=[IPC], F=mDFMuXa8, E=\\r\\n, L=990, T=DNS/RFC822/SMTP, A=TCP $h {hop}
"""
    LOGIN = """O AuthMechanisms={mechanism}
Sauthinfo
R$*			$# "U:joe" "P:{password}" "M:{mechanism}"
Scheck_mail
R$*			$: $&{{client_addr}} $| $&{{auth_type}}
R127.0.0.1 $|		$#error $@ 5.7.0 $: "530 who are you"
"""

    def prepare(self):
        shutil.rmtree("/var/spool/mqueue", ignore_errors=True)
        os.makedirs("/var/spool/mqueue")
        os.chmod("/var/spool/mqueue", 0o700)
        write("/mnt/deliver", DELIVER, 0o755)
        write(f"/etc/{self.domain}.switch", "hosts files\naliases files\npasswd files\n")
        conf = write("/etc/sendmail.peer.cf", self.CF.format(domain=self.domain, address=self.address, port=PORT, us=US, hop=self.hop, **self.tls,
                     login=self.LOGIN.format(**vars(self.login)) if self.login else ""))
        if self.login:
            os.makedirs("/etc/sasl2", exist_ok=True)
            write("/etc/sasl2/Sendmail.conf", self.login.database("/etc/sendmail.sasldb", self.domain, "root"))
        return ["/usr/libexec/sendmail/sendmail", "-bD", "-C", conf, "-X", self.log_path]

    def refused_us(self):
        return "the certificate is not believed" in self.queue()

    def queue(self):
        return sendmail.output_of("/usr/libexec/sendmail/sendmail", "-C", "/etc/sendmail.peer.cf", "-bp")[1]


PEERS = (Postfix, Exim, Sendmail)
