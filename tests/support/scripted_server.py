"""A server that follows a script, well-behaved or not, and writes down every octet it is sent.

A script is a list of steps, and a step is a function of a Dialogue. Each connection gets a script
of its own: the first connection the first one, and so on; the last one is for all that come later.
"""

import socket
import ssl
import struct
import threading

SECONDS_MAX = 60
GREETING = "220 scripted.test ESMTP"
CAPABILITIES = ("8BITMIME", "ENHANCEDSTATUSCODES", "SIZE 50000000")


class Broken(Exception):
    """The client did not do what the script expected, or is gone."""


class Dialogue:
    """One connection: what has come in, in clear and under TLS."""

    def __init__(self, server, connection):
        self.server = server
        self.connection = connection
        self.clear = bytearray()
        self.secured = bytearray()
        self.messages = []  # as sent: with dot-stuffing, without the end of data
        self.kept = []  # what a session of support.smtp_session has taken
        self.lines = []  # (under TLS, command line)
        self.tls_error = None
        self.ended_by_client = False
        self._unread = bytearray()

    # ---- What steps are made of -----------------------------------------------------------------

    def send(self, octets):
        try:
            self.connection.sendall(octets)
        except OSError as error:
            raise Broken(f"the client is gone: {error}") from error

    def receive(self):
        """Takes what has come; at the end of the stream there is nothing more to be had."""
        try:
            octets = self.connection.recv(65536)
        except ConnectionResetError:
            octets = b""
        except OSError as error:
            raise Broken(f"nothing came: {error}") from error
        if not octets:
            self.ended_by_client = True
            raise Broken("the client ended the connection")
        self._log.extend(octets)
        self._unread.extend(octets)

    def read_until(self, mark):
        while (found := self._unread.find(mark)) < 0:
            self.receive()
        octets = bytes(self._unread[:found])
        del self._unread[:found + len(mark)]
        return octets

    def read_line(self):
        line = self.read_until(b"\r\n").decode(errors="replace")
        self.lines.append((self._is_secured, line))
        return line

    def keep_rest(self):
        """What no step has read counts as commands, too."""
        rest = bytes(self._unread).decode(errors="replace")
        self.lines += [(self._is_secured, line) for line in rest.split("\r\n") if line]
        self._unread.clear()

    @property
    def _is_secured(self):
        return isinstance(self.connection, ssl.SSLSocket)

    @property
    def _log(self):
        return self.secured if self._is_secured else self.clear

    # ---- What a test asks -----------------------------------------------------------------------

    def verbs(self, secured=None):
        """First words of the commands in clear (False), under TLS (True) or of both."""
        return [line.partition(" ")[0].upper() for under_tls, line in self.lines
                if secured in (None, under_tls)]


class ScriptedServer:
    """Listens on a port that the kernel picks, one thread for each connection."""

    def __init__(self, *scripts, cleanup, certificate=None, implicit_tls=False, port=0,
                 host="127.0.0.1"):
        self.scripts = scripts
        self.implicit_tls = implicit_tls
        self.tls = certificate.server_context() if certificate else None
        self.dialogues = []
        self.surprises = []  # expectations of a script that were not met
        self.stopping = threading.Event()
        self.host = host
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, port), family=family, backlog=128)
        self.port = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()
        cleanup(self.stop)

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.settimeout(SECONDS_MAX)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            dialogue = Dialogue(self, connection)
            script = self.scripts[min(len(self.dialogues), len(self.scripts) - 1)]
            self.dialogues.append(dialogue)
            self._threads.append(
                threading.Thread(target=self._follow, args=(dialogue, script), daemon=True))
            self._threads[-1].start()

    def _follow(self, dialogue, script):
        try:
            if self.implicit_tls:
                start_tls(dialogue)
            for step in script:
                step(dialogue)
        except Broken:
            pass
        finally:
            dialogue.keep_rest()
            dialogue.connection.close()

    def stop(self):
        self.stopping.set()
        # A thread that waits in accept() or recv() is woken by shutdown(), not by close().
        for end in [self._listener, *(dialogue.connection for dialogue in self.dialogues)]:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self._listener.close()
        for thread in self._threads:
            thread.join(SECONDS_MAX)
        for dialogue in self.dialogues:
            dialogue.connection.close()

    def endpoint(self, scheme="smtp", host="localhost", user=None, **parameters):
        query = "&".join(f"{name}={value}" for name, value in parameters.items())
        account = f"{user}@" if user else ""
        return f"{scheme}://{account}{host}:{self.port}" + (f"?{query}" if query else "")

    @property
    def messages(self):
        """Contents of all connections, in the order of the connections."""
        return [content for dialogue in self.dialogues for content in dialogue.messages]

    def verbs(self):
        return [verb for dialogue in self.dialogues for verb in dialogue.verbs()]


# ---- Steps ---------------------------------------------------------------------------------------


def say(*lines):
    """Sends lines, all in one piece."""
    octets = "".join(line + "\r\n" for line in lines).encode()
    return lambda dialogue: dialogue.send(octets)


def say_octets(octets):
    return lambda dialogue: dialogue.send(octets)


def expect(verb):
    """Reads a command line, which has to begin with `verb`; QUIT ends the script in order."""

    def step(dialogue):
        line = dialogue.read_line()
        if line == "QUIT":
            dialogue.send(b"221 2.0.0 bye\r\n")
            hang_up(dialogue)
        if not line.upper().startswith(verb.upper()):
            dialogue.server.surprises.append(f"{verb} was expected, {line!r} came")
            raise Broken(line)

    return step


def start_tls(dialogue):
    """The server's side of the handshake."""
    dialogue.keep_rest()
    try:
        dialogue.connection = dialogue.server.tls.wrap_socket(dialogue.connection,
                                                              server_side=True)
    except (OSError, ssl.SSLError) as error:
        dialogue.tls_error = str(error)
        raise Broken(f"no TLS: {error}") from error


def end_tls(dialogue):
    """Says close_notify, and goes on in clear."""
    try:
        dialogue.connection = dialogue.connection.unwrap()
    except OSError as error:
        raise Broken(f"the client did not end TLS in order: {error}") from error


def take_content(dialogue):
    """Reads up to the end of data."""
    # An empty content is a lone dot, without the CRLF of a line before it.
    while not dialogue._unread.startswith(b".\r\n") and b"\r\n.\r\n" not in dialogue._unread:
        dialogue.receive()
    if dialogue._unread.startswith(b".\r\n"):
        dialogue.read_until(b".\r\n")
        dialogue.messages.append(b"")
    else:
        dialogue.messages.append(dialogue.read_until(b"\r\n.\r\n") + b"\r\n")


def take_octets(count):
    """Reads at least so many octets and throws them away."""

    def step(dialogue):
        taken = len(dialogue._unread)
        while taken < count:
            dialogue._unread.clear()
            dialogue.receive()
            taken += len(dialogue._unread)
        dialogue._unread.clear()

    return step


def hang_up(dialogue):
    """Ends the connection in order: a FIN, behind everything that was sent.

    What still comes is read, because a socket that is closed with unread octets sends a RST."""
    try:
        dialogue.connection.shutdown(socket.SHUT_WR)
        while dialogue.connection.recv(65536):
            pass
    except OSError:
        pass
    raise Broken("the script is over")


def reset(dialogue):
    """Ends the connection with a RST."""
    dialogue.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    dialogue.connection.close()
    raise Broken("the script is over")


def read_to_the_end(dialogue):
    """Says nothing more, and writes down what still comes."""
    while True:
        dialogue.receive()


def stall(dialogue):
    """Neither reads nor writes until the test is over."""
    dialogue.server.stopping.wait(SECONDS_MAX)


# ---- Scripts -------------------------------------------------------------------------------------


def hello(*capabilities):
    lines = ("scripted.test", *capabilities)
    return [expect("EHLO"), say(*(f"250-{line}" for line in lines[:-1]), f"250 {lines[-1]}")]


def in_clear(*capabilities):
    """Until the server is ready for messages, without TLS."""
    return [say(GREETING), *hello(*(capabilities or CAPABILITIES))]


def secured():
    """Until TLS is there, by STARTTLS."""
    return [say(GREETING), *hello("STARTTLS"), expect("STARTTLS"), say("220 2.0.0 go"), start_tls]


def logged_in(*capabilities):
    """Until the server is ready for messages, with STARTTLS and AUTH PLAIN."""
    return [*secured(), *hello("AUTH PLAIN", *(capabilities or CAPABILITIES)),
            expect("AUTH PLAIN "), say("235 2.7.0 welcome")]


def envelope():
    return [expect("MAIL"), say("250 2.1.0 ok"), expect("RCPT"), say("250 2.1.5 ok")]


def one_message(reply="250 2.0.0 ok"):
    return [*envelope(), expect("DATA"), say("354 go on"), take_content, say(reply)]


def any_messages(dialogue):
    """Takes messages in lock-step until the client says QUIT."""
    while True:
        line = dialogue.read_line().upper()
        if line.startswith("DATA"):
            dialogue.send(b"354 go on\r\n")
            take_content(dialogue)
        dialogue.send(b"221 2.0.0 bye\r\n" if line == "QUIT" else b"250 2.0.0 ok\r\n")
        if line == "QUIT":
            hang_up(dialogue)
