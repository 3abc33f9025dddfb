// What receivers get and check: arrays, bounces, signatures.
#include "tools/serve/webhook/webhook_body.h"

#include <catch2/catch_test_macros.hpp>

#include "tls/sasl_crypto.h"
#include "tools/serve/webhook/signature.h"

namespace ringpost::serve::test {

namespace {

constexpr Bytes uuid = "9f86b50d-5711-41c8-ab03-bc91c43d711b";

std::string line_of(const std::string& more, const std::string& stage = "rcpt") {
  return R"({"id":"j","rcpt":"a@example.net","status":"rejected","stage":")" + stage +
         R"(","attempts":1,"endpoint":"ses")" + more + "}";
}

std::string bounce_type(const std::string& more, const std::string& stage = "rcpt") {
  const auto bounce = BounceWriter().write(line_of(more, stage));
  REQUIRE(bounce);
  return bounce->find(R"("type":"hard")") != std::string::npos   ? "hard"
         : bounce->find(R"("type":"soft")") != std::string::npos ? "soft"
                                                                 : *bounce;
}

}  // namespace

TEST_CASE("webhook body: lines become a JSON array") {
  CHECK(array_of("{\"a\":1}\n") == "[{\"a\":1}]");
  CHECK(array_of("{\"a\":\"b\\n\"}\n{}\n") == "[{\"a\":\"b\\n\"},{}]");
  CHECK(array_of("") == "[]");
}

TEST_CASE("webhook signature: as in the specification's example") {
  const auto key = webhook_key_of("whsec_plJ3nmyCDGBKInavdOK15jsl\n");
  REQUIRE(key);
  CHECK(webhook_signature(tls::sasl_crypto(), *key, "msg_loFOjxBNrRLzqYUf", 1731705121,
                          R"({"event_type":"ping","data":{"success":true}})") ==
        "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=");
}

TEST_CASE("webhook signature: a secret is base64 behind whsec_, or octets, but not short") {
  CHECK(webhook_key_of("0123456789abcdef\r\n").value() == "0123456789abcdef");
  CHECK_FALSE(webhook_key_of("0123456789abcde\n"));
  CHECK_FALSE(webhook_key_of("whsec_AAAA"));
  CHECK(webhook_key_of("whsec_####").error() == "what stands behind whsec_ is no base64");
  CHECK_FALSE(webhook_key_of(""));
}

TEST_CASE("webhook body: a bounce has what listmonk asks for") {
  BounceWriter writer;
  const std::string metadata = R"(,"metadata":{"listmonk_campaign":")" + std::string(uuid) +
                               R"(","listmonk_subscriber":")" + std::string(uuid) + R"("})";
  CHECK(writer.write(
            line_of(R"(,"code":550,"enhanced":"5.1.1","text":"no \"such\" user")" + metadata)) ==
        R"({"email":"a@example.net","subscriber_uuid":"9f86b50d-5711-41c8-ab03-bc91c43d711b",)"
        R"("campaign_uuid":"9f86b50d-5711-41c8-ab03-bc91c43d711b","source":"ringpost",)"
        R"("type":"hard","meta":"{\"id\":\"j\",\"endpoint\":\"ses\",\"stage\":\"rcpt\",)"
        R"(\"reply\":\"550 5.1.1 no \\\"such\\\" user\"}"})");
  // listmonk would refuse all of it for an UUID that is none.
  CHECK(writer.write(line_of(R"(,"metadata":{"listmonk_campaign":"7","listmonk_subscriber":8})")) ==
        R"({"email":"a@example.net","source":"ringpost","type":"hard",)"
        R"("meta":"{\"id\":\"j\",\"endpoint\":\"ses\",\"stage\":\"rcpt\",\"reply\":\"\"}"})");
}

TEST_CASE("webhook body: a bounce is hard where the provider spoke of the address") {
  CHECK(bounce_type(R"(,"enhanced":"5.1.1")") == "hard");
  CHECK(bounce_type(R"(,"enhanced":"5.2.1")", "eod") == "hard");
  CHECK(bounce_type(R"(,"code":550)") == "hard");
  CHECK(bounce_type(R"(,"enhanced":"5.0.0")") == "hard");
  CHECK(bounce_type(R"(,"code":554)", "eod") == "soft");
  CHECK(bounce_type(R"(,"enhanced":"5.0.0")", "eod") == "soft");
  CHECK(bounce_type(R"(,"enhanced":"5.7.1")") == "soft");
  CHECK(bounce_type(R"(,"enhanced":"5.7.1")", "eod") == "soft");
  CHECK(bounce_type(R"(,"enhanced":"5.4.4")") == "soft");
}

TEST_CASE("webhook body: no bounce of anything else") {
  BounceWriter writer;
  CHECK_FALSE(writer.write("{"));
  CHECK_FALSE(writer.write("{}"));
  CHECK_FALSE(writer.write(R"({"id":"j","rcpt":null,"status":"rejected","stage":"rcpt"})"));
  CHECK_FALSE(writer.write(R"({"id":"j","rcpt":"a@b.example","status":"deferred"})"));
}

}  // namespace ringpost::serve::test
