/**
 * Changes of requests and limits in place (upstream: `handlePodResourcesResize` in allocation_manager.go and
 * `computePodResizeAction` in kuberuntime_manager.go). The resources in the statuses of the containers are those that the
 * node has given; the ones in the spec are wanted.
 *
 * 1. A resize that the node cannot give waits, with the condition PodResizePending, and the Pod continues with the
 *    resources that it has, also in containers that are restarted.
 * 2. A resize that the node accepts is reported by the condition PodResizeInProgress before its first step, and until
 *    all running containers have their resources.
 * 3. A container is restarted for a resize only if its resizePolicy says so.
 */

import type { EventText } from '../../api/core/event/event-text.ts';
import { aggregateRequests, type ResourceList } from '../../api/core/pod/aggregate-requests.ts';
import type {
	Container,
	Pod,
	PodCondition,
	PodSpec,
	ResourceRequirements,
} from '../../api/core/pod/schema.ts';
import { findCondition } from '../../api/meta/conditions.ts';
import {
	addQuantities,
	compareQuantities,
	quantityMilliValue,
	quantityValue,
} from '../../api/meta/quantity.ts';
import { formatTime } from '../../api/meta/time.ts';
import { approximate } from '../../base/json/json.ts';
import type { ContainerResize } from './plan.ts';
import { lastStatusOf, type PodSnapshot } from './snapshot.ts';

const PENDING = 'PodResizePending';
const IN_PROGRESS = 'PodResizeInProgress';

/** The types of the conditions about a resize. */
export const RESIZE_CONDITIONS: readonly string[] = [PENDING, IN_PROGRESS];

const RESIZABLE = ['cpu', 'memory'] as const;

/** How often the agent asks a runtime again that could not resize a container. */
const RETRY_MS = 10_000;
/** How often a deferred resize is considered, apart from changes of other Pods. */
const DEFERRED_MS = 30_000;

/** What a snapshot says about a resize of the Pod. */
export interface Resize {
	/** The Pod as the node has accepted it. */
	readonly pod: Pod;
	/** The containers to resize now in the runtime. */
	readonly updates: readonly ContainerResize[];
	/** The names of the running containers to restart, since their policy says so. */
	readonly restarts: ReadonlySet<string>;
	/** The names of the running containers whose status still has the resources of before. */
	readonly unfinished: ReadonlySet<string>;
	readonly conditions: readonly PodCondition[];
	readonly events: readonly EventText[];
	readonly waits: readonly number[];
	/** Whether the conditions must be written before a step. */
	readonly isNew: boolean;
}

/** Whether the Pod wants other resources than its containers have. */
export function wantsResize(pod: Pod): boolean {
	return resizableOf(pod.spec).some((container) => differs(given(pod, container), container.resources));
}

/** Whether the last status says that the resize waits for resources of other Pods. */
export function isResizeDeferred({ status }: Pod): boolean {
	return findCondition(status.conditions, PENDING)?.reason === 'Deferred';
}

/** What the Pods request together on their node: what they have, not what a pending resize of them wants. */
export function requestedTogether(pods: readonly Pod[]): ReadonlyMap<string, string> {
	const total = new Map<string, string>();
	for (const pod of pods) {
		const own = findCondition(pod.status.conditions, PENDING) ? withGivenResources(pod) : pod;
		for (const [name, amount] of aggregateRequests(own.spec))
			total.set(name, addQuantities(total.get(name) ?? '0', amount));
	}
	return total;
}

/** The Pod with the resources that it has, as far as its containers' statuses report them. */
export function withGivenResources(pod: Pod): Pod {
	const { containers, initContainers } = pod.spec;
	const keep = (container: Container): Container => {
		const resources = given(pod, container);
		return resources ? { ...container, resources: merged(container.resources, resources) } : container;
	};
	const spec: PodSpec = {
		...pod.spec,
		containers: containers.map(keep),
		...(initContainers && { initContainers: initContainers.map(keep) }),
	};
	return { ...pod, spec };
}

/** Plans the resize of a Pod that continues; `none` for one that ends. */
export function resizeOf(seen: PodSnapshot): Resize {
	const { pod, now } = seen;
	const before = findCondition(pod.status.conditions, IN_PROGRESS);
	if (!wantsResize(pod)) {
		const events = before ? [eventOf(pod, { reason: 'ResizeCompleted', title: 'Pod resize completed' })] : [];
		return { ...NO_RESIZE, pod, events };
	}
	const refusal = refusalOf(seen);
	if (refusal) return pendingResize(seen, refusal);
	const steps = stepsOf(seen);
	const error = [...seen.resizes.values()].find((each) => each.error !== undefined);
	const condition = conditionOf(seen, IN_PROGRESS, error && { reason: 'Error', message: error.error ?? '' });
	const isStarted = before?.observedGeneration === pod.metadata.generation;
	const isUnreported = error && (before?.reason !== 'Error' || before.message !== error.error);
	const events = [
		...(isStarted ? [] : [eventOf(pod, { reason: 'ResizeStarted', title: 'Pod resize started' })]),
		...(isUnreported
			? [eventOf(pod, { reason: 'ResizeError', title: 'Pod resize error', error: error.error ?? '' })]
			: []),
	];
	const isDone = steps.unfinished.size === 0 && isStarted;
	const waits = error ? [Math.max(now, (error.failedAt ?? now) + RETRY_MS)] : [];
	const done = [eventOf(pod, { reason: 'ResizeCompleted', title: 'Pod resize completed' })];
	if (isDone) return { ...NO_RESIZE, pod, events: done };
	return { ...steps, pod, conditions: [condition], events, waits, isNew: !isStarted };
}

const NO_RESIZE: Omit<Resize, 'pod'> = {
	updates: [],
	restarts: new Set<string>(),
	unfinished: new Set<string>(),
	conditions: [],
	events: [],
	waits: [],
	isNew: false,
};

/** No resize, since the Pod ends: its conditions about one are removed. */
export function noResize(pod: Pod): Resize {
	return { ...NO_RESIZE, pod: wantsResize(pod) ? withGivenResources(pod) : pod };
}

function pendingResize(
	seen: PodSnapshot,
	why: { readonly reason: string; readonly message: string },
): Resize {
	const { pod, now } = seen;
	const before = findCondition(pod.status.conditions, PENDING);
	const isKnown = before?.reason === why.reason && before.message === why.message;
	const reason = why.reason === 'Infeasible' ? 'ResizeInfeasible' : 'ResizeDeferred';
	const event = eventOf(pod, { reason, title: `Pod resize ${why.reason}`, error: why.message });
	return {
		...NO_RESIZE,
		pod: withGivenResources(pod),
		conditions: [conditionOf(seen, PENDING, why)],
		events: isKnown && before.observedGeneration === pod.metadata.generation ? [] : [event],
		waits: why.reason === 'Deferred' ? [now + DEFERRED_MS] : [],
	};
}

/** Why the node does not give the resources; undefined if it does. The messages are those of the kubelet. */
function refusalOf({ pod, traits, room }: PodSnapshot): { reason: string; message: string } | undefined {
	if (!traits.canResize)
		return { reason: 'Infeasible', message: 'In-place pod resize is not supported on this node' };
	if (!room) return undefined;
	const wanted = aggregateRequests(pod.spec);
	const own = aggregateRequests(withGivenResources(pod).spec);
	for (const name of RESIZABLE) {
		const [requested = '0', capacity = '0'] = [wanted.get(name), room.allocatable[name]];
		// A request that does not grow needs no room.
		if (compareQuantities(requested, own.get(name) ?? '0') <= 0) continue;
		const amount = (quantity: string): number =>
			name === 'cpu' ? quantityMilliValue(quantity) : quantityValue(quantity);
		const used = amount(room.used.get(name) ?? '0');
		if (amount(requested) + used <= amount(capacity)) continue;
		const message = `Node didn't have enough resource: ${name}, requested: ${amount(requested)}, used: ${used}, capacity: ${amount(capacity)}`;
		return { reason: 'Deferred', message };
	}
	return undefined;
}

/** The steps for the running containers, and those whose resize is not finished. */
function stepsOf(seen: PodSnapshot): Pick<Resize, 'updates' | 'restarts' | 'unfinished'> {
	const { pod, resizes, attempts, now } = seen;
	const updates: ContainerResize[] = [];
	const restarts = new Set<string>();
	const unfinished = new Set<string>();
	for (const container of resizableOf(pod.spec)) {
		const attempt = attempts.get(container.name)?.at(-1);
		const has = given(pod, container);
		if (attempt?.state !== 'running' || !isReported(seen, container.name, attempt.id)) continue;
		if (!has || !differs(has, container.resources)) continue;
		const state = resizes.get(attempt.id);
		if (state?.resources && !differs(state.resources, container.resources)) continue;
		unfinished.add(container.name);
		if (restartsFor(container, has)) restarts.add(container.name);
		else if ((state?.failedAt ?? Number.NEGATIVE_INFINITY) + RETRY_MS <= now)
			updates.push({ id: attempt.id, name: container.name, resources: container.resources ?? {} });
	}
	return { updates, restarts, unfinished };
}

function isReported({ pod, runtime }: PodSnapshot, name: string, id: string): boolean {
	return lastStatusOf(pod, name)?.containerID === `${runtime}://${id}`;
}

/** Whether the policy of a resource that changes restarts the container. */
function restartsFor({ resources, resizePolicy = [] }: Container, has: ResourceRequirements): boolean {
	return resizePolicy.some(
		({ resourceName, restartPolicy }) =>
			restartPolicy === 'RestartContainer' &&
			RESIZABLE.some((name) => name === resourceName && differs(has, resources, [name])),
	);
}

/** The resources that the container has by its last status; undefined if it was never created. */
function given(pod: Pod, { name }: Container): ResourceRequirements | undefined {
	const status = lastStatusOf(pod, name);
	return status?.containerID ? status.resources : undefined;
}

function differs(
	has: ResourceRequirements | undefined,
	wanted: ResourceRequirements | undefined,
	names: readonly string[] = RESIZABLE,
): boolean {
	if (!has) return false;
	const isOther = (a: ResourceList = {}, b: ResourceList = {}): boolean =>
		names.some((name) => a[name] !== b[name] && compareQuantities(a[name] ?? '0', b[name] ?? '0') !== 0);
	return isOther(has.requests, wanted?.requests) || isOther(has.limits, wanted?.limits);
}

/** The wanted resources with the amounts of cpu and memory that the container has. */
function merged(wanted: ResourceRequirements | undefined, has: ResourceRequirements): ResourceRequirements {
	const part = (now: ResourceList = {}, own: ResourceList = {}): ResourceList => {
		const { cpu: _cpu, memory: _memory, ...rest } = now;
		const { cpu, memory } = own;
		return { ...(cpu !== undefined && { cpu }), ...(memory !== undefined && { memory }), ...rest };
	};
	const requests = part(wanted?.requests, has.requests);
	const limits = part(wanted?.limits, has.limits);
	return {
		...wanted,
		...(Object.keys(limits).length > 0 && { limits }),
		...(Object.keys(requests).length > 0 && { requests }),
	};
}

function resizableOf({ containers, initContainers = [] }: PodSpec): readonly Container[] {
	return [...initContainers, ...containers];
}

/** The condition, whose transition time changes only with its reason (upstream: `updatedPodResizeCondition`). */
function conditionOf(
	{ pod, now }: PodSnapshot,
	type: string,
	why: { readonly reason: string; readonly message: string } | undefined,
): PodCondition {
	const before = findCondition(pod.status.conditions, type);
	const { generation } = pod.metadata;
	const isSame = before !== undefined && (before.reason ?? '') === (why?.reason ?? '');
	const time = (isSame && before.lastTransitionTime) || formatTime(now);
	return {
		type,
		status: 'True',
		lastProbeTime: null,
		lastTransitionTime: time,
		...(generation !== undefined && { observedGeneration: generation }),
		...why,
	};
}

/** An Event with upstream's message: the wanted resources as JSON (events/resize.go). */
function eventOf(
	{ metadata, spec }: Pod,
	{ reason, title, error }: { readonly reason: string; readonly title: string; readonly error?: string },
): EventText {
	const list = (containers: readonly Container[] = []): readonly object[] =>
		containers.map(({ name, resources: { limits, requests } = {} }) => ({
			name,
			resources: { ...(limits && { limits }), ...(requests && { requests }) },
		}));
	const summary = JSON.stringify({
		...(spec.initContainers?.length && { initContainers: list(spec.initContainers) }),
		containers: list(spec.containers),
		generation: approximate(metadata.generation ?? 0),
		...(error && { error }),
	});
	return { type: error === undefined ? 'Normal' : 'Warning', reason, message: `${title}: ${summary}` };
}
