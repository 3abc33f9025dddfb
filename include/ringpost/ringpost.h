/* ringpost for other languages: messages in, outcomes out, in C.
 *
 *   ringpost_endpoint endpoint = {sizeof endpoint};
 *   endpoint.host = "smtp.example.com";
 *   endpoint.username = "news", endpoint.password = password;
 *   const ringpost_endpoint *endpoints[] = {&endpoint};
 *   ringpost_options options = {sizeof options};
 *   options.endpoints = endpoints, options.endpoint_count = 1, options.on_outcome = print_outcome;
 *   ringpost_engine *engine = NULL;
 *   ringpost_engine_start(&options, &engine, error, sizeof error);
 *   ringpost_submitter *submitter = NULL;
 *   ringpost_submitter_new(engine, &submitter);
 *   ringpost_submit(submitter, &message, error, sizeof error);  // as often as you like
 *   ringpost_submitter_free(submitter);
 *   ringpost_drain(engine, -1, error, sizeof error);
 *   ringpost_engine_free(engine);
 *
 * tools/examples/submit.c and submit.py are whole programs; ringpost/engine.h is the same in C++.
 *
 * Structures begin with `struct_bytes`, sizeof of the structure as the caller knows it. Members are
 * only ever added, at the end, and what is zero or null has its default: a program that was
 * compiled with an older header works with a newer library. Where the library is the older one, a
 * member that it does not know must be zero, and is RINGPOST_BAD_ARGUMENT otherwise.
 *
 * Texts are UTF-8 and end with a NUL. What is handed in is copied, and may be freed when the call
 * is over. Where a function takes `error`, it writes one sentence for people there, cut off where
 * `error_bytes` is less, always with its NUL; `error` may be null.
 *
 * No exception leaves a function, none ends the process for what it was given, and every pointer
 * may be null unless it says otherwise: then that is RINGPOST_BAD_ARGUMENT.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <ringpost/api.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Raised when something was added here. */
#define RINGPOST_C_VERSION 2

/* What functions return. Numbers are never given another meaning. */
enum {
  RINGPOST_OK = 0,
  RINGPOST_BAD_ARGUMENT = 1,    /* a pointer that may not be null, a structure of unknown size */
  RINGPOST_BAD_OPTIONS = 2,     /* an engine cannot be started with them */
  RINGPOST_INVALID_MESSAGE = 3, /* it cannot be sent; its recipients have been told so */
  RINGPOST_ENDED = 4,           /* the engine was aborted */
  RINGPOST_TIMED_OUT = 5,       /* not every outcome was there in time */
  RINGPOST_LOGIN_FAILED = 6,    /* all is told; an endpoint was given up, since it lets nobody in */
  RINGPOST_ENDPOINT_FAILED = 7, /* all is told; an endpoint was given up for another reason */
  RINGPOST_NO_MEMORY = 8,
  RINGPOST_FAILED = 9 /* something that should not be */
};

/* What became of a recipient. */
enum {
  RINGPOST_ACCEPTED = 0, /* a 2xx to this very message's end of data was read */
  RINGPOST_REJECTED = 1, /* 5xx for this recipient or message */
  RINGPOST_DEFERRED = 2, /* 4xx, and no attempt is left */
  RINGPOST_UNSENT = 3,   /* its end of data was never handed to the kernel: safe to send again */
  RINGPOST_UNKNOWN = 4,  /* end of data left and no reply was read: it may have been accepted */
  RINGPOST_INVALID = 5,  /* refused before any byte of it was sent */
  RINGPOST_EXPIRED = 6,  /* over age, with the last reply */
  RINGPOST_SKIPPED = 7,  /* left out on purpose */
  RINGPOST_STATUS_COUNT = 8
};

/* How TLS comes onto a connection. There is no way to try it and go on without. */
enum {
  RINGPOST_STARTTLS = 0, /* ports 587 and 2525: required */
  RINGPOST_TLS = 1,      /* port 465: TLS from the first octet */
  RINGPOST_CLEAR = 2     /* port 25, to a relay of one's own: credentials are refused */
};

/* An OAuth access token, with its NUL, into `token`, in place of a password: before logins, and
 * when the server has refused the one before. `lifetime_seconds` is 0, until the server refuses it,
 * unless it is set. RINGPOST_OK; any other number: there is none now, and the login is tried again
 * later. Called on a thread of its own, where it may wait, one call at a time. */
typedef int32_t (*ringpost_token_callback)(void* user, char* token, size_t token_bytes,
                                           double* lifetime_seconds);

/* One account at one server. */
typedef struct ringpost_endpoint {
  size_t struct_bytes;
  const char* name;     /* for outcomes and errors, unique; null: the host */
  const char* host;     /* name or IP literal: what the certificate must be for */
  uint32_t port;        /* 0: 587, 465 or 25, as `security` has it */
  uint32_t security;    /* RINGPOST_STARTTLS ... */
  const char* username; /* null: no login */
  const char* password;
  const char* ca_file; /* PEM, trusted beside the system's CAs */
  const char* client_certificate_file;
  const char* client_key_file;
  const char* client_name;          /* for EHLO; null: the machine's name, or an address literal */
  uint32_t trusts_anybody;          /* 1: certificates are not verified */
  uint32_t allows_plaintext_auth;   /* 1: credentials may go over RINGPOST_CLEAR */
  uint32_t connections_max;         /* 0: 10 */
  uint32_t recipients_max;          /* of one transaction; 0: 100 */
  uint32_t attempts_max;            /* of one message; 0: 5 */
  uint32_t weight;                  /* share of the messages that name no endpoint; 0: 1 */
  uint64_t messages_per_connection; /* 0: no limit */
  uint64_t messages_per_second;     /* 0: no limit */
  double patience_seconds;          /* how long one that is away is tried; 0: a minute, or ten */
  double connect_timeout_seconds;   /* 0: the default, likewise below */
  double command_timeout_seconds;
  double end_of_data_timeout_seconds;
  /* Since version 2: */
  const char* mechanism; /* to log in with: "plain", "xoauth2" ...; null: the best announced */
  ringpost_token_callback read_token; /* null: there is a password */
  void* token_user;                   /* handed to it */
} ringpost_endpoint;

/* The fate of one recipient. Texts are never null, and empty where there is nothing to say. All of
 * it is valid during the callback only. */
typedef struct ringpost_outcome {
  size_t struct_bytes;
  const char* id;        /* of the message */
  const char* recipient; /* its address */
  int32_t status;        /* RINGPOST_ACCEPTED ... */
  int32_t stage;         /* for ringpost_stage_name() */
  uint32_t code;         /* the server's own number; 0 when no reply decided it */
  uint32_t attempts;
  const char* enhanced; /* RFC 3463, "5.1.1" */
  const char* text;     /* the server's own words, without codes */
  const char* reason;   /* ours, when no reply says it all */
  const char* queue_id; /* what the server called the message */
  const char* endpoint; /* its name */
  const char* peer;     /* address and port of the server */
  int64_t timestamp_us; /* Unix time of the decision */
  double queue_ms;      /* of waiting for a session, */
  double submit_ms;     /* of the transaction, */
  double total_ms;      /* and of both */
  void* context;        /* the message's; since version 2 */
} ringpost_outcome;

/* Called once for each recipient of each message that was submitted, on a thread of the engine, one
 * call at a time. While it runs, messages are not given back: a slow one slows submission down. It
 * may call what is said to be for any thread, but for ringpost_drain() and ringpost_engine_free(),
 * which would wait for itself; and no exception of another language may leave it. */
typedef void (*ringpost_outcome_callback)(void* user, const ringpost_outcome* outcome);

/* Something that whoever runs the engine should hear of, once; on any thread, perhaps several at a
 * time. `is_grave`: whoever wants errors alone wants this. */
typedef void (*ringpost_notice_callback)(void* user, const char* endpoint, const char* message,
                                         int32_t is_grave);

/* How the engine speaks with the kernel. */
enum {
  RINGPOST_IO_AUTOMATIC = 0, /* io_uring where it can be had, else epoll, of which a notice tells */
  RINGPOST_IO_RING = 1,      /* io_uring, or no engine */
  RINGPOST_IO_EPOLL = 2
};

typedef struct ringpost_options {
  size_t struct_bytes;
  const ringpost_endpoint* const* endpoints; /* at least one */
  size_t endpoint_count;
  ringpost_outcome_callback on_outcome; /* not null */
  ringpost_notice_callback on_notice;   /* null: nobody hears of notices */
  void* user;                           /* handed to both */
  uint32_t cores;                       /* worker threads; 0: 1 */
  double deadline_seconds;              /* what has no outcome by then is tried no more; 0: none */
  uint64_t messages_in_flight_max;      /* 0: the default */
  uint64_t message_bytes_in_flight_max; /* 0: the default */
  const char* state_folder; /* where counts of rates outlive the process; null: nowhere */
  uint32_t io;              /* RINGPOST_IO_AUTOMATIC ...; since version 2 */
} ringpost_options;

/* How text whose lines end with a lone LF is taken. A mix of line ends is always refused. */
enum {
  RINGPOST_NORMALIZE = 0, /* lone LFs become CRLF */
  RINGPOST_STRICT = 1     /* refused */
};

/* Envelope and content of one message. */
typedef struct ringpost_message {
  size_t struct_bytes;
  const char* id;                /* echoed in outcomes; not null, not empty */
  const char* sender;            /* reverse-path without brackets; null or empty: the null sender */
  const char* const* recipients; /* `local@domain`; domains beyond ASCII become A-labels */
  size_t recipient_count;
  const char* content; /* header, empty line, body (RFC 5322), as it shall arrive */
  size_t content_bytes;
  uint32_t newlines;           /* RINGPOST_NORMALIZE ... */
  const char* endpoint;        /* name of the one to use; null: any */
  const char* idempotency_key; /* null: none */
  int64_t expires_at_us;       /* Unix time; 0: never */
  /* Since version 2: */
  void* context;               /* found again in the outcomes; nobody else looks at it */
  const char* dsn_notify;      /* RFC 3461: "NEVER", or some of "SUCCESS,FAILURE,DELAY"; null: */
  const char* dsn_return;      /* "FULL" or "HDRS";                            not asked for */
  const char* dsn_envelope_id; /* at most 100 printable characters */
} ringpost_message;

/* How times are spread, in milliseconds. All zero where nothing was timed. */
typedef struct ringpost_time_spread {
  uint64_t count;
  double p50_ms, p90_ms, p99_ms, p999_ms, max_ms;
} ringpost_time_spread;

/* What was done so far. */
typedef struct ringpost_statistics {
  size_t struct_bytes;
  uint64_t outcomes[RINGPOST_STATUS_COUNT]; /* told, by status */
  uint64_t messages_in_flight;              /* taken by submitters, and not told of in full */
  uint64_t waiting;                         /* of these: for another attempt, as deliveries */
  uint64_t transactions;                    /* that ended */
  uint64_t content_bytes;                   /* of accepted messages */
  uint64_t sessions;                        /* that take messages, now */
  uint64_t sessions_opened;                 /* or were to be */
  uint64_t sessions_resumed;                /* by a TLS ticket */
  ringpost_time_spread reply_times;         /* from the end of a message's data to its reply */
  ringpost_time_spread opening_times;       /* from a connect() to a session that takes messages */
} ringpost_statistics;

/* An engine: its threads, sessions and rings. Its functions are for any thread, several at a time,
 * unless they say otherwise. */
typedef struct ringpost_engine ringpost_engine;
/* Hands messages to an engine. Each is used by one thread at a time. */
typedef struct ringpost_submitter ringpost_submitter;

/* The library's version, as "0.1.0", and RINGPOST_C_VERSION that it was compiled with. For any
 * thread; the text is there for ever. */
RINGPOST_API const char* ringpost_version(void);
RINGPOST_API uint32_t ringpost_c_version(void);

/* The word of outcome lines for a status or a stage; null for a number that is none. For any
 * thread; the text is there for ever. */
RINGPOST_API const char* ringpost_status_name(int32_t status);
RINGPOST_API const char* ringpost_stage_name(int32_t stage);

/* Whether the text is an address that may be submitted: RINGPOST_OK, or RINGPOST_INVALID_MESSAGE
 * and `error` says why. For any thread. */
RINGPOST_API int32_t ringpost_check_address(const char* address, char* error, size_t error_bytes);

/* Checks the options, starts the threads and hands out an engine, which is freed with
 * ringpost_engine_free(). No connection is made before the first message. Errors:
 * RINGPOST_BAD_ARGUMENT, RINGPOST_BAD_OPTIONS (also: a certificate's file cannot be read),
 * RINGPOST_NO_MEMORY; then `*engine` is null. */
RINGPOST_API int32_t ringpost_engine_start(const ringpost_options* options,
                                           ringpost_engine** engine, char* error,
                                           size_t error_bytes);

/* Hands out a submitter, which is freed before its engine. Errors: RINGPOST_BAD_ARGUMENT,
 * RINGPOST_NO_MEMORY. */
RINGPOST_API int32_t ringpost_submitter_new(ringpost_engine* engine,
                                            ringpost_submitter** submitter);

/* Takes a message, and waits while too much is in flight: that is the back-pressure. It may stay in
 * a small batch until ringpost_flush() or later messages. RINGPOST_INVALID_MESSAGE: nothing of it
 * is sent, `error` says why, and each of its recipients has the outcome RINGPOST_INVALID; without
 * recipients one with an empty address. Other errors, without outcomes: RINGPOST_BAD_ARGUMENT,
 * RINGPOST_ENDED, RINGPOST_NO_MEMORY. */
RINGPOST_API int32_t ringpost_submit(ringpost_submitter* submitter, const ringpost_message* message,
                                     char* error, size_t error_bytes);

/* Everything submitted so far leaves the batch. Call it before you wait for more messages. */
RINGPOST_API int32_t ringpost_flush(ringpost_submitter* submitter);

/* Flushes, and frees it. Null is fine. */
RINGPOST_API void ringpost_submitter_free(ringpost_submitter* submitter);

/* Waits until every message that left its batch has had its outcomes told, or for so many seconds
 * (negative: as long as it takes). RINGPOST_OK, RINGPOST_TIMED_OUT, or, when all is told and an
 * endpoint was given up, RINGPOST_LOGIN_FAILED before RINGPOST_ENDPOINT_FAILED, with `error` saying
 * which and why. May be called again. */
RINGPOST_API int32_t ringpost_drain(ringpost_engine* engine, double seconds, char* error,
                                    size_t error_bytes);

/* Messages that no session has taken yet become RINGPOST_UNSENT, and so does whatever is submitted
 * from now on. Messages under way go on. */
RINGPOST_API int32_t ringpost_stop_sending(ringpost_engine* engine);

/* Ends all sessions now. Outcomes of what was under way follow, and nothing more is taken. */
RINGPOST_API int32_t ringpost_abort(ringpost_engine* engine);

/* What was done so far, into a structure of which `struct_bytes` is set; members that only a newer
 * library knows are zero. */
RINGPOST_API int32_t ringpost_get_statistics(ringpost_engine* engine,
                                             ringpost_statistics* statistics);

/* Ends an engine and frees it; without ringpost_drain() this aborts. All outcomes were told when it
 * returns. By one thread, with no other in a function of this engine. RINGPOST_BAD_ARGUMENT, and
 * nothing happens, while it has submitters. Null is fine. */
RINGPOST_API int32_t ringpost_engine_free(ringpost_engine* engine);

#ifdef __cplusplus
}
#endif
