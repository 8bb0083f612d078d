import type { Container, ContainerStatus, PodStatus } from '../../api/core/pod/schema.ts';
import { formatTime } from '../../api/meta/time.ts';
import { attemptsOf } from './attempts.ts';
import { conditionsOf } from './conditions.ts';
import { containerStatusOf } from './container-status.ts';
import { phaseUnderWay, type StatusByName } from './phase.ts';
import type { PodPlan } from './plan.ts';
import { isTerminal, type Progress, progressOf } from './progress.ts';
import { isRestarted } from './restart.ts';
import { restartsAll } from './restart-all.ts';
import { isSidecar, type PodSnapshot } from './snapshot.ts';

/**
 * What to do next for a Pod on its node, and what its status says: the kubelet's rules.
 *
 * 1. A phase that ends a Pod is reported only once nothing of it runs, and is never taken back.
 * 2. Nothing is started for a Pod that is deleted, past its deadline or over.
 * 3. An attempt at a container is started once; the next one has the next number.
 */
export function planPod(seen: PodSnapshot): PodPlan {
	const progress = progressOf(seen);
	const { starts, stops, removals, waits, ending, restartingAll } = progress;
	const status = isTerminal(seen.pod) ? seen.pod.status : statusOf(seen, progress);
	const stopped = ending !== undefined && stops.length === 0 && nothingRuns(seen);
	const deleted = seen.pod.metadata.deletionTimestamp !== undefined;
	const needsSandbox = starts.length > 0 && seen.sandbox === undefined;
	const next = waits.length > 0 ? Math.max(0, Math.min(...waits) - seen.now) : undefined;
	return {
		sandbox: needsSandbox ? { because: `${starts.length} container(s) are to be started` } : undefined,
		starts: needsSandbox ? [] : starts,
		stops,
		removals,
		// A restart of all containers goes on from what was told, whatever happens in between.
		statusFirst: restartingAll !== undefined,
		status,
		end: stopped ? (deleted ? 'remove' : 'over') : undefined,
		againAfterMs: next,
	};
}

function nothingRuns({ attempts }: PodSnapshot): boolean {
	for (const each of attempts.values()) if (each.some(({ state }) => state === 'running')) return false;
	return true;
}

function statusOf(seen: PodSnapshot, progress: Progress): PodStatus {
	const { pod, now, sandbox, hostIP } = seen;
	const { ending, restartingAll } = progress;
	const goesOn = ending === undefined;
	const over = !goesOn && nothingRuns(seen);
	const { containers, initContainers = [] } = pod.spec;
	const describe = (container: Container, init: boolean): ContainerStatus =>
		containerStatusOf(container, {
			seen,
			goesOn,
			restartingAll: restartingAll !== undefined,
			restarts: restartsOf(seen, container),
			waitingReason: initContainers.length > 0 ? 'PodInitializing' : 'ContainerCreating',
			init: init && !isSidecar(container),
			missed: over && progress.initialized && !init,
		});
	const initStatuses = initContainers.map((container) => describe(container, true));
	const statuses = containers.map((container) => describe(container, false));
	const sidecars = initStatuses.filter((_, index) => initContainers[index]?.restartPolicy === 'Always');
	const all = new Map([...initStatuses, ...statuses].map((status) => [status.name, status]));
	const phase = phaseOf(seen, progress, all);
	const { generation } = pod.metadata;
	const { reason: _reason, message: _message, ...kept } = pod.status;
	const aspects = {
		phase,
		hasSandbox: sandbox !== undefined && !over,
		initialized: progress.initialized,
		restartingAll: restartingAll === 'clearing',
	};
	return {
		...kept,
		...(generation !== undefined && { observedGeneration: generation }),
		phase,
		conditions: conditionsOf(pod, { ...aspects, initStatuses, statuses: [...sidecars, ...statuses], now }),
		...(ending === 'deadline' && DEADLINE),
		hostIP,
		hostIPs: [{ ip: hostIP }],
		...(sandbox && { podIP: sandbox.ip, podIPs: [{ ip: sandbox.ip }] }),
		startTime: pod.status.startTime ?? formatTime(now),
		...(initStatuses.length > 0 && { initContainerStatuses: initStatuses }),
		containerStatuses: statuses,
	};
}

const DEADLINE = {
	reason: 'DeadlineExceeded',
	message: 'Pod was active on the node longer than the specified deadline',
};

function restartsOf(seen: PodSnapshot, container: Container): boolean {
	const last = attemptsOf(seen, container.name).at(-1);
	if (last?.state !== 'exited' || restartsAll(container, last.exitCode)) return false;
	return isRestarted(container, seen.pod.spec.restartPolicy, last.exitCode);
}

/** The phase by the containers alone, held back from an end until nothing runs any more. */
function phaseOf(
	seen: PodSnapshot,
	{ ending }: Progress,
	statuses: StatusByName,
): NonNullable<PodStatus['phase']> {
	if (ending === undefined) return phaseUnderWay(seen.pod.spec, statuses);
	return nothingRuns(seen) ? endPhase(seen, ending) : (seen.pod.status.phase ?? 'Pending');
}

function endPhase(seen: PodSnapshot, ending: NonNullable<Progress['ending']>): 'Succeeded' | 'Failed' {
	if (ending === 'deadline' || ending === 'init-failed') return 'Failed';
	const succeeded = seen.pod.spec.containers.every(({ name }) => {
		const last = attemptsOf(seen, name).at(-1);
		return last?.state === 'exited' && last.exitCode === 0;
	});
	return succeeded ? 'Succeeded' : 'Failed';
}
