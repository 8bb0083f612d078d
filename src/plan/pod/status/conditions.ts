import type { ContainerStatus, Pod, PodCondition } from '../../../api/core/pod/schema.ts';
import { findCondition, isConditionTrue, sinceTransition } from '../../../api/meta/conditions.ts';
import { formatTime } from '../../../api/meta/time.ts';
import { firstByKey } from '../../../base/collections/first-by-key.ts';
import { RESIZE_CONDITIONS } from '../resize.ts';
import { couldRestartAll, RESTARTING } from '../restart/restart-all.ts';
import { isSidecar, type PodEviction } from '../snapshot.ts';

/** The inputs from which the conditions of a Pod are computed. */
export interface ConditionInputs {
	readonly phase: string;
	readonly hasSandbox: boolean;
	readonly initialized: boolean;
	/** Whether all containers are being restarted and the runtime still has attempts of them. */
	readonly restartingAll: boolean;
	readonly initStatuses: readonly ContainerStatus[];
	/** The statuses that decide the Pod's readiness: those of containers and sidecars. */
	readonly statuses: readonly ContainerStatus[];
	/** The conditions about a resize, as plan/pod/resize.ts has made them. */
	readonly resizes: readonly PodCondition[];
	readonly eviction: PodEviction | undefined;
	readonly now: number;
}

type Verdict = Pick<PodCondition, 'type' | 'status' | 'reason' | 'message'>;

/**
 * The Pod's conditions: those that the kubelet owns, in its order, after those of other writers, which are
 * kept.
 */
export function conditionsOf(pod: Pod, inputs: ConditionInputs): readonly PodCondition[] {
	const ready = containersReady(inputs);
	const verdicts: readonly Verdict[] = [
		{ type: 'PodReadyToStartContainers', status: inputs.hasSandbox ? 'True' : 'False' },
		initialized(pod, inputs),
		podReady(pod, ready),
		{ ...ready, type: 'ContainersReady' },
		{ type: 'PodScheduled', status: 'True' },
		...(couldRestartAll(pod.spec) ? [allRestarting(inputs)] : []),
		...(inputs.eviction?.isPressure ? [disrupted(inputs.eviction)] : []),
	];
	const own = new Set([...RESIZE_CONDITIONS, ...verdicts.map(({ type }) => type)]);
	const before = pod.status.conditions ?? [];
	return [
		...before.filter(({ type }) => !own.has(type)),
		...inputs.resizes,
		...verdicts.map((verdict) => dated(verdict, pod, inputs.now)),
	];
}

/** Why a Pod ends that did nothing wrong: a Job may then not count its failure (podFailurePolicy). */
function disrupted({ message }: PodEviction): Verdict {
	return { type: 'DisruptionTarget', status: 'True', reason: 'TerminationByKubelet', message };
}

/** The condition with its transition time, which changes only with the status. */
function dated(verdict: Verdict, pod: Pod, now: number): PodCondition {
	const { generation } = pod.metadata;
	const condition = {
		...verdict,
		...(generation !== undefined && { observedGeneration: generation }),
		lastTransitionTime: formatTime(now),
	};
	return sinceTransition(condition, findCondition(pod.status.conditions, verdict.type));
}

/** The condition Initialized. Once True it stays True, even while all containers are restarted. */
function initialized(pod: Pod, { phase, initialized, initStatuses }: ConditionInputs): Verdict {
	const type = 'Initialized';
	if (phase === 'Succeeded') return { type, status: 'True', reason: 'PodCompleted' };
	if (initialized || isConditionTrue(pod.status.conditions, type)) return { type, status: 'True' };
	const sidecars = new Set(pod.spec.initContainers?.filter(isSidecar).map(({ name }) => name));
	const waiting = initStatuses
		.filter(({ name, ready, started }) => !(sidecars.has(name) ? started : ready))
		.map(({ name }) => name);
	const message = `containers with incomplete status: [${waiting.join(' ')}]`;
	return { type, status: 'False', reason: 'ContainersNotInitialized', message };
}

/**
 * The condition Ready: all containers are ready and all readiness gates True (upstream:
 * GeneratePodReadyCondition).
 */
function podReady({ spec, status }: Pod, containers: Verdict): Verdict {
	const type = 'Ready';
	if (containers.status !== 'True') return { ...containers, type };
	const conditions = firstByKey(status.conditions ?? [], (each) => each.type);
	const unready = (spec.readinessGates ?? []).flatMap(({ conditionType }) => {
		const found = conditions.get(conditionType);
		if (!found) return [`corresponding condition of pod readiness gate "${conditionType}" does not exist.`];
		if (found.status === 'True') return [];
		return [`the status of pod readiness gate "${conditionType}" is not "True", but ${found.status}`];
	});
	if (unready.length === 0) return { type, status: 'True' };
	return { type, status: 'False', reason: 'ReadinessGatesNotReady', message: unready.join(', ') };
}

function allRestarting({ phase, restartingAll }: ConditionInputs): Verdict {
	const type = RESTARTING;
	if (phase === 'Succeeded') return { type, status: 'False', reason: 'PodCompleted' };
	if (phase === 'Failed') return { type, status: 'False', reason: 'PodFailed' };
	if (!restartingAll) return { type, status: 'False' };
	const message = 'container exited with restart policy rule';
	return { type, status: 'True', reason: 'RestartAllContainersStarted', message };
}

function containersReady({ phase, statuses }: ConditionInputs): Verdict {
	const type = 'ContainersReady';
	if (phase === 'Succeeded') return { type, status: 'False', reason: 'PodCompleted' };
	if (phase === 'Failed') return { type, status: 'False', reason: 'PodFailed' };
	const unready = statuses.filter(({ ready }) => !ready).map(({ name }) => name);
	if (unready.length === 0) return { type, status: 'True' };
	const message = `containers with unready status: [${unready.join(' ')}]`;
	return { type, status: 'False', reason: 'ContainersNotReady', message };
}
