# SPDX-License-Identifier: BSD-2-Clause
"""A host of MTA-STS policies: HTTPS on a loopback address, one policy for each name that a client asks for by SNI.

    host = sts_host.Host(pki, "127.0.4.1")
    host.policies["example.test"] = sts_host.policy("enforce", "mx.example.test")
    host.asked                                  # ["example.test", ...], each request
    host.close()

Instead of a text there may be an Answer with another status, type, header or certificate."""
import http.server
import ssl
import threading

import story


def policy(mode, *hosts, age=604800):
    return f"version: STSv1\r\nmode: {mode}\r\n" + "".join(f"mx: {host}\r\n" for host in hosts) + f"max_age: {age}\r\n"


class Answer:
    def __init__(self, body="", status=200, kind="text/plain; charset=utf-8", headers=(), certificate=None, hangs=False):
        self.body, self.status, self.kind, self.headers, self.certificate, self.hangs = body, status, kind, headers, certificate, hangs


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        host = self.server.owner
        domain = self.headers["Host"].split(":")[0].removeprefix("mta-sts.")
        host.asked.append(domain if self.path == "/.well-known/mta-sts.txt" else self.path)
        answer = host.answer(domain)
        if answer.hangs:
            host.release.wait(60 * story.SLOW)
        body = answer.body.encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.kind)
        for name, value in answer.headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        return


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def finish_request(self, request, client_address):
        try:
            request = self.owner.context.wrap_socket(request, server_side=True)
            super().finish_request(request, client_address)
            request.close()
        except OSError:  # a client that does not like the certificate
            return

    def handle_error(self, request, client_address):
        return


class Host:
    def __init__(self, pki, address, port=0):
        self.pki, self.policies, self.asked, self.contexts = pki, {}, [], {}
        self.release = threading.Event()
        self.context = self.context_of(pki.certificate("mta-sts", names=["mta-sts.nobody.test"]))
        self.context.sni_callback = self.choose
        self.server = Server((address, port), Handler)
        self.server.owner = self
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @staticmethod
    def context_of(files):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*files)
        return context

    def choose(self, sock, name, _):
        if name:
            if name not in self.contexts:
                given = self.answer(name.removeprefix("mta-sts.")).certificate
                self.contexts[name] = self.context_of(given or self.pki.certificate(name, names=[name]))
            sock.context = self.contexts[name]

    def answer(self, domain):
        given = self.policies.get(domain, Answer("no such policy", 404))
        return given if isinstance(given, Answer) else Answer(given)

    def close(self):
        self.release.set()
        self.server.shutdown()
        self.server.server_close()
