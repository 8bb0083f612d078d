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
	{ title: 'an unschedulable node refuses a Pod', node: cordoned, reason: '1 node(s) were unschedulable' },
	{
		title: 'an unschedulable node accepts a Pod that tolerates its taint',
		node: cordoned,
		pod: { spec: { tolerations: [{ key: UNSCHEDULABLE, operator: 'Exists', effect: 'NoSchedule' }] } },
	},
	{
		title: 'a toleration of another effect does not match',
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
	{ title: 'a NoSchedule taint refuses a Pod', node: taint('NoSchedule'), reason: UNTOLERATED },
	{ title: 'a NoExecute taint refuses a Pod', node: taint('NoExecute'), reason: UNTOLERATED },
	{ title: 'a PreferNoSchedule taint refuses no Pod', node: taint('PreferNoSchedule') },
	{
		title: 'a toleration with the same value matches',
		node: taint('NoSchedule'),
		pod: tolerating({ key: 'only', operator: 'Equal', value: 'gpu', effect: 'NoSchedule' }),
	},
	{
		title: 'a toleration with another value does not match',
		node: taint('NoSchedule'),
		pod: tolerating({ key: 'only', operator: 'Equal', value: 'cpu', effect: 'NoSchedule' }),
		reason: UNTOLERATED,
	},
	{
		title: 'a toleration with Exists and no key matches all taints',
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
		title: 'the node lacks a label of the nodeSelector',
		pod: { spec: { nodeSelector: { disk: 'ssd' } } },
		reason: NO_MATCH,
	},
	{
		title: 'the node has all labels of the nodeSelector',
		node: labelled,
		pod: { spec: { nodeSelector: { zone: 'a' } } },
	},
	{
		title: 'the label constructor is a label like others',
		pod: { spec: { nodeSelector: { constructor: 'x' } } },
		reason: NO_MATCH,
	},
	{
		title: 'no node has the label toString by itself',
		pod: required(expressions({ key: 'toString', operator: 'Exists' })),
		reason: NO_MATCH,
	},
	{
		title: 'one matching term is enough',
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
		title: 'NotIn matches a node without the label',
		pod: required(expressions({ key: 'zone', operator: 'NotIn', values: ['a'] })),
	},
	{
		title: 'DoesNotExist refuses a node with the label',
		node: labelled,
		pod: required(expressions({ key: 'zone', operator: 'DoesNotExist' })),
		reason: NO_MATCH,
	},
	{
		title: 'Gt matches a larger number',
		node: labelled,
		pod: required(expressions({ key: 'cores', operator: 'Gt', values: ['7'] })),
	},
	{
		title: 'Gt does not match an equal number',
		node: labelled,
		pod: required(expressions({ key: 'cores', operator: 'Gt', values: ['8'] })),
		reason: NO_MATCH,
	},
	{
		title: 'Lt matches a smaller number',
		node: labelled,
		pod: required(expressions({ key: 'cores', operator: 'Lt', values: ['9'] })),
	},
	{
		title: 'integers of 64 bits are compared exactly',
		node: labelled,
		pod: required(expressions({ key: 'huge', operator: 'Gt', values: ['9007199254740992'] })),
	},
	{
		title: 'Gt and Lt do not match a label that is not a number',
		node: labelled,
		pod: required(
			expressions({ key: 'odd', operator: 'Gt', values: ['1'] }),
			expressions({ key: 'odd', operator: 'Lt', values: ['99'] }),
		),
		reason: NO_MATCH,
	},
	{ title: 'matchFields matches the name of the node', pod: required(names('In', 'here')) },
	{
		title: 'matchFields with NotIn refuses the node of that name',
		pod: required(names('NotIn', 'here')),
		reason: NO_MATCH,
	},
	{
		title: 'a node that matchFields does not name is refused by the plugin',
		pod: required(names('In', 'there')),
		reason: "1 node(s) didn't satisfy plugin(s) [NodeAffinity]",
	},
	{
		title: 'a term that requires two names matches no node',
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
	{
		title: 'a port in use is refused',
		pod: withPorts(port(8080)),
		cluster: taken(port(8080)),
		reason: NO_PORT,
	},
	{ title: 'another port is free', pod: withPorts(port(8081)), cluster: taken(port(8080)) },
	{
		title: 'the same port of another protocol is free',
		pod: withPorts(port(80, { protocol: 'UDP' })),
		cluster: taken(port(80)),
	},
	{
		title: 'the same port on another address is free',
		pod: withPorts(port(80, { hostIP: '127.0.0.1' })),
		cluster: taken(port(80, { hostIP: '127.0.0.2' })),
	},
	{
		title: 'a port on all addresses conflicts with one address',
		pod: withPorts(port(80)),
		cluster: taken(port(80, { hostIP: '127.0.0.1' })),
		reason: NO_PORT,
	},
	{
		title: 'a port on one address conflicts with all addresses',
		pod: withPorts(port(80, { hostIP: '127.0.0.1' })),
		cluster: taken(port(80, { hostIP: '0.0.0.0' })),
		reason: NO_PORT,
	},
	{
		title: 'every port of the Pod is checked',
		pod: withPorts(port(81), port(80)),
		cluster: taken(port(80)),
		reason: NO_PORT,
	},
	{
		title: 'a containerPort without hostPort is not checked',
		pod: withPorts({ containerPort: 80 }),
		cluster: taken(port(80)),
	},
	{
		title: 'on the host network a containerPort is a hostPort',
		pod: { ...withPorts({ containerPort: 80 }), spec: { hostNetwork: true } },
		cluster: taken(port(80)),
		reason: NO_PORT,
	},
	{
		title: 'ports of sidecars are checked',
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
	{ title: 'the free resources are enough', pod: { requests: { cpu: '1' } }, cluster: full({ cpu: '3' }) },
	{
		title: 'insufficient cpu',
		pod: { requests: { cpu: '1001m' } },
		cluster: full({ cpu: '3' }),
		reason: '1 Insufficient cpu',
	},
	{
		title: 'insufficient memory',
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
		title: 'insufficient ephemeral storage',
		pod: { requests: { 'ephemeral-storage': '11Gi' } },
		reason: '1 Insufficient ephemeral-storage',
	},
	{ title: 'enough of an extended resource', node: gpus, pod: { requests: { 'example.com/gpu': '2' } } },
	{
		title: 'insufficient extended resource',
		node: gpus,
		pod: { requests: { 'example.com/gpu': '3' } },
		reason: '1 Insufficient example.com/gpu',
	},
	{
		title: 'a resource that the node does not have',
		pod: { requests: { 'example.com/gpu': '1' } },
		reason: '1 Insufficient example.com/gpu',
	},
	{
		title: 'a request of 0 for a resource that the node does not have',
		pod: { requests: { 'example.com/gpu': '0' } },
	},
	{
		title: 'too many Pods',
		cluster: { nodes: [{ allocatable: { pods: '1' } }], placed: { here: [podOf()] } },
		reason: '1 Too many pods',
	},
	{
		title: 'an overcommitted node accepts a Pod without requests',
		cluster: full({ cpu: '5' }),
	},
	{
		title: 'the overhead is added to the requests',
		pod: { requests: { cpu: '4' }, spec: { overhead: { cpu: '1m' } } },
		reason: '1 Insufficient cpu',
	},
	{
		title: 'requests at Pod level replace the sum of the containers',
		pod: { requests: { cpu: '1' }, spec: { resources: { requests: { cpu: '5' } } } },
		reason: '1 Insufficient cpu',
	},
]);

const volume = (source: object): PodShape => ({ name: 'p', spec: { volumes: [{ name: 'v', ...source }] } });

check('VolumeBinding', [
	{
		title: 'a PersistentVolumeClaim that does not exist',
		pod: volume({ persistentVolumeClaim: { claimName: 'data' } }),
		reason: 'persistentvolumeclaim "data" not found',
	},
	{
		title: 'a PersistentVolumeClaim of an ephemeral volume',
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
		title: 'a ResourceClaim that does not exist',
		pod: { spec: { resourceClaims: [{ name: 'gpu', resourceClaimName: 'my-gpu' }] } },
		reason: 'resourceclaim "my-gpu" not found',
	},
	{
		title: 'a ResourceClaim from a template',
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
