"""An SMTP server's side of a connection that keeps what it takes, for `scripted_server`.

Recipients and senders whose address begins with "bad" are refused. What a server says and does in
another way than this one is an attribute or a method of a class of its own.
"""

from dataclasses import dataclass

from support.scripted_server import hang_up, take_content


@dataclass(frozen=True)
class Kept:
    """A message that a server has said 250 for, or was about to say so."""

    sender: str
    recipients: tuple
    content: bytes  # without dot-stuffing


class Session:
    """What the commands of one connection have led to."""

    mail_ok = "250 2.1.0 sender ok"
    rcpt_ok = "250 2.1.5 recipient ok"
    rset_ok = "250 2.0.0 reset"
    kept = "250 2.0.0 kept as {number}"
    nobody = "550 5.1.1 no such user"
    nested_mail = "503 5.5.1 sender already given"
    no_recipients = "503 5.5.1 no recipients"

    def __init__(self, dialogue):
        self.dialogue = dialogue
        self.replies = []  # to be sent before the next read
        self.sender = None
        self.recipients = []
        self.chunks = b""  # of a message whose last is to come
        self.mails = 0

    def run(self):
        while True:
            self.obey_next()

    def obey_next(self):
        self.flush_if_idle()
        line = self.dialogue.read_line()
        self.obey(line.split(" ")[0].upper(), line)

    # ---- Octets ---------------------------------------------------------------------------------

    def flush_if_idle(self):
        """As servers do: replies leave when there is nothing more to read at the moment."""
        if b"\r\n" not in self.dialogue._unread:
            self.flush()

    def flush(self):
        octets = "".join(reply + "\r\n" for reply in self.replies).encode()
        self.replies = []
        if octets:
            self.dialogue.send(octets)

    def end(self, how=hang_up):
        self.flush()
        how(self.dialogue)

    def reads_more(self):
        """Whether another command has come with the one that was read last."""
        return b"\r\n" in self.dialogue._unread

    def drop_rest(self):
        """What came with the last line is never looked at."""
        self.dialogue.keep_rest()

    # ---- Commands -------------------------------------------------------------------------------

    def obey(self, verb, line):
        getattr(self, f"take_{verb.lower()}", self.take_unknown)(line)

    def say(self, reply):
        """A reply to a command; several lines of one are parted by newlines."""
        self.replies += reply.split("\n")

    def take_unknown(self, _line):
        self.refuse("500 5.5.2 what?")

    def refuse(self, reply):
        """Every reply that a server may count as an error goes through here."""
        self.say(reply)

    def take_noop(self, _line):
        self.say("250 2.0.0 ok")

    def take_rset(self, _line):
        self.forget()
        self.say(self.rset_ok)

    def forget(self):
        self.sender, self.recipients, self.chunks = None, [], b""

    def take_mail(self, line):
        if self.sender is not None:
            self.refuse(self.nested_mail)
        elif address_of(line).startswith("bad"):
            self.refuse("550 5.7.1 not you")
        else:
            self.mails += 1
            self.sender = address_of(line)
            self.say(self.mail_ok)

    def take_rcpt(self, line):
        if self.sender is None:
            self.refuse("503 5.5.1 sender first")
        elif address_of(line).startswith("bad"):
            self.refuse(self.nobody)
        else:
            self.recipients.append(address_of(line))
            self.say(self.rcpt_ok)

    def read_chunk(self, line):
        count = int(line.split(" ")[1])
        while len(self.dialogue._unread) < count:
            self.dialogue.receive()
        content = bytes(self.dialogue._unread[:count])
        del self.dialogue._unread[:count]
        return content

    def keep(self, content):
        self.dialogue.messages.append(content)
        self.dialogue.kept.append(Kept(self.sender, tuple(self.recipients), content))
        self.forget()
        self.say(self.kept.format(number=len(self.dialogue.messages)))

    def take_bdat(self, line):
        content = self.read_chunk(line)
        if not self.recipients:
            self.refuse_bdat()
        elif not line.upper().endswith(" LAST"):
            self.chunks += content
            self.say("250 2.0.0 chunk taken")
        else:
            self.keep(self.chunks + content)

    def refuse_bdat(self):
        """Its transaction stays open, as Exim has it."""
        self.refuse(self.no_recipients)

    def take_data(self, _line):
        if self.sender is None:
            self.refuse("503 5.5.1 sender first")
        elif not self.recipients:
            self.refuse(self.no_recipients)
        else:
            self.say("354 go on")
            self.flush()
            take_content(self.dialogue)
            self.keep(without_stuffing(self.dialogue.messages.pop()))

    def take_quit(self, _line):
        self.say("221 2.0.0 bye")
        self.end(hang_up)


def address_of(line):
    return line.partition("<")[2].partition(">")[0]


def without_stuffing(content):
    lines = content.split(b"\r\n")
    return b"\r\n".join(line[1:] if line.startswith(b".") else line for line in lines)


def served_by(kind, **attributes):
    """The step of a script that speaks as `kind` until the connection ends."""

    def step(dialogue):
        session = kind(dialogue)
        session.__dict__.update(attributes)
        session.run()

    return step
