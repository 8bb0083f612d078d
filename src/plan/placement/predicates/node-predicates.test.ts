import assert from 'node:assert/strict';
import test from 'node:test';
import {
	type ClusterShape,
	type NodeShape,
	outcomeOf,
	type PodShape,
	podOf,
} from '../testing/placement-world.ts';

/** A case: the Pod, its node, and the reason of the refusal; undefined if the Pod fits. */
interface Case {
	readonly title: string;
	readonly pod?: PodShape;
	readonly node?: NodeShape;
	readonly cluster?: ClusterShape;
	readonly reason?: string;
}

function check(name: string, cases: readonly Case[]): void {
	for (const { title, pod, node = {}, cluster, reason } of cases) {
		test(`${name}: ${title}`, () => {
			const expected = reason === undefined ? 'on here' : `0/1 nodes are available: ${reason}.`;
			assert.equal(outcomeOf(podOf(pod), cluster ?? { nodes: [node] }), expected);
		});
	}
}

const UNSCHEDULABLE = 'node.kubernetes.io/unschedulable';
const cordoned = { spec: { unschedulable: true } };

check('NodeUnschedulable', [
	{ title: 'a cordoned node takes no Pod', node: cordoned, reason: '1 node(s) were unschedulable' },
	{
		title: 'but one that tolerates it',
		node: cordoned,
		pod: { spec: { tolerations: [{ key: UNSCHEDULABLE, operator: 'Exists', effect: 'NoSchedule' }] } },
	},
	{
		title: 'a toleration of another effect does not count',
		node: cordoned,
		pod: { spec: { tolerations: [{ key: UNSCHEDULABLE, operator: 'Exists', effect: 'NoExecute' }] } },
		reason: '1 node(s) were unschedulable',
	},
]);

const taint = (effect: string, value = 'gpu'): NodeShape => ({
	spec: { taints: [{ key: 'only', value, effect }] },
});
const tolerating = (toleration: object): PodShape => ({ spec: { tolerations: [toleration] } });
const UNTOLERATED = '1 node(s) had untolerated taint(s)';

check('TaintToleration', [
	{ title: 'NoSchedule keeps a Pod off', node: taint('NoSchedule'), reason: UNTOLERATED },
	{ title: 'NoExecute keeps a Pod off', node: taint('NoExecute'), reason: UNTOLERATED },
	{ title: 'PreferNoSchedule does not', node: taint('PreferNoSchedule') },
	{
		title: 'an equal value is tolerated',
		node: taint('NoSchedule'),
		pod: tolerating({ key: 'only', operator: 'Equal', value: 'gpu', effect: 'NoSchedule' }),
	},
	{
		title: 'another value is not',
		node: taint('NoSchedule'),
		pod: tolerating({ key: 'only', operator: 'Equal', value: 'cpu', effect: 'NoSchedule' }),
		reason: UNTOLERATED,
	},
	{
		title: 'Exists without a key covers all',
		node: taint('NoExecute'),
		pod: tolerating({ operator: 'Exists' }),
	},
	{
		title: 'every taint must be tolerated',
		node: {
			spec: {
				taints: [
					{ key: 'a', effect: 'NoSchedule' },
					{ key: 'b', effect: 'NoSchedule' },
				],
			},
		},
		pod: tolerating({ key: 'a', operator: 'Exists' }),
		reason: UNTOLERATED,
	},
]);

const NO_MATCH = "1 node(s) didn't match Pod's node affinity/selector";
const required = (...nodeSelectorTerms: object[]): PodShape => ({
	spec: {
		affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } },
	},
});
const expressions = (...matchExpressions: object[]): object => ({ matchExpressions });
const names = (operator: string, ...values: string[]): object => ({
	matchFields: [{ key: 'metadata.name', operator, values }],
});
const labelled: NodeShape = { labels: { zone: 'a', cores: '8', odd: '8x', huge: '9007199254740993' } };

check('NodeAffinity', [
	{
		title: 'a label of the nodeSelector is missing',
		pod: { spec: { nodeSelector: { disk: 'ssd' } } },
		reason: NO_MATCH,
	},
	{
		title: 'all labels of the nodeSelector are there',
		node: labelled,
		pod: { spec: { nodeSelector: { zone: 'a' } } },
	},
	{
		title: 'names of JavaScript are labels like others',
		pod: { spec: { nodeSelector: { constructor: 'x' } } },
		reason: NO_MATCH,
	},
	{
		title: 'toString exists nowhere',
		pod: required(expressions({ key: 'toString', operator: 'Exists' })),
		reason: NO_MATCH,
	},
	{
		title: 'any of the terms is enough',
		node: labelled,
		pod: required(
			expressions({ key: 'zone', operator: 'In', values: ['b'] }),
			expressions({ key: 'zone', operator: 'In', values: ['a'] }),
		),
	},
	{
		title: 'all expressions of a term must hold',
		node: labelled,
		pod: required(expressions({ key: 'zone', operator: 'Exists' }, { key: 'x', operator: 'Exists' })),
		reason: NO_MATCH,
	},
	{ title: 'a term without requirements matches nothing', pod: required({}), reason: NO_MATCH },
	{
		title: 'NotIn holds where the label is missing',
		pod: required(expressions({ key: 'zone', operator: 'NotIn', values: ['a'] })),
	},
	{
		title: 'DoesNotExist',
		node: labelled,
		pod: required(expressions({ key: 'zone', operator: 'DoesNotExist' })),
		reason: NO_MATCH,
	},
	{
		title: 'Gt',
		node: labelled,
		pod: required(expressions({ key: 'cores', operator: 'Gt', values: ['7'] })),
	},
	{
		title: 'Gt is strict',
		node: labelled,
		pod: required(expressions({ key: 'cores', operator: 'Gt', values: ['8'] })),
		reason: NO_MATCH,
	},
	{
		title: 'Lt',
		node: labelled,
		pod: required(expressions({ key: 'cores', operator: 'Lt', values: ['9'] })),
	},
	{
		title: 'integers of 64 bits are compared exactly',
		node: labelled,
		pod: required(expressions({ key: 'huge', operator: 'Gt', values: ['9007199254740992'] })),
	},
	{
		title: 'a label that is no number is neither more nor less',
		node: labelled,
		pod: required(
			expressions({ key: 'odd', operator: 'Gt', values: ['1'] }),
			expressions({ key: 'odd', operator: 'Lt', values: ['99'] }),
		),
		reason: NO_MATCH,
	},
	{ title: 'the name of the node', pod: required(names('In', 'here')) },
	{ title: 'a name that it must not have', pod: required(names('NotIn', 'here')), reason: NO_MATCH },
	{
		title: 'where only other nodes are named, this one is not looked at',
		pod: required(names('In', 'there')),
		reason: "1 node(s) didn't satisfy plugin(s) [NodeAffinity]",
	},
	{
		title: 'a term that names two nodes at once can match none',
		pod: required({
			matchFields: ['a', 'b'].map((name) => ({ key: 'metadata.name', operator: 'In', values: [name] })),
		}),
		reason: 'pod affinity terms conflict',
	},
]);

const NO_PORT = "1 node(s) didn't have free ports for the requested pod ports";
const port = (hostPort: number, more: object = {}): object => ({ containerPort: 80, hostPort, ...more });
const withPorts = (...ports: object[]): PodShape => ({ ports });
const taken = (...ports: object[]): ClusterShape => ({ placed: { here: [podOf({ ports })] } });

check('NodePorts', [
	{ title: 'a port that is in use', pod: withPorts(port(8080)), cluster: taken(port(8080)), reason: NO_PORT },
	{ title: 'another port', pod: withPorts(port(8081)), cluster: taken(port(8080)) },
	{ title: 'another protocol', pod: withPorts(port(80, { protocol: 'UDP' })), cluster: taken(port(80)) },
	{
		title: 'another address',
		pod: withPorts(port(80, { hostIP: '127.0.0.1' })),
		cluster: taken(port(80, { hostIP: '127.0.0.2' })),
	},
	{
		title: 'all addresses against one',
		pod: withPorts(port(80)),
		cluster: taken(port(80, { hostIP: '127.0.0.1' })),
		reason: NO_PORT,
	},
	{
		title: 'one address against all',
		pod: withPorts(port(80, { hostIP: '127.0.0.1' })),
		cluster: taken(port(80, { hostIP: '0.0.0.0' })),
		reason: NO_PORT,
	},
	{
		title: 'the second of its ports',
		pod: withPorts(port(81), port(80)),
		cluster: taken(port(80)),
		reason: NO_PORT,
	},
	{
		title: 'ports of containers only are no ports of the node',
		pod: withPorts({ containerPort: 80 }),
		cluster: taken(port(80)),
	},
	{
		title: 'on the host network container ports are ports of the node',
		pod: { ...withPorts({ containerPort: 80 }), spec: { hostNetwork: true } },
		cluster: taken(port(80)),
		reason: NO_PORT,
	},
	{
		title: 'sidecars hold ports too',
		pod: withPorts(port(80)),
		cluster: {
			placed: {
				here: [
					podOf({
						spec: { initContainers: [{ name: 's', image: 'x', restartPolicy: 'Always', ports: [port(80)] }] },
					}),
				],
			},
		},
		reason: NO_PORT,
	},
]);

const full = (requests: Record<string, string>): ClusterShape => ({
	placed: { here: [podOf({ requests })] },
});
const gpus = { allocatable: { 'example.com/gpu': '2' } };

check('NodeResourcesFit', [
	{ title: 'what is left is enough', pod: { requests: { cpu: '1' } }, cluster: full({ cpu: '3' }) },
	{
		title: 'cpu',
		pod: { requests: { cpu: '1001m' } },
		cluster: full({ cpu: '3' }),
		reason: '1 Insufficient cpu',
	},
	{
		title: 'memory',
		pod: { requests: { memory: '8Gi' } },
		cluster: full({ memory: '1' }),
		reason: '1 Insufficient memory',
	},
	{
		title: 'parts of a byte are rounded up',
		pod: { requests: { memory: '8589934591100m' } },
		cluster: full({ memory: '1' }),
		reason: '1 Insufficient memory',
	},
	{
		title: 'ephemeral storage',
		pod: { requests: { 'ephemeral-storage': '11Gi' } },
		reason: '1 Insufficient ephemeral-storage',
	},
	{ title: 'an extended resource', node: gpus, pod: { requests: { 'example.com/gpu': '2' } } },
	{
		title: 'too much of an extended resource',
		node: gpus,
		pod: { requests: { 'example.com/gpu': '3' } },
		reason: '1 Insufficient example.com/gpu',
	},
	{
		title: 'a resource that the node has not',
		pod: { requests: { 'example.com/gpu': '1' } },
		reason: '1 Insufficient example.com/gpu',
	},
	{ title: 'none of a resource that the node has not', pod: { requests: { 'example.com/gpu': '0' } } },
	{
		title: 'the number of Pods',
		cluster: { nodes: [{ allocatable: { pods: '1' } }], placed: { here: [podOf()] } },
		reason: '1 Too many pods',
	},
	{
		title: 'a node that is overfull takes a Pod that requests nothing',
		cluster: full({ cpu: '5' }),
	},
	{
		title: 'the overhead counts',
		pod: { requests: { cpu: '4' }, spec: { overhead: { cpu: '1m' } } },
		reason: '1 Insufficient cpu',
	},
	{
		title: 'requests of the whole Pod replace the sum of its containers',
		pod: { requests: { cpu: '1' }, spec: { resources: { requests: { cpu: '5' } } } },
		reason: '1 Insufficient cpu',
	},
]);

const volume = (source: object): PodShape => ({ name: 'p', spec: { volumes: [{ name: 'v', ...source }] } });

check('VolumeBinding', [
	{
		title: 'a claim that does not exist',
		pod: volume({ persistentVolumeClaim: { claimName: 'data' } }),
		reason: 'persistentvolumeclaim "data" not found',
	},
	{
		title: 'a claim that is yet to be made',
		pod: volume({
			ephemeral: {
				volumeClaimTemplate: {
					spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
				},
			},
		}),
		reason: 'waiting for ephemeral volume controller to create the persistentvolumeclaim "p-v"',
	},
	{ title: 'other volumes need no claim', pod: volume({ emptyDir: {} }) },
]);

check('DynamicResources', [
	{
		title: 'a claim on a device that does not exist',
		pod: { spec: { resourceClaims: [{ name: 'gpu', resourceClaimName: 'my-gpu' }] } },
		reason: 'resourceclaim "my-gpu" not found',
	},
	{
		title: 'a claim that is yet to be made',
		pod: { name: 'p', spec: { resourceClaims: [{ name: 'gpu', resourceClaimTemplateName: 't' }] } },
		reason: 'waiting for dynamic resource controller to create the resourceclaim "gpu" of pod "default/p"',
	},
]);

test('NodeName: a Pod that names its node fits on no other', () => {
	const nodes = [{ name: 'here' }, { name: 'there' }];
	assert.equal(outcomeOf(podOf({ spec: { nodeName: 'there' } }), { nodes }), 'on there');
	assert.equal(
		outcomeOf(podOf({ spec: { nodeName: 'gone' } }), { nodes }),
		"0/2 nodes are available: 2 node(s) didn't match the requested node name.",
	);
});
