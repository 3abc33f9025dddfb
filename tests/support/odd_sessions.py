"""Servers with ways of their own, for `smtp_session`: sound ones with odd words or limits, and ones
that announce what they do not do. Each class says whom it imitates."""

import itertools
import time
from collections import Counter

from support.scripted_server import hang_up, reset, stall
from support.smtp_session import Session

# ---- Words ---------------------------------------------------------------------------------------


class GmailLike(Session):
    """smtp.gmail.com by public transcripts of 2026: RSET has the status of RCPT."""

    mail_ok = "250 2.1.0 OK d9443c01a7336-2e5cf3b1e0asm12345 - gsmtp"
    rcpt_ok = "250 2.1.5 OK d9443c01a7336-2e5cf3b1e0asm12345 - gsmtp"
    rset_ok = "250 2.1.5 Flushed d9443c01a7336-2e5cf3b1e0asm12345 - gsmtp"
    kept = "250 2.0.0 OK  17642{number:05} d9443c01a7336-2e5cf3b1e0asm12345 - gsmtp"
    no_recipients = "503-5.5.1 RCPT first. For more information, go to\n503 5.5.1 ... - gsmtp"


class QsmtpLike(Session):
    """Qsmtp 0.39: MAIL and RCPT have each other's status."""

    mail_ok = "250 2.1.5 sender is syntactically correct"
    rcpt_ok = "250 2.1.0 recipient is syntactically correct"
    rset_ok = "250 2.0.0 ok"
    kept = "250 2.5.0 accepted message for delivery"


class StatusOfMail(Session):
    """2.1.0 to RCPT, too (MailEnable and others)."""

    rcpt_ok = "250 2.1.0 ok"


class StatusOfRcpt(Session):
    """2.1.5 to the end of data, too."""

    kept = "250 2.1.5 Ok, delivered"


class OneWord(Session):
    """The same to everything, with a status."""

    mail_ok = rcpt_ok = rset_ok = kept = "250 2.0.0 Ok"


class OneStatus(Session):
    """2.1.5 to everything, the words of RSET to the end of data."""

    mail_ok = rcpt_ok = rset_ok = kept = "250 2.1.5 Flushed"


class NoStatus(Session):
    """aiosmtpd 1.4.6 in its words."""

    mail_ok = rcpt_ok = rset_ok = kept = "250 OK"


class Joking(Session):
    """chasquid 1.19.0: 2.1.5 to MAIL, and another joke each time, now and then the one of another
    command. It draws them; here they take turns, since four that chance has drawn a few times each
    may be the habit of a command."""

    jokes = ("You may proceed", "Nice to meet you", "An eternal bond", "Don't panic")

    def __init__(self, dialogue):
        super().__init__(dialogue)
        self.told = Counter()  # jokes, by what they answer

    def say(self, reply):
        if reply[:3] == "250":
            answers = [self.mail_ok, self.rcpt_ok, self.rset_ok, reply].index(reply)
            status = "2.1.5" if reply == self.mail_ok else reply[4:9]
            joke = self.jokes[(self.told[answers] + answers) % len(self.jokes)]
            self.told[answers] += 1
            reply = f"250 {status} {joke}"
        super().say(reply)


class EximLike(Session):
    """Exim 4.100.1: no status, BDAT answered and refused in several lines, RSET counted."""

    mail_ok = "250 OK"
    rcpt_ok = "250 Accepted"
    rset_ok = "250 Reset OK"
    nobody = "550-Verification failed for <x@example.net>\n550 Unrouteable address"
    no_recipients = "503-All RCPT commands were rejected with this error:\n503-Unrouteable" \
                    " address\n503 Valid RCPT command must precede BDAT"
    resets = 0
    resets_max = 11

    def keep(self, content):
        self.kept = f"250- {len(content)} byte chunk, total {len(content)}\n250 OK id=1vP{{number}}"
        self.resets = 0
        super().keep(content)

    def take_rset(self, line):
        self.resets += 1 if self.mails else 0
        if self.resets > self.resets_max:
            self.say("554 Too many nonmail commands")
            self.end()
        super().take_rset(line)


# ---- Commands ahead of replies -------------------------------------------------------------------


class LastOnly(Session):
    """Looks at the last line of a read only (MailKit#587)."""

    def obey_next(self):
        self.flush_if_idle()
        line = self.dialogue.read_line()
        while self.reads_more():
            line = self.dialogue.read_line()
        self.obey(line.split(" ")[0].upper(), line)


class FirstOnly(Session):
    """Looks at the first line of a read only (Indy#239)."""

    def obey(self, verb, line):
        super().obey(verb, line)
        self.drop_rest()


class OnePacket(Session):
    """Refuses several commands in one read altogether, as Exim's synchronization check does, but
    that the session goes on."""

    def obey(self, verb, line):
        if self.reads_more():
            self.drop_rest()
            self.refuse("554 SMTP synchronization error")
        else:
            super().obey(verb, line)

    def keep(self, content):
        super().keep(content)
        if self.reads_more():
            self.drop_rest()


class HarakaLike(Session):
    """Haraka 3.3.4: what came in the same read as the final dot is answered 503."""

    kept = "250 Message Queued (8C2F7A1E-0000-4000-8000-{number:012}.1)"

    def keep(self, content):
        super().keep(content)
        while self.reads_more():
            self.dialogue.read_line()
            self.refuse("503 Bad sequence of commands - pipelined after end of DATA")


class CourierLike(Session):
    """Courier 2.0.6: what came in the same read as the final dot is dropped without a word."""

    kept = "250 Ok. 00000000005C{number:04}.0000000069260000.00001234"
    nobody = "550 User unknown."
    recipients_max = 100

    def take_rcpt(self, line):
        if len(self.recipients) >= self.recipients_max:
            self.refuse("431 Too many recipients.")
        else:
            super().take_rcpt(line)

    def keep(self, content):
        super().keep(content)
        self.drop_rest()


class OpensmtpdLike(Session):
    """OpenSMTPD 7.9.0p0: a second line that is there already gets 500 and the end, behind the dot
    in the place of the reply to the end of data."""

    mail_ok = "250 2.0.0 Ok"
    rcpt_ok = "250 2.1.5 Destination address valid: Recipient ok"
    kept = "250 2.0.0 5c2f7a1e{number:04} Message accepted for delivery"

    def obey(self, verb, line):
        self.end_if_ahead()
        super().obey(verb, line)

    def keep(self, content):
        self.end_if_ahead()
        super().keep(content)

    def end_if_ahead(self):
        if self.reads_more():
            self.drop_rest()
            self.say("500 5.5.1 Invalid command: Pipelining not supported")
            self.end()


class Closing(Session):
    """msmtpd 1.8.33: a second line that is there already ends the session without a word."""

    def obey(self, verb, line):
        if self.reads_more():
            hang_up(self.dialogue)
        super().obey(verb, line)


# ---- CHUNKING ------------------------------------------------------------------------------------


class BdatHangs(Session):
    """Announces CHUNKING and waits for ever (MailKit#921)."""

    def take_bdat(self, line):
        self.flush()
        stall(self.dialogue)


class BdatHangsBehind(Session):
    """The same behind the whole chunk, as a proxy in front of a server without BDAT."""

    def take_bdat(self, line):
        self.read_chunk(line)
        self.flush()
        stall(self.dialogue)


class BdatCloses(Session):
    """Ends the session in order at BDAT."""

    ending = staticmethod(hang_up)

    def take_bdat(self, line):
        self.end(self.ending)


class BdatResets(BdatCloses):
    """The same with a RST."""

    ending = staticmethod(reset)


class SendmailLike(Session):
    """sendmail 8.18.2: BDAT gets a 500, each line of its content another, the 26th bad command 421
    and the end."""

    kept = "250 2.0.0 5ASG{number:04} Message accepted for delivery"
    bad_commands_max = 25
    bad_commands = 0

    def take_bdat(self, line):
        self.take_unknown(line)

    def take_unknown(self, line):
        self.bad_commands += 1
        if self.bad_commands > self.bad_commands_max:
            self.say("421 4.7.0 Too many bad commands; closing connection")
            self.end()
        self.refuse(f'500 5.5.1 Command unrecognized: "{line[:40]}"')


class ChunkNotDiscarded(Session):
    """emersion/go-smtp by its issue 315: the chunk of a BDAT that it refuses is taken for
    commands."""

    def take_bdat(self, line):
        if self.recipients:
            super().take_bdat(line)
        else:
            self.refuse("502 5.5.1 Missing RCPT TO command.")


class PostfixLike(Session):
    """Postfix 3.11.7: a refused BDAT ends the transaction; 421 behind the 20th error, a pause
    before each reply from the 11th on (here shorter than a second)."""

    kept = "250 2.0.0 Ok: 71 bytes queued as 4dJ{number:04}"
    nested_mail = "503 5.5.1 Error: nested MAIL command"
    no_recipients = "554 5.5.1 Error: no valid recipients"
    errors_max = 20
    errors_soft = 10
    pause = 0.02
    errors = 0

    def refuse(self, reply):
        self.errors += 1
        if self.errors > self.errors_max:
            self.say("421 4.7.0 mx Error: too many errors")
            self.end()
        if self.errors > self.errors_soft:
            self.flush()
            time.sleep(self.pause)
        super().refuse(reply)

    def refuse_bdat(self):
        super().refuse_bdat()
        self.forget()


# ---- Limits --------------------------------------------------------------------------------------


class FewMessages(Session):
    """Takes so many messages a session, and says so in a form of its own at the next MAIL."""

    messages_max = 5
    full = "452 4.5.3 Too many recipients: Too many messages sent"  # OpenSMTPD 7.9.0p0
    ending = None  # the session stays open

    def take_mail(self, line):
        if self.mails >= self.messages_max and self.sender is None:
            if self.full:
                self.say(self.full)
            if self.ending:
                self.end(self.ending)
        else:
            super().take_mail(line)


class FewRecipients(Session):
    """Takes so many recipients a transaction; more are refused, and each is an error."""

    recipients_max = 100
    overflow = "452 4.5.3 Too many recipients"
    errors_max = 2
    errors = 0

    def take_rcpt(self, line):
        if len(self.recipients) < self.recipients_max or self.sender is None:
            super().take_rcpt(line)
            return
        self.errors += 1
        if self.errors > self.errors_max:
            self.say("421 4.5.0 Too many errors, bye")
            self.end()
        self.say(self.overflow)


class FewRecipientsAtTheEnd(Session):
    """Amazon SES: says behind the content that there were too many."""

    recipients_max = 50

    def keep(self, content):
        if len(self.recipients) <= self.recipients_max:
            super().keep(content)
            return
        self.forget()
        self.say(f"554 Transaction failed: Recipient count exceeds {self.recipients_max}")


class ChasquidLike(Joking):
    """chasquid 1.19.0: the third error of any kind, unknown recipients included, is 421 and the
    end."""

    errors_max = 2
    errors = 0

    def refuse(self, reply):
        self.errors += 1
        if self.errors > self.errors_max:
            self.say("421 4.5.0 Too many errors, bye")
            self.end()
        super().refuse(reply)


class QuotaAt(Session):
    """The account has sent what it may a day, behind so many messages over all sessions."""

    stage = "MAIL"
    quota = 3
    over = "550 5.4.5 Daily user sending limit exceeded"

    def is_over(self, stage):
        kept = sum(len(dialogue.kept) for dialogue in self.dialogue.server.dialogues)
        return stage == self.stage and kept >= self.quota

    def take_mail(self, line):
        if self.is_over("MAIL"):
            self.say(self.over)
        else:
            super().take_mail(line)

    def take_rcpt(self, line):
        if self.is_over("RCPT"):
            self.say(self.over)
        else:
            super().take_rcpt(line)

    def keep(self, content):
        if self.is_over("end of data"):
            self.forget()
            self.say(self.over)
        else:
            super().keep(content)


class LoginWanted(Session):
    """Postfix and others for whom the user name was forgotten."""

    def take_mail(self, _line):
        self.say("530 5.7.0 Authentication required")


# ---- Transport -----------------------------------------------------------------------------------


class Dribbling(Session):
    """Replies leave in pieces of any size."""

    sizes = itertools.cycle((1, 7, 2, 30, 3))

    def flush(self):
        octets = "".join(reply + "\r\n" for reply in self.replies).encode()
        self.replies = []
        while octets:
            size = next(self.sizes)
            self.dialogue.send(octets[:size])
            octets = octets[size:]
