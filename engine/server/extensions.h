// The extensions of SMTP that a server may offer.
#pragma once

namespace ringpost::server {

// Each one can be taken away, to be the ESP that lacks it.
struct Extensions {
  bool starttls = true;
  bool pipelining = true;
  bool chunking = true;
  bool eight_bit_mime = true;
  bool smtputf8 = true;
  bool size = true;
  bool enhanced_status_codes = true;
  bool dsn = true;
  bool auth = true;  // off: nobody has to log in
};

// What a session may use before EHLO, or after HELO.
inline constexpr Extensions no_extensions{.starttls = false,
                                          .pipelining = false,
                                          .chunking = false,
                                          .eight_bit_mime = false,
                                          .smtputf8 = false,
                                          .size = false,
                                          .enhanced_status_codes = false,
                                          .dsn = false,
                                          .auth = false};

}  // namespace ringpost::server
