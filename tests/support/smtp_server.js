// nodemailer's smtp-server on loopback, which writes down each login and each message.
// Called with a JSON object of options: see smtp_server.py.
'use strict';

const fs = require('node:fs');
const options = JSON.parse(process.argv[2]);
const { SMTPServer } = require(options.module);

function record(event) {
    fs.appendFileSync(options.record, JSON.stringify(event) + '\n');
}

function refusal(code, text) {
    return Object.assign(new Error(text), { responseCode: code });
}

const handlers = {
    onAuth(auth, session, done) {
        const success = auth.username === options.user && auth.password === options.password;
        record({ event: 'login', method: auth.method, success });
        done(success ? null : refusal(535, 'wrong password'), { user: auth.username });
    },
    onMailFrom(address, session, done) {
        session.messages = (session.messages ?? 0) + 1;
        if (options.messages && session.messages > options.messages) {
            done(refusal(421, 'too many messages'));
        } else {
            done();
        }
    },
    onRcptTo(address, session, done) {
        if (options.errors && (session.errors ?? 0) >= options.errors) {
            return done(refusal(421, 'too many errors'));
        }
        if (options.recipients && session.envelope.rcptTo.length >= options.recipients) {
            return done(refusal(452, 'too many recipients'));
        }
        if (address.address.startsWith(options.refused)) {
            session.errors = (session.errors ?? 0) + 1;
            done(refusal(550, options.refusedText));
        } else if (address.address.startsWith(options.putOff)) {
            done(refusal(450, options.putOffText));
        } else {
            done();
        }
    },
    onData(stream, session, done) {
        const parts = [];
        stream.on('data', part => parts.push(part));
        stream.on('end', () => {
            record({
                event: 'message',
                sender: session.envelope.mailFrom.address,
                recipients: session.envelope.rcptTo.map(recipient => recipient.address),
                content: Buffer.concat(parts).toString('base64'),
            });
            done(null, 'kept');
        });
    },
};

const common = {
    ...handlers,
    name: 'smtp-server.ringpost.test',
    size: 100 << 20,
    disableReverseLookup: true,
    cert: fs.readFileSync(options.certificate),
    key: fs.readFileSync(options.key),
};
const relay = { ...common, disabledCommands: ['AUTH', 'STARTTLS'], authOptional: true };

const servers = {
    plain: new SMTPServer(relay),
    'no-pipelining': new SMTPServer({ ...relay, hidePIPELINING: true }),
    starttls: new SMTPServer(common),
    implicit: new SMTPServer({ ...common, secure: true }),
};
for (const [name, port] of Object.entries(options.ports)) {
    servers[name].on('error', () => {});
    servers[name].listen(port, '127.0.0.1');
}
