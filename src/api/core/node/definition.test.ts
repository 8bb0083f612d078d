import assert from 'node:assert/strict';
import test from 'node:test';
import { decode } from '../../schema/decode.ts';
import { nodes } from './definition.ts';
import { type Node, nodeSchema } from './schema.ts';

const NOW = Date.parse('2026-01-31T08:10:00Z');

function node(spec: object = {}, status: object = {}, metadata: object = {}): Node {
	const json = { metadata: { name: 'n', uid: 'u', resourceVersion: '1', ...metadata }, spec, status };
	return nodes.defaults(decode(nodeSchema, json).value);
}

function texts(errors: ReturnType<typeof nodes.strategy.validateCreate>): readonly string[] {
	return errors.map(({ field, message }) => `${field}: ${message}`);
}

test('defaulting sets allocatable to capacity if the Node has none', () => {
	assert.deepEqual(node({}, { capacity: { cpu: '4' } }).status.allocatable, { cpu: '4' });
	const less = { capacity: { cpu: '4' }, allocatable: { cpu: '3' } };
	assert.deepEqual(node({}, less).status.allocatable, { cpu: '3' });
});

test('a create keeps the status of the Node, an update ignores it', () => {
	const created = nodes.strategy.prepareForCreate(node({}, { phase: 'x' }));
	assert.equal(created.status.phase, 'x');
	const updated = nodes.strategy.prepareForUpdate(node({ unschedulable: true }, { phase: 'y' }), created);
	assert.equal(updated.status, created.status);
	assert.equal(updated.spec.unschedulable, true);
	const status = nodes.status?.prepareForUpdate(node({ unschedulable: true }, { phase: 'z' }), created);
	assert.equal(status?.spec, created.spec);
	assert.equal(status?.status.phase, 'z');
});

test('the field of a feature that is off is dropped, unless the stored Node has it', () => {
	const policy = { podPreemptionPolicy: { disableResizePreemption: ['a.io/b'] } };
	const { strategy } = nodes;
	assert.deepEqual(strategy.prepareForCreate(node(policy)).spec, {});
	assert.deepEqual(strategy.prepareForUpdate(node(policy), node()).spec, {});
	assert.match(
		strategy.droppedFields?.(node(policy), node())[0] ?? '',
		/^spec\.podPreemptionPolicy: .*alpha/,
	);
	assert.deepEqual(strategy.prepareForUpdate(node(policy), node(policy)).spec, policy);
	assert.deepEqual(strategy.droppedFields?.(node(policy), node(policy)), []);
});

test('validation checks the taints and resource quantities of a Node', () => {
	const taint = { key: 'a', effect: 'NoSchedule' };
	assert.deepEqual(
		texts(nodes.strategy.validateCreate(node({ taints: [taint, { ...taint, effect: 'NoExecute' }] }))),
		[],
	);
	assert.deepEqual(
		texts(
			nodes.strategy.validateCreate(
				node({ taints: [taint, taint, { key: 'b', effect: '' }, { key: 'c', effect: 'No' }] }),
			),
		),
		[
			'metadata.taints[1]: Duplicate value: {"key":"a","effect":"NoSchedule"}: taints must be unique by key and effect pair',
			'metadata.taints[2].effect: Required value',
			'metadata.taints[3].effect: Unsupported value: "No": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"',
		],
	);
	assert.deepEqual(
		texts(
			nodes.strategy.validateCreate(
				node({}, { capacity: { pods: '1500m', cpu: '-1' }, allocatable: { cpu: '0' } }),
			),
		),
		[
			'status.capacity.pods: Invalid value: "1500m": must be an integer',
			'status.capacity.cpu: Invalid value: "-1": must be greater than or equal to 0',
		],
	);
});

test('validation refuses to change identifiers of a Node once they are set', () => {
	const old = node({ providerID: 'a', podCIDRs: ['10.0.0.0/24'] });
	assert.deepEqual(texts(nodes.strategy.validateUpdate(node({ ...old.spec, unschedulable: true }), old)), []);
	assert.deepEqual(texts(nodes.strategy.validateUpdate(node({ providerID: 'b' }), old)), [
		'spec.podCIDRs: Forbidden: node updates may not change podCIDR except from "" to valid',
		'spec.providerID: Forbidden: node updates may not change providerID except from "" to valid',
	]);
	const address = { type: 'InternalIP', address: '10.0.0.1' };
	const twice = node({}, { addresses: [address, address] });
	assert.deepEqual(texts(nodes.status?.validateUpdate(twice, node()) ?? []), [
		'status.addresses[1]: Duplicate value: {"type":"InternalIP","address":"10.0.0.1"}',
	]);
});

test('the printer columns of a Node are those of kubectl', () => {
	const cells = (given: Node): object =>
		Object.fromEntries(nodes.columns.map(({ name, cell }) => [name, cell(given, NOW)]));
	const nodeInfo = {
		kubeletVersion: 'v1.36.0',
		osImage: 'Linux',
		kernelVersion: '6.1',
		architecture: 'amd64',
		containerRuntimeVersion: 'process://1',
	};
	const full = node(
		{ unschedulable: true },
		{
			conditions: [{ type: 'Ready', status: 'True' }],
			addresses: [{ type: 'InternalIP', address: '10.0.0.1' }],
			nodeInfo,
		},
		{
			creationTimestamp: '2026-01-31T08:00:00Z',
			labels: { 'node-role.kubernetes.io/worker': '', 'kubernetes.io/role': 'edge' },
		},
	);
	assert.deepEqual(cells(full), {
		Name: 'n',
		Status: 'Ready,SchedulingDisabled',
		Roles: 'edge,worker',
		Age: '10m',
		Version: 'v1.36.0',
		'Internal-IP': '10.0.0.1',
		'External-IP': '<none>',
		'OS-Image': 'Linux',
		'Kernel-Version': '6.1 (amd64)',
		'Container-Runtime': 'process://1',
	});
	assert.deepEqual(Object.values(cells(node())).slice(0, 5), ['n', 'Unknown', '<none>', '<unknown>', '']);
	const down = node({}, { conditions: [{ type: 'Ready', status: 'Unknown' }] });
	assert.equal(Object.values(cells(down))[1], 'NotReady');
});
