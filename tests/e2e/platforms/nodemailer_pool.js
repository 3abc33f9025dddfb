// nodemailer's pool as a platform has it: NODE_MODULES PORT COUNT. Prints how many were accepted.
'use strict';
const path = require('path');
const [modules, port, count] = process.argv.slice(2);
const nodemailer = require(path.join(modules, 'nodemailer'));
const transport = nodemailer.createTransport(
  { host: '127.0.0.1', port: Number(port), pool: true, maxConnections: 10, ignoreTLS: true });
const sends = Array.from({ length: Number(count) }, (_, number) =>
  transport.sendMail({ from: 'News <news@example.com>', to: `reader${number}@example.net`,
                       messageId: `<node-${number}@example.com>`, subject: 'Grüße',
                       text: 'Hello', html: '<p>Hello</p>' }));
Promise.allSettled(sends).then((results) => {
  transport.close();
  console.log(results.filter((one) => one.status === 'fulfilled').length);
  const failed = results.find((one) => one.status !== 'fulfilled');
  if (failed) console.error(String(failed.reason));
});
