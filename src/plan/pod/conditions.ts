import type { ContainerStatus, Pod, PodCondition } from '../../api/core/pod/schema.ts';
import { formatTime } from '../../api/meta/time.ts';
import { firstByKey } from '../../base/first-by-key.ts';
import { couldRestartAll, RESTARTING } from './restart-all.ts';

/** What the conditions of a Pod are made from. */
export interface Aspects {
	readonly phase: string;
	readonly hasSandbox: boolean;
	readonly initialized: boolean;
	/** All containers are being restarted, and there is still something of them. */
	readonly restartingAll: boolean;
	readonly initStatuses: readonly ContainerStatus[];
	/** Those whose readiness is the Pod's: the containers and the sidecars. */
	readonly statuses: readonly ContainerStatus[];
	readonly now: number;
}

type Verdict = Pick<PodCondition, 'type' | 'status' | 'reason' | 'message'>;

/** The conditions that the kubelet owns, in its order; those that others have set stay as they are. */
export function conditionsOf(pod: Pod, aspects: Aspects): readonly PodCondition[] {
	const ready = containersReady(aspects);
	const verdicts: readonly Verdict[] = [
		{ type: 'PodReadyToStartContainers', status: aspects.hasSandbox ? 'True' : 'False' },
		initialized(pod, aspects),
		podReady(pod, ready),
		{ ...ready, type: 'ContainersReady' },
		{ type: 'PodScheduled', status: 'True' },
		...(couldRestartAll(pod.spec) ? [allRestarting(aspects)] : []),
	];
	const own = new Set(verdicts.map(({ type }) => type));
	const before = pod.status.conditions ?? [];
	return [
		...before.filter(({ type }) => !own.has(type)),
		...verdicts.map((verdict) => dated(verdict, pod, aspects.now)),
	];
}

function dated(verdict: Verdict, pod: Pod, now: number): PodCondition {
	const { generation } = pod.metadata;
	const before = pod.status.conditions?.find(({ type }) => type === verdict.type);
	const same = before?.status === verdict.status && before.lastTransitionTime !== undefined;
	return {
		...verdict,
		...(generation !== undefined && { observedGeneration: generation }),
		lastTransitionTime: same && before.lastTransitionTime ? before.lastTransitionTime : formatTime(now),
	};
}

/** What was initialised stays so, also while all containers are started anew. */
function initialized(pod: Pod, { phase, initialized, initStatuses }: Aspects): Verdict {
	const type = 'Initialized';
	if (phase === 'Succeeded') return { type, status: 'True', reason: 'PodCompleted' };
	const before = pod.status.conditions?.find((each) => each.type === type);
	if (initialized || before?.status === 'True') return { type, status: 'True' };
	const waiting = initStatuses.filter(({ ready }) => !ready).map(({ name }) => name);
	const message = `containers with incomplete status: [${waiting.join(' ')}]`;
	return { type, status: 'False', reason: 'ContainersNotInitialized', message };
}

/** Beside its containers, the conditions that the Pod names must be True (upstream: GeneratePodReadyCondition). */
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

function allRestarting({ phase, restartingAll }: Aspects): Verdict {
	const type = RESTARTING;
	if (phase === 'Succeeded') return { type, status: 'False', reason: 'PodCompleted' };
	if (phase === 'Failed') return { type, status: 'False', reason: 'PodFailed' };
	if (!restartingAll) return { type, status: 'False' };
	const message = 'container exited with restart policy rule';
	return { type, status: 'True', reason: 'RestartAllContainersStarted', message };
}

function containersReady({ phase, statuses }: Aspects): Verdict {
	const type = 'ContainersReady';
	if (phase === 'Succeeded') return { type, status: 'False', reason: 'PodCompleted' };
	if (phase === 'Failed') return { type, status: 'False', reason: 'PodFailed' };
	const unready = statuses.filter(({ ready }) => !ready).map(({ name }) => name);
	if (unready.length === 0) return { type, status: 'True' };
	const message = `containers with unready status: [${unready.join(' ')}]`;
	return { type, status: 'False', reason: 'ContainersNotReady', message };
}
