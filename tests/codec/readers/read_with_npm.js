// Reads the messages of a folder with mailparser or postal-mime; one JSON line each (their form: reading.py).
//
//   node read_with_npm.js mailparser|postal-mime FOLDER
//
// Neither tells the structure of a message.
'use strict';

const crypto = require('crypto');
const fs = require('fs');
const path = require('path');

const [which, folder] = process.argv.slice(2);

function attachment(name, type, content, cid, inner) {
  const octets = inner ? Buffer.alloc(0) : Buffer.from(content);
  return {
    name: name === undefined || name === false ? null : name,
    type: type.toLowerCase(),
    sha256: crypto.createHash('sha256').update(octets).digest('hex'),
    cid: cid ? cid.replace(/^<|>$/g, '') : null,
    inner: inner || null,
  };
}

const optional = (value) => (value === undefined || value === false ? null : value);

async function withMailparser(simpleParser, libmime, content) {
  const options = {skipHtmlToText: true, skipTextToHtml: true, skipTextLinks: true,
    skipImageLinks: true, keepCidLinks: true};
  const message = await simpleParser(content, options);
  const pairs = (field) => (field ? [].concat(field) : []).flatMap(
    (one) => one.value.filter((mailbox) => mailbox.address).map((mailbox) => [mailbox.name, mailbox.address]));
  const attachments = [];
  for (const one of message.attachments) {
    let inner = null;
    // Not its contentType, which is guessed from the name for application/octet-stream.
    const type = one.headers.get('content-type').value;
    if (type === 'message/rfc822') {
      const within = await simpleParser(one.content, options);
      inner = [within.subject, within.text];
    }
    attachments.push(attachment(one.filename, type, one.content, one.contentId, inner));
  }
  const raw = (name) => {
    const line = message.headerLines.find((one) => one.key === name);
    return line ? line.line.slice(line.line.indexOf(':') + 1).replace(/\r?\n/g, '').trim() : null;
  };
  return {subject: optional(message.subject), from: pairs(message.from),
    reply_to: pairs(message.replyTo), to: pairs(message.to), cc: pairs(message.cc),
    message_id: message.messageId, references: raw('references'),
    unsubscribe: raw('list-unsubscribe'), note: raw('x-note') && libmime.decodeWords(raw('x-note')),
    text: optional(message.text), html: optional(message.html), attachments};
}

async function withPostalMime(PostalMime, decodeWords, content) {
  const message = await PostalMime.parse(content);
  const pairs = (list) => (list || []).filter((one) => one.address).map((one) => [one.name, one.address]);
  const attachments = [];
  for (const one of message.attachments) {
    let inner = null;
    if (one.mimeType === 'message/rfc822') {
      const within = await PostalMime.parse(one.content);
      inner = [within.subject, within.text];
    }
    attachments.push(attachment(one.filename, one.mimeType, one.content, one.contentId, inner));
  }
  const header = (name) => {
    const found = message.headers.find((one) => one.key === name);
    return found ? found.value : null;
  };
  return {subject: optional(message.subject), from: pairs(message.from ? [message.from] : []),
    reply_to: pairs(message.replyTo), to: pairs(message.to), cc: pairs(message.cc),
    message_id: message.messageId, references: header('references'),
    unsubscribe: header('list-unsubscribe'), note: header('x-note') && decodeWords(header('x-note')),
    text: optional(message.text), html: optional(message.html), attachments};
}

async function main() {
  let read;
  if (which === 'mailparser') {
    const {simpleParser} = require('mailparser');
    const libmime = require('libmime'); // which it decodes the fields with that it knows
    read = (content) => withMailparser(simpleParser, libmime, content);
  } else {
    const {default: PostalMime, decodeWords} = require('postal-mime');
    read = (content) => withPostalMime(PostalMime, decodeWords, content);
  }
  for (const name of fs.readdirSync(folder).filter((one) => one.endsWith('.eml')).sort()) {
    let reading;
    try {
      reading = await read(fs.readFileSync(path.join(folder, name)));
    } catch (error) {
      reading = {error: String(error)};
    }
    process.stdout.write(`${JSON.stringify({file: name, ...reading})}\n`);
  }
}

main();
