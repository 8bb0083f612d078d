import type { EventText } from '../../api/core/event/event-text.ts';
import { hasEnded } from '../../api/core/pod/phase.ts';
import type { Container, ContainerStatus, PodStatus } from '../../api/core/pod/schema.ts';
import { formatTime } from '../../api/meta/time.ts';
import { type Finding, findingsOf, hintsText } from './fields/field-rules.ts';
import { mountFailures } from './fields/mount-failures.ts';
import type { PodPlan } from './plan.ts';
import { type Ending, type Progress, progressOf } from './progress.ts';
import { noResize, type Resize, resizeOf } from './resize.ts';
import { attemptsOf } from './restart/attempts.ts';
import { restartsAfter } from './restart/restart.ts';
import { restartsAll } from './restart/restart-all.ts';
import { isSidecar, type PodSnapshot, WHOLE_POD } from './snapshot.ts';
import { conditionsOf } from './status/conditions.ts';
import { containerStatusOf } from './status/container-status.ts';
import { phaseUnderWay, type StatusByName } from './status/phase.ts';
import { nextRetryAt } from './steps.ts';

/**
 * Plans the next steps for a Pod on its node and computes its status, by the kubelet's rules (upstream: SyncPod
 * in pkg/kubelet/kubelet.go and computePodActions in kuberuntime_manager.go). Pure; the node agent applies the
 * plan.
 *
 * Read in this order: snapshot.ts (input), plan.ts (output), progress.ts (whether the Pod continues), steps.ts (what to
 * start and stop), stopping.ts (order and grace periods), health.ts and probes/probe-worker.ts (probes),
 * restart/restart.ts and restart/restart-all.ts (restarts), resize.ts, status/container-status.ts, status/conditions.ts
 * and status/phase.ts (status), fields/field-rules.ts (fields that a runtime does not support). Then what the agent
 * needs to apply a plan: image.ts (pulls), inputs/needs.ts (objects and volumes), config/container-config.ts and
 * config/sandbox-config.ts (what the runtime receives). The API server uses the rest: admission/ (what a new Pod
 * receives), binding.ts and container-log.ts.
 *
 * 1. A terminal phase is reported only when no container of the Pod runs, and never changes afterwards.
 * 2. No container is started for a Pod that is being deleted, past its deadline, or terminal.
 * 3. Each container attempt is started once; the next attempt has the next number.
 */
export function planPod(observed: PodSnapshot): PodPlan {
	const ends = hasEnded(observed.pod) || observed.pod.metadata.deletionTimestamp !== undefined;
	const resize = ends ? noResize(observed.pod) : resizeOf(observed);
	const seen = { ...observed, pod: resize.pod };
	const progress = progressOf(seen, resize);
	const { starts, stops, removals, waits, ending, restartingAll } = progress;
	const status = hasEnded(seen.pod) ? seen.pod.status : statusOf(seen, progress, resize);
	const stopped = ending !== undefined && stops.length === 0 && nothingRuns(seen);
	const deleted = seen.pod.metadata.deletionTimestamp !== undefined;
	const setUp = setUpOf(seen, starts);
	const dues = [...waits, ...resize.waits, ...(setUp.due === undefined ? [] : [setUp.due])];
	const next = dues.length > 0 ? Math.max(0, Math.min(...dues) - seen.now) : undefined;
	return {
		sandbox: setUp.sandbox,
		mountFailure: setUp.mountFailure,
		statusEvents: [...resize.events, ...eventsOf(seen, progress)],
		starts: seen.sandbox ? starts : [],
		stops,
		removals,
		resizes: ending === undefined ? resize.updates : [],
		// A restart of all containers is resumed from the status, so the status must be written before each step. A
		// resize is reported before it begins.
		statusFirst: restartingAll !== undefined || resize.isNew,
		status,
		end: stopped ? (deleted ? 'remove' : 'over') : undefined,
		terminating: ending !== undefined,
		againAfterMs: next,
	};
}

/** The setup before the first container: the volumes, then the sandbox. */
function setUpOf(
	seen: PodSnapshot,
	starts: PodPlan['starts'],
): Pick<PodPlan, 'sandbox' | 'mountFailure'> & { readonly due?: number } {
	const { pod, traits, startBackoffs, now } = seen;
	if (starts.length === 0 || seen.sandbox) return { sandbox: undefined, mountFailure: undefined };
	const before = startBackoffs.get(WHOLE_POD);
	const due = before ? nextRetryAt(before) : now;
	if (due > now) return { sandbox: undefined, mountFailure: undefined, due };
	const failures = mountFailures(pod, traits);
	if (failures.length === 0) {
		const because = `${starts.length} container(s) must be started`;
		return { sandbox: { because, events: notHonoured(seen) }, mountFailure: undefined };
	}
	const message = failures[0]?.message ?? '';
	return { sandbox: undefined, mountFailure: { message, events: failures } };
}

/** One Event about all fields that the Pod sets and that have no effect on this runtime. */
function notHonoured({ pod, traits }: PodSnapshot): readonly EventText[] {
	const findings = findingsOf(pod, 'warned', traits);
	if (findings.length === 0) return [];
	return [{ type: 'Warning', reason: 'NotHonoured', message: hintsText(findings) }];
}

/** The Event if the node agent rejects the Pod, evicts it or ends it at its deadline. */
function eventsOf({ pod, eviction }: PodSnapshot, { rejection, ending }: Progress): readonly EventText[] {
	if (rejection) return [{ type: 'Warning', reason: rejection.rule.reason ?? '', message: rejection.text }];
	if (ending === 'evicted' && eviction && pod.status.reason !== EVICTED)
		return [{ type: 'Warning', reason: EVICTED, message: eviction.message }];
	if (ending !== 'deadline' || pod.status.reason === DEADLINE.reason) return [];
	return [{ type: 'Normal', ...DEADLINE }];
}

/** Whether the runtime has no running attempt of any container. */
function nothingRuns({ attempts }: PodSnapshot): boolean {
	for (const each of attempts.values()) if (each.some(({ state }) => state === 'running')) return false;
	return true;
}

/** The status of a Pod that is not terminal yet; it becomes terminal by this plan if the Pod has ended. */
function statusOf(seen: PodSnapshot, progress: Progress, resize: Resize): PodStatus {
	const { pod, now, sandbox, hostIP } = seen;
	const { ending, restartingAll, rejection } = progress;
	if (rejection) return rejectedStatus(seen, rejection);
	const continues = ending === undefined;
	const blocked = seen.startBackoffs.get(WHOLE_POD);
	const over = !continues && nothingRuns(seen);
	const { containers, initContainers = [], ephemeralContainers = [] } = pod.spec;
	const describe = (container: Container, init: boolean): ContainerStatus =>
		containerStatusOf(container, {
			seen,
			continues,
			restartingAll: restartingAll !== undefined,
			restarts: isToRestart(seen, container, init && !isSidecar(container)),
			waiting: {
				reason: initContainers.length > 0 ? 'PodInitializing' : 'ContainerCreating',
				...(blocked && { message: blocked.message }),
			},
			init: init && !isSidecar(container),
			missed: over && progress.initialized && !init,
			isUnfinished: resize.unfinished.has(container.name),
		});
	const initStatuses = initContainers.map((container) => describe(container, true));
	const statuses = containers.map((container) => describe(container, false));
	const ephemeralStatuses = ephemeralContainers.map((container) =>
		describeEphemeral(container, seen, continues),
	);
	const sidecars = initStatuses.filter((_, index) => initContainers[index]?.restartPolicy === 'Always');
	const all = new Map([...initStatuses, ...statuses].map((status) => [status.name, status]));
	const phase = phaseOf(seen, progress, all);
	const { generation } = pod.metadata;
	const { reason: _reason, message: _message, ...kept } = pod.status;
	const inputs = {
		phase,
		hasSandbox: sandbox !== undefined && !over,
		initialized: progress.initialized,
		restartingAll: restartingAll === 'clearing',
		resizes: continues ? resize.conditions : [],
		eviction: seen.eviction,
	};
	return {
		...kept,
		...(generation !== undefined && { observedGeneration: generation }),
		phase,
		conditions: conditionsOf(pod, { ...inputs, initStatuses, statuses: [...sidecars, ...statuses], now }),
		...reasonOf(seen, ending),
		hostIP,
		hostIPs: [{ ip: hostIP }],
		...(sandbox && { podIP: sandbox.ip, podIPs: [{ ip: sandbox.ip }] }),
		startTime: pod.status.startTime ?? formatTime(now),
		...(initStatuses.length > 0 && { initContainerStatuses: initStatuses }),
		containerStatuses: statuses,
		...(ephemeralStatuses.length > 0 && { ephemeralContainerStatuses: ephemeralStatuses }),
	};
}

/** The status of an ephemeral container, which is never restarted and never ready. */
function describeEphemeral(container: Container, seen: PodSnapshot, continues: boolean): ContainerStatus {
	const initializing = (seen.pod.spec.initContainers ?? []).length > 0;
	const waiting = { reason: initializing ? 'PodInitializing' : 'ContainerCreating' };
	const how = { restartingAll: false, restarts: false, init: true, missed: false, isUnfinished: false };
	const { started: _, ...status } = containerStatusOf(container, { seen, continues, waiting, ...how });
	return { ...status, ready: false };
}

/** The status of a Pod that is not admitted, as the kubelet reports it: without statuses of containers. */
function rejectedStatus({ pod, now }: PodSnapshot, { rule, text }: Finding): PodStatus {
	return {
		...pod.status,
		phase: 'Failed',
		...(rule.reason !== undefined && { reason: rule.reason }),
		message: `Pod was rejected: ${text}`,
		startTime: pod.status.startTime ?? formatTime(now),
	};
}

/** Why the node agent ends the Pod, for the reasons that a status names. */
function reasonOf(
	{ eviction }: PodSnapshot,
	ending: Ending | undefined,
): Pick<PodStatus, 'reason' | 'message'> {
	if (ending === 'deadline') return DEADLINE;
	return ending === 'evicted' && eviction ? { reason: EVICTED, message: eviction.message } : {};
}

/** The kubelet's reason for all evictions. */
const EVICTED = 'Evicted';

const DEADLINE = {
	reason: 'DeadlineExceeded',
	message: 'Pod was active on the node longer than the specified deadline',
};

/** Whether the container is restarted after its last end. An init container that has succeeded never is. */
function isToRestart(seen: PodSnapshot, container: Container, runsOnce: boolean): boolean {
	const last = attemptsOf(seen, container.name).at(-1);
	if (last?.state !== 'exited' || restartsAll(container, last.exitCode)) return false;
	if (runsOnce && last.exitCode === 0) return false;
	return restartsAfter(seen, container, last);
}

/** The phase by the states of the containers; a terminal one only when no container runs. */
function phaseOf(
	seen: PodSnapshot,
	{ ending }: Progress,
	statuses: StatusByName,
): NonNullable<PodStatus['phase']> {
	if (ending === undefined) return phaseUnderWay(seen.pod.spec, statuses);
	return nothingRuns(seen) ? endPhase(seen, ending) : (seen.pod.status.phase ?? 'Pending');
}

/** The endings after which a Pod has failed, whatever its containers' exit codes are. */
const FAILURES: ReadonlySet<Ending> = new Set(['deadline', 'init-failed', 'rejected', 'evicted']);

/** The terminal phase: Succeeded only if the last attempt of every regular container has exit code 0. */
function endPhase(seen: PodSnapshot, ending: Ending): 'Succeeded' | 'Failed' {
	if (FAILURES.has(ending)) return 'Failed';
	const succeeded = seen.pod.spec.containers.every(({ name }) => {
		const last = attemptsOf(seen, name).at(-1);
		return last?.state === 'exited' && last.exitCode === 0;
	});
	return succeeded ? 'Succeeded' : 'Failed';
}
