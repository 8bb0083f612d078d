import { nodes } from '../../api/core/node/definition.ts';
import type { Node } from '../../api/core/node/schema.ts';
import { pods } from '../../api/core/pod/definition.ts';
import { formatGoDuration } from '../../api/meta/go-duration-text.ts';
import { parseTime } from '../../api/meta/time.ts';
import { nodeMetrics, type PodMetrics, podMetrics } from '../../api/metrics/usage-metrics.ts';
import { listAt, textAt } from '../../client/raw-object.ts';
import { nothingFound } from '../args/resource-args.ts';
import { calledAs } from '../called-as.ts';
import { type CliContext, CommandError, type CommonFlags, type Connection } from '../context.ts';
import { alignText, TABLE_STYLE } from '../print/aligned-text.ts';
import { nodeUsageLines, podUsageLines, type SortKey } from '../print/usage-table.ts';

/** The flags of `top pod` and `top node`. */
export interface TopFlags extends CommonFlags {
	readonly selector?: string;
	readonly sortBy?: string;
	/** False with --no-headers. */
	readonly headers: boolean;
}

/** The flags of `top pod`. */
export interface TopPodFlags extends TopFlags {
	readonly allNamespaces?: boolean;
	readonly fieldSelector?: string;
	readonly containers?: boolean;
	readonly sum?: boolean;
}

/** The flags of `top node`. */
export interface TopNodeFlags extends TopFlags {
	/** Compares with the capacity of a Node, not with its allocatable resources. */
	readonly showCapacity?: boolean;
}

/** The age below which kubectl expects that a Pod has no metrics yet. */
const METRICS_DELAY_MS = 120_000;

/** `stint top pod [NAME]`: prints what Pods use, as kubectl does. Resolves to the exit code. */
export async function topPods(
	context: CliContext,
	words: readonly string[],
	flags: TopPodFlags,
): Promise<number> {
	const sortBy = sortKeyOf(flags);
	const name = nameOf(words, 'pod');
	if (name !== undefined && (flags.selector || flags.fieldSelector))
		throw new CommandError('only one of NAME or selector can be provided');
	const connection = await context.connect(flags.kubeconfig);
	const namespace = flags.allNamespaces ? undefined : (flags.namespace ?? connection.namespace);
	await checkApi(connection);
	const target = connection.client.resource(podMetrics, namespace);
	const selectors = selectorsOf(flags);
	const found = name === undefined ? (await target.list(selectors)).items : [await target.get(name)];
	if (found.length === 0) {
		const { items } = await connection.client.resource(pods, namespace).list(selectors);
		for (const { metadata } of items) checkAge(metadata, context.clock.now());
		if (items.length > 0) throw new CommandError('metrics not available yet');
		context.stderr.print(`${nothingFound([{ definition: pods, name: undefined }], namespace)}\n`);
		return 0;
	}
	const { headers, containers = false, sum = false, allNamespaces: withNamespace = false } = flags;
	print(context, podUsageLines(found, { headers, sortBy, withNamespace, containers, sum }));
	return 0;
}

/** `stint top node [NAME]`: prints what Nodes use, as kubectl does. Resolves to the exit code. */
export async function topNodes(
	context: CliContext,
	words: readonly string[],
	flags: TopNodeFlags,
): Promise<number> {
	const sortBy = sortKeyOf(flags);
	const name = nameOf(words, 'node');
	if (name !== undefined && flags.selector)
		throw new CommandError('only one of NAME or --selector can be provided');
	const connection = await context.connect(flags.kubeconfig);
	await checkApi(connection);
	const measured = connection.client.resource(nodeMetrics);
	const stored = connection.client.resource(nodes);
	const selectors = selectorsOf(flags);
	const usage = name === undefined ? (await measured.list(selectors)).items : [await measured.get(name)];
	if (usage.length === 0) throw new CommandError('metrics not available yet');
	const found = name === undefined ? (await stored.list(selectors)).items : [await stored.get(name)];
	const all = ({ status }: Node): Readonly<Record<string, string>> =>
		(flags.showCapacity ? status.capacity : status.allocatable) ?? {};
	const available = new Map(found.map((node) => [node.metadata.name ?? '', all(node)]));
	print(context, nodeUsageLines(usage, available, { headers: flags.headers, sortBy }));
	return 0;
}

function print(context: CliContext, lines: readonly string[]): void {
	context.stdout.print(alignText(lines.map((line) => `${line}\n`).join(''), TABLE_STYLE));
}

function sortKeyOf({ sortBy = '' }: TopFlags): SortKey | undefined {
	if (sortBy === '') return undefined;
	if (sortBy === 'cpu' || sortBy === 'memory') return sortBy;
	throw new CommandError('--sort-by accepts only cpu or memory');
}

function nameOf([name, ...more]: readonly string[], kind: string): string | undefined {
	if (more.length === 0) return name;
	const help = `See '${calledAs(`top ${kind}`)} -h' for help and examples`;
	throw new CommandError(`${kind} [NAME | -l label]\n${help}`);
}

function selectorsOf({ selector, fieldSelector }: Pick<TopPodFlags, 'selector' | 'fieldSelector'>): {
	readonly labelSelector?: string;
	readonly fieldSelector?: string;
} {
	return { ...(selector && { labelSelector: selector }), ...(fieldSelector && { fieldSelector }) };
}

/** Throws if the server has no metrics.k8s.io: a cluster without metrics-server. */
async function checkApi({ client }: Connection): Promise<void> {
	const { object } = await client.transport.request({ method: 'GET', path: '/apis' });
	const versions = listAt(object, 'groups').flatMap((group) => listAt(group, 'versions'));
	const wanted = `${podMetrics.group}/${podMetrics.version}`;
	const isServed = versions.some((version) => textAt(version, 'groupVersion') === wanted);
	if (!isServed) throw new CommandError('Metrics API not available');
}

function checkAge({ namespace, name, creationTimestamp }: PodMetrics['metadata'], now: number): void {
	const age = now - (parseTime(creationTimestamp ?? '') ?? now);
	if (age > METRICS_DELAY_MS)
		throw new CommandError(
			`Metrics not available for pod ${namespace}/${name}, age: ${formatGoDuration(age)}`,
		);
}
