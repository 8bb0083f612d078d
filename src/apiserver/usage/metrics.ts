/**
 * The API group metrics.k8s.io, as metrics-server serves it: what Nodes and Pods use. The server asks the node agents for
 * each request; they measure only while clients ask.
 */
import type { ResourceDefinition } from '../../api/contract/resource-definition.ts';
import type { ContainerUsage, NodeUse, RatedUsage } from '../../api/contract/usage.ts';
import { isPod } from '../../api/core/pod/is-pod.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { notFound } from '../../api/errors/api-error.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import { formatQuantity } from '../../api/meta/quantity.ts';
import { formatTime } from '../../api/meta/time.ts';
import {
	type NodeMetrics,
	nodeMetrics,
	type PodMetrics,
	podMetrics,
} from '../../api/metrics/usage-metrics.ts';
import { assert } from '../../base/assert.ts';
import type { ServerContext } from '../context.ts';
import type { ResourceRequest } from '../request.ts';
import type { Result } from '../result.ts';
import { Matcher } from '../storage/matcher.ts';
import type { StoredObject } from '../storage/stored-object.ts';
import type { Verb } from '../subresources/subresources.ts';
import { listOptions } from '../verbs/list-options.ts';

/** How the server answers requests for objects that it computes. */
export const COMPUTED: ReadonlyMap<ResourceDefinition, Verb> = new Map<ResourceDefinition, Verb>([
	[nodeMetrics, readNodes],
	[podMetrics, readPods],
]);

async function readNodes(server: ServerContext, request: ResourceRequest): Promise<Result> {
	const nodes = selected(server, request);
	const items = await Promise.all(
		nodes.map(async ({ metadata: { name = '', labels } }) => {
			const usage = await usageOfNode(server, name);
			return usage && nodeItem({ name, ...(labels && { labels }) }, usage);
		}),
	);
	return resultOf(request, items);
}

async function readPods(server: ServerContext, request: ResourceRequest): Promise<Result> {
	const pods = selected(server, request)
		.map(({ object }) => object)
		.filter(isPod);
	const names = new Set(pods.flatMap(({ spec }) => spec.nodeName ?? []));
	const usages = await Promise.all(Array.from(names, (name) => usageOfNode(server, name)));
	const containers = usages.flatMap((usage) => usage?.containers ?? []);
	const byPod = Map.groupBy(containers, ({ podUid }) => podUid);
	return resultOf(
		request,
		pods.map((pod) => podItem(pod, byPod.get(pod.metadata.uid ?? '') ?? [])),
	);
}

/** The stored Nodes or Pods that the request selects. */
function selected({ cache }: ServerContext, request: ResourceRequest): readonly StoredObject[] {
	const resource = cache.of('', request.definition.resource);
	assert(resource !== undefined, 'Nodes and Pods are served');
	const { namespace, name } = request;
	if (name !== '') {
		const stored = resource.get(namespace, name);
		return stored ? [stored] : [];
	}
	const { selection } = listOptions({ ...request, resource, definition: resource.definition }, 'list');
	const matcher = new Matcher(resource.codec, selection);
	return resource.candidates(matcher).filter((stored) => matcher.matches(stored));
}

/** Undefined if the node agent cannot be reached, or cannot measure now: metrics-server then has no metrics either. */
async function usageOfNode(server: ServerContext, name: string): Promise<NodeUse | undefined> {
	try {
		return await server.nodeApi(name)?.usage();
	} catch (error) {
		server.onError(`usage of node ${name}`, error);
		return undefined;
	}
}

function resultOf(request: ResourceRequest, items: readonly (KubeObject | undefined)[]): Result {
	const { definition, name, namespace } = request;
	const found = items.filter((item) => item !== undefined);
	const isList = name === '';
	if (!isList && found.length === 0) {
		const resource = definition.kind.toLowerCase();
		const named = definition.namespaced ? `${namespace}/${name}` : name;
		throw notFound({ group: definition.group, resource, name: named });
	}
	return { type: 'computed', code: 200, definition, items: found, isList };
}

function nodeItem(metadata: NodeMetrics['metadata'], { machine }: NodeUse): NodeMetrics {
	return { ...headOf(nodeMetrics, metadata, machine), usage: amountsOf(machine) };
}

/** Undefined for a Pod without a measured container. */
function podItem(pod: Pod, used: readonly (ContainerUsage & RatedUsage)[]): PodMetrics | undefined {
	const { name = '', namespace = '', labels } = pod.metadata;
	// Ephemeral containers are not listed: they are not part of the Pod's requests.
	const known = new Set(
		[...pod.spec.containers, ...(pod.spec.initContainers ?? [])].map((each) => each.name),
	);
	const listed = used.filter((container) => known.has(container.name));
	const [first] = listed;
	if (!first) return undefined;
	const metadata = { name, namespace, ...(labels && { labels }) };
	const containers = listed.map((container) => ({ name: container.name, usage: amountsOf(container) }));
	return { ...headOf(podMetrics, metadata, first), containers };
}

function headOf(
	{ kind, group, version }: Pick<ResourceDefinition, 'kind' | 'group' | 'version'>,
	metadata: NodeMetrics['metadata'],
	{ at, windowMs }: { readonly at: number; readonly windowMs: number },
): Omit<NodeMetrics, 'usage'> {
	const timestamp = formatTime(at);
	return {
		kind,
		apiVersion: `${group}/${version}`,
		metadata: { ...metadata, creationTimestamp: timestamp },
		timestamp,
		// As Go writes a duration of less than a minute.
		window: windowMs < 1000 ? `${windowMs}ms` : `${windowMs / 1000}s`,
	};
}

function amountsOf({
	cpuNanoCores,
	workingSetBytes,
}: Pick<ContainerUsage & RatedUsage, 'cpuNanoCores' | 'workingSetBytes'>): NodeMetrics['usage'] {
	// Whole kibibytes, as metrics-server: every quantity then has a binary suffix.
	const memory = BigInt(Math.floor(workingSetBytes / 1024) * 1024) * 1_000_000_000n;
	return {
		cpu: formatQuantity({ nanos: BigInt(cpuNanoCores), format: 'DecimalSI' }),
		memory: formatQuantity({ nanos: memory, format: 'BinarySI' }),
	};
}
