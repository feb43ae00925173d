#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What scripts send mail with - swaks, Python's smtplib, nodemailer - delivers through us: in the clear, by STARTTLS, in TLS from the first byte, with and
without a password."""
import client_stage
import mail_programs
import story

globals().update(client_stage.stories((mail_programs.Swaks, mail_programs.SmtpLib, mail_programs.Nodemailer)))


if __name__ == "__main__":
    story.main()
