/**
 * The container runtime: `process` runs host processes, `sandbox` images without an engine, `docker` has Docker or Podman
 * run containers, `fake` simulates containers without running anything.
 */
export type RuntimeName = 'process' | 'sandbox' | 'docker' | 'fake';
