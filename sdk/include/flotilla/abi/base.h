/* SPDX-License-Identifier: Apache-2.0
 *
 * Flotilla plugin ABI, major 1: the words that every other header uses.
 *
 * Rules of all these headers. Valid C11 and C++11; only <stdint.h> and <stddef.h>. LP64 alone. No enum, bool,
 * long, bit-field or union in a field or parameter. Every struct that may grow starts with `struct_size`;
 * members are only ever appended; a member may be read iff FLT_HAS says so. Zero in an appended member means
 * the old behaviour.
 *
 * Thread classes, named at every function:
 *   [control]  never concurrent for one instance; may block until the deadline
 *   [op]       may be concurrent (unless the component says FLT_EXEC_SERIAL); returns at once and completes
 * later, or runs on the host's blocking pool if the component says FLT_EXEC_BLOCKING [compute]  concurrent,
 * no I/O, no sleep [any]      host functions: any thread, never block, never call back into the plugin on the
 * same stack
 *
 * Memory. Inputs are borrowed until the function returns: copy to keep. Results live in a host arena that
 * belongs to the call or stream batch. Nothing is ever freed by the other side. No exception, no longjmp
 * crosses.
 */
#ifndef FLOTILLA_ABI_BASE_H
#define FLOTILLA_ABI_BASE_H

#include <stddef.h>
#include <stdint.h>

#define FLT_ABI_MAJOR 1
#define FLT_ABI_MINOR 0

/* The oldest minor a plugin wants to run on. Newer members are hidden from a plugin that asks for less. */
#ifndef FLT_ABI_TARGET
#define FLT_ABI_TARGET FLT_ABI_MINOR
#endif

#if defined(__cplusplus)
#define FLT_EXTERN_C_BEGIN extern "C" {
#define FLT_EXTERN_C_END }
#else
#define FLT_EXTERN_C_BEGIN
#define FLT_EXTERN_C_END
#endif

#define FLT_EXPORT __attribute__((visibility("default")))

/* True iff *ptr is large enough to hold `member` and the member is set. */
#define FLT_HAS(ptr, member) \
  ((ptr)->struct_size >= offsetof(__typeof__(*(ptr)), member) + sizeof((ptr)->member) && (ptr)->member)

FLT_EXTERN_C_BEGIN

/* UTF-8, not NUL-terminated; absent is {NULL, 0}. */
typedef struct flt_str {
  const char* p;
  uint64_t n;
} flt_str_t;

typedef struct flt_bytes {
  const uint8_t* p;
  uint64_t n;
} flt_bytes_t;

/* The canonical codes. A code that a peer does not know means FLT_UNKNOWN. */
typedef int32_t flt_status_t;
#define FLT_OK 0
#define FLT_CANCELLED 1
#define FLT_UNKNOWN 2
#define FLT_INVALID_ARGUMENT 3
#define FLT_DEADLINE_EXCEEDED 4
#define FLT_NOT_FOUND 5
#define FLT_ALREADY_EXISTS 6
#define FLT_PERMISSION_DENIED 7
#define FLT_RESOURCE_EXHAUSTED 8
#define FLT_FAILED_PRECONDITION 9
#define FLT_ABORTED 10
#define FLT_OUT_OF_RANGE 11
#define FLT_UNIMPLEMENTED 12
#define FLT_INTERNAL 13
#define FLT_UNAVAILABLE 14
#define FLT_DATA_LOSS 15
#define FLT_UNAUTHENTICATED 16

/* Memory that belongs to one call or one stream batch; one writer at a time. Host-owned. */
typedef struct flt_arena flt_arena_t;

/* Filled by the callee when it returns or completes with anything but FLT_OK. The caller sets struct_size and
 * arena; texts are allocated in that arena. */
typedef struct flt_error {
  uint32_t struct_size;
  flt_status_t code;
  flt_arena_t* arena;
  int32_t http_status;    /* 0: the host derives it from code */
  uint32_t _pad;          /* zero */
  int64_t retry_after_ms; /* 0: none */
  flt_str_t
      reason; /* fixed word of the kind: Conflict, Compacted, FutureRevision, Expired, TooManyRequests */
  flt_str_t message;      /* for people: cause and next step */
  flt_str_t details_json; /* optional machine-readable details, a JSON object */
} flt_error_t;

FLT_EXTERN_C_END

#endif /* FLOTILLA_ABI_BASE_H */
