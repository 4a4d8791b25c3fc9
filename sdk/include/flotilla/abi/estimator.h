/* SPDX-License-Identifier: Apache-2.0
 *
 * Kind "flotilla.estimator/1": says how much of a workload clusters have room for, when finding out takes
 * I/O. (What can be computed from the cluster table is `estimate` of a scheduling policy.) flt_component.ops
 * points at flt_estimator_ops_t.
 *
 * The host asks before it decides, about all clusters it wonders about in one call, keeps the answers for a
 * moment, and decides with what was answered in time: the least that any estimator says counts. A cluster
 * that an estimator says nothing of, or fails for, counts as if this estimator had not been asked; the reason
 * is shown to people with the decision.
 *
 * Rules of every operation. It is answered as a whole, with one estimate per cluster of the request, in its
 * order. What goes wrong with one cluster is that cluster's `status` and `message`, never an error of the
 * call. An estimator that waits for several clusters answers before flt_host_call.deadline with what it has;
 * the others are FLT_DEADLINE_EXCEEDED. Req-ids: FLT-EST-ORDER, FLT-EST-PARTIAL, FLT-EST-DEADLINE.
 */
#ifndef FLOTILLA_ABI_ESTIMATOR_H
#define FLOTILLA_ABI_ESTIMATOR_H

#include "base.h"
#include "entry.h"

FLT_EXTERN_C_BEGIN

/* The answer about one cluster. */
#define FLT_ESTIMATE_UNKNOWN (-1) /* the estimator does not know this cluster, and that is no failure */

typedef struct flt_estimate {
  int64_t value;       /* 0 or more, or UNKNOWN; meaningless unless status is FLT_OK */
  flt_status_t status; /* FLT_OK, or why there is no answer */
  uint32_t _pad;
  flt_str_t message; /* of a failure, for people; in the arena of the call */
} flt_estimate_t;

/* Result of every operation. */
typedef struct flt_estimates {
  uint32_t struct_size;
  uint32_t _pad;
  const flt_estimate_t* estimates; /* one per cluster of the request, in its order */
  uint64_t n_estimates;
} flt_estimates_t;

/* How much room is there. Borrowed until the operation returns; so are the texts. */
typedef struct flt_room_request {
  uint32_t struct_size;
  uint32_t _pad;
  const flt_str_t* clusters; /* names, each once; at least one */
  uint64_t n_clusters;
  flt_str_t ns;     /* where the workload runs; absent for cluster-wide ones */
  flt_str_t object; /* "kind=Deployment, name=default/web": who asks first, for logs alone */
  /* max_available_replicas: what one replica requires, as spec.replicaRequirements of a ResourceBinding has
   * it: {"nodeClaim": {"nodeSelector", "hardNodeAffinity", "tolerations"}, "resourceRequest", "namespace",
   * "priorityClassName"}. JSON; absent: nothing is said. */
  flt_str_t requirements_json;
  /* max_available_component_sets: spec.components of the binding: [{"name", "replicas",
   * "replicaRequirements"}]. JSON. */
  flt_str_t components_json;
  /* Per cluster, workloads that are decided and that the cluster may not have counted yet: [{"namespace",
   * "components"}], components as above. JSON, or absent. Null: nothing is promised to anybody. */
  const flt_str_t* assumed_json;
} flt_room_request_t;

/* How many replicas of an object wait in vain. As flt_room_request. */
typedef struct flt_unschedulable_request {
  uint32_t struct_size;
  uint32_t _pad;
  const flt_str_t* clusters;
  uint64_t n_clusters;
  flt_str_t api_version;
  flt_str_t kind;
  flt_str_t ns;
  flt_str_t name;
  int64_t threshold_ns; /* only those that have waited so long */
} flt_unschedulable_request_t;

typedef struct flt_estimator_ops {
  uint32_t struct_size;
  uint32_t _pad;

  /* [op] -> flt_estimates_t: further replicas per cluster. Required. Req-id: FLT-EST-REPLICAS. */
  void (*max_available_replicas)(void* self, const flt_room_request_t* request, flt_call_t* call);

  /* [op] -> flt_estimates_t: further whole sets of the components. Null: it is not asked.
   * Req-id: FLT-EST-SETS. */
  void (*max_available_component_sets)(void* self, const flt_room_request_t* request, flt_call_t* call);

  /* [op] -> flt_estimates_t: replicas that no node has taken for the threshold. Null: it is not asked.
   * Req-id: FLT-EST-UNSCHEDULABLE. */
  void (*unschedulable_replicas)(void* self, const flt_unschedulable_request_t* request, flt_call_t* call);
} flt_estimator_ops_t;

FLT_EXTERN_C_END

#endif /* FLOTILLA_ABI_ESTIMATOR_H */
