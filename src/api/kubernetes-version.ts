/**
 * The version of Kubernetes whose API and behaviour stint implements. No other place names it: see
 * docs/contributing/follow-kubernetes.md for what changes with it.
 */
export const KUBERNETES_VERSION = '1.37.0';
