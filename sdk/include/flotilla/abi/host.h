/* SPDX-License-Identifier: Apache-2.0
 *
 * What the host offers. The daemon exports no symbol: everything arrives in this table, so the same plugin
 * loads in the daemon, in a scanner, in the conformance kit and in a process of its own. All functions are
 * [any].
 */
#ifndef FLOTILLA_ABI_HOST_H
#define FLOTILLA_ABI_HOST_H

#include "base.h"

FLT_EXTERN_C_BEGIN

typedef struct flt_host flt_host_t;
typedef struct flt_call flt_call_t;     /* one asynchronous operation, host-owned */
typedef struct flt_stream flt_stream_t; /* one stream of batches, host-owned */

/* Req-id: FLT-MEM. */
typedef struct flt_host_mem {
  uint32_t struct_size;
  uint32_t _pad;
  /* Zero-initialised bytes that live as long as the arena. Align: a power of two up to 64. Null: arena limit.
   */
  void* (*alloc)(flt_arena_t* arena, uint64_t size, uint64_t align);
  /* Attaches a plugin buffer to the arena instead of copying it. The host calls `release(ctx)` exactly once,
   * from any thread, when the arena dies. */
  void (*adopt)(flt_arena_t* arena, const void* p, uint64_t n, void (*release)(void* ctx), void* ctx);
} flt_host_mem_t;

/* Asynchronous operations are void starters that complete exactly once. Req-id: FLT-CALL. */
typedef struct flt_host_call {
  uint32_t struct_size;
  uint32_t _pad;
  /* Exactly once, from any thread, also inside the operation itself. `result` is the result struct of the
   * operation (null on error), `err` is null on success; both live in the call's arena. Afterwards the call
   * is dead to the plugin. The host only enqueues: the plugin may hold its own locks. */
  void (*complete)(flt_call_t* call, flt_status_t status, const void* result, const flt_error_t* err);
  flt_arena_t* (*arena)(flt_call_t* call);
  /* Monotonic nanoseconds (clock->monotonic_ns); 0: none. */
  int64_t (*deadline)(flt_call_t* call);
  /* W3C traceparent, or absent. Valid until complete. */
  flt_str_t (*trace)(flt_call_t* call);
  /* Cheap; non-zero once the host no longer wants the answer. complete is still due. */
  int32_t (*cancelled)(flt_call_t* call);
  /* `fn` at most once, from a host thread, possibly while complete runs elsewhere; `ctx_free` exactly once,
   * after which `fn` can never run. If already cancelled, `fn` is posted, not called inline. */
  void (*on_cancel)(flt_call_t* call, void (*fn)(void* ctx), void* ctx, void (*ctx_free)(void* ctx));
} flt_host_call_t;

/* Streams carry batches with explicit credit (events for watches, bytes for logs). Req-id: FLT-STREAM. */
typedef struct flt_host_stream {
  uint32_t struct_size;
  uint32_t _pad;
  /* A fresh arena for the next batch. */
  flt_arena_t* (*batch_begin)(flt_stream_t* stream);
  /* Hands the batch struct of the kind over; its arena is dead to the plugin. Returns the credit left; at 0
   * stop until on_credit, < 0: the stream was closed by the host, end() is still due. */
  int64_t (*push)(flt_stream_t* stream, flt_arena_t* arena, const void* batch);
  /* `fn` whenever credit becomes positive again or the stream is closed; from a host thread, never inline. */
  void (*on_credit)(flt_stream_t* stream, void (*fn)(void* ctx), void* ctx, void (*ctx_free)(void* ctx));
  /* An arena for the texts of the error given to end(). */
  flt_arena_t* (*arena)(flt_stream_t* stream);
  int32_t (*closed)(flt_stream_t* stream);
  /* Exactly once; afterwards the stream is dead to the plugin. */
  void (*end)(flt_stream_t* stream, flt_status_t status, const flt_error_t* err);
} flt_host_stream_t;

#define FLT_LOG_DEBUG 0
#define FLT_LOG_INFO 1
#define FLT_LOG_WARN 2
#define FLT_LOG_ERROR 3

typedef struct flt_field {
  flt_str_t key;
  flt_str_t value;
} flt_field_t;

/* Structured log of the daemon: a constant message and fields. Req-id: FLT-LOG. */
typedef struct flt_host_log {
  uint32_t struct_size;
  uint32_t _pad;
  int32_t (*enabled)(const flt_host_t* host, int32_t level);
  void (*write)(const flt_host_t* host, int32_t level, flt_str_t target, flt_str_t message,
                const flt_field_t* fields, uint64_t n_fields);
} flt_host_log_t;

/* Time belongs to the host, so tests own it. Req-id: FLT-CLOCK. */
typedef struct flt_host_clock {
  uint32_t struct_size;
  uint32_t _pad;
  int64_t (*monotonic_ns)(const flt_host_t* host);
  int64_t (*wall_ns)(const flt_host_t* host); /* since 1970-01-01T00:00:00Z */
} flt_host_clock_t;

/* Work on the host's threads. Req-id: FLT-EXEC. */
typedef struct flt_host_exec {
  uint32_t struct_size;
  uint32_t _pad;
  /* `fn(ctx)` once, soon, on an I/O thread: must not block. */
  void (*post)(const flt_host_t* host, void (*fn)(void* ctx), void* ctx);
  /* After `delay_ns`; the token cancels it. */
  uint64_t (*post_after)(const flt_host_t* host, int64_t delay_ns, void (*fn)(void* ctx), void* ctx);
  /* On the blocking pool. */
  void (*post_blocking)(const flt_host_t* host, void (*fn)(void* ctx), void* ctx);
  /* Non-zero: `fn` will never run. */
  int32_t (*cancel)(const flt_host_t* host, uint64_t token);
} flt_host_exec_t;

#define FLT_METRIC_COUNTER 0
#define FLT_METRIC_GAUGE 1
#define FLT_METRIC_HISTOGRAM 2

/* Metrics are defined in create or start only; the host caps the number of label combinations. Req-id:
 * FLT-METRIC. */
typedef struct flt_host_metric {
  uint32_t struct_size;
  uint32_t _pad;
  /* 0: refused (name taken with another shape, or outside create/start). */
  uint32_t (*define)(const flt_host_t* host, flt_str_t name, int32_t kind, flt_str_t unit, flt_str_t help,
                     const flt_str_t* label_keys, uint64_t n_labels);
  void (*add)(const flt_host_t* host, uint32_t id, double value, const flt_str_t* label_values,
              uint64_t n_labels);
  void (*set)(const flt_host_t* host, uint32_t id, double value, const flt_str_t* label_values,
              uint64_t n_labels);
  void (*observe)(const flt_host_t* host, uint32_t id, double value, const flt_str_t* label_values,
                  uint64_t n_labels);
} flt_host_metric_t;

/* Secrets arrive as handles, never as text in a configuration dump. Req-id: FLT-SECRET. */
typedef struct flt_host_secret {
  uint32_t struct_size;
  uint32_t _pad;
  /* Calls sink(ctx, bytes) inline exactly once; the bytes die when it returns. NOT_FOUND if not granted. */
  flt_status_t (*read)(const flt_host_t* host, uint64_t handle, void (*sink)(void* ctx, flt_bytes_t value),
                       void* ctx);
} flt_host_secret_t;

/* Interned texts: equal text, equal id, for the life of the instance. 0 is no symbol. Req-id: FLT-SYM. */
typedef struct flt_host_sym {
  uint32_t struct_size;
  uint32_t _pad;
  uint32_t (*intern)(const flt_host_t* host, flt_str_t text);
  flt_str_t (*lookup)(const flt_host_t* host, uint32_t sym);
} flt_host_sym_t;

/* One table per plugin instance: the host knows who is asking. Members may be null in a host that does not
 * offer the service (FLT_HAS); mem, call, stream, log and clock are always there. */
struct flt_host {
  uint32_t struct_size;
  uint32_t abi_minor;
  flt_str_t product; /* "flotilla 0.1.0", for logs only */
  void* ctx;         /* the host's own */
  const flt_host_mem_t* mem;
  const flt_host_call_t* call;
  const flt_host_stream_t* stream;
  const flt_host_log_t* log;
  const flt_host_clock_t* clock;
  const flt_host_exec_t* exec;
  const flt_host_metric_t* metric;
  const flt_host_secret_t* secret;
  const flt_host_sym_t* sym;
  /* Optional services by versioned id, for example "flotilla.host.http/1" (ext/http.h). Null: not offered. */
  const void* (*query)(const flt_host_t* host, flt_str_t id);
};

FLT_EXTERN_C_END

#endif /* FLOTILLA_ABI_HOST_H */
