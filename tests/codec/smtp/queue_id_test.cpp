#include "codec/smtp/queue_id.h"

#include <catch2/catch_test_macros.hpp>

using namespace ringpost;
using namespace ringpost::codec;

namespace {

struct ServerReply {
  const char* server;
  const char* text;  // behind code and enhanced status
  const char* id;
};

void check(const ServerReply& reply) {
  INFO(reply.server << ": " << reply.text);
  CHECK(find_queue_id(reply.text) == reply.id);
}

}  // namespace

TEST_CASE("queue_id: the servers that people run say it in their own way each") {
  for (const ServerReply& reply : {
           ServerReply{"sendmail 8.18", "5ASH4Bqx012345 Message accepted for delivery",
                       "5ASH4Bqx012345"},
           {"OpenSMTPD 7.9", "a81f0c3d Message accepted for delivery", "a81f0c3d"},
           {"OpenSMTPD 7.9", "deadbeef Message accepted for delivery", "deadbeef"},
           {"OpenSMTPD 7.9", "48151623 Message accepted for delivery", "48151623"},
           {"Postfix", "Ok: queued as 4F2A1C0E2B", "4F2A1C0E2B"},
           {"Postfix, long ids", "Ok: queued as 4cX2Nb3jTHz9vNL", "4cX2Nb3jTHz9vNL"},
           {"Postfix, BDAT", "Ok: 71 bytes queued as 4F2A1C0E2B", "4F2A1C0E2B"},
           {"Exim 4.96", "OK id=1rXxXx-000abc-Ab", "1rXxXx-000abc-Ab"},
           {"Exim 4.100", "OK id=1vNxYz-00000002AbC-3dEf", "1vNxYz-00000002AbC-3dEf"},
           {"Exim 4.96, BDAT", "71 byte chunk, total 71\nOK id=1rXxXx-000abc-Ab",
            "1rXxXx-000abc-Ab"},
           {"Exim 4.100, BDAT", " 71 byte chunk, total 71\nOK id=1vNxYz-00000002AbC-3dEf",
            "1vNxYz-00000002AbC-3dEf"},
           {"Exim, the other way round", "OK id=1rXxXx-000abc-Ab\n71 byte chunk, total 71",
            "1rXxXx-000abc-Ab"},
           {"Dovecot before Postfix", "Ok: queued as 9A1B2C3D4E", "9A1B2C3D4E"},
           {"Dovecot before Exim", "71 byte chunk, total 71\nOK id=1rXxXx-000abc-Ab",
            "1rXxXx-000abc-Ab"},
           {"Courier", "Ok. 0000000000A40123.000000006929D2B1.00001234",
            "0000000000A40123.000000006929D2B1.00001234"},
           {"Haraka", "Message Queued (2C5E3B1A-7F0D-4E6B-9A51-0123456789AB.1)",
            "2C5E3B1A-7F0D-4E6B-9A51-0123456789AB.1"},
           {"Haraka before Postfix", "Ok: queued as 4F2A1C0E2B (2C5E3B1A-7F0D-4E6B.1)",
            "4F2A1C0E2B"},
           {"ringpost sink", "Ok: queued as 1-1", "1-1"},
       }) {
    check(reply);
  }
}

TEST_CASE("queue_id: so do the providers") {
  for (const ServerReply& reply : {
           ServerReply{"SES", "Ok 0107017033dbb64d-be13a01e-dbf1-44b7-b876-3622165dacc1-000000",
                       "0107017033dbb64d-be13a01e-dbf1-44b7-b876-3622165dacc1-000000"},
           {"SparkPost", "OK 95/6F-30607-EA5D4555", "95/6F-30607-EA5D4555"},
           {"SendGrid", "Ok: queued as aBcD-eFgH_123", "aBcD-eFgH_123"},
           {"Brevo", "OK: queued as <202611281700.12345678901@smtp-relay.example>",
            "202611281700.12345678901@smtp-relay.example"},
           {"Brevo", "Message queued as <202611281700.12@smtp-relay.example>",
            "202611281700.12@smtp-relay.example"},
           {"MailerSend", "Message queued as 61eec2dc16ae8b627a4b87e7", "61eec2dc16ae8b627a4b87e7"},
           {"SMTP2GO", "OK id=1vxNiW-4o5NDgrjpxK-skOz", "1vxNiW-4o5NDgrjpxK-skOz"},
           {"Resend", "49a3999c-0ce1-4ea6-ab68-afcd6dc2e794",
            "49a3999c-0ce1-4ea6-ab68-afcd6dc2e794"},
           {"Microsoft 365", "OK <DB9P1234@DB9P1234.eurprd01.example> [Hostname=DB9P1234.example]",
            "DB9P1234@DB9P1234.eurprd01.example"},
           {"Exchange",
            "<1a2b@host.example> [InternalId=51273712, Hostname=mx1.example] 9876 bytes in 0.220, "
            "43.6 KB/sec Queued mail for delivery",
            "1a2b@host.example"},
           {"Yandex", "Ok: queued on mail-nwsmtp-7.example as 1764349445-AbCd1",
            "1764349445-AbCd1"},
           {"a web mailer", "Requested mail action okay, completed: id=0LzK1u-1jTkXx,",
            "0LzK1u-1jTkXx"},
           {"Stalwart", "Message queued with id 1f3a09c2.", "1f3a09c2"},
           {"KumoMTA", "OK ids=d7ef132b5d7711ea8c8b000c29c33806",
            "d7ef132b5d7711ea8c8b000c29c33806"},
           {"a gateway", "Ok, envelope id 0T6F00A1B2C3@mx.example", "0T6F00A1B2C3@mx.example"},
       }) {
    check(reply);
  }
}

TEST_CASE("queue_id: what names none has none") {
  for (const char* text :
       {"", "\n\n", "OK", "Ok.", "ok: ", "Accepted",
        // chasquid tells a joke, smtp-server, aiosmtpd, msmtpd, Mailgun and others a fact.
        "Remember to water your plants.", "I'd like to see 1000000 of them.",
        "It works on my machine, version 2.0.0 of it", "OK: message queued", "Ok, mail was piped",
        "Great success", "Queued. Thank you.", "Mail accepted", "Message accepted for delivery",
        "OK: queued", "Mail queued for delivery",
        // A time in front of what is no name of a message either.
        "OK  1764349445 ffacd0b85a97d-42b2c9a0d1esm1234567f8f.12 - gsmtp",
        "OK 1764349445 abc123-20020a05600c46c900b003 - gsmtp", "ok 1764349445 qp 12345",
        "Queued! 1764349445 qp 12345 <a1b2c3@host.example>", "ok dirdel 2/1",
        // Remarks.
        "Queued (0.016 seconds)", "Message queued (12 bytes)", "12345678 bytes accepted",
        "71 byte chunk, total 7100000", "<ann2000@example.net> 4RSLHqJ1ZGVmAgAA Saved",
        "[InternalId=51273712] accepted", "valid=123456", "Message received at 17:00:01"}) {
    INFO(text);
    CHECK(find_queue_id(text).empty());
  }
}
