// The problem: wolfSSL has three hundred error numbers from two ranges, TLS has thirty alerts; the
// rest of ringpost wants to know in a dozen kinds whose turn it is to act.
//
// The idea: one switch names the numbers that a peer can cause and a person can do something about;
// a range takes what else is wrong with certificates; all others stay internal, with wolfSSL's
// words.
//
// Limits: numbers are those of the headers it is compiled with; a number that wolfSSL will add
// later is internal until it is named here.
#include "tls/wolfssl_error.h"

#include <fmt/format.h>
// options.h comes first: it decides what the others declare.
// clang-format off
#include <wolfssl/options.h>
#include <wolfssl/ssl.h>
#include <wolfssl/error-ssl.h>
#include <wolfssl/wolfcrypt/error-crypt.h>
// clang-format on

#include "tls/certificate_signature.h"

namespace ringpost::tls {

TlsErrorKind kind_of_wolfssl(int code) {
  switch (code) {
    case ASN_NO_SIGNER_E:
    case ASN_SELF_SIGNED_E:
      return TlsErrorKind::unknown_authority;
    case DOMAIN_NAME_MISMATCH:
    case IPADDR_MISMATCH:
      return TlsErrorKind::wrong_host;
    case ASN_AFTER_DATE_E:
      return TlsErrorKind::expired;
    case ASN_BEFORE_DATE_E:
      return TlsErrorKind::not_yet_valid;
    case VERSION_ERROR:
    case UNSUPPORTED_PROTO_VERSION:
    case UNSUPPORTED_SUITE:
    case MATCH_SUITE_ERROR:
    case KEY_SHARE_ERROR:
    case ECC_CURVE_ERROR:
      return TlsErrorKind::no_common_version;
    case UNKNOWN_RECORD_TYPE:
      return TlsErrorKind::not_tls;
    case VERIFY_CERT_ERROR:
    case VERIFY_SIGN_ERROR:
    case PEER_KEY_ERROR:
    case NO_PEER_CERT:
    case NO_PEER_KEY:
    case NOT_CA_ERROR:
    case MAX_CHAIN_ERROR:
    case KEYUSE_SIGNATURE_E:
    case KEYUSE_ENCIPHER_E:
    case EXTKEYUSE_AUTH_E:
    case RSA_KEY_SIZE_E:
    case ECC_KEY_SIZE_E:
    case UNSUPPORTED_CERTIFICATE:
    case ASN_NAME_INVALID_E:
    case ASN_PATHLEN_SIZE_E:
    case ASN_PATHLEN_INV_E:
      return TlsErrorKind::bad_certificate;
    case ZERO_RETURN:
    case WOLFSSL_ERROR_ZERO_RETURN:
    case SOCKET_PEER_CLOSED_E:
      return TlsErrorKind::closed;
    default:
      // The ASN.1 errors of wolfCrypt; in a handshake only a certificate is ASN.1.
      return code <= ASN_PARSE_E && code >= ASN_ALT_NAME_E ? TlsErrorKind::bad_certificate
                                                           : TlsErrorKind::internal;
  }
}

std::string reason_of_wolfssl(int code) {
  return code == 0 ? "refused without a reason"
                   : wolfSSL_ERR_reason_error_string(static_cast<unsigned long>(code));
}

TlsError internal_error_of(std::string_view what, int code) {
  return {TlsErrorKind::internal, code, fmt::format("{}: {}", what, reason_of_wolfssl(code)), {}};
}

std::string describe_alert(int alert) {
  switch (alert) {
    case unexpected_message:
      return "unexpected_message";
    case bad_record_mac:
      return "bad_record_mac";
    case record_overflow:
      return "record_overflow";
    case handshake_failure:
      return fmt::format(
          "handshake_failure (it found no cipher, curve or signature that both sides know; keys of "
          "certificates that ringpost knows are {})",
          supported_keys());
    case bad_certificate:
      return "bad_certificate (it does not accept the certificate it was shown)";
    case unsupported_certificate:
      return "unsupported_certificate";
    case certificate_revoked:
      return "certificate_revoked";
    case certificate_expired:
      return "certificate_expired (it takes the certificate it was shown for expired)";
    case certificate_unknown:
      return "certificate_unknown (it does not accept the certificate it was shown)";
    case illegal_parameter:
      return "illegal_parameter";
    case unknown_ca:
      return "unknown_ca (it does not trust the CA of the certificate it was shown)";
    case access_denied:
      return "access_denied";
    case decode_error:
      return "decode_error";
    case decrypt_error:
      return "decrypt_error";
    case protocol_version:
      return "protocol_version (it does not speak TLS 1.2 or 1.3)";
    case insufficient_security:
      return "insufficient_security (it wants ciphers that are not offered)";
    case internal_error:
      return "internal_error";
    case inappropriate_fallback:
      return "inappropriate_fallback";
    case user_canceled:
      return "user_canceled";
    case no_renegotiation:
      return "no_renegotiation";
    case missing_extension:
      return "missing_extension";
    case unsupported_extension:
      return "unsupported_extension";
    case unrecognized_name:
      return "unrecognized_name (it does not serve the host that was asked for)";
    case certificate_required:
      return "certificate_required (it wants a client certificate)";
    default:
      return fmt::format("alert {}", alert);
  }
}

TlsErrorKind kind_of_alert(int alert) {
  return alert == protocol_version || alert == insufficient_security
             ? TlsErrorKind::no_common_version
             : TlsErrorKind::peer_alert;
}

}  // namespace ringpost::tls
