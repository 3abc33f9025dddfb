// nodemailer's pooled transport, the way its manual says to send bulk mail.
//
//   nodemailer_pool.js MODULES MESSAGES COUNT PORT SESSIONS [CA]
//
// It reads MESSAGES (bench/e2e/floor.cpp says of what form) before it sends, so that it does less
// than ringpost: no JSON, no outcomes. With a CA it speaks STARTTLS and AUTH PLAIN. MODULES is the
// folder that nodemailer was installed in.
'use strict';
const fs = require('fs');
const path = require('path');

const [modules, name, count, port, sessions, certificate] = process.argv.slice(2);
const nodemailer = require(path.join(modules, 'nodemailer'));

function* messagesOf(octets) {
  for (let begin = 0, number = 0; number < Number(count); ++number) {
    const end = octets.indexOf('\n', begin);
    const [length, , recipient] = octets.toString('latin1', begin, end).split(' ');
    begin = end + 1 + Number(length);
    yield { envelope: { from: 'news@example.com', to: [recipient] },
            raw: octets.subarray(end + 1, begin) };
  }
}

const transport = nodemailer.createTransport({
  host: '127.0.0.1',
  port: Number(port),
  pool: true,
  maxConnections: Number(sessions),
  maxMessages: Infinity,
  secure: false,
  ...(certificate
    ? { requireTLS: true,
        auth: { user: 'ringpost', pass: 'ringpost' },
        tls: { ca: fs.readFileSync(certificate), servername: 'localhost',
               minVersion: 'TLSv1.3', ciphers: 'TLS_AES_128_GCM_SHA256' } }
    : { ignoreTLS: true }),
});

// As many calls under way as there are sessions: sendMail() queues whatever it is given.
async function sendFrom(messages) {
  for (const message of messages) {
    await transport.sendMail(message);
  }
}

async function main() {
  const messages = messagesOf(fs.readFileSync(name));
  await Promise.all(Array.from({ length: Number(sessions) }, () => sendFrom(messages)));
  transport.close();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
