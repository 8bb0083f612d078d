/** Pods, nodes and whole clusters for tests of placement. Objects get the defaults of the API. */

import { nodes } from '../../../api/core/node/definition.ts';
import { type Node, nodeSchema } from '../../../api/core/node/schema.ts';
import type { PersistentVolume } from '../../../api/core/persistentvolume/schema.ts';
import type { PersistentVolumeClaim } from '../../../api/core/persistentvolumeclaim/schema.ts';
import { pods } from '../../../api/core/pod/definition.ts';
import { type Pod, podSchema } from '../../../api/core/pod/schema.ts';
import type { PodDisruptionBudget } from '../../../api/policy/poddisruptionbudget/schema.ts';
import { decode } from '../../../api/schema/decode.ts';
import type { StorageClass } from '../../../api/storage/storageclass/schema.ts';
import type { Cluster, StorageView } from '../cluster/cluster.ts';
import { Occupancy } from '../cluster/occupancy.ts';
import type { Labels } from '../labels.ts';
import { placePod } from '../place-pod.ts';

/** The properties of a node in a test. */
export interface NodeShape {
	readonly name?: string;
	readonly labels?: Record<string, string>;
	readonly spec?: object;
	/** Added to the defaults: 4 cpus, 8 GiB of memory and 110 Pods. */
	readonly allocatable?: Record<string, string>;
}

/** A node with its name in the label `kubernetes.io/hostname`. */
export function nodeOf({ name = 'here', labels = {}, spec = {}, allocatable = {} }: NodeShape = {}): Node {
	const amounts = { cpu: '4', memory: '8Gi', 'ephemeral-storage': '10Gi', pods: '110', ...allocatable };
	const json = {
		apiVersion: 'v1',
		kind: 'Node',
		metadata: { name, uid: `node-${name}`, labels: { 'kubernetes.io/hostname': name, ...labels } },
		spec,
		status: { allocatable: amounts, capacity: amounts },
	};
	return nodes.defaults(decode(nodeSchema, json).value);
}

/** The properties of a Pod in a test. */
export interface PodShape {
	readonly name?: string;
	readonly namespace?: string;
	readonly labels?: Record<string, string>;
	/** The requests of its only container. */
	readonly requests?: Record<string, string>;
	/** The ports of its only container. */
	readonly ports?: readonly object[];
	readonly spec?: object;
	readonly metadata?: object;
	readonly status?: object;
}

let made = 0;

/** A Pod with one container and a unique UID. */
export function podOf(shape: PodShape = {}): Pod {
	made += 1;
	const { name = `pod-${made}`, namespace = 'default', labels = {}, requests = {}, ports = [] } = shape;
	const main = { name: 'main', image: 'x', resources: { requests }, ports };
	const json = {
		apiVersion: 'v1',
		kind: 'Pod',
		metadata: { name, namespace, uid: `uid-${made}`, labels, ...shape.metadata },
		spec: { containers: [main], ...shape.spec },
		status: shape.status ?? {},
	};
	return pods.defaults(decode(podSchema, json).value);
}

/** A cluster: its nodes, and the Pods on them by node name. */
export interface ClusterShape {
	readonly nodes?: readonly NodeShape[];
	readonly placed?: Readonly<Record<string, readonly Pod[]>>;
	readonly nominated?: Readonly<Record<string, readonly Pod[]>>;
	readonly namespaces?: Readonly<Record<string, Labels>>;
	readonly storage?: StorageShape;
	readonly budgets?: readonly PodDisruptionBudget[];
}

/** The storage of a cluster. */
export interface StorageShape {
	readonly claims?: readonly PersistentVolumeClaim[];
	readonly volumes?: readonly PersistentVolume[];
	readonly classes?: readonly StorageClass[];
}

function storageOf({ claims = [], volumes = [], classes = [] }: StorageShape): StorageView {
	return {
		claim: (namespace, name) =>
			claims.find(({ metadata }) => metadata.namespace === namespace && metadata.name === name),
		volume: (name) => volumes.find(({ metadata }) => metadata.name === name),
		class: (name) => classes.find(({ metadata }) => metadata.name === name),
		volumes: () => volumes,
	};
}

/** Builds the cluster. Without `nodes` it has a single node `here`. */
export function clusterOf(shape: ClusterShape = {}): Cluster {
	const { nodes: shapes = [{}], placed = {}, nominated = {}, namespaces = {} } = shape;
	const occupancy = new Occupancy();
	for (const [nodeName, there] of Object.entries(placed))
		for (const pod of there) occupancy.put(pod, nodeName);
	return {
		nodes: shapes.map(nodeOf),
		occupancy,
		nominated: (nodeName) => nominated[nodeName] ?? [],
		namespaceLabels: (namespace) => namespaces[namespace],
		storage: storageOf(shape.storage ?? {}),
		budgets: () => shape.budgets ?? [],
	};
}

/** The placement as one line: the node, or the message without the part about preemption. */
export function outcomeOf(pod: Pod, shape: ClusterShape = {}): string {
	const placement = placePod(pod, clusterOf(shape));
	if (placement.kind === 'bind') return `on ${placement.nodeName}`;
	return placement.message.replace(/ preemption: .*$/, '');
}
