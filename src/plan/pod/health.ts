/**
 * Whether a running container has started and is ready, from the results of its probes (upstream: `isContainerStarted`
 * and `UpdatePodStatus` in prober_manager.go). After a restart of the agent, the last status stands in for a probe
 * without a result: a container that was ready stays ready until its probe fails.
 */

import type { Container, ContainerStatus } from '../../api/core/pod/schema.ts';
import { type Attempt, lastStatusOf, type PodSnapshot } from './snapshot.ts';

/** Whether the attempt runs, its postStart hook has succeeded, and so has its startup probe. */
export function isContainerStarted(
	seen: PodSnapshot,
	container: Container,
	attempt: Attempt | undefined,
): boolean {
	if (attempt?.state !== 'running' || seen.postStarts.has(attempt.id)) return false;
	if (!container.startupProbe) return true;
	const result = seen.probes.get(attempt.id)?.startup;
	if (result !== undefined) return result === 'success';
	return reportedStatus(seen, container, attempt)?.started === true;
}

/** Whether the attempt has started, and its readiness probe succeeds. */
export function isContainerReady(seen: PodSnapshot, container: Container, attempt: Attempt): boolean {
	if (!isContainerStarted(seen, container, attempt)) return false;
	if (!container.readinessProbe) return true;
	const result = seen.probes.get(attempt.id)?.readiness;
	if (result !== undefined) return result === 'success';
	return reportedStatus(seen, container, attempt)?.ready === true;
}

/** Which probe of the running attempt has failed so that it must be stopped; liveness first, as upstream. */
export function failedProbe(
	seen: PodSnapshot,
	container: Container,
	attempt: Attempt,
): 'liveness' | 'startup' | undefined {
	const { liveness, startup } = seen.probes.get(attempt.id) ?? {};
	if (container.livenessProbe && liveness === 'failure') return 'liveness';
	return container.startupProbe && startup === 'failure' ? 'startup' : undefined;
}

/** The status of this very attempt, if the Pod's last status has it. */
function reportedStatus(
	seen: PodSnapshot,
	{ name }: Container,
	{ id }: Attempt,
): ContainerStatus | undefined {
	const status = lastStatusOf(seen.pod, name);
	return status?.containerID === `${seen.runtime}://${id}` ? status : undefined;
}
