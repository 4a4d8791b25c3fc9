/* SPDX-License-Identifier: Apache-2.0
 *
 * Kind "flotilla.override/1": an override rule, a pure function from a manifest and the clusters it goes to,
 * to what is different there. flt_component.ops points at flt_override_ops_t; flt_component.exec is
 * FLT_EXEC_COMPUTE.
 *
 * The host owns everything around it: which policies and clusters are meant, in which order rules apply,
 * applying the patches. It always starts from the pristine template, so a rule need not be idempotent. After
 * each rule the host checks that apiVersion, kind, metadata.name and metadata.namespace are what they were.
 *
 * Rules must be deterministic: no clock, no randomness, no I/O, bounded time. Req-id: FLT-OVR-PURE.
 */
#ifndef FLOTILLA_ABI_OVERRIDE_H
#define FLOTILLA_ABI_OVERRIDE_H

#include "base.h"
#include "entry.h"

FLT_EXTERN_C_BEGIN

struct flt_table; /* table.h */

/* What compile fills. The caller sets struct_size and arena. */
typedef struct flt_override_compiled {
  uint32_t struct_size;
  uint32_t _pad;
  flt_arena_t* arena; /* for `columns` */
  void* rule;         /* plugin-owned, until release_rule; immutable */
  /* Names of the cluster table's columns that decide the outcome. None: the outcome is the same for all
   * clusters, or depends on replicas alone. */
  const flt_str_t* columns;
  uint64_t n_columns;
} flt_override_compiled_t;

/* One manifest and the clusters it goes to. Clusters are rows 0..n_rows-1; bit r of word r/64 stands for row
 * r. Bits from n_rows on are zero. */
typedef struct flt_override_request {
  uint32_t struct_size;
  uint32_t _pad;
  flt_str_t media_type; /* "application/json" */
  flt_bytes_t manifest;
  const struct flt_table* table; /* rows are its rows; null if the rule named no columns */
  const uint64_t* clusters;      /* whom the answer is wanted for */
  uint64_t n_rows;
  const int64_t* replicas; /* per row: what the cluster was assigned; null if the manifest is no workload */
} flt_override_request_t;

#define FLT_PATCH_JSON 1u  /* RFC 6902: a list of operations */
#define FLT_PATCH_MERGE 2u /* RFC 7386: a partial object */
#define FLT_PATCH_FULL 3u  /* the whole manifest */

/* Clusters that get the same patch. */
typedef struct flt_override_group {
  uint32_t struct_size;
  uint32_t patch_kind;      /* FLT_PATCH_* */
  flt_bytes_t patch;        /* JSON */
  const uint64_t* clusters; /* a subset of the request's, no cluster in two groups; null: all of them */
} flt_override_group_t;

/* What apply fills. The caller sets struct_size and arena; all else lives in the arena. A cluster in no group
 * is unchanged. */
typedef struct flt_override_result {
  uint32_t struct_size;
  uint32_t _pad;
  flt_arena_t* arena;
  const flt_override_group_t* const* groups; /* pointers, so a group may grow */
  uint64_t n_groups;
} flt_override_result_t;

typedef struct flt_override_ops {
  uint32_t struct_size;
  /* Rules of one policy apply in ascending order. In tree: image 100, command 200, args 300, labels 400,
   * annotations 500, field 600, plaintext 700. Equal orders: by component name. */
  int32_t order;
  /* The member of `spec.overrideRules[].overriders` whose value this rule takes: "imageOverrider". Unique. */
  const char* field;
  /* JSON Schema 2020-12 text of that value, or null. */
  const char* params_schema;

  /* [compute] Reads the value of `field`. Errors: INVALID_ARGUMENT naming the member at fault.
   * Req-id: FLT-OVR-COMPILE. */
  flt_status_t (*compile)(void* self, flt_str_t params_json, flt_override_compiled_t* out, flt_error_t* err);
  /* [compute] May run concurrently for one rule. Errors: INVALID_ARGUMENT, when the rule cannot be applied to
   * this manifest; the object then goes to none of the clusters. Req-id: FLT-OVR-APPLY. */
  flt_status_t (*apply)(void* self, const void* rule, const flt_override_request_t* request,
                        flt_override_result_t* out, flt_error_t* err);
  /* [any] After the last apply of the rule returned. Req-id: FLT-OVR-RELEASE. */
  void (*release_rule)(void* self, void* rule);
} flt_override_ops_t;

FLT_EXTERN_C_END

#endif /* FLOTILLA_ABI_OVERRIDE_H */
