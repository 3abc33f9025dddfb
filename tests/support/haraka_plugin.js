// A plugin of Haraka that lets one user in, refuses some recipients, and writes down each login and
// each message. Its options are in config/record.json: see haraka.py. Limits of errors and recipients
// are those of haraka-plugin-limit, in its words: both count what a session has had.
'use strict';

const fs = require('node:fs');
const { Writable } = require('node:stream');

exports.register = function () {
    this.inherits('auth/auth_base');
    this.options = this.config.get('record.json');
};

function record(plugin, event) {
    fs.appendFileSync(plugin.options.record, JSON.stringify(event) + '\n');
}

exports.check_plain_passwd = function (connection, user, password, done) {
    const success = user === this.options.user && password === this.options.password;
    record(this, { event: 'login', success });
    done(success);
};

// Whether there is a limit that this number is past.
function isPast(limit, number) {
    return limit > 0 && number > limit;
}

exports.hook_mail = function (next, connection) {
    const { notes } = connection;
    if (isPast(this.options.errors, connection.errors)) {
        return next(DENYSOFTDISCONNECT, 'Too many errors');
    }
    notes.messages = (notes.messages ?? 0) + 1;
    if (isPast(this.options.messages, notes.messages)) {
        return next(DENYSOFTDISCONNECT, 'Too many messages');
    }
    const needsLogin = connection.local.port !== this.options.plain;
    if (needsLogin && !connection.notes.auth_user) return next(DENY, 'log in first');
    next();
};

exports.hook_rcpt = function (next, connection, params) {
    const user = params[0].user;
    const { accept, tempfail, reject } = connection.rcpt_count;
    if (isPast(this.options.errors, connection.errors)) {
        return next(DENYSOFTDISCONNECT, 'Too many errors');
    }
    if (isPast(this.options.recipients, accept + tempfail + reject + 1)) {
        return next(DENYSOFT, 'Too many recipient attempts');
    }
    if (user.startsWith(this.options.refused)) return next(DENY, this.options.refusedText);
    if (user.startsWith(this.options.putOff)) return next(DENYSOFT, this.options.putOffText);
    next(OK);
};

// Its own stream misses dots at the edges of its blocks of 64 KiB, so it is told to leave them.
function unstuffed(octets) {
    return Buffer.from(octets.toString('latin1').replace(/(^|\r\n)\.\./g, '$1.'), 'latin1');
}

// A method of Haraka 3.1, and a property of 3.3.
function textOf(address) {
    return typeof address.address === 'function' ? address.address() : address.address;
}

exports.hook_queue = function (next, connection) {
    const { mail_from, rcpt_to, message_stream } = connection.transaction;
    const parts = [];
    const sink = new Writable({
        write(part, encoding, done) {
            parts.push(Buffer.from(part));
            done();
        },
    });
    sink.on('finish', () => {
        record(this, {
            event: 'message',
            sender: textOf(mail_from),
            recipients: rcpt_to.map(textOf),
            content: unstuffed(Buffer.concat(parts)).toString('base64'),
        });
        next(OK, 'kept');
    });
    message_stream.pipe(sink, { dot_stuffed: false });
};

// Where mail of those who have logged in goes.
exports.hook_queue_outbound = exports.hook_queue;
