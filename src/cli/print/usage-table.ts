/**
 * The tables of `top`: what Pods, containers and Nodes use, as kubectl's metricsutil prints them. A tab ends every cell,
 * also the last one of a line, so that {@link alignText} pads it as kubectl does.
 */
import { addQuantities, quantityMilliValue, quantityValue } from '../../api/meta/quantity.ts';
import type { NodeMetrics, PodMetrics } from '../../api/metrics/usage-metrics.ts';

type Usage = NodeMetrics['usage'];

/** The resources that `top` prints. */
const RESOURCES = ['cpu', 'memory'] as const;

/** A resource by which rows can be sorted. */
export type SortKey = (typeof RESOURCES)[number];

/** How rows are printed. */
export interface UsageView {
	/** False with --no-headers. */
	readonly headers: boolean;
	/** The resource by which rows are sorted, the largest first; undefined: by name. */
	readonly sortBy: SortKey | undefined;
}

/** How the rows of Pods are printed. */
export interface PodUsageView extends UsageView {
	readonly withNamespace: boolean;
	/** Whether each container has a row. */
	readonly containers: boolean;
	/** Whether the last row is the sum. */
	readonly sum: boolean;
}

/** The lines for Pods or their containers. */
export function podUsageLines(pods: readonly PodMetrics[], view: PodUsageView): readonly string[] {
	const { headers, sortBy, withNamespace, containers, sum } = view;
	const rows = sorted(
		pods.map((pod) => ({ pod, name: sortName(pod, withNamespace), usage: podUsage(pod) })),
		sortBy,
	);
	const front = [...(withNamespace ? ['NAMESPACE'] : []), ...(containers ? ['POD'] : [])];
	const titles = [...front, 'NAME', 'CPU(cores)', 'MEMORY(bytes)'];
	const lines = rows.flatMap(({ pod, usage }) => {
		const { namespace = '', name = '' } = pod.metadata;
		const place = withNamespace ? [namespace] : [];
		if (!containers) return [line([...place, name, ...amounts(usage)])];
		return sorted(pod.containers, sortBy).map((each) =>
			line([...place, name, each.name, ...amounts(each.usage)]),
		);
	});
	// Without headers, kubectl aligns the sum as if there were the first three columns only.
	const width = headers ? titles.length : 3;
	const total = sumLines(totalUsage(rows.map(({ usage }) => usage)), width);
	return [...(headers ? [line(titles)] : []), ...lines, ...(sum ? total : [])];
}

/** The lines for Nodes, with the share of what each has; `available` has the Nodes by name. */
export function nodeUsageLines(
	nodes: readonly NodeMetrics[],
	available: ReadonlyMap<string, Usage>,
	{ headers, sortBy }: UsageView,
): readonly string[] {
	const titles = ['NAME', 'CPU(cores)', 'CPU(%)', 'MEMORY(bytes)', 'MEMORY(%)'];
	const rows = sorted(
		nodes.map(({ metadata: { name = '' }, usage }) => ({ name, usage })),
		sortBy,
	);
	const measured = new Set(rows.map(({ name }) => name));
	const missing = [...available.keys()].filter((name) => !measured.has(name));
	return [
		...(headers ? [line(titles)] : []),
		...rows.map(({ name, usage }) => line([name, ...amounts(usage, available.get(name))])),
		...missing.map((name) => line([name, ...RESOURCES.flatMap(() => ['<unknown>', '<unknown>'])])),
	];
}

function line(cells: readonly string[]): string {
	return cells.map((cell) => `${cell}\t`).join('');
}

/** Pods of several namespaces are sorted by namespace first. */
function sortName({ metadata: { namespace = '', name = '' } }: PodMetrics, withNamespace: boolean): string {
	return withNamespace ? `${namespace}\0${name}` : name;
}

function sorted<T extends { readonly name: string; readonly usage: Usage }>(
	rows: readonly T[],
	by: SortKey | undefined,
): readonly T[] {
	if (by === undefined) return rows.toSorted((a, b) => (a.name < b.name ? -1 : 1));
	const amount = ({ usage }: T): number =>
		by === 'cpu' ? quantityMilliValue(usage.cpu ?? '0') : quantityValue(usage.memory ?? '0');
	return rows.toSorted((a, b) => amount(b) - amount(a));
}

/** The cells of the amounts; with `available`, each is followed by its share in percent. */
function amounts(usage: Usage, available: Usage = {}): readonly string[] {
	return RESOURCES.flatMap((name) => {
		const used = usage[name] ?? '0';
		const text =
			name === 'cpu' ? `${quantityMilliValue(used)}m` : `${Math.floor(quantityValue(used) / 2 ** 20)}Mi`;
		const all = available[name];
		return all === undefined ? [text] : [text, `${percent(used, all)}%`];
	});
}

function percent(used: string, all: string): number {
	const whole = quantityMilliValue(all);
	return whole === 0 ? 0 : Math.trunc((quantityMilliValue(used) / whole) * 100);
}

function podUsage({ containers }: PodMetrics): Usage {
	return totalUsage(containers.map(({ usage }) => usage));
}

function totalUsage(usages: readonly Usage[]): Usage {
	const total = (name: SortKey): string =>
		usages.map((usage) => usage[name] ?? '0').reduce(addQuantities, '0');
	return { cpu: total('cpu'), memory: total('memory') };
}

function sumLines(total: Usage, width: number): readonly string[] {
	const empty = (count: number): readonly string[] => Array.from({ length: count }, () => '');
	return [
		line([...empty(width - 2), '________', '________']),
		line([...empty(width - 3), '', ...amounts(total)]),
	];
}
