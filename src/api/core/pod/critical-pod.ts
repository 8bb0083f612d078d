import type { Pod } from './schema.ts';

/** The priority of system-cluster-critical: the least that is reserved for the system. */
const SYSTEM_CRITICAL_PRIORITY = 2_000_000_000;

/** Whether the node keeps the Pod even when it is short of a resource (upstream: `IsCriticalPod` in pkg/kubelet/types). */
export function isCriticalPod({ spec, metadata }: Pod): boolean {
	const { annotations } = metadata;
	const isStatic = annotations?.['kubernetes.io/config.source'] === 'file';
	return isStatic || (spec.priority ?? 0) >= SYSTEM_CRITICAL_PRIORITY;
}
