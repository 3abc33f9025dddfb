# What the SMTP session is made of, and the values that it works on.
ringpost_test(codec_smtp_test
  SOURCES
    body_scan_test.cpp
    job_test.cpp
    outcome_test.cpp
    sasl_test.cpp
    smtp_capability_test.cpp
    smtp_command_test.cpp
    smtp_reply_test.cpp
    token_reply_test.cpp
  LABELS unit
  LIBS ringpost::codec ringpost::tls)
