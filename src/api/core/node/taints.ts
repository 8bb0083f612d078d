/** Keys of the taints by which components keep Pods away from a node. They are upstream's. */

/** The node is not ready. */
export const NOT_READY_TAINT = 'node.kubernetes.io/not-ready';

/** The node no longer reports its status. */
export const UNREACHABLE_TAINT = 'node.kubernetes.io/unreachable';

/** `spec.unschedulable` is set: the node accepts no further Pods. */
export const UNSCHEDULABLE_TAINT = 'node.kubernetes.io/unschedulable';

/** An administrator has declared the node dead, so that its Pods may be deleted at once. */
export const OUT_OF_SERVICE_TAINT = 'node.kubernetes.io/out-of-service';
