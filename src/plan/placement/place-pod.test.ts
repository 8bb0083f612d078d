import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { Node } from '../../api/core/node/schema.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { placePod } from './place-pod.ts';
import { type Amounts, add, podRequests } from './requests.ts';

interface NodeShape {
	readonly name?: string;
	readonly cpu?: string;
	readonly memory?: string;
	readonly pods?: string;
	readonly labels?: Record<string, string>;
	readonly spec?: unknown;
}

function node({
	name = 'here',
	cpu = '4',
	memory = '8Gi',
	pods = '110',
	labels = {},
	spec = {},
}: NodeShape = {}): Node {
	return {
		apiVersion: 'v1',
		kind: 'Node',
		metadata: { name, labels },
		spec,
		status: { allocatable: { cpu, memory, pods } },
	} as unknown as Node;
}

function pod(requests: Record<string, string> = {}, spec: object = {}): Pod {
	const containers = [{ name: 'main', image: 'x', resources: { requests } }];
	return {
		apiVersion: 'v1',
		kind: 'Pod',
		metadata: { name: 'p' },
		spec: { containers, ...spec },
		status: {},
	} as unknown as Pod;
}

function refusal(placed: Pod, shape: NodeShape = {}): string {
	const placement = placePod(placed, [{ node: node(shape), requested: {} }]);
	return placement.kind === 'unschedulable' ? placement.message : `bound to ${placement.nodeName}`;
}

test('without a node nothing can be placed', () => {
	assert.deepEqual(placePod(pod(), []), {
		kind: 'unschedulable',
		message: 'no nodes available to schedule pods',
	});
});

test('each predicate names its reason as upstream does', () => {
	assert.equal(refusal(pod()), 'bound to here');
	assert.equal(refusal(pod({ cpu: '5' })), '0/1 nodes are available: 1 Insufficient cpu.');
	assert.equal(
		refusal(pod({ cpu: '5', memory: '9Gi' })),
		'0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient memory.',
	);
	assert.equal(
		refusal(pod({ 'example.com/gpu': '1' })),
		'0/1 nodes are available: 1 Insufficient example.com/gpu.',
	);
	assert.equal(refusal(pod(), { pods: '0' }), '0/1 nodes are available: 1 Too many pods.');
	assert.equal(
		refusal(pod(), { spec: { unschedulable: true } }),
		'0/1 nodes are available: 1 node(s) were unschedulable.',
	);
	assert.equal(
		refusal(pod({}, { nodeSelector: { disk: 'ssd' } })),
		"0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.",
	);
	assert.equal(
		refusal(pod(), { spec: { taints: [{ key: 'only', value: 'gpu', effect: 'NoSchedule' }] } }),
		'0/1 nodes are available: 1 node(s) had untolerated taint(s).',
	);
});

test('a toleration, a label or a soft taint lets the Pod in', () => {
	const taints = [{ key: 'only', value: 'gpu', effect: 'NoSchedule' }];
	const tolerant = pod(
		{},
		{ tolerations: [{ key: 'only', operator: 'Equal', value: 'gpu', effect: 'NoSchedule' }] },
	);
	assert.equal(refusal(tolerant, { spec: { taints } }), 'bound to here');
	assert.equal(
		refusal(pod(), { spec: { taints: [{ key: 'k', effect: 'PreferNoSchedule' }] } }),
		'bound to here',
	);
	assert.equal(
		refusal(pod({}, { nodeSelector: { disk: 'ssd' } }), { labels: { disk: 'ssd' } }),
		'bound to here',
	);
});

test('required node affinity: any of the terms, all of its expressions', () => {
	const wants = (...matchExpressions: object[]) => {
		const required = { nodeSelectorTerms: [{ matchExpressions }] };
		return pod(
			{},
			{ affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: required } } },
		);
	};
	const labels = { zone: 'a', cores: '8' };
	assert.equal(
		refusal(wants({ key: 'zone', operator: 'In', values: ['a', 'b'] }), { labels }),
		'bound to here',
	);
	assert.equal(refusal(wants({ key: 'cores', operator: 'Gt', values: ['4'] }), { labels }), 'bound to here');
	assert.match(refusal(wants({ key: 'zone', operator: 'NotIn', values: ['a'] }), { labels }), /didn't match/);
	assert.match(
		refusal(wants({ key: 'zone', operator: 'Exists' }, { key: 'x', operator: 'Exists' }), { labels }),
		/didn't/,
	);
	assert.match(refusal(wants(), { labels }), /didn't match/);
});

test('init containers count where they need more than the rest, sidecars beside it', () => {
	const asking = (cpu: string, more: object = {}) => ({
		name: cpu,
		image: 'x',
		resources: { requests: { cpu } },
		...more,
	});
	const spec = { initContainers: [asking('1', { restartPolicy: 'Always' }), asking('5')] };
	assert.equal(podRequests(pod({ cpu: '2' }, spec)).cpu, 6000);
	assert.equal(podRequests(pod({ cpu: '7' }, spec)).cpu, 8000);
});

test('the emptiest node is taken', () => {
	const views = [
		{ node: node({ name: 'full' }), requested: { cpu: 3000 } },
		{ node: node({ name: 'free' }), requested: { cpu: 1000 } },
	];
	const placement = placePod(pod({ cpu: '100m' }), views);
	assert.equal(placement.kind === 'bind' && placement.nodeName, 'free');
});

test('no node is ever promised more than it has', () => {
	const cpus = fc.array(fc.integer({ min: 1, max: 3000 }), { maxLength: 30 });
	fc.assert(
		fc.property(cpus, fc.integer({ min: 1, max: 3 }), (asked, count) => {
			let views = Array.from({ length: count }, (_, i) => ({
				node: node({ name: `n${i}` }),
				requested: {} as Amounts,
			}));
			for (const milli of asked) {
				const wanted = pod({ cpu: `${milli}m` });
				const placement = placePod(wanted, views);
				if (placement.kind !== 'bind') continue;
				views = views.map((view) =>
					view.node.metadata.name === placement.nodeName
						? { ...view, requested: add(view.requested, podRequests(wanted)) }
						: view,
				);
			}
			for (const { requested } of views) assert.ok((requested.cpu ?? 0) <= 4000);
		}),
	);
});
