/** The annotation by which a Service asks for endpoints near its clients. It has no effect on one node. */
export const MODE_ANNOTATION = 'service.kubernetes.io/topology-mode';

/** Its name before Kubernetes 1.27. */
export const HINTS_ANNOTATION = 'service.kubernetes.io/topology-aware-hints';
