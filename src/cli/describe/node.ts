import type { Node } from '../../api/core/node/schema.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { ageOf } from '../../api/meta/duration.ts';
import { addQuantities, compareQuantities, quantityMilliValue } from '../../api/meta/quantity.ts';
import { entryOf } from '../../base/json/json.ts';
import { annotationLines, at, instant, labelLines, sortedPairs, underTitle } from './lines.ts';

/**
 * The lines of a Node; `pods` are the unfinished Pods bound to it, `now` is the wall clock. Upstream:
 * describeNode. The sums count unfinished Pods only, since the scheduler does not count finished ones either.
 */
export function nodeLines(
	{ metadata, spec, status }: Node,
	pods: readonly Pod[],
	now: number,
): readonly string[] {
	const { addresses = [], capacity, allocatable = capacity } = status;
	return [
		`Name:\t${metadata.name}`,
		`Roles:\t${rolesOf(metadata.labels)}`,
		...labelLines('Labels', metadata.labels),
		...annotationLines('Annotations', metadata.annotations),
		`CreationTimestamp:\t${instant(metadata.creationTimestamp)}`,
		...underTitle('Taints', taintsOf(spec)),
		`Unschedulable:\t${spec.unschedulable ?? false}`,
		...conditionLines(status),
		'Addresses:',
		...addresses.map(({ type, address }) => at(1, `${type}:\t${address}`)),
		...amountLines('Capacity', capacity),
		...amountLines('Allocatable', status.allocatable),
		...systemLines(status),
		...podLines(pods, allocatable, now),
		...allocatedLines(pods, allocatable),
	];
}

/** Upstream: findNodeRoles, which knows the label of current clusters and the older `kubernetes.io/role`. */
function rolesOf(labels: Readonly<Record<string, string>> = {}): string {
	const roles = Object.entries(labels).flatMap(([key, value]) => {
		const role = /^node-role\.kubernetes\.io\/(.+)$/.exec(key)?.[1];
		return role ?? (key === 'kubernetes.io/role' && value !== '' ? value : []);
	});
	return [...new Set(roles)].sort().join(',') || '<none>';
}

/** The taints, sorted by effect and key, as in kubectl. */
function taintsOf({ taints = [] }: Node['spec']): readonly string[] {
	const key = ({ effect, key }: (typeof taints)[number]): string => `${effect},${key}`;
	return taints
		.toSorted((a, b) => (key(a) < key(b) ? -1 : 1))
		.map(({ key, value, effect }) => `${key}${value ? `=${value}` : ''}${effect ? `:${effect}` : ''}`);
}

/** Upstream: the table in describeNode. The space before each tab is upstream's, and keeps columns apart that are empty. */
function conditionLines({ conditions = [] }: Node['status']): readonly string[] {
	if (conditions.length === 0) return [];
	const rows = conditions.map(
		({ type, status, lastHeartbeatTime, lastTransitionTime, reason = '', message = '' }) =>
			at(
				1,
				`${type} \t${status} \t${instant(lastHeartbeatTime)} \t${instant(lastTransitionTime)} \t${reason} \t${message}`,
			),
	);
	return [
		'Conditions:',
		at(1, 'Type\tStatus\tLastHeartbeatTime\tLastTransitionTime\tReason\tMessage'),
		at(1, '----\t------\t-----------------\t------------------\t------\t-------'),
		...rows,
	];
}

/** Amounts by the name of their resource. */
type Amounts = Readonly<Record<string, string>> | undefined;

/** Sorted by name, since the order of a map in the API means nothing. */
function amountLines(title: string, amounts: Amounts): readonly string[] {
	const pairs = sortedPairs(amounts);
	return pairs.length === 0
		? []
		: [`${title}:`, ...pairs.map(([name, amount]) => at(1, `${name}:\t${amount}`))];
}

/** Printed also for a Node whose agent has reported nothing, as upstream does. */
function systemLines({ nodeInfo }: Node['status']): readonly string[] {
	return [
		'System Info:',
		at(1, `Machine ID:\t${nodeInfo?.machineID ?? ''}`),
		at(1, `System UUID:\t${nodeInfo?.systemUUID ?? ''}`),
		at(1, `Boot ID:\t${nodeInfo?.bootID ?? ''}`),
		at(1, `Kernel Version:\t${nodeInfo?.kernelVersion ?? ''}`),
		at(1, `OS Image:\t${nodeInfo?.osImage ?? ''}`),
		at(1, `Operating System:\t${nodeInfo?.operatingSystem ?? ''}`),
		at(1, `Architecture:\t${nodeInfo?.architecture ?? ''}`),
		at(1, `Container Runtime Version:\t${nodeInfo?.containerRuntimeVersion ?? ''}`),
		at(1, `Kubelet Version:\t${nodeInfo?.kubeletVersion ?? ''}`),
	];
}

/**
 * The Pods with their share of the node. Upstream: describeNodeResource, which
 * ends with {@link allocatedLines}.
 */
function podLines(pods: readonly Pod[], allocatable: Amounts, now: number): readonly string[] {
	const rows = pods.map((pod) => {
		const { namespace = '', name = '', creationTimestamp } = pod.metadata;
		const requests = sumOf([pod], 'requests');
		const limits = sumOf([pod], 'limits');
		const cells = [
			share(requests, allocatable, 'cpu'),
			share(limits, allocatable, 'cpu'),
			share(requests, allocatable, 'memory'),
			share(limits, allocatable, 'memory'),
		];
		return at(1, `${namespace}\t${name}\t\t${cells.join('\t')}\t${ageOf(creationTimestamp, now)}`);
	});
	return [
		`Non-terminated Pods:\t(${pods.length} in total)`,
		at(1, 'Namespace\tName\t\tCPU Requests\tCPU Limits\tMemory Requests\tMemory Limits\tAge'),
		at(1, '---------\t----\t\t------------\t----------\t---------------\t-------------\t---'),
		...rows,
	];
}

/**
 * The sums over all Pods. As in upstream, the percentages are of the allocatable resources, not of the
 * capacity.
 */
function allocatedLines(pods: readonly Pod[], allocatable: Amounts): readonly string[] {
	const requests = sumOf(pods, 'requests');
	const limits = sumOf(pods, 'limits');
	const rows = ['cpu', 'memory', 'ephemeral-storage'].map((name) =>
		at(1, `${name}\t${share(requests, allocatable, name)}\t${share(limits, allocatable, name)}`),
	);
	return [
		'Allocated resources:',
		at(1, '(Total limits may be over 100 percent, i.e., overcommitted.)'),
		at(1, 'Resource\tRequests\tLimits'),
		at(1, '--------\t--------\t------'),
		...rows,
	];
}

/** An amount with its percentage of the allocatable one: `500m (12%)`. */
function share(amounts: ReadonlyMap<string, string>, allocatable: Amounts, name: string): string {
	const amount = amounts.get(name) ?? '0';
	const whole = quantityMilliValue(entryOf(allocatable, name) ?? '0');
	const percent = whole === 0 ? 0 : Math.trunc((quantityMilliValue(amount) / whole) * 100);
	return `${amount} (${percent}%)`;
}

/**
 * The sum of the requests or limits of Pods. Of each Pod, per resource: the sum over containers and sidecars
 * (init containers with restartPolicy Always), or the largest init container if that is more.
 */
function sumOf(pods: readonly Pod[], which: 'requests' | 'limits'): ReadonlyMap<string, string> {
	const sum = new Map<string, string>();
	for (const { spec } of pods) {
		const own = new Map<string, string>();
		const init = spec.initContainers ?? [];
		const sidecars = init.filter(({ restartPolicy }) => restartPolicy === 'Always');
		for (const { resources } of [...spec.containers, ...sidecars]) {
			for (const [name, amount] of Object.entries(resources?.[which] ?? {}))
				own.set(name, addQuantities(own.get(name) ?? '0', amount));
		}
		for (const { resources } of init) {
			for (const [name, amount] of Object.entries(resources?.[which] ?? {}))
				if (compareQuantities(amount, own.get(name) ?? '0') > 0) own.set(name, amount);
		}
		for (const [name, amount] of own) sum.set(name, addQuantities(sum.get(name) ?? '0', amount));
	}
	return sum;
}
