# What the SMTP session is made of, and the values that it works on.
ringpost_test(codec_smtp_test
  SOURCES
    mail/body_scan_test.cpp
    job/message_test.cpp
    outcome_test.cpp
    smtp/auth_mechanism_test.cpp
    smtp/sasl_test.cpp
    smtp/smtp_capability_test.cpp
    smtp/smtp_command_test.cpp
    smtp/smtp_reply_test.cpp
    smtp/token_reply_test.cpp
  LABELS unit
  LIBS ringpost::codec ringpost::tls)
