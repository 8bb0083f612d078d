import assert from 'node:assert/strict';
import test from 'node:test';
import type { Pod } from '../../../api/core/pod/schema.ts';
import { podOf } from '../testing/placement-world.ts';
import { amountsOf, podRequests } from './requests.ts';

const asking = (requests: object, more: object = {}): object => ({
	name: 'c',
	image: 'x',
	resources: { requests },
	...more,
});
const SIDECAR = { restartPolicy: 'Always' };

function amounts(spec: object): Record<string, number> {
	return Object.fromEntries(podRequests(podOf({ spec })).amounts);
}

test('cpu is counted in millicores, other resources in whole units, rounded up', () => {
	assert.deepEqual(
		Object.fromEntries(
			amountsOf({ cpu: '1500m', memory: '1Ki', 'example.com/x': '3', 'ephemeral-storage': '1500m' }),
		),
		{ cpu: 1500, memory: 1024, 'example.com/x': 3, 'ephemeral-storage': 2 },
	);
	assert.deepEqual(Object.fromEntries(amountsOf({ cpu: '100u', memory: '16Ti' })), {
		cpu: 1,
		memory: 2 ** 44,
	});
});

test('the requests of containers are added, and every Pod requests one of pods', () => {
	const containers = ['a', 'b'].map((name) => asking({ cpu: '1', memory: '1Ki' }, { name }));
	assert.deepEqual(amounts({ containers }), { cpu: 2000, memory: 2048, pods: 1 });
	assert.deepEqual(amounts({}), { pods: 1 });
});

test('init containers count if they request more than the containers, sidecars are added', () => {
	const containers = [asking({ cpu: '2' })];
	const init = (name: string, cpu: string, more: object = {}): object => asking({ cpu }, { name, ...more });
	const cases: readonly (readonly [readonly object[], number])[] = [
		[[init('i', '1')], 2000],
		[[init('i', '3')], 3000],
		[[init('s', '1', SIDECAR)], 3000],
		[[init('s', '1', SIDECAR), init('i', '5')], 6000],
		[[init('i', '5'), init('s', '1', SIDECAR)], 5000],
		[[init('s', '1', SIDECAR), init('t', '1', SIDECAR), init('i', '1')], 4000],
	];
	for (const [initContainers, cpu] of cases)
		assert.equal(amounts({ containers, initContainers }).cpu, cpu, JSON.stringify(initContainers));
});

test('the overhead is added, and requests at Pod level replace those of the containers', () => {
	const containers = [asking({ cpu: '1', memory: '1Ki', 'example.com/x': '1' })];
	assert.equal(amounts({ containers, overhead: { cpu: '250m' } }).cpu, 1250);
	const resources = { requests: { cpu: '3' } };
	assert.deepEqual(amounts({ containers, resources }), {
		cpu: 3000,
		memory: 1024,
		'example.com/x': 1,
		pods: 1,
	});
});

test('for scoring a container without requests counts with a minimum', () => {
	const scored = (pod: Pod): unknown => Object.fromEntries(podRequests(pod).forScores);
	assert.deepEqual(scored(podOf()), { cpu: 100, memory: 200 * 1024 * 1024 });
	assert.deepEqual(scored(podOf({ requests: { cpu: '1' } })), { cpu: 1000, memory: 200 * 1024 * 1024 });
});
