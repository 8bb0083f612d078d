import assert from 'node:assert/strict';
import test from 'node:test';
import { decode } from '../../schema/decode.ts';
import { podColumns } from './columns.ts';
import { podSchema } from './schema.ts';

const NOW = Date.parse('2026-01-31T08:10:00Z');

function cells(
	spec: object,
	status: object,
	metadata: object = {},
): Readonly<Record<string, string | number | boolean>> {
	const { value } = decode(podSchema, {
		metadata: { name: 'p', creationTimestamp: '2026-01-31T08:00:00Z', ...metadata },
		spec: { containers: [{ name: 'a' }, { name: 'b' }], ...spec },
		status,
	});
	return Object.fromEntries(podColumns.map(({ name, cell }) => [name, cell(value, NOW)]));
}

/** The cells of the columns Ready, Status and Restarts, as one text. */
function shown(spec: object, status: object, metadata: object = {}): string {
	const { Ready, Status, Restarts } = cells(spec, status, metadata);
	return `${Ready} ${Status} ${Restarts}`;
}

const running = (name: string, more: object = {}): object => ({
	name,
	ready: true,
	state: { running: {} },
	...more,
});
const waiting = (name: string, reason: string, more: object = {}): object => ({
	name,
	state: { waiting: { reason } },
	...more,
});
const ended = (name: string, exitCode: number, reason?: string, signal?: number): object => ({
	name,
	state: { terminated: { exitCode, reason, signal } },
});

test('the printer columns of a Pod are those of kubectl', () => {
	const status = {
		phase: 'Running',
		podIPs: [{ ip: '10.0.0.1' }],
		containerStatuses: [running('a'), running('b')],
	};
	assert.deepEqual(cells({ nodeName: 'n' }, status), {
		Name: 'p',
		Ready: '2/2',
		Status: 'Running',
		Restarts: '0',
		Age: '10m',
		IP: '10.0.0.1',
		Node: 'n',
		'Nominated Node': '<none>',
		'Readiness Gates': '<none>',
	});
	const gates = { readinessGates: [{ conditionType: 'a' }, { conditionType: 'b' }] };
	const conditions = [{ type: 'a', status: 'True' }];
	const empty = cells(gates, { conditions });
	assert.deepEqual([empty.IP, empty.Node, empty['Readiness Gates']], ['<none>', '<none>', '1/2']);
});

test('the STATUS column shows the last state that applies, as upstream does', () => {
	const rows: readonly (readonly [status: object, expected: string])[] = [
		[{ phase: 'Pending' }, '0/2 Pending 0'],
		[{ phase: 'Failed', reason: 'Evicted' }, '0/2 Evicted 0'],
		[
			{
				phase: 'Pending',
				conditions: [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }],
			},
			'0/2 SchedulingGated 0',
		],
		[
			{
				phase: 'Pending',
				containerStatuses: [waiting('a', 'ContainerCreating'), waiting('b', 'ContainerCreating')],
			},
			'0/2 ContainerCreating 0',
		],
		[
			{ phase: 'Running', containerStatuses: [running('a'), waiting('b', 'CrashLoopBackOff')] },
			'1/2 CrashLoopBackOff 0',
		],
		[
			{ phase: 'Pending', containerStatuses: [waiting('a', 'ErrImagePull'), ended('b', 1, 'Error')] },
			'0/2 ErrImagePull 0',
		],
		[
			{ phase: 'Succeeded', containerStatuses: [ended('a', 0, 'Completed'), ended('b', 0, 'Completed')] },
			'0/2 Completed 0',
		],
		[
			{ phase: 'Failed', containerStatuses: [ended('a', 1, 'Error'), ended('b', 0, 'Completed')] },
			'0/2 Error 0',
		],
		[
			{ phase: 'Failed', containerStatuses: [ended('a', 0, 'Completed'), ended('b', 137, 'OOMKilled')] },
			'0/2 OOMKilled 0',
		],
		[{ phase: 'Failed', containerStatuses: [ended('a', 3), ended('b', 3)] }, '0/2 ExitCode:3 0'],
		[{ phase: 'Failed', containerStatuses: [ended('a', 137, undefined, 9)] }, '0/2 Signal:9 0'],
		[
			{
				phase: 'Running',
				conditions: [{ type: 'Ready', status: 'True' }],
				containerStatuses: [ended('a', 0, 'Completed'), running('b')],
			},
			'1/2 Running 0',
		],
		[{ phase: 'Running', containerStatuses: [ended('a', 0, 'Completed'), running('b')] }, '1/2 NotReady 0'],
	];
	for (const [status, expected] of rows) assert.equal(shown({}, status), expected, JSON.stringify(status));
});

test('the STATUS column shows the progress of the init containers', () => {
	const spec = { initContainers: [{ name: 'i' }, { name: 'j' }] };
	const done = { type: 'Initialized', status: 'True' };
	const rows: readonly (readonly [initContainerStatuses: readonly object[], expected: string])[] = [
		[[waiting('i', 'PodInitializing'), waiting('j', 'PodInitializing')], '0/2 Init:0/2 0'],
		[[running('i'), waiting('j', 'PodInitializing')], '0/2 Init:0/2 0'],
		[[ended('i', 0, 'Completed'), running('j')], '0/2 Init:1/2 0'],
		[[ended('i', 1, 'Error'), waiting('j', 'PodInitializing')], '0/2 Init:Error 0'],
		[[ended('i', 2)], '0/2 Init:ExitCode:2 0'],
		[[ended('i', 137, undefined, 9)], '0/2 Init:Signal:9 0'],
		[[waiting('i', 'CrashLoopBackOff', { restartCount: 3 })], '0/2 Init:CrashLoopBackOff 3'],
		[[ended('i', 0), ended('j', 0)], '0/2 Pending 0'],
	];
	for (const [initContainerStatuses, expected] of rows) {
		assert.equal(shown(spec, { phase: 'Pending', initContainerStatuses }), expected);
	}
	const again = { phase: 'Running', conditions: [done], initContainerStatuses: [running('i')] };
	const containerStatuses = [running('a'), waiting('b', 'CrashLoopBackOff')];
	assert.equal(
		shown(spec, { ...again, containerStatuses }),
		'1/2 CrashLoopBackOff 0',
		'once initialised, containers count',
	);
});

test('the READY column counts sidecars with the containers', () => {
	const spec = { initContainers: [{ name: 's', restartPolicy: 'Always' }, { name: 'i' }] };
	const sidecar = running('s', { started: true, restartCount: 2 });
	assert.equal(
		shown(spec, { phase: 'Pending', initContainerStatuses: [sidecar, running('i', { restartCount: 1 })] }),
		'1/3 Init:1/2 3',
	);
	const containerStatuses = [running('a', { restartCount: 1 }), running('b')];
	assert.equal(
		shown(spec, { phase: 'Running', initContainerStatuses: [sidecar, ended('i', 0)], containerStatuses }),
		'3/3 Running 3',
	);
});

test('the READY column counts only the sidecars before the first that has not started', () => {
	const spec = { initContainers: ['s', 't', 'u'].map((name) => ({ name, restartPolicy: 'Always' })) };
	const initContainerStatuses = [
		running('s', { started: true, restartCount: 1 }),
		running('t', { started: false, restartCount: 2 }),
		running('u', { started: true, restartCount: 4 }),
	];
	const conditions = [{ type: 'Initialized', status: 'True' }];
	const containerStatuses = [running('a', { restartCount: 8 })];
	const status = { phase: 'Running', conditions, initContainerStatuses, containerStatuses };
	assert.equal(cells(spec, status).Restarts, '11');
});

test('the RESTARTS column shows the time since the last exit', () => {
	const lastState = { terminated: { exitCode: 1, finishedAt: '2026-01-31T08:08:00Z' } };
	const earlier = { terminated: { exitCode: 1, finishedAt: '2026-01-31T08:01:00Z' } };
	const containerStatuses = [
		running('a', { restartCount: 2, lastState }),
		running('b', { restartCount: 1, lastState: earlier }),
	];
	assert.equal(cells({}, { phase: 'Running', containerStatuses }).Restarts, '3 (2m ago)');
});

test('the STATUS column shows Terminating for a Pod under deletion unless it has finished', () => {
	const deleted = { deletionTimestamp: '2026-01-31T08:09:00Z' };
	assert.equal(
		cells({}, { phase: 'Running', containerStatuses: [running('a')] }, deleted).Status,
		'Terminating',
	);
	assert.equal(
		cells({}, { phase: 'Succeeded', containerStatuses: [ended('a', 0, 'Completed')] }, deleted).Status,
		'Completed',
	);
	assert.equal(cells({}, { phase: 'Running', reason: 'NodeLost' }, deleted).Status, 'Unknown');
});
