/* SPDX-License-Identifier: Apache-2.0
 *
 * Kind "flotilla.scheduler/1": a scheduling policy. It is asked about one workload and all clusters in one
 * call. flt_component.ops points at flt_scheduler_ops_t; flt_component.exec is FLT_EXEC_COMPUTE.
 *
 * Every operation is optional: a component with only `score` is legal. The order of a decision is
 * prepare -> filter -> score -> estimate -> select -> assign, then observe. Filters of all policies are
 * combined with and, scores by weighted sum, estimates by minimum. For one workload exactly one policy
 * selects and one assigns: the first in the operator's order that offers the step, is no fallback
 * (FLT_SCHEDULER_FALLBACK in flt_component.caps) and did not pass in `prepare`; else the first such fallback.
 *
 * The host believes nothing: what an operation returns is checked against rows, ranges and sums. What is
 * wrong fails the decision with the name of the policy and counts against it; a policy that is wrong too
 * often rests for a while: then its filter, select and assign fail at once, its score and estimate are left
 * out.
 *
 * Operations are pure: equal table, workload and seed, equal answer; no clock, no I/O, no host call but those
 * of the table. Req-id: FLT-SCH-PURE.
 */
#ifndef FLOTILLA_ABI_SCHEDULER_H
#define FLOTILLA_ABI_SCHEDULER_H

#include "base.h"
#include "entry.h"
#include "table.h"

FLT_EXTERN_C_BEGIN

/* What a policy needs to know before the first call. Host-owned, valid during the call. */
typedef struct flt_binder flt_binder_t;
struct flt_binder {
  uint32_t struct_size;
  uint32_t _pad;
  const void* ctx; /* the host's own */
  /* The number of a column of the cluster table, or -1 if this host has none of that name. */
  int32_t (*column)(const flt_binder_t* binder, flt_str_t name);
  /* A number for "why not", 1..65535; equal texts, equal numbers. Shown to people behind a count of clusters:
   * "cluster(s) did not have the API resource". 0: there are too many reasons. */
  uint16_t (*reason)(const flt_binder_t* binder, flt_str_t text);
};

#define FLT_TOLERATE_EQUAL 0u
#define FLT_TOLERATE_EXISTS 1u
#define FLT_TOLERATE_OTHER 2u /* an operator the host does not know: tolerates nothing */

typedef struct flt_toleration {
  uint32_t key;    /* sym; FLT_SYM_EMPTY: every key */
  uint32_t value;  /* sym */
  uint32_t op;     /* FLT_TOLERATE_* */
  uint32_t effect; /* FLT_EFFECT_*; NONE: every effect */
} flt_toleration_t;

#define FLT_SPREAD_NONE 0u
#define FLT_SPREAD_CLUSTER 1u
#define FLT_SPREAD_REGION 2u
#define FLT_SPREAD_ZONE 3u
#define FLT_SPREAD_PROVIDER 4u
#define FLT_SPREAD_LABEL 5u

typedef struct flt_spread {
  uint32_t field; /* FLT_SPREAD_* */
  uint32_t label; /* sym of the label key, for LABEL */
  int32_t min_groups;
  int32_t max_groups;
} flt_spread_t;

typedef struct flt_target {
  uint32_t row;
  int32_t replicas;
} flt_target_t;

/* flt_component.caps: its select and assign are asked only where no other policy takes the step. */
#define FLT_SCHEDULER_FALLBACK UINT64_C(1)
/* The filter depends on nothing of a workload but api_version, kind, api, affinity, tolerations, spread and
 * FLT_WORKLOAD_DIVISIBLE, and per row on targets and evicting. The host may then ask once for all workloads
 * that agree in these, with empty targets, and again for single blocks of rows. */
#define FLT_SCHEDULER_FILTERS_BY_PLACEMENT UINT64_C(2)
/* A promise: every call returns after work that grows with rows, candidates and replicas and with nothing
 * else; nothing in it waits. The host may then make the calls where it likes. The calls of a component that
 * does not promise it are made on threads of their own and watched: one that does not return by the deadline
 * of its cycle finds `cancelled` set, and is given up a quarter of that time later; its decision fails with
 * the name of the policy. After the second within ten minutes, or when clusters change while one is still
 * inside, the component takes part in nothing more, and is left out at the next start. Req-id: FLT-SCH-HANG.
 */
#define FLT_SCHEDULER_BOUNDED UINT64_C(4)

#define FLT_WORKLOAD_DIVISIBLE 1u        /* has replicas, requirements or components */
#define FLT_WORKLOAD_FRESH 2u            /* the previous answer shall not bind: rescheduling was asked for */
#define FLT_WORKLOAD_TIERS 4u            /* one overflow tier is to be filled after the other */
#define FLT_WORKLOAD_WHOLE_SETS 8u       /* its components are placed as whole sets, on one cluster */
#define FLT_WORKLOAD_REQUIREMENTS 16u    /* says what a replica requires, be it nothing */
#define FLT_WORKLOAD_UNKNOWN_REQUEST 32u /* requests a resource that no cluster has */
#define FLT_WORKLOAD_SPREAD 64u          /* its spread constraints are in force */
#define FLT_WORKLOAD_SPREAD_BY_ANY                                        \
  128u /* those by provider, zone and label choose, as those by region do \
        */

/* How the placement wants replicas divided. */
#define FLT_DIVIDE_DUPLICATED 0u     /* every chosen cluster gets all of them */
#define FLT_DIVIDE_STATIC_WEIGHT 1u  /* by `weights` */
#define FLT_DIVIDE_DYNAMIC_WEIGHT 2u /* by room */
#define FLT_DIVIDE_AGGREGATED 3u     /* on as few clusters as possible */
#define FLT_DIVIDE_UNKNOWN 4u        /* something this host does not know */

/* One component of a workload of several pod templates. */
typedef struct flt_pod_set {
  flt_str_t name;
  int32_t replicas;
  uint32_t flags;          /* FLT_WORKLOAD_UNKNOWN_REQUEST */
  const int64_t* requests; /* of one replica, as flt_workload.requests */
} flt_pod_set_t;

/* One workload and what its policy asks for, resolved against the table of the cycle. Host-owned, valid
 * during the call. */
typedef struct flt_workload flt_workload_t;
struct flt_workload {
  uint32_t struct_size;
  uint32_t flags; /* FLT_WORKLOAD_* */
  const void* ctx;
  flt_str_t api_version;
  flt_str_t kind;
  flt_str_t ns; /* namespace; absent for cluster-wide objects */
  flt_str_t name;
  flt_str_t uid;
  uint32_t api; /* line of the column `apis`, or FLT_NO_API */
  int32_t replicas;
  int32_t priority;
  uint32_t _pad;
  /* What one replica requests, per resource of dict.resources and in its unit; 0: not requested. */
  const int64_t* requests;
  uint64_t n_requests;
  /* Where it runs now, as far as those clusters are in the table: as list and as set. */
  const flt_target_t* previous;
  uint64_t n_previous;
  const uint64_t* targets;
  /* The clusters it is being evicted from. */
  const uint64_t* evicting;
  /* The clusters its affinity matches, then those of each overflow tier. None: it has no affinity. */
  const uint64_t* const* affinity;
  uint64_t n_affinity;
  const flt_toleration_t* tolerations;
  uint64_t n_tolerations;
  const flt_spread_t* spread;
  uint64_t n_spread;
  uint32_t strategy; /* FLT_DIVIDE_* */
  uint32_t _pad2;
  /* For STATIC_WEIGHT: the weight of each row. Null: all alike. */
  const int64_t* weights;
  const flt_pod_set_t* components;
  uint64_t n_components;
  /* The groups of workload affinity and anti-affinity it is in: the clusters that every other member with
   * clusters has, and the clusters that any other member has. Null: no group, or no other member has
   * clusters. */
  const uint64_t* affinity_group;
  const uint64_t* anti_affinity_group;
  /* As the binding has them: spec.replicaRequirements (absent: none) and spec.placement. JSON. */
  flt_str_t requirements_json;
  flt_str_t placement_json;
  /* What all components together request for one set, per resource. Null without components. */
  const int64_t* set_requests;
};

/* What is the same for all workloads of a run. */
typedef struct flt_cycle {
  uint32_t struct_size;
  uint32_t _pad;
  const flt_table_t* table;
  uint64_t seed;
  int64_t deadline_ns;      /* monotonic; 0: none */
  const int32_t* cancelled; /* poll in long loops; null: cannot be cancelled */
} flt_cycle_t;

#define FLT_SKIP_FILTER 1u
#define FLT_SKIP_SCORE 2u
#define FLT_SKIP_ESTIMATE 4u
#define FLT_SKIP_SELECT 8u  /* lets the next policy select; where none is left, every candidate is chosen */
#define FLT_SKIP_ASSIGN 16u /* lets the next policy assign */
#define FLT_ANY_ORDER 32u   /* does not care in which order its candidates come: spares sorting them */

/* A cluster that fits, on its way through select and assign. */
typedef struct flt_candidate {
  uint32_t row;
  int32_t score;          /* the weighted sum, normalised */
  int32_t allocatable;    /* further replicas it can take */
  int32_t overflow_order; /* 0: the affinity itself, i: its overflow tier i, 1000: none */
  int64_t available;      /* allocatable and what it has already */
} flt_candidate_t;

#define FLT_OUTCOME_SCHEDULED 0u
#define FLT_OUTCOME_FAILED 1u
#define FLT_OUTCOME_ROLLED_BACK 2u

typedef struct flt_scheduler_ops {
  uint32_t struct_size;
  uint32_t _pad;

  /* [control] First call of an instance, and again when symbols are numbered anew. Errors:
   * FAILED_PRECONDITION when a column it cannot do without is missing; the host then fails decisions
   * with that message rather than deciding without the policy. Req-id: FLT-SCH-BIND. */
  flt_status_t (*bind)(void* self, const flt_binder_t* binder, flt_error_t* err);

  /* [control] A table the instance has not seen, before any other call with it. `changed` is the set of rows
   * that differ from the table before, null: any. Keep derived state here. Req-id: FLT-SCH-TABLE. */
  flt_status_t (*table_changed)(void* self, const flt_binder_t* binder, const flt_table_t* table,
                                const uint64_t* changed, flt_error_t* err);

  /* [compute] Before the steps of one workload. May narrow `rows` (only clear bits) and set FLT_SKIP_* and
   * FLT_ANY_ORDER in `skip`: the steps in which it has no say for this workload. Req-id: FLT-SCH-PREPARE. */
  flt_status_t (*prepare)(void* self, const flt_cycle_t* cycle, const flt_workload_t* workload,
                          uint64_t* rows, uint32_t* skip, flt_error_t* err);

  /* [compute] Clears the bit of each row in `rows` that must not get the workload and writes a reason for it
   * into reasons[row]; rows whose bit is clear already are left alone. `fits` and `reasons` are indexed by
   * row of the table. Req-id: FLT-SCH-FILTER. */
  flt_status_t (*filter)(void* self, const flt_cycle_t* cycle, const flt_workload_t* workload,
                         flt_rows_t rows, uint64_t* fits, uint16_t* reasons, flt_error_t* err);

  /* [compute] Writes 0..1000 into scores[row] for the rows of `fits`; what is not written counts 0.
   * Req-id: FLT-SCH-SCORE. */
  flt_status_t (*score)(void* self, const flt_cycle_t* cycle, const flt_workload_t* workload, flt_rows_t rows,
                        const uint64_t* fits, int32_t* scores, flt_error_t* err);

  /* [compute] Writes into replicas[row] how many further replicas the cluster can take, -1: unknown. An error
   * is as if all were unknown. Req-id: FLT-SCH-ESTIMATE. */
  flt_status_t (*estimate)(void* self, const flt_cycle_t* cycle, const flt_workload_t* workload,
                           flt_rows_t rows, const uint64_t* fits, int64_t* replicas, flt_error_t* err);

  /* [compute] Chooses among the candidates, which come best first (by row after FLT_ANY_ORDER). Writes their
   * rows, best first and each once, into `chosen` (room for n_candidates) and the count into n_chosen.
   * Errors: FAILED_PRECONDITION: the constraints cannot be met; the message is for the user and counts
   * against nobody. Req-id: FLT-SCH-SELECT. */
  flt_status_t (*select)(void* self, const flt_cycle_t* cycle, const flt_workload_t* workload,
                         const flt_candidate_t* candidates, uint64_t n_candidates, uint32_t* chosen,
                         uint64_t* n_chosen, flt_error_t* err);

  /* [compute] Divides the replicas among the chosen candidates. Writes targets (room for n_chosen), rows at
   * most once each, and the count into n_targets. The host checks rows, that replicas are 0 to those of the
   * workload, and, unless they are duplicated, their sum. Targets with 0 replicas are dropped. Errors:
   * RESOURCE_EXHAUSTED: there is not enough room; FAILED_PRECONDITION: it cannot be divided so. Both with a
   * message for the user, and count against nobody. Req-id: FLT-SCH-ASSIGN. */
  flt_status_t (*assign)(void* self, const flt_cycle_t* cycle, const flt_workload_t* workload,
                         const flt_candidate_t* chosen, uint64_t n_chosen, flt_target_t* targets,
                         uint64_t* n_targets, flt_error_t* err);

  /* [control] What became of a decision: FLT_OUTCOME_*. Req-id: FLT-SCH-OBSERVE. */
  void (*observe)(void* self, const flt_cycle_t* cycle, const flt_workload_t* workload, uint32_t outcome,
                  const flt_target_t* targets, uint64_t n_targets);
} flt_scheduler_ops_t;

FLT_EXTERN_C_END

#endif /* FLOTILLA_ABI_SCHEDULER_H */
