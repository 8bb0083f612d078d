import { firstByKey } from '../../../base/first-by-key.ts';
import { ageColumn, nameColumn } from '../../meta/columns.ts';
import { ageOf } from '../../meta/duration.ts';
import type { Column } from '../../meta/resource.ts';
import type { ContainerStatus, Pod } from './schema.ts';

function column(name: string, priority: 0 | 1, description: string, cell: Column<Pod>['cell']): Column<Pod> {
	return { name, type: 'string', priority, description, cell };
}

/** The columns of `kubectl get pods`. */
export const podColumns: readonly Column<Pod>[] = [
	nameColumn(),
	column('Ready', 0, 'How many of its containers are ready.', readyOf),
	column('Status', 0, 'What it is doing.', podStatusText),
	column('Restarts', 0, 'How often its containers were started again.', restartsOf),
	ageColumn(),
	column('IP', 1, 'Its address.', ({ status }) => status.podIPs?.[0]?.ip || status.podIP || '<none>'),
	column('Node', 1, 'The node it runs on.', ({ spec }) => spec.nodeName || '<none>'),
	column(
		'Nominated Node',
		1,
		'The node that is being cleared for it.',
		({ status }) => status.nominatedNodeName || '<none>',
	),
	column('Readiness Gates', 1, 'How many of its readiness gates hold.', readinessGatesOf),
];

/** Sidecars run beside the containers and count with them. */
function sidecarNames({ spec }: Pod): ReadonlySet<string> {
	const sidecars = spec.initContainers?.filter(({ restartPolicy }) => restartPolicy === 'Always');
	return new Set(sidecars?.map(({ name }) => name));
}

/**
 * How far the init containers have got: the word for the first that has yet to do its part, and the
 * sidecars before it that are ready.
 */
function initProgress(pod: Pod): { readonly word: string | undefined; readonly ready: number } {
	const sidecars = sidecarNames(pod);
	let ready = 0;
	for (const [index, container] of (pod.status.initContainerStatuses ?? []).entries()) {
		const { terminated, waiting } = container.state ?? {};
		if (terminated?.exitCode === 0) continue;
		if (sidecars.has(container.name) && container.started) {
			if (container.ready) ready++;
			continue;
		}
		if (terminated) return { word: `Init:${endWord(terminated)}`, ready };
		const reason = waiting?.reason || 'PodInitializing';
		const count = `${index}/${pod.spec.initContainers?.length ?? 0}`;
		return { word: `Init:${reason === 'PodInitializing' ? count : reason}`, ready };
	}
	return { word: undefined, ready };
}

/** Whether the regular containers are what counts: all init containers have done their part, or once had. */
function showsContainers(pod: Pod, word: string | undefined): boolean {
	return word === undefined || hasCondition(pod, 'Initialized');
}

function hasCondition({ status }: Pod, type: string): boolean {
	return (
		status.conditions?.some((condition) => condition.type === type && condition.status === 'True') ?? false
	);
}

function readyOf(pod: Pod): string {
	const { word, ready } = initProgress(pod);
	const containers = showsContainers(pod, word) ? (pod.status.containerStatuses ?? []).filter(isReady) : [];
	const total = pod.spec.containers.length + sidecarNames(pod).size;
	return `${ready + containers.length}/${total}`;
}

function isReady({ ready, state }: ContainerStatus): boolean {
	return ready && state?.running !== undefined && !state.waiting?.reason && !state.terminated;
}

/** The STATUS column of a Pod, by the rules of upstream's printer: the most telling word last found. */
export function podStatusText(pod: Pod): string {
	const { status, metadata } = pod;
	const gated = status.conditions?.some(
		({ type, reason }) => type === 'PodScheduled' && reason === 'SchedulingGated',
	);
	const { word } = initProgress(pod);
	let text = word ?? (gated ? 'SchedulingGated' : status.reason || status.phase || '');
	if (showsContainers(pod, word)) text = containerText(pod, text);
	if (metadata.deletionTimestamp === undefined) return text;
	if (status.reason === 'NodeLost') return 'Unknown';
	return status.phase === 'Succeeded' || status.phase === 'Failed' ? text : 'Terminating';
}

/** The word for the regular containers: that of the first one, by the status's order, that has one. */
function containerText(pod: Pod, otherwise: string): string {
	let text = otherwise;
	let error: string | undefined;
	const statuses = pod.status.containerStatuses ?? [];
	for (const { state } of statuses.toReversed()) {
		const { waiting, terminated } = state ?? {};
		if (waiting?.reason) text = waiting.reason;
		else if (terminated) {
			text = endWord(terminated);
			if (terminated.exitCode !== 0) error = text;
		}
	}
	if (text !== 'Completed') return text;
	const running = statuses.some(isReady);
	if (running && hasCondition(pod, 'Ready')) return 'Running';
	return error ?? (running ? 'NotReady' : text);
}

type End = NonNullable<NonNullable<ContainerStatus['state']>['terminated']>;

function endWord({ reason, signal, exitCode }: End): string {
	return reason || (signal ? `Signal:${signal}` : `ExitCode:${exitCode}`);
}

function restartsOf(pod: Pod, now: number): string {
	const sidecars = sidecarNames(pod);
	const { initContainerStatuses = [], containerStatuses = [] } = pod.status;
	const init = untilUnfinished(initContainerStatuses, sidecars);
	const counted = showsContainers(pod, initProgress(pod).word)
		? [...init.filter(({ name }) => sidecars.has(name)), ...containerStatuses]
		: init;
	const restarts = counted.reduce((sum, { restartCount }) => sum + restartCount, 0);
	const last = latestEnd(counted);
	return restarts === 0 || last === undefined ? String(restarts) : `${restarts} (${ageOf(last, now)} ago)`;
}

/** The init containers up to the one that has yet to do its part. */
function untilUnfinished(
	init: readonly ContainerStatus[],
	sidecars: ReadonlySet<string>,
): readonly ContainerStatus[] {
	const index = init.findIndex(
		({ name, state, started }) => state?.terminated?.exitCode !== 0 && !(sidecars.has(name) && started),
	);
	return index < 0 ? init : init.slice(0, index + 1);
}

/** When the last of the earlier runs ended; instants of one form compare as text. */
function latestEnd(statuses: readonly ContainerStatus[]): string | undefined {
	const ends = statuses.flatMap(({ lastState }) => lastState?.terminated?.finishedAt ?? []);
	return ends.sort().at(-1);
}

function readinessGatesOf({ spec, status }: Pod): string {
	const gates = spec.readinessGates ?? [];
	if (gates.length === 0) return '<none>';
	const conditions = firstByKey(status.conditions ?? [], ({ type }) => type);
	const holding = gates.filter(({ conditionType }) => conditions.get(conditionType)?.status === 'True');
	return `${holding.length}/${gates.length}`;
}
