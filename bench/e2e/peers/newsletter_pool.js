// A newsletter by nodemailer's pooled transport and handlebars, as their manuals show it.
//
//   newsletter_pool.js MODULES HANDLEBARS TEMPLATE LIST PORT SESSIONS CA
//
// TEMPLATE is JSON with from, subject, html, headers and unsubscribe; LIST a CSV whose fields have no
// quotes. Each text is compiled once. MODULES and HANDLEBARS are the folders that they stand in.
'use strict';
const fs = require('fs');
const path = require('path');

const [modules, bars, templateFile, list, port, sessions, certificate] = process.argv.slice(2);
const nodemailer = require(path.join(modules, 'nodemailer'));
const handlebars = require(path.join(bars, 'handlebars'));

const template = JSON.parse(fs.readFileSync(templateFile, 'utf8'));
const subject = handlebars.compile(template.subject, { noEscape: true });
const html = handlebars.compile(template.html);
const unsubscribe = handlebars.compile(template.unsubscribe, { noEscape: true });

const [head, ...rows] = fs.readFileSync(list, 'utf8').trimEnd().split('\r\n');
const names = head.split(',');

function messageFor(row) {
  const fields = row.split(',');
  const values = Object.fromEntries(names.map((name, index) => [name, fields[index]]));
  return {
    from: template.from,
    to: values.email,
    subject: subject(values),
    html: html(values),
    headers: { 'X-Id': values.id },
    list: { unsubscribe: unsubscribe(values) },
  };
}

const transport = nodemailer.createTransport({
  host: '127.0.0.1',
  port: Number(port),
  pool: true,
  maxConnections: Number(sessions),
  maxMessages: Infinity,
  secure: false,
  requireTLS: true,
  auth: { user: 'ringpost', pass: 'ringpost' },
  tls: { ca: fs.readFileSync(certificate), servername: 'localhost',
         minVersion: 'TLSv1.3', ciphers: 'TLS_AES_128_GCM_SHA256' },
});

// As many calls under way as there are sessions: sendMail() queues whatever it is given.
async function sendFrom(waiting) {
  for (const row of waiting) {
    await transport.sendMail(messageFor(row));
  }
}

async function main() {
  const waiting = rows[Symbol.iterator]();
  await Promise.all(Array.from({ length: Number(sessions) }, () => sendFrom(waiting)));
  transport.close();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
