/* SPDX-License-Identifier: Apache-2.0
 *
 * Kind flotilla.storage/1: a key-value store with versions. Keys and values are bytes, keys are ordered
 * bytewise. Every successful commit makes exactly one new revision, ascending; the first commit of an empty
 * store makes revision 2 or later. What was answered is never lost (STO-DURABLE), and all answers are
 * linearizable unless a flag says otherwise.
 *
 * A backend that the daemon has for itself (no FLT_STORAGE_SHARED) gives consecutive revisions and honours
 * `expect_revision`; one with other writers (etcd) needs neither, but needs watch.
 *
 * The names behind "Req-id:" are those of the conformance suite's checks.
 */
#ifndef FLOTILLA_ABI_STORAGE_H
#define FLOTILLA_ABI_STORAGE_H

#include "base.h"
#include "host.h"

FLT_EXTERN_C_BEGIN

/* Capabilities. */
#define FLT_STORAGE_DURABLE UINT64_C(1)       /* answered commits survive kill -9 and power loss */
#define FLT_STORAGE_SHARED UINT64_C(2)        /* other writers exist; revisions may skip */
#define FLT_STORAGE_REPLICATED UINT64_C(4)    /* survives the loss of a machine */
#define FLT_STORAGE_TTL UINT64_C(8)           /* flt_storage_op_t.ttl_ms is honoured */
#define FLT_STORAGE_SERIALIZABLE UINT64_C(16) /* FLT_RANGE_SERIALIZABLE is cheaper than without */

typedef struct flt_storage_capabilities {
  uint32_t struct_size;
  uint32_t _pad;
  uint64_t flags;              /* FLT_STORAGE_* */
  uint64_t max_ops_per_commit; /* at least 1 */
  uint64_t max_guards;         /* at least 1 */
  uint64_t max_key_bytes;
  uint64_t max_value_bytes;
} flt_storage_capabilities_t;

typedef struct flt_kv {
  flt_str_t key;
  flt_bytes_t value;       /* absent with FLT_RANGE_KEYS_ONLY and in deletions */
  int64_t create_revision; /* of the commit that made the key since it was last absent; in deletions 0 */
  int64_t mod_revision;    /* of the commit that wrote this value; in deletions: that deleted it */
} flt_kv_t;

/* ---- status ---- */

#define FLT_STATUS_LINEARIZABLE 1u /* ask a quorum; without it the answer is local and cheap */

typedef struct flt_storage_status_request {
  uint32_t struct_size;
  uint32_t flags;
} flt_storage_status_request_t;

#define FLT_STATUS_READ_ONLY 1u /* commits fail until the cause in `alarm` is gone */

typedef struct flt_storage_status {
  uint32_t struct_size;
  uint32_t flags;
  int64_t revision;  /* the newest */
  int64_t compacted; /* the oldest revision that range and watch still know */
  uint64_t bytes;    /* taken on disk or in memory */
  flt_str_t role;    /* "single", "leader", "follower" */
  flt_str_t alarm;   /* for people: why read-only and what to do; absent otherwise */
} flt_storage_status_t;

/* ---- range ---- */

#define FLT_RANGE_KEYS_ONLY 1u
#define FLT_RANGE_COUNT 2u        /* fill `count` with the number of keys regardless of `limit` */
#define FLT_RANGE_SERIALIZABLE 4u /* may be stale */

typedef struct flt_storage_range_request {
  uint32_t struct_size;
  uint32_t flags;
  flt_str_t key;    /* first key */
  flt_str_t end;    /* first key behind the range; absent: `key` alone */
  int64_t revision; /* 0: now */
  uint64_t limit;   /* 0: all */
} flt_storage_range_request_t;

typedef struct flt_storage_range {
  uint32_t struct_size;
  uint32_t more;       /* non-zero: `limit` cut the answer short */
  const flt_kv_t* kvs; /* ascending by key */
  uint64_t n_kvs;
  uint64_t count;
  int64_t revision; /* at which all of this is the truth */
} flt_storage_range_t;

/* ---- commit ---- */

typedef struct flt_storage_guard {
  flt_str_t key;
  int64_t mod_revision; /* 0: the key must be absent */
} flt_storage_guard_t;

#define FLT_OP_PUT 0
#define FLT_OP_DELETE 1

typedef struct flt_storage_op {
  int32_t kind; /* FLT_OP_* */
  uint32_t _pad;
  flt_str_t key;
  flt_bytes_t value;
  int64_t ttl_ms; /* put: 0: for ever; otherwise the key is deleted then or a little later, never earlier */
} flt_storage_op_t;

#define FLT_COMMIT_RETURN_CURRENT 1u  /* when a guard fails: the guarded keys as they are */
#define FLT_COMMIT_RETURN_PREVIOUS 2u /* on success: what the operations replaced */

typedef struct flt_storage_commit_request {
  uint32_t struct_size;
  uint32_t flags;
  const flt_storage_guard_t* guards; /* all must hold; none: unconditional */
  uint64_t n_guards;
  const flt_storage_op_t* ops; /* at least one; keys are distinct; deleting an absent key is no error */
  uint64_t n_ops;
  int64_t expect_revision; /* not 0: fails like a guard unless this commit's revision is exactly this one */
} flt_storage_commit_request_t;

typedef struct flt_storage_commit {
  uint32_t struct_size;
  uint32_t succeeded; /* 0: a guard failed, nothing was written */
  int64_t revision;   /* of this commit; if it failed, the newest one */
  const flt_kv_t*
      kvs; /* as asked by flags: current or previous, those that exist, in order of guards or ops */
  uint64_t n_kvs;
} flt_storage_commit_t;

/* ---- watch ---- */

#define FLT_WATCH_PREVIOUS 1u /* fill flt_storage_event_t.previous */

typedef struct flt_storage_watch_request {
  uint32_t struct_size;
  uint32_t flags;
  flt_str_t key;
  flt_str_t end;          /* as in range */
  int64_t start_revision; /* first revision wanted, above status.compacted; 0: from now on */
} flt_storage_watch_request_t;

#define FLT_EVENT_PUT 0
#define FLT_EVENT_DELETE 1

typedef struct flt_storage_event {
  int32_t kind; /* FLT_EVENT_* */
  uint32_t _pad;
  flt_kv_t kv;
  flt_kv_t previous; /* key absent where nothing was replaced, or not asked for */
} flt_storage_event_t;

/* One push of a watch stream; its credit is the number of events, at least 1. */
typedef struct flt_storage_events {
  uint32_t struct_size;
  uint32_t _pad;
  const flt_storage_event_t* events; /* by revision, then key; none: progress alone */
  uint64_t n_events;
  int64_t progress; /* every event up to this revision has been delivered */
} flt_storage_events_t;

/* ---- compact ---- */

typedef struct flt_storage_compact_request {
  uint32_t struct_size;
  uint32_t _pad;
  int64_t revision; /* older versions may be forgotten; live values never are */
} flt_storage_compact_request_t;

typedef struct flt_storage_compact {
  uint32_t struct_size;
  uint32_t _pad;
  int64_t compacted; /* never falls */
} flt_storage_compact_t;

/* The table of the kind. Requests are borrowed until the function returns; results live in the call's arena.
 * Errors beyond the usual ones are named by `reason`. */
typedef struct flt_storage_ops {
  uint32_t struct_size;
  uint32_t _pad;

  /* [any] Required. After start; fills *out up to out->struct_size. Req-id: STO-CAPS. */
  void (*describe)(void* self, flt_storage_capabilities_t* out);

  /* [op] Required. -> flt_storage_status_t. Req-id: STO-STATUS. */
  void (*status)(void* self, const flt_storage_status_request_t* request, flt_call_t* call);

  /* [op] Required. -> flt_storage_range_t, all of it at one revision. Errors: OUT_OF_RANGE "Compacted"
   * (revision older than status.compacted), OUT_OF_RANGE "FutureRevision". Req-id: STO-RANGE. */
  void (*range)(void* self, const flt_storage_range_request_t* request, flt_call_t* call);

  /* [op] Required. -> flt_storage_commit_t. Atomic; effects and answers of one instance are in the order of
   * the calls. With FLT_STORAGE_SHARED this holds for commits of which one writes a key that the other writes
   * or guards; the rest may overtake each other. It completes only when the commit is as safe as
   * FLT_STORAGE_DURABLE promises. A failed guard is a normal answer. Any error means that nothing is known:
   * the commit may or may not have happened, or happen yet, and the caller asks status. Errors:
   * RESOURCE_EXHAUSTED "NoSpace", UNAVAILABLE "ReadOnly" (as in status), UNAVAILABLE "OutcomeUnknown" (sent,
   * and the connection was lost), INVALID_ARGUMENT (limits, duplicate keys). Req-id: STO-COMMIT. */
  void (*commit)(void* self, const flt_storage_commit_request_t* request, flt_call_t* call);

  /* [op] Required iff FLT_STORAGE_SHARED. A watch can begin above status.compacted. Pushes
   * flt_storage_events_t until the host closes the stream. Every event once, in order; one revision is never
   * split over batches. Ends with OUT_OF_RANGE "Compacted" when start_revision is not known any more, or when
   * the stream fell behind compaction. Req-id: STO-WATCH. */
  void (*watch)(void* self, const flt_storage_watch_request_t* request, flt_stream_t* stream);

  /* [op] Required iff watch. Soon pushes a batch without events whose progress is at least the newest
   * revision at the time of this call. A stream that has ended is ignored. Req-id: STO-PROGRESS. */
  void (*watch_progress)(void* self, flt_stream_t* stream);

  /* [op] Required. -> flt_storage_compact_t. The work may go on after the answer. Errors: OUT_OF_RANGE
   * "FutureRevision". Req-id: STO-COMPACT. */
  void (*compact)(void* self, const flt_storage_compact_request_t* request, flt_call_t* call);
} flt_storage_ops_t;

FLT_EXTERN_C_END

#endif /* FLOTILLA_ABI_STORAGE_H */
