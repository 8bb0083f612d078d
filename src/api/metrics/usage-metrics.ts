import type { Column, ResourceDefinition } from '../contract/resource-definition.ts';
import { virtualResource } from '../contract/virtual-resource.ts';
import { objectMetaSchema } from '../meta/object-meta.ts';
import { addQuantities } from '../meta/quantity.ts';
import { type Infer, list, map, object, quantity, required, string, time } from '../schema/schema.ts';

/** The kinds of metrics.k8s.io, which `kubectl top` reads. They are computed for each request, and never stored. */

const GROUP = { group: 'metrics.k8s.io', version: 'v1beta1' } as const;
const PACKAGE = 'io.k8s.metrics.pkg.apis.metrics.v1beta1';

const usage = required(
	map(quantity),
	'Usage by resource: `cpu`, the mean of the window, and `memory`, the working set.',
);

/** The fields of both kinds. */
const SHARED = {
	apiVersion: required(string, 'Version of the API: metrics.k8s.io/v1beta1.'),
	kind: required(string, 'Kind of the object.'),
	metadata: required(objectMetaSchema, 'Name and labels of the Node or Pod.'),
	timestamp: required(time, 'End of the window.'),
	window: required(string, 'Length of the time over which the usage of `cpu` is averaged.'),
};

/** Schema of metrics.k8s.io/v1beta1 NodeMetrics. */
const nodeMetricsSchema = object(`${PACKAGE}.NodeMetrics`, 'What a Node uses.', { ...SHARED, usage });

/** Schema of metrics.k8s.io/v1beta1 PodMetrics. */
const podMetricsSchema = object(`${PACKAGE}.PodMetrics`, 'What the containers of a Pod use.', {
	...SHARED,
	containers: required(
		list(
			object(`${PACKAGE}.ContainerMetrics`, 'What a container uses.', {
				name: required(string, 'Name of the container.'),
				usage,
			}),
		),
		'The running containers, each with what it uses.',
	),
});

/** A metrics.k8s.io/v1beta1 NodeMetrics. */
export type NodeMetrics = Infer<typeof nodeMetricsSchema>;

/** A metrics.k8s.io/v1beta1 PodMetrics. */
export type PodMetrics = Infer<typeof podMetricsSchema>;

type Usage = NodeMetrics['usage'];

/** The columns of metrics-server. */
function columnsOf<T extends { metadata: { readonly name?: string }; window: string }>(
	usageOf: (object: T) => Usage,
): readonly Column<T>[] {
	const column = (name: string, description: string, cell: (object: T) => string): Column<T> => ({
		name,
		description,
		cell,
		type: 'string',
		priority: 0,
		...(name === 'Name' && { format: 'name' }),
	});
	return [
		column('Name', 'Name of the Node or Pod.', ({ metadata }) => metadata.name ?? ''),
		column('cpu', 'Mean usage of the processors in the window.', (object) => usageOf(object).cpu ?? '0'),
		column('memory', 'The memory that is in use.', (object) => usageOf(object).memory ?? '0'),
		column('Window', 'Length of the time over which cpu is averaged.', ({ window }) => window),
	];
}

function totalOf({ containers }: PodMetrics): Usage {
	const total = (name: string): string =>
		containers.map(({ usage: of }) => of[name] ?? '0').reduce(addQuantities, '0');
	return { cpu: total('cpu'), memory: total('memory') };
}

/** metrics.k8s.io/v1beta1 NodeMetrics: registry definition. */
export const nodeMetrics: ResourceDefinition<NodeMetrics> = {
	...virtualResource<NodeMetrics>({
		...GROUP,
		kind: 'NodeMetrics',
		resource: 'nodes',
		singular: '',
		schema: nodeMetricsSchema,
	}),
	isReadOnly: true,
	columns: columnsOf(({ usage: of }) => of),
};

/** metrics.k8s.io/v1beta1 PodMetrics: registry definition. */
export const podMetrics: ResourceDefinition<PodMetrics> = {
	...virtualResource<PodMetrics>({
		...GROUP,
		kind: 'PodMetrics',
		resource: 'pods',
		singular: '',
		schema: podMetricsSchema,
	}),
	namespaced: true,
	isReadOnly: true,
	columns: columnsOf(totalOf),
};
