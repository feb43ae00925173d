# SPDX-License-Identifier: BSD-2-Clause
"""The programs that people send mail with, each driven by what all of them have in common:

    letter = Letter(["joe@example.org"])                 # eight bits, dots, a long line, a file attached
    way = Way("starttls", port, roots, "CRAM-MD5")       # how, where, whom to believe, how to authenticate
    worked, said = Curl(scratch).send(way, letter)

Who composes a message itself is given its parts (`composes`), the others the message as it is.  A program that cannot do a thing does not list it."""
import base64
import email
import email.policy
import hmac
import json
import os
import re
import shutil
import smtplib
import ssl
import subprocess

import story

NAME, PASSWORD = "joe", "a secret, that"
SUBJECT = "Gr\u00fc\u00dfe aus \u00c5land \u2013 \u2713"
TEXT = "Gr\u00fc\u00dfe, 8 bits.\n.\n..two\n.three and no more\nFrom here on\n\n" + "l\u00e5ng " * 150 + "\n\u00e5\n\nthe last line\n"
BYTES = bytes(range(256)) * 9
HELO = "client.example"


class Letter:
    """One message: what it says, and for whom it is."""

    def __init__(self, recipients, sender="ann@example.net", text=TEXT):
        self.sender, self.recipients, self.text = sender, recipients, text

    def message(self):
        """As bytes with LF, the body in eight bits."""
        head = email.message.EmailMessage(email.policy.SMTP.clone(linesep="\n"))
        head["Subject"] = SUBJECT
        return ("".join(f"{name}: {value}\n" for name, value in (("From", self.sender), ("To", ", ".join(self.recipients)))).encode() + head.as_bytes().rstrip(b"\n") + b"\n"
                b"Message-Id: <one@client.example>\nDate: Mon, 2 Mar 2026 10:00:00 +0000\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"=_x\"\n"
                b"Content-Transfer-Encoding: 8bit\n\n--=_x\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n" + self.text.encode() +
                b"\n--=_x\nContent-Type: application/octet-stream; name=\"bytes.bin\"\nContent-Disposition: attachment; filename=\"bytes.bin\"\n"
                b"Content-Transfer-Encoding: base64\n\n" + base64.encodebytes(BYTES) + b"--=_x--\n")

    def parts_of(self, text):
        """(subject, text, attached) of what arrived."""
        got = email.message_from_bytes(text.encode("latin-1"), policy=email.policy.default)
        body, files = got.get_body(("plain",)), list(got.iter_attachments())
        return got["Subject"], body.get_payload(decode=True).decode(body.get_content_charset("us-ascii")).replace("\r\n", "\n"), [one.get_payload(decode=True) for one in files]


class Way:
    """security: "plain", "starttls" or "implicit" (RFC 8314); without a mechanism nobody authenticates."""

    def __init__(self, security, port, roots=None, mechanism=None, password=PASSWORD, host="localhost"):
        self.security, self.port, self.roots, self.mechanism, self.password, self.host = security, port, roots, mechanism, password, host

    def __repr__(self):
        return f"{self.security} {self.mechanism}"


class Program:
    command, package, composes = "", "", False
    securities, mechanisms, notifies = ("plain", "starttls", "implicit"), ("PLAIN", "LOGIN", "CRAM-MD5"), False
    looks_at_name, protocol, protocol_in_tls = True, "ESMTP", "ESMTPS"

    def __init__(self, scratch):
        self.scratch = scratch
        self.attached = self.file("bytes.bin", BYTES)

    @classmethod
    def is_here(cls):
        return shutil.which(cls.command) is not None

    def file(self, name, data):
        path = os.path.join(self.scratch, name)
        with open(path, "wb") as handle:
            handle.write(data if isinstance(data, bytes) else data.encode())
        return path

    def run(self, words, text=b"", env=None):
        """Whether it says that it worked, and all it said."""
        done = subprocess.run(words, input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60 * story.SLOW, check=False, cwd=self.scratch,
                              env={"PATH": os.environ["PATH"], "HOME": self.scratch, "LC_ALL": "C.UTF-8", **(env or {})})
        return done.returncode == 0, done.stdout.decode("utf-8", "replace")


class Swaks(Program):
    command, package, mechanisms = "swaks", "swaks libnet-ssleay-perl libauthen-sasl-perl", ("PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5")
    looks_at_name = False  # Debian 12's believes a certificate, of whatever name

    def send(self, way, letter):
        words = ["swaks", "--server", way.host, "--port", str(way.port), "--helo", HELO, "--from", letter.sender, "--to", ",".join(letter.recipients)]
        words += {"plain": [], "starttls": ["--tls"], "implicit": ["--tls-on-connect"]}[way.security]
        if way.security != "plain":
            words += ["--tls-verify", "--tls-ca-path", way.roots, "--tls-sni", way.host]
        if way.mechanism:
            words += ["--auth", way.mechanism, "--auth-user", NAME, "--auth-password", way.password]
        return self.run([*words, "--data", "@" + self.file("letter", letter.message())])


class Curl(Program):
    command, package, mechanisms = "curl", "curl", ("PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5")

    def send(self, way, letter):
        words = ["curl", "-sS", f"{'smtps' if way.security == 'implicit' else 'smtp'}://{way.host}:{way.port}/{HELO}", "--mail-from", letter.sender,
                 "--upload-file", self.file("letter", letter.message()), "--crlf"]
        for recipient in letter.recipients:
            words += ["--mail-rcpt", recipient]
        if way.security != "plain":
            words += ["--ssl-reqd", "--cacert", way.roots]
        if way.mechanism:
            words += ["--user", f"{NAME}:{way.password}", "--login-options", "AUTH=" + way.mechanism]
        return self.run(words)


class SNail(Program):
    command, package, composes = "s-nail", "s-nail", True
    protocol = protocol_in_tls = "SMTP"  # it says EHLO only when it has a password to give

    def send(self, way, letter):
        settings = {"v15-compat": None, "mta": f"{'smtps' if way.security == 'implicit' else 'smtp'}://{way.host}:{way.port}", "hostname": HELO,
                    "sendcharsets": "utf-8", "tls-verify": "strict", "tls-ca-no-defaults": None, "from": letter.sender, "DEAD": os.path.join(self.scratch, "dead"), "smtp-auth": "none"}
        if way.security == "starttls":
            settings["smtp-use-starttls"] = None
        if way.security != "plain":
            settings["tls-ca-file"] = way.roots
        if way.mechanism:
            settings.update({"smtp-auth": way.mechanism.lower(), "user": NAME, "password": way.password})
        words = ["s-nail", "-:/", "-r", letter.sender, "-s", SUBJECT, "-a", self.attached]
        for name, value in settings.items():
            words += ["-S", name if value is None else f"{name}={value}"]
        return self.run([*words, "-.", *letter.recipients], letter.text.encode())


class Mutt(Program):
    command, package, composes, notifies = "mutt", "mutt", True, True
    mechanisms = ("PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256")

    def send(self, way, letter):
        user = f"{NAME}@" if way.mechanism else ""
        lines = [f"set smtp_url=\"{'smtps' if way.security == 'implicit' else 'smtp'}://{user}{way.host}:{way.port}/\"", f"set from=\"{letter.sender}\"", "set use_from use_envelope_from",
                 "set envelope_from_address=\"" + letter.sender + "\"", "unset record", "set send_charset=\"utf-8\"", "set hostname=\"" + HELO + "\"", "unset ssl_usesystemcerts",
                 "set ssl_verify_host ssl_verify_dates", "set certificate_file=\"" + self.file("accepted", "") + "\"", "set wait_key=no",
                 "set dsn_notify=\"success,failure\" dsn_return=\"hdrs\""]
        lines += {"plain": ["set ssl_starttls=no", "set ssl_force_tls=no"], "starttls": ["set ssl_starttls=yes", "set ssl_force_tls"], "implicit": []}[way.security]
        if way.security != "plain":
            lines.append(f"set ssl_ca_certificates_file=\"{way.roots}\"")
        if way.mechanism:
            lines += [f"set smtp_authenticators=\"{way.mechanism.lower()}\"", f"set smtp_pass=\"{way.password}\""]
        return self.run(["mutt", "-n", "-F", self.file("muttrc", "\n".join(lines) + "\n"), "-s", SUBJECT, "-a", self.attached, "--", *letter.recipients], letter.text.encode())


class SmtpLib(Program):
    """Python's own."""
    notifies = True

    @classmethod
    def is_here(cls):
        return True

    def send(self, way, letter):
        context = ssl.create_default_context(cafile=way.roots) if way.roots else None
        try:
            kind = (lambda: smtplib.SMTP_SSL(way.host, way.port, HELO, context=context)) if way.security == "implicit" else (lambda: smtplib.SMTP(way.host, way.port, HELO))
            with kind() as client:
                if way.security == "starttls":
                    client.starttls(context=context)
                client.ehlo()
                if way.mechanism:
                    client.user, client.password = NAME, way.password
                    client.auth(way.mechanism, getattr(client, "auth_" + way.mechanism.lower().replace("-", "_")))
                refused = client.sendmail(letter.sender, letter.recipients, letter.message().replace(b"\n", b"\r\n"), ["BODY=8BITMIME", "RET=HDRS", "ENVID=QQ314159"], ["NOTIFY=SUCCESS,FAILURE"])
                return not refused, repr(refused)
        except (smtplib.SMTPException, ssl.SSLError, OSError) as error:
            return False, repr(error)


class Nodemailer(Program):
    command, package, composes, notifies = "node", "node-nodemailer", True, True

    @classmethod
    def is_here(cls):
        return shutil.which("node") is not None and os.path.isdir("/usr/share/nodejs/nodemailer")

    def send(self, way, letter):
        script = os.path.join(story.SOURCE, "tests", "story", "nodemailer.js")
        settings = {"host": way.host, "port": way.port, "security": way.security, "roots": way.roots, "mechanism": way.mechanism, "user": NAME, "password": way.password, "helo": HELO,
                    "sender": letter.sender, "recipients": letter.recipients, "subject": SUBJECT, "text": letter.text, "attached": self.attached}
        return self.run(["node", script], json.dumps(settings).encode(), {"NODE_PATH": "/usr/share/nodejs"})


class GitSendEmail(Program):
    command, package, mechanisms = "git", "git-email libmailtools-perl libauthen-sasl-perl libio-socket-ssl-perl", ("PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5")

    @classmethod
    def is_here(cls):
        return shutil.which("git") is not None and subprocess.run(["git", "send-email", "-h"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False).stdout.find(b"smtp-server") > 0

    def send(self, way, letter):
        words = ["git", "send-email", "--confirm=never", "--suppress-cc=all", "--no-signed-off-by-cc", "--from", letter.sender, "--envelope-sender", letter.sender, "--smtp-domain", HELO,
                 "--smtp-server", way.host, "--smtp-server-port", str(way.port), "--transfer-encoding=8bit", "--no-validate", "--no-xmailer"]
        words += {"plain": ["--smtp-encryption", ""], "starttls": ["--smtp-encryption", "tls"], "implicit": ["--smtp-encryption", "ssl"]}[way.security]
        for recipient in letter.recipients:
            words += ["--to", recipient]
        if way.security != "plain":
            words += ["--smtp-ssl-cert-path", way.roots]
        if way.mechanism:
            words += ["--smtp-user", NAME, "--smtp-pass", way.password, "--smtp-auth", way.mechanism]
        return self.run([*words, self.file("letter", letter.message())])


class OpenSsl(Program):
    """s_client does TLS alone; SMTP is spoken here."""
    command, package, securities, notifies = "openssl", "openssl", ("starttls", "implicit"), True

    def send(self, way, letter):
        words = ["openssl", "s_client", "-quiet", "-connect", f"{way.host}:{way.port}", "-CAfile", way.roots, "-verify_return_error", "-verify_hostname", way.host]
        words += ["-starttls", "smtp", "-name", HELO] if way.security == "starttls" else []
        with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
            self.said = []
            try:
                return self.talk(process, way, letter), "".join(self.said)
            except BrokenPipeError:
                return False, "".join(self.said)
            finally:
                process.kill()

    def reply(self, process):
        """The next reply's code; s_client's own words are passed over."""
        while True:
            line = process.stdout.readline().decode("latin-1")
            self.said.append(line)
            if not line:
                return 0
            if re.match(r"\d{3} ", line):
                self.last = line[4:].strip()
                return int(line[:3])

    def talk(self, process, way, letter):
        def say(line, *codes):
            process.stdin.write(line + b"\r\n")
            process.stdin.flush()
            return self.reply(process) in codes

        if way.security == "implicit" and self.reply(process) != 220:
            return False
        if way.security == "starttls" and self.reply(process) != 250:  # the last line of the reply to s_client's own EHLO
            return False
        if not say(b"EHLO " + HELO.encode(), 250) or not self.authenticate(say, way):
            return False
        if not say(f"MAIL FROM:<{letter.sender}> BODY=8BITMIME RET=HDRS ENVID=QQ314159".encode(), 250):
            return False
        taken = [say(f"RCPT TO:<{recipient}> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;{recipient.replace('+', '+2B')}".encode(), 250, 251) for recipient in letter.recipients]
        return all(taken) and say(b"DATA", 354) and say(story.wire(letter.message()) + b".", 250) and say(b"QUIT", 221)

    def authenticate(self, say, way):
        code = lambda text: base64.b64encode(text.encode())
        if way.mechanism == "PLAIN":
            return say(b"AUTH PLAIN " + code(f"\0{NAME}\0{way.password}"), 235)
        if way.mechanism == "LOGIN":
            return say(b"AUTH LOGIN", 334) and say(code(NAME), 334) and say(code(way.password), 235)
        if way.mechanism == "CRAM-MD5":
            return say(b"AUTH CRAM-MD5", 334) and say(code(f"{NAME} {hmac.new(way.password.encode(), base64.b64decode(self.last), 'md5').hexdigest()}"), 235)
        return True


PROGRAMS = (Swaks, Curl, SNail, Mutt, SmtpLib, Nodemailer, GitSendEmail, OpenSsl)
