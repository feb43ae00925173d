# SPDX-License-Identifier: BSD-2-Clause
"""The messages, and the settings with which each of them is sent."""

WITHOUT = ["ascii", "few", "many", "header", "header2", "typeonly", "encodingonly", "versiononly", "mixedmime", "text", "mixed", "undoquoted"]
# name: options, and which letters; None: all
MODES = {
    "pass8": ("O EightBitMode=pass8", None),
    "mimefy": ("O EightBitMode=mimefy", WITHOUT),
    "strict": ("O EightBitMode=strict", WITHOUT),
    "said pass8": ("O EightBitMode=pass8", WITHOUT),
    "said strict": ("O EightBitMode=strict", ["few", "header", "text"]),
    "charset": ("O EightBitMode=mimefy\nO DefaultCharSet=iso-8859-1\nCnapplication/x-never\nCqtext/x-quoted image\nCspartial\nCex-own",
                ["few", "never", "quotedclass", "imageclass", "odd", "partial", "signed", "message", "delivery"]),
    "sender": ("O EightBitMode=mimefy\n# Mlocal, C=iso-8859-7", ["few", "typeonly", "text"]),
    "unchecked": ("O EightBitMode=mimefy\nO MaxMimeHeaderLength=0/0", ["longtype", "longdescription", "longinside", "mixed"]),
    "shorter": ("O EightBitMode=mimefy\nO MaxMimeHeaderLength=500/100", ["longtype", "longdescription", "longinside"]),
}
LETTERS = {}
MIME = b"MIME-Version: 1.0\n"
TEXT = MIME + b"Content-Type: text/plain; charset=utf-8\n"


def letter(name, head, body):
    LETTERS[name] = (b"Subject: " + name.encode() + b"\n" + head, body)


def typed(name, content_type, body, encoding=b"8bit", mime=MIME):
    head = mime + b"Content-Type: " + content_type + b"\n"
    letter(name, head + (b"Content-Transfer-Encoding: " + encoding + b"\n" if encoding else b""), body)


def part(head, body):
    return b"--b\n" + head + b"\n" + body


FEW = b"caf\xc3\xa9 and so on, a line with few of them\n"
MANY = b"\xe9\xe8\xe7\xe6\n"
PLAIN = b"nothing but ASCII\n"
MIXED = b"multipart/mixed; boundary=b"
DIGEST = b"multipart/digest; boundary=b"
TYPE8 = b"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n"

# no MIME at all
letter("ascii", b"", PLAIN)
letter("few", b"", FEW)
letter("many", b"", MANY)
letter("empty", b"", b"")
letter("header", b"X-Name: caf\xe9\n", PLAIN)
letter("header2", MIME + b"X-Name: caf\xe9\n", PLAIN)
letter("typeonly", b"Content-Type: text/plain; charset=utf-8\n", FEW)
letter("encodingonly", b"Content-Transfer-Encoding: 8bit\n", FEW)
letter("versiononly", MIME, FEW)
letter("version2", b"mime-version: 1.0 (old)\n", MANY)
# text
typed("text", b"text/plain; charset=utf-8", FEW)
typed("text7", b"text/plain; charset=us-ascii", PLAIN, b"7bit")
typed("text7lies", b"text/plain; charset=us-ascii", FEW, b"7bit")
typed("textmany", b"text/plain; charset=utf-8", MANY)
typed("textnone", b"text/plain; charset=utf-8", FEW, b"")
typed("binary", b"application/octet-stream", b"\x02\x01\xff\xfe\nx\n", b"binary")
typed("binaryascii", b"application/octet-stream", PLAIN, b"binary")
typed("binaryfew", b"text/plain", FEW, b"BINARY")
typed("image", b"image/gif", b"GIF89a \xff\n" + b"x" * 100 + b"\n")
typed("html", b"text/html; charset=utf-8 (comment)", b"<p>" + FEW + b"</p>\n")
typed("quotedalready", b"text/plain; charset=utf-8", b"caf=C3=A9 \xe9=\n more\n", b"quoted-printable")
typed("base64already", b"text/plain; charset=utf-8", b"Y2Fmw6kK\xe9\n", b"base64")
typed("odd", b"text/plain", FEW, b"x-own")
typed("quotedclass", b"text/x-quoted", MANY)
typed("imageclass", b"image/png", MANY)
typed("never", b"application/x-never", FEW)
typed("signed", b"multipart/signed; boundary=b", part(TYPE8, FEW) + part(TYPE8, MANY) + b"--b--\n")
# quoted-printable in detail
typed("dots", b"text/plain", b".\n..\n.x\n\xe9\n" + b"".join(b"x" * n + b".y\n" for n in range(68, 80)) + b"".join(b"x" * n + b"..y\n" for n in range(68, 80)) +
      b"".join(b"x" * n + b"...\n.\n" for n in range(68, 80)))
typed("blanks", b"text/plain", b"\xe9 \n\xe9\t\n x \n\n \n\t\n" + b"".join(b"x" * n + b" y\n" for n in range(68, 80)) + b"".join(b"x" * n + b"  \n" for n in range(68, 80)))
typed("from", b"text/plain", b"From here \xe9\nFrom\n>From x\nFromage\nFr\xf6m x\n From y\nFrom \n")
typed("long", b"text/plain", b"\xe9" + b"word " * 300 + b"\n" + b"x" * 1500 + b"\n" + b"=" * 100 + b"\n" + b"x" * 400 + b"\xe9" * 30 + b"\n")
typed("verylong", b"text/plain", b"\xe9" + b"x" * 5000 + b"\n" + b"y " * 3000 + b"\n")
typed("ebcdic", b"text/plain", b"\xe9!\"#$@[\\]^`{|}~%&'()*+,-/:;<>?_\x7f\x01\x1f\n")
typed("controls", b"text/plain", b"\xe9 ab\x7fc\x08\n")
# how much is much
typed("eighth", b"text/plain", b"\xe9" * 10 + b"x" * 69 + b"\n")
typed("eighth1", b"text/plain", b"\xe9" * 10 + b"x" * 70 + b"\n")
typed("eighth2", b"text/plain", b"\xe9" * 10 + b"x" * 80 + b"\n")
typed("quarter", b"text/plain", (b"\xe9" * 20 + b"x" * 43 + b"\n") * 70 + b"plain text now\n" * 2000)
typed("later", b"text/plain", b"plain text now\n" * 300 + (b"\xe9" * 40 + b"\n") * 10)
typed("base64long", b"text/plain", MANY * 60)
for size in (1, 2, 3, 53, 54, 55):
    typed(f"base64of{size}", b"text/plain", b"\xe9" * size + b"\n")
# several parts
typed("mixed", MIXED, b"before\n" + part(TYPE8, FEW) + part(TYPE8, MANY) + part(b"", PLAIN) + b"--b--\nafter\n")
typed("mixedascii", MIXED, part(b"Content-Type: text/plain\n", PLAIN) + part(b"", b"two\n") + b"--b--\n", b"7bit")
typed("mixed8comment", MIXED, b"caf\xe9\n" + part(b"", PLAIN) + b"--b--\nth\xe9\n")
typed("mixedmime", MIXED, part(b"", FEW) + b"--b--\n", b"", b"")
typed("quotedboundary", b'multipart/mixed; boundary="a b\\"c"', b'--a b"c\n\n' + FEW + b'--a b"c--\n')
typed("oddboundary", b"multipart/mixed; charset=x; boundary=a=b", b"--a=b\n\n" + FEW + b"--a=b--\n")
typed("blankboundary", MIXED, b"--b \t\n\n" + FEW + b"--b--  \n")
typed("similar", MIXED, b"--b\n\n--bb\n" + FEW + b"--b-\n--c\n--b--\n--b\nrest\n")
typed("emptypart", MIXED, b"--b\n--b\n\n--b\n\n\n--b--\n\xe9\n")
typed("emptylines", MIXED, part(TYPE8, FEW + b"\n\n") + part(TYPE8, b"\n\n" + MANY + b"\n\n") + b"--b--\n\n")
typed("unclosed", MIXED, part(TYPE8, FEW) + part(b"", PLAIN))
typed("unclosed2", MIXED, part(TYPE8, b"caf\xe9 no end\n"))
typed("noboundary", b"multipart/mixed", b"--b\n\n" + FEW + b"--b--\n")
typed("emptyboundary", b"multipart/mixed; boundary=", b"--b\n\n" + FEW + b"--b--\n")
typed("nowhere", b"multipart/mixed; boundary=nowhere", FEW)
typed("nested", MIXED, b"pre\n" + part(b"Content-Type: multipart/alternative; boundary=c\n", b"inner\n--c\n" + TYPE8 + b"\n" + FEW + b"--c\n\n" + PLAIN + b"--c--\nend\n") + part(TYPE8, MANY) + b"--b--\npost\n")
typed("nestedopen", MIXED, part(b"Content-Type: multipart/alternative; boundary=c\n", b"--c\n" + TYPE8 + b"\n" + FEW) + part(TYPE8, MANY) + b"--b--\n")
typed("nestedopen2", MIXED, part(b"Content-Type: multipart/alternative; boundary=c\n", b"--c\n" + TYPE8 + b"\n" + FEW) + b"--b--\n")
typed("digest", DIGEST, part(b"", b"Subject: one\n" + TYPE8 + b"\n" + FEW) + part(b"Content-Type: text/plain\n", FEW) + b"--b--\n")
typed("partheaders", MIXED, part(b"content-type:text/plain;\n\tcharset=utf-8\nX-One:   two  \nX-Caf: caf\xe9\nContent-Transfer-Encoding: 8BIT (so)\nX-Last: x\n", FEW) + b"--b--\n")
typed("noheader", MIXED, b"--b\nno header here\n" + FEW + b"--b--\n")
typed("noheader2", MIXED, b"--b\nX-One: 1\nno header here\n" + FEW + b"--b--\n")
typed("encodedmixed", MIXED, part(TYPE8, FEW) + b"--b--\n", b"quoted-printable")
# messages in messages
typed("message", b"message/rfc822", b"Subject: inside\n" + MIME + TYPE8 + b"\n" + FEW)
typed("message2", b"message/rfc822", b"Subject: inside\n\n" + FEW)
typed("messagemixed", MIXED, part(b"Content-Type: message/rfc822\n", b"From: x\nContent-Type: multipart/mixed; boundary=c\n\n--c\n" + TYPE8 + b"\n" + FEW + b"--c--\n") + b"--b--\n")
typed("partial", b"message/partial; id=x; number=1", b"Subject: inside\n\n" + FEW)
typed("delivery", b"message/delivery-status", b"Reporting-MTA: dns; caf\xe9\n\n")
deep = TYPE8 + b"\n" + FEW
for level in range(25):
    deep = b"Content-Type: multipart/mixed; boundary=l%d\n\n--l%d\n" % (level, level) + deep + b"--l%d--\n" % level
letter("deep", MIME, PLAIN)
LETTERS["deep"] = (b"Subject: deep\n" + MIME + deep.split(b"\n\n", 1)[0] + b"\n", deep.split(b"\n\n", 1)[1])
# flag 9
typed("undoquoted", b"text/plain; charset=utf-8", b"caf=C3=A9=\n more =3D=20\nsoft= \nFrom =46rom\n=2E\nx  \n", b"quoted-printable")
typed("undoquoted2", b"text/plain", b"bad =zz = x =4\n=\nlow=c3=a9\n=0D=0Ax=0A.\nend\n", b"Quoted-Printable")
typed("undobase64", b"text/plain; charset=utf-8", b"Y2Fmw6kNCnRoZSBuZXh0DQouDQpGcm9tIHgNCg==\n", b"base64")
typed("undobase642", b"TEXT/PLAIN", b"Y2Fm w6\nk=\nignored\n", b"BASE64")
typed("undobase643", b"text/plain", b"YQpiCmMNZA1lCg\n", b"base64")
typed("undohtml", b"text/html", b"caf=C3=A9\n", b"quoted-printable")
typed("undocomment", b"text/plain", b"caf=C3=A9\n", b"quoted-printable (yes)")
typed("undoplainer", b"text/plainer", b"caf=C3=A9\n", b"quoted-printable")
typed("undolong", b"text/plain", b"x=\n" * 700 + b"\n" + b"y" * 3000 + b"\n", b"quoted-printable")
# fields that are too long
typed("longtype", b"text/plain; charset=utf-8; x=" + b"y" * 1500, FEW)
typed("longtype2", b"text/plain; charset=utf-8; name=\"" + b"y" * 2500 + b"\"", PLAIN, b"7bit")
letter("longdescription", TEXT + b"Content-Description: " + b"d" * 3000 + b"\nContent-ID: <" + b"i" * 3000 + b">\n", PLAIN)
typed("longinside", MIXED, part(b"Content-Type: text/plain; name=\"" + b"n" * 1500 + b"\"; x=y\nContent-Description: " + b"d" * 3000 + b"\n", PLAIN) + b"--b--\n", b"7bit")
