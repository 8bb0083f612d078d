/**
 * Printer columns of Pods (upstream: `printPod` in pkg/printers/internalversion). Scripts parse these
 * columns, so the names, the order and the text of each cell are upstream's.
 */

import { firstByKey } from '../../../base/collections/first-by-key.ts';
import type { Column } from '../../contract/resource-definition.ts';
import { ageColumn, nameColumn, textColumn, wideColumn } from '../../meta/columns.ts';
import { isConditionTrue } from '../../meta/conditions.ts';
import { ageOf } from '../../meta/duration.ts';
import { hasEnded } from './phase.ts';
import type { ContainerStatus, Pod, PodTemplateSpec } from './schema.ts';

/** The columns of `kubectl get pods`. */
export const podColumns: readonly Column<Pod>[] = [
	nameColumn(),
	textColumn('Ready', 'Number of ready containers, and of all containers and sidecars.', readyOf),
	textColumn('Status', 'Summary of the state of the Pod and its containers.', podStatusText),
	textColumn('Restarts', 'Number of container restarts, and the time since the last exit.', restartsText),
	ageColumn(),
	wideColumn(
		'IP',
		'IP address of the Pod.',
		({ status }) => status.podIPs?.[0]?.ip || status.podIP || '<none>',
	),
	wideColumn('Node', 'Name of the Node that the Pod is bound to.', ({ spec }) => spec.nodeName || '<none>'),
	wideColumn(
		'Nominated Node',
		'Name of the Node on which Pods are preempted for this one.',
		({ status }) => status.nominatedNodeName || '<none>',
	),
	wideColumn(
		'Readiness Gates',
		'Number of readiness gates whose condition is True, and of all gates.',
		readinessGatesOf,
	),
];

/** Names of the sidecars. They run beside the containers, so the columns count both together. */
function sidecarNames({ spec }: Pod): ReadonlySet<string> {
	const sidecars = spec.initContainers?.filter(({ restartPolicy }) => restartPolicy === 'Always');
	return new Set(sidecars?.map(({ name }) => name));
}

/**
 * Progress of the initialization: the STATUS text of the first init container that has not finished (for a
 * sidecar: not started), and the number of ready sidecars before it. The text is undefined if initialization
 * is complete.
 */
function initProgress(pod: Pod): { readonly word: string | undefined; readonly ready: number } {
	const sidecars = sidecarNames(pod);
	let ready = 0;
	for (const [index, container] of (pod.status.initContainerStatuses ?? []).entries()) {
		const { terminated, waiting } = container.state ?? {};
		// A sidecar that exited with 0 counts as finished as well, as upstream does.
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

/**
 * Whether the columns show the regular containers and not the init containers: initialization is complete, or
 * was complete before an init container was restarted. `word` is that of {@link initProgress}.
 */
function showsContainers(pod: Pod, word: string | undefined): boolean {
	return word === undefined || isConditionTrue(pod.status.conditions, 'Initialized');
}

/** READY column. Sidecars count from the start; containers only once the initialization is complete. */
function readyOf(pod: Pod): string {
	const { word, ready } = initProgress(pod);
	const containers = showsContainers(pod, word) ? (pod.status.containerStatuses ?? []).filter(isReady) : [];
	const total = pod.spec.containers.length + sidecarNames(pod).size;
	return `${ready + containers.length}/${total}`;
}

/** Upstream requires the running state besides `ready`: a stale status can have both `ready` and an exit. */
function isReady({ ready, state }: ContainerStatus): boolean {
	return ready && state?.running !== undefined && !state.waiting?.reason && !state.terminated;
}

/**
 * Text of the STATUS column. The last rule that applies wins: phase, reason, scheduling gates, init
 * containers, containers, deletion.
 */
export function podStatusText(pod: Pod): string {
	const { status, metadata } = pod;
	const gated = status.conditions?.some(
		({ type, reason }) => type === 'PodScheduled' && reason === 'SchedulingGated',
	);
	const { word } = initProgress(pod);
	let text = word ?? (gated ? 'SchedulingGated' : status.reason || status.phase || '');
	if (showsContainers(pod, word)) text = containerText(pod, text);
	if (metadata.deletionTimestamp === undefined) return text;
	// Upstream's node lifecycle controller sets this reason on Pods of a node that no longer reports.
	if (status.reason === 'NodeLost') return 'Unknown';
	return hasEnded(pod) ? text : 'Terminating';
}

/**
 * Text for the regular containers: that of the first one, in the order of the status, that is waiting or
 * terminated; `otherwise` if there is none. The loop runs backwards, as upstream's does, so that the first
 * one wins.
 */
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
	// One container has completed, but others may be running or have failed: upstream shows these first.
	if (text !== 'Completed') return text;
	const running = statuses.some(isReady);
	if (running && isConditionTrue(pod.status.conditions, 'Ready')) return 'Running';
	return error ?? (running ? 'NotReady' : text);
}

type End = NonNullable<NonNullable<ContainerStatus['state']>['terminated']>;

/** The text for a terminated container: its reason, else its signal, else its exit code. */
function endWord({ reason, signal, exitCode }: End): string {
	return reason || (signal ? `Signal:${signal}` : `ExitCode:${exitCode}`);
}

/**
 * RESTARTS column: during the initialization the restarts of init containers; afterwards those of sidecars
 * and containers.
 */
function restartsText(pod: Pod, now: number): string {
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

/** The init containers up to the first that has not finished, or not started if it is a sidecar. */
function untilUnfinished(
	init: readonly ContainerStatus[],
	sidecars: ReadonlySet<string>,
): readonly ContainerStatus[] {
	const index = init.findIndex(
		({ name, state, started }) => state?.terminated?.exitCode !== 0 && !(sidecars.has(name) && started),
	);
	return index < 0 ? init : init.slice(0, index + 1);
}

/**
 * Time of the latest exit before a restart, RFC 3339. All times have the same format, so they sort as text.
 */
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

/** The wide columns with the containers and images of the Pod template of an object. */
export function templateColumns<T>(
	templateOf: (object: T) => PodTemplateSpec | undefined,
): readonly Column<T>[] {
	return [
		wideColumn('Containers', 'Names of the containers in the Pod template.', (object) =>
			(templateOf(object)?.spec.containers ?? []).map(({ name }) => name).join(','),
		),
		wideColumn('Images', 'Images of the containers in the Pod template.', (object) =>
			(templateOf(object)?.spec.containers ?? []).map(({ image = '' }) => image).join(','),
		),
	];
}
