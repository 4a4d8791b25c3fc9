/* SPDX-License-Identifier: Apache-2.0
 *
 * The cluster table: all member clusters as columns. A table is immutable; a plugin sees it only inside a
 * call and never keeps it. Rows are in ascending order of cluster name, 0..n_rows-1. A row number means the
 * same cluster for as long as the table is the same; `epoch` tells tables of one host apart.
 *
 * Sets of rows are bitsets of n_words 64-bit words: bit r % 64 of word r / 64 stands for row r, bits from
 * n_rows on are zero. Ranges of rows begin at a multiple of 64, so two ranges share no word.
 *
 * Texts are interned: a `sym` is a number for a text, equal texts have equal numbers, in every table an
 * instance is shown. 0 is the empty text. A text that no cluster has is FLT_SYM_UNKNOWN and equals nothing.
 *
 * Columns are found by name once, in `bind`. New columns need no new ABI; a column that a host does not have
 * is -1. Req-id: FLT-TABLE.
 *
 *   name                    type         one per   what
 *   name                    SYM          row       name of the cluster
 *   provider, region        SYM          row       0: not set
 *   zones                   SYM, list    row
 *   flags                   U32          row       FLT_CLUSTER_*
 *   labels                  LABEL, list  row       by ascending key
 *   taints                  U32, list    row       indexes into dict.taints
 *   dict.taints             TAINT        taint     every taint that occurs, once
 *   apis                    BITS         API       the rows that serve it; line i belongs to dict.apis[i]
 *   dict.apis               LABEL        API       {apiVersion, kind}
 *   dict.resources          SYM          resource  names; a workload's requests are in this order
 *   res.allocatable.NAME    I64          row       FLT_ABSENT where a cluster does not have the resource; cpu
 * in res.allocated.NAME      I64          row       thousandths, everything else in ones, rounded up
 *   res.allocating.NAME     I64          row
 *   res.available.NAME      I64          row       allocatable - allocated - allocating, rounded once
 */
#ifndef FLOTILLA_ABI_TABLE_H
#define FLOTILLA_ABI_TABLE_H

#include "base.h"

FLT_EXTERN_C_BEGIN

#define FLT_SYM_EMPTY UINT32_C(0)
#define FLT_SYM_UNKNOWN UINT32_C(0xffffffff)
#define FLT_NO_ROW UINT32_C(0xffffffff)
#define FLT_NO_API UINT32_C(0xffffffff)
#define FLT_ABSENT INT64_MIN

#define FLT_CLUSTER_READY 1u         /* condition Ready is True */
#define FLT_CLUSTER_DELETING 2u      /* is being removed; the host never schedules to it */
#define FLT_CLUSTER_PULL 4u          /* pull mode */
#define FLT_CLUSTER_APIS_COMPLETE 8u /* condition CompleteAPIEnablements is True */
#define FLT_CLUSTER_RESOURCES 16u    /* reports a resource summary */
#define FLT_CLUSTER_ZONES 32u        /* has zones */

#define FLT_EFFECT_NONE 0u
#define FLT_EFFECT_NO_SCHEDULE 1u
#define FLT_EFFECT_PREFER_NO_SCHEDULE 2u
#define FLT_EFFECT_NO_EXECUTE 3u

/* Element types of columns. */
#define FLT_COLUMN_SYM 1u   /* uint32_t */
#define FLT_COLUMN_U32 2u   /* uint32_t */
#define FLT_COLUMN_I32 3u   /* int32_t */
#define FLT_COLUMN_I64 4u   /* int64_t */
#define FLT_COLUMN_F64 5u   /* double */
#define FLT_COLUMN_LABEL 6u /* flt_label_t */
#define FLT_COLUMN_TAINT 7u /* flt_taint_t */
#define FLT_COLUMN_BITS 8u  /* lines of n_words words, each a set of rows */

typedef struct flt_label {
  uint32_t key;   /* sym */
  uint32_t value; /* sym */
} flt_label_t;

typedef struct flt_taint {
  uint32_t key;    /* sym */
  uint32_t value;  /* sym */
  uint32_t effect; /* FLT_EFFECT_* */
} flt_taint_t;

/* One column. Filled by the host; lives as long as the table. */
typedef struct flt_column {
  uint32_t struct_size; /* set by the caller */
  uint32_t type;        /* FLT_COLUMN_* */
  const void* data;     /* elements, one after the other */
  uint64_t n;           /* elements; lines for FLT_COLUMN_BITS */
  /* Lists: elements [offsets[r], offsets[r + 1]) belong to row r. Null: one element per row (or per entry).
   */
  const uint32_t* offsets;
  const uint64_t* validity; /* the rows that have a value; null: all */
} flt_column_t;

/* So much of one resource. */
typedef struct flt_amount {
  uint32_t resource; /* index into dict.resources */
  uint32_t _pad;
  int64_t amount;
} flt_amount_t;

/* A grade of a cluster's resource model: so many nodes that have at least these resources each. */
typedef struct flt_grade {
  uint32_t struct_size; /* set by the caller */
  uint32_t _pad;
  int64_t count;
  const flt_amount_t* least;
  uint64_t n_least;
  int64_t pods_taken; /* places for pods that are promised on each of these nodes; `least` is without them */
} flt_grade_t;

typedef struct flt_table flt_table_t;

/* All [any], and cheap but for the finds. */
typedef struct flt_table_functions {
  uint32_t struct_size;
  uint32_t _pad;
  /* The number of a column, or -1. The same in every table the host ever shows. */
  int32_t (*find_column)(const flt_table_t* table, flt_str_t name);
  /* FLT_OK, or NOT_FOUND for a column this table has no data for (a resource that no cluster reports). */
  flt_status_t (*column)(const flt_table_t* table, int32_t column, flt_column_t* out);
  /* Empty for FLT_SYM_UNKNOWN. The text lives as long as the table. */
  flt_str_t (*text)(const flt_table_t* table, uint32_t sym);
  uint32_t (*find_sym)(const flt_table_t* table, flt_str_t text);
  uint32_t (*find_row)(const flt_table_t* table, flt_str_t cluster);
  /* The line of `apis`, or FLT_NO_API: no cluster serves it. */
  uint32_t (*find_api)(const flt_table_t* table, flt_str_t api_version, flt_str_t kind);
  /* Grade `index` of a row's resource model. NOT_FOUND behind the last; a row without a usable model has
   * none. */
  flt_status_t (*grade)(const flt_table_t* table, uint32_t row, uint32_t index, flt_grade_t* out);
} flt_table_functions_t;

struct flt_table {
  uint32_t struct_size;
  uint32_t _pad;
  uint64_t epoch;
  uint64_t n_rows;
  uint64_t n_words;
  const flt_table_functions_t* functions;
  const void* ctx; /* the host's own */
};

/* [first, last), first a multiple of 64. */
typedef struct flt_rows {
  uint32_t first;
  uint32_t last;
} flt_rows_t;

FLT_EXTERN_C_END

#endif /* FLOTILLA_ABI_TABLE_H */
