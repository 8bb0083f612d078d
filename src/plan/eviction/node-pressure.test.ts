import assert from 'node:assert/strict';
import test from 'node:test';
import type { Pod } from '../../api/core/pod/schema.ts';
import { podWith } from '../pod/testing/pod-with.ts';
import {
	type EvictionCandidate,
	evictionGraceSeconds,
	type PodUse,
	podToEvict,
	pressureAfter,
	pressureMessage,
} from './node-pressure.ts';

const MIB = 2 ** 20;

interface Case {
	readonly name: string;
	readonly memory?: string;
	readonly priority?: number;
	readonly use?: Partial<PodUse>;
	readonly isUnknown?: true;
}

function candidate({ name, memory, priority, use, isUnknown }: Case): EvictionCandidate {
	const resources = memory === undefined ? {} : { resources: { requests: { memory } } };
	const spec = { containers: [{ name: 'c', ...resources }], ...(priority !== undefined && { priority }) };
	const made = podWith(spec);
	const pod: Pod = { ...made, metadata: { ...made.metadata, name } };
	const nothing = { memoryBytes: 0, processes: 0, diskBytes: 0, inodes: 0, containers: new Map() };
	return { pod, use: isUnknown ? undefined : { ...nothing, ...use } };
}

const RANKED: readonly {
	readonly title: string;
	readonly signal: Parameters<typeof podToEvict>[1];
	readonly cases: readonly Case[];
	readonly evicted: string | undefined;
}[] = [
	{ title: 'without Pods', signal: 'memory.available', cases: [], evicted: undefined },
	{
		title: 'one beyond its request before a larger one within it',
		signal: 'memory.available',
		cases: [
			{ name: 'within', memory: '1Gi', use: { memoryBytes: 900 * MIB } },
			{ name: 'beyond', memory: '1Mi', use: { memoryBytes: 2 * MIB } },
		],
		evicted: 'beyond',
	},
	{
		title: 'the lower priority of two beyond their requests',
		signal: 'memory.available',
		cases: [
			{ name: 'high', priority: 10, use: { memoryBytes: 900 * MIB } },
			{ name: 'low', priority: 5, use: { memoryBytes: MIB } },
		],
		evicted: 'low',
	},
	{
		title: 'the one that uses most beyond its request',
		signal: 'memory.available',
		cases: [
			{ name: 'more', memory: '500Mi', use: { memoryBytes: 510 * MIB } },
			{ name: 'most', memory: '100Mi', use: { memoryBytes: 200 * MIB } },
		],
		evicted: 'most',
	},
	{
		title: 'one that could not be measured first',
		signal: 'memory.available',
		cases: [
			{ name: 'large', use: { memoryBytes: 900 * MIB } },
			{ name: 'unknown', isUnknown: true },
		],
		evicted: 'unknown',
	},
	{
		title: 'no critical Pod',
		signal: 'memory.available',
		cases: [
			{ name: 'critical', priority: 2_000_000_000, isUnknown: true },
			{ name: 'plain', use: { memoryBytes: 1 } },
		],
		evicted: 'plain',
	},
	{
		title: 'the one with most on the disk',
		signal: 'nodefs.available',
		cases: [
			{ name: 'memory', use: { memoryBytes: 900 * MIB, diskBytes: 1 } },
			{ name: 'disk', use: { diskBytes: 2 } },
		],
		evicted: 'disk',
	},
	{
		title: 'the one with most processes',
		signal: 'pid.available',
		cases: [
			{ name: 'few', use: { processes: 3 } },
			{ name: 'many', use: { processes: 9 } },
		],
		evicted: 'many',
	},
];

for (const { title, signal, cases, evicted } of RANKED)
	test(`eviction: ${title}`, () => {
		const found = podToEvict(cases.map(candidate), signal);
		assert.equal(found?.pod.metadata.name, evicted);
		assert.equal(podToEvict(cases.map(candidate).toReversed(), signal)?.pod.metadata.name, evicted);
	});

test('the message names the resource, the threshold and the containers beyond their requests', () => {
	const use = { containers: new Map([['c', 2 * MIB]]) };
	const observed = { 'memory.available': { available: 50 * MIB, capacity: 2 ** 30 } };
	assert.equal(
		pressureMessage(
			candidate({ name: 'p', memory: '1Mi', use }),
			{ signal: 'memory.available', value: '100Mi' },
			observed,
		),
		'The node was low on resource: memory. Threshold quantity: 100Mi, available: 50Mi. ' +
			'Container c was using 2Mi, request is 1Mi, has larger consumption of memory. ',
	);
	assert.equal(
		pressureMessage(candidate({ name: 'p' }), { signal: 'pid.available', value: '100' }, {}),
		'The node was low on resource: pids. ',
	);
});

test('a condition stays for five minutes after the last shortage', () => {
	const disk = { signal: 'nodefs.available', value: '10%' } as const;
	const short = pressureAfter(new Map(), [disk], 0);
	assert.deepEqual([...short], [['DiskPressure', 0]]);
	assert.deepEqual([...pressureAfter(short, [], 299_999)], [['DiskPressure', 0]]);
	assert.deepEqual([...pressureAfter(short, [], 300_000)], []);
	assert.deepEqual([...pressureAfter(short, [disk], 300_000)], [['DiskPressure', 300_000]]);
});

test('an evicted Pod gets a second to end, or with a soft threshold what it asks for up to the maximum', () => {
	const grace = (own: number | undefined, maxPodGraceSeconds?: number): number =>
		evictionGraceSeconds(podWith(own === undefined ? {} : { terminationGracePeriodSeconds: own }), {
			...{ signal: 'memory.available', value: '1' },
			...(maxPodGraceSeconds !== undefined && { soft: { graceMs: 0, maxPodGraceSeconds } }),
		});
	assert.equal(grace(60), 1);
	assert.deepEqual(
		[grace(60, 20), grace(10, 20), grace(60, 0), grace(undefined, 0), grace(0, 20)],
		[20, 10, 60, 30, 1],
	);
});
