import { ageColumn, nameColumn } from '../../meta/columns.ts';
import { ageOf } from '../../meta/duration.ts';
import type { Column } from '../../meta/resource.ts';
import type { Container, ContainerStatus, Pod } from './schema.ts';

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
	column('IP', 1, 'Its address.', ({ status }) => status.podIP || '<none>'),
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
function isSidecar(container: Container): boolean {
	return container.restartPolicy === 'Always';
}

function sidecarNames({ spec }: Pod): ReadonlySet<string> {
	return new Set(spec.initContainers?.filter(isSidecar).map(({ name }) => name));
}

function readyOf(pod: Pod): string {
	const sidecars = sidecarNames(pod);
	const statuses = [
		...(pod.status.initContainerStatuses ?? []).filter(({ name }) => sidecars.has(name)),
		...(pod.status.containerStatuses ?? []),
	];
	const ready = statuses.filter(({ ready, state }) => ready && state?.running).length;
	return `${ready}/${pod.spec.containers.length + sidecars.size}`;
}

/** The STATUS column of a Pod, by the rules of upstream's printer: the most telling word first. */
export function podStatusText(pod: Pod): string {
	const { status, metadata } = pod;
	const initializing = initText(pod);
	let text = initializing ?? status.reason ?? status.phase ?? '';
	const gated = status.conditions?.find(
		({ type, reason }) => type === 'PodScheduled' && reason === 'SchedulingGated',
	);
	if (gated && !initializing) text = 'SchedulingGated';
	if (!initializing || hasStarted(pod)) text = containerText(pod) ?? text;
	if (metadata.deletionTimestamp === undefined) return text;
	if (status.reason === 'NodeLost') return 'Unknown';
	return status.phase === 'Succeeded' || status.phase === 'Failed' ? text : 'Terminating';
}

function hasStarted({ status }: Pod): boolean {
	return (
		status.conditions?.some(({ type, status: value }) => type === 'Initialized' && value === 'True') ?? false
	);
}

/** The word for init containers that have yet to end (`Init:1/2`, `Init:Error`), or undefined. */
function initText(pod: Pod): string | undefined {
	const specs = pod.spec.initContainers ?? [];
	const sidecars = sidecarNames(pod);
	for (const [index, container] of (pod.status.initContainerStatuses ?? []).entries()) {
		const { terminated, waiting } = container.state ?? {};
		if (terminated?.exitCode === 0) continue;
		if (sidecars.has(container.name) && container.started) continue;
		if (terminated) return `Init:${terminated.reason || endText(terminated)}`;
		if (waiting?.reason && waiting.reason !== 'PodInitializing') return `Init:${waiting.reason}`;
		return `Init:${index}/${specs.length}`;
	}
	return undefined;
}

/** The word for the regular containers: that of the first one, by the spec's order, that has one. */
function containerText({ status }: Pod): string | undefined {
	let text: string | undefined;
	let running = false;
	for (const { state, ready } of [...(status.containerStatuses ?? [])].reverse()) {
		const { waiting, terminated } = state ?? {};
		if (waiting?.reason) text = waiting.reason;
		else if (terminated) text = terminated.reason || endText(terminated);
		else if (ready && state?.running) running = true;
	}
	if (text !== 'Completed' || !running) return text;
	const ready = status.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True');
	return ready ? 'Running' : 'NotReady';
}

function endText({ signal, exitCode }: { readonly signal?: number; readonly exitCode: number }): string {
	return signal ? `Signal:${signal}` : `ExitCode:${exitCode}`;
}

function restartsOf(pod: Pod, now: number): string {
	const sidecars = sidecarNames(pod);
	const init = pod.status.initContainerStatuses ?? [];
	const counted =
		hasStarted(pod) || initText(pod) === undefined
			? [...init.filter(({ name }) => sidecars.has(name)), ...(pod.status.containerStatuses ?? [])]
			: init;
	const restarts = counted.reduce((sum, { restartCount }) => sum + restartCount, 0);
	const last = latestEnd(counted);
	return restarts === 0 || last === undefined ? String(restarts) : `${restarts} (${ageOf(last, now)} ago)`;
}

/** When the last of the earlier runs ended; instants of one form compare as text. */
function latestEnd(statuses: readonly ContainerStatus[]): string | undefined {
	const ends = statuses.flatMap(({ lastState }) => lastState?.terminated?.finishedAt ?? []);
	return ends.sort().at(-1);
}

function readinessGatesOf({ spec, status }: Pod): string {
	const gates = spec.readinessGates ?? [];
	if (gates.length === 0) return '<none>';
	const holding = gates.filter(({ conditionType }) =>
		status.conditions?.some(({ type, status: value }) => type === conditionType && value === 'True'),
	);
	return `${holding.length}/${gates.length}`;
}
