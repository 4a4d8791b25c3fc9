/* SPDX-License-Identifier: Apache-2.0
 *
 * Host service "flotilla.host.http/1": HTTPS requests over the daemon's own client, so that no plugin brings
 * a TLS stack of its own. Connections are kept and reused per client. Found with host->query; null in a host
 * that does not offer it.
 *
 * Callbacks come from host threads, never on the stack of a function of this table, and one at a time per
 * request. All functions are [any]. Req-id: FLT-HTTP.
 */
#ifndef FLOTILLA_ABI_EXT_HTTP_H
#define FLOTILLA_ABI_EXT_HTTP_H

#include "../host.h"

FLT_EXTERN_C_BEGIN

#define FLT_HOST_HTTP "flotilla.host.http/1"

typedef struct flt_http_client flt_http_client_t;     /* host-owned */
typedef struct flt_http_exchange flt_http_exchange_t; /* one request under way, host-owned */

#define FLT_HTTP_INSECURE 1u /* the server's certificate is not verified */

/* Secrets are handles of host->secret; 0: none. */
typedef struct flt_http_client_options {
  uint32_t struct_size;
  uint32_t flags;     /* FLT_HTTP_INSECURE */
  flt_str_t base_url; /* "https://10.0.0.1:6443/prefix" */
  flt_str_t ca_pem;   /* absent: the system's */
  flt_str_t client_certificate_pem;
  uint64_t client_key; /* PEM */
  uint64_t bearer_token;
  flt_str_t server_name; /* for verification; absent: the host of the URL */
  flt_str_t proxy_url;
  uint32_t max_connections; /* 0: 16 */
  uint32_t _pad;
} flt_http_client_options_t;

typedef struct flt_http_field {
  flt_str_t name;
  flt_str_t value;
} flt_http_field_t;

#define FLT_HTTP_STREAM 1u /* the body is handed over as it comes, without end of time */

typedef struct flt_http_request {
  uint32_t struct_size;
  uint32_t flags; /* FLT_HTTP_STREAM */
  flt_str_t method;
  flt_str_t target; /* path with query, joined to the base URL */
  const flt_http_field_t* headers;
  uint64_t n_headers;
  flt_bytes_t body;
  int64_t timeout_ns;      /* until the whole answer, for streams until its head; 0: 30 s */
  int64_t idle_timeout_ns; /* streams: longest silence; 0: none */
} flt_http_request_t;

typedef struct flt_http_response_head {
  uint32_t struct_size;
  int32_t status;
  const flt_http_field_t* headers;
  uint64_t n_headers;
} flt_http_response_head_t;

/* What becomes of a request: head?, body*, then done exactly once. Everything given is borrowed until the
 * function returns. Without FLT_HTTP_STREAM body is called at most once. */
typedef struct flt_http_handler {
  uint32_t struct_size;
  uint32_t _pad;
  void (*head)(void* ctx, const flt_http_response_head_t* head);
  void (*body)(void* ctx, flt_bytes_t bytes);
  /* FLT_OK after the last byte whatever the HTTP status; UNAVAILABLE: not reached or cut; UNAUTHENTICATED:
   * TLS refused; DEADLINE_EXCEEDED; CANCELLED. `ctx` is not used afterwards. */
  void (*done)(void* ctx, flt_status_t status, const flt_error_t* err);
} flt_http_handler_t;

typedef struct flt_host_http {
  uint32_t struct_size;
  uint32_t _pad;
  /* No I/O. Errors: INVALID_ARGUMENT naming the URL or PEM that is wrong. */
  flt_status_t (*open)(const flt_host_t* host, const flt_http_client_options_t* options,
                       flt_http_client_t** client, flt_error_t* err);
  /* Requests under way go on; the client is dead to the plugin. */
  void (*close)(flt_http_client_t* client);
  /* Starts a request; `handler` must stay until done. The exchange lives until release. */
  flt_http_exchange_t* (*send)(flt_http_client_t* client, const flt_http_request_t* request,
                               const flt_http_handler_t* handler, void* ctx);
  /* done follows with CANCELLED, unless it came already. */
  void (*cancel)(flt_http_exchange_t* exchange);
  /* Streams: no more body is read until resume. A cheap brake for slow consumers. */
  void (*pause)(flt_http_exchange_t* exchange);
  void (*resume)(flt_http_exchange_t* exchange);
  /* Exactly once per send, at any time; does not cancel. */
  void (*release)(flt_http_exchange_t* exchange);
} flt_host_http_t;

FLT_EXTERN_C_END

#endif /* FLOTILLA_ABI_EXT_HTTP_H */
