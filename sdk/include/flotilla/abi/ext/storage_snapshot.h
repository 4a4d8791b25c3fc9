/* SPDX-License-Identifier: Apache-2.0
 *
 * Optional interface "flotilla.storage.snapshot/1" of a storage backend (flt_component_t.query): all of it at
 * one revision as a stream, while commits go on; and such a stream into an empty backend. A host without it
 * reads pages of range at one revision and writes them back as commits, which loses the revisions.
 */
#ifndef FLOTILLA_ABI_EXT_STORAGE_SNAPSHOT_H
#define FLOTILLA_ABI_EXT_STORAGE_SNAPSHOT_H

#include "../storage.h"

FLT_EXTERN_C_BEGIN

#define FLT_STORAGE_SNAPSHOT "flotilla.storage.snapshot/1"

typedef struct flt_snapshot_save_request {
  uint32_t struct_size;
  uint32_t _pad;
} flt_snapshot_save_request_t;

/* One push of the stream; its credit is the number of kvs, at least 1. */
typedef struct flt_snapshot_batch {
  uint32_t struct_size;
  uint32_t _pad;
  const flt_kv_t* kvs; /* ascending by key, over all batches */
  uint64_t n_kvs;
  int64_t revision; /* the same in every batch: at which all of this is the truth */
} flt_snapshot_batch_t;

#define FLT_SNAPSHOT_FIRST 1u
#define FLT_SNAPSHOT_LAST 2u

typedef struct flt_snapshot_load_request {
  uint32_t struct_size;
  uint32_t flags;      /* FLT_SNAPSHOT_*; both: all at once */
  const flt_kv_t* kvs; /* ascending by key, over all calls; revisions are kept as given */
  uint64_t n_kvs;
  int64_t revision; /* what status says after the last call; at least every mod_revision */
} flt_snapshot_load_request_t;

typedef struct flt_snapshot_ops {
  uint32_t struct_size;
  uint32_t _pad;

  /* [op] Pushes flt_snapshot_batch_t until everything is told; then ends the stream. At least one batch, also
   * of an empty backend. What is committed meanwhile is not in it. Req-id: STO-SNAPSHOT-SAVE. */
  void (*save)(void* self, const flt_snapshot_save_request_t* request, flt_stream_t* stream);

  /* [op] -> null. One call after the other, FIRST to LAST; nothing else is asked in between. When LAST is
   * answered everything is there and safe; before, readers see nothing or are refused, also after a restart.
   * FIRST again begins anew. Errors: FAILED_PRECONDITION "NotEmpty". Req-id: STO-SNAPSHOT-LOAD. */
  void (*load)(void* self, const flt_snapshot_load_request_t* request, flt_call_t* call);
} flt_snapshot_ops_t;

FLT_EXTERN_C_END

#endif /* FLOTILLA_ABI_EXT_STORAGE_SNAPSHOT_H */
