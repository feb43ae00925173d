// SPDX-License-Identifier: BSD-2-Clause
// One message by nodemailer: standard input says what, where and how (mail_programs.py); the exit status says whether all recipients were taken.
const nodemailer = require('nodemailer');
const wish = JSON.parse(require('fs').readFileSync(0, 'utf8'));
// it takes the first address of a name and no other, which may be ::1
const byName = wish.host === 'localhost';
const transport = nodemailer.createTransport({
  host: byName ? '127.0.0.1' : wish.host, port: wish.port, name: wish.helo,
  secure: wish.security === 'implicit', requireTLS: wish.security === 'starttls', ignoreTLS: wish.security === 'plain',
  tls: { ...(wish.roots ? { ca: require('fs').readFileSync(wish.roots) } : {}), ...(byName ? { servername: wish.host } : {}) },
  auth: wish.mechanism ? { user: wish.user, pass: wish.password } : undefined,
  authMethod: wish.mechanism || undefined,
});
transport.sendMail({
  from: wish.sender, to: wish.recipients, subject: wish.subject, text: wish.text, textEncoding: 'quoted-printable',
  attachments: [{ path: wish.attached }],
  dsn: { id: 'QQ314159', return: 'headers', notify: ['success', 'failure'], recipient: wish.recipients[0] },
}).then(info => { process.exitCode = info.rejected.length ? 1 : 0; console.log(info.response); },
  error => { process.exitCode = 1; console.log(error.message); });
