"""Python's smtplib, the way a script sends bulk mail: one thread a session, each one kept open.

    smtplib_pool.py MESSAGES COUNT PORT SESSIONS [CA]

It reads MESSAGES (bench/e2e/floor.cpp says of what form) before it sends, so that it does less than
ringpost: no JSON, no outcomes. With a CA it speaks STARTTLS and AUTH PLAIN.
"""

import queue
import smtplib
import ssl
import sys
import threading


def read_messages(name, count):
    messages = []
    with open(name, "rb") as file:
        for _ in range(count):
            octets, _, recipient = file.readline().decode().split()
            messages.append((recipient, file.read(int(octets))))
    return messages


def send_all(waiting, failures, port, certificate):
    try:
        with smtplib.SMTP("127.0.0.1", port) as session:
            if certificate:
                context = ssl.create_default_context(cafile=certificate)
                context.minimum_version = ssl.TLSVersion.TLSv1_3
                session.starttls(context=context)
                session.login("ringpost", "ringpost")
            while True:
                try:
                    recipient, content = waiting.get_nowait()
                except queue.Empty:
                    return
                session.sendmail("news@example.com", [recipient], content)
    except Exception as error:  # of whatever kind: the run does not count
        failures.append(error)


def main():
    name, count, port, sessions, *certificate = sys.argv[1:]
    waiting = queue.SimpleQueue()
    for message in read_messages(name, int(count)):
        waiting.put(message)
    failures = []
    threads = [threading.Thread(target=send_all, args=(waiting, failures, int(port),
                                                       certificate[0] if certificate else None))
               for _ in range(int(sessions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        sys.exit(f"smtplib_pool: {failures[0]}")


if __name__ == "__main__":
    main()
