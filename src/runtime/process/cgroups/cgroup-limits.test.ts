import assert from 'node:assert/strict';
import test from 'node:test';
import type { ResourceAmounts } from '../../../api/contract/container-config.ts';
import {
	type CgroupController,
	type CgroupLimits,
	cgroupFilesOf,
	containerLimitsOf,
	podLimitsOf,
} from './cgroup-limits.ts';

const ALL: ReadonlySet<CgroupController> = new Set(['cpu', 'memory', 'pids']);

function amounts(given: Partial<ResourceAmounts> = {}): ResourceAmounts {
	return { others: {}, ...given };
}

const CASES: readonly {
	readonly requests?: Partial<ResourceAmounts>;
	readonly limits?: Partial<ResourceAmounts>;
	readonly becomes: CgroupLimits | undefined;
}[] = [
	{ becomes: undefined },
	{ requests: { memoryBytes: 1 << 20 }, becomes: undefined },
	{ requests: { cpuMillis: 250 }, becomes: { cpuShares: 256 } },
	{ requests: { cpuMillis: 1 }, becomes: { cpuShares: 2 } },
	{ requests: { cpuMillis: 1_000_000 }, becomes: { cpuShares: 262_144 } },
	{ limits: { cpuMillis: 1500 }, becomes: { cpuShares: 1536, cpuQuotaMicros: 150_000 } },
	{
		requests: { cpuMillis: 100 },
		limits: { cpuMillis: 500 },
		becomes: { cpuShares: 102, cpuQuotaMicros: 50_000 },
	},
	{ limits: { cpuMillis: 5 }, becomes: { cpuShares: 5, cpuQuotaMicros: 1000 } },
	{ limits: { memoryBytes: 32 << 20 }, becomes: { memoryBytes: 32 << 20 } },
	{ limits: { ephemeralStorageBytes: 1 }, becomes: undefined },
];

for (const { requests, limits, becomes } of CASES) {
	test(`requests ${JSON.stringify(requests)} and limits ${JSON.stringify(limits)} as a control group`, () => {
		const resources = { requests: amounts(requests), limits: amounts(limits) };
		assert.deepEqual(containerLimitsOf(resources, ALL), becomes);
	});
}

test('only what the controllers can enforce is asked of them', () => {
	const resources = { requests: amounts(), limits: amounts({ cpuMillis: 1000, memoryBytes: 64 }) };
	assert.deepEqual(containerLimitsOf(resources, new Set(['memory'])), { memoryBytes: 64 });
	assert.equal(containerLimitsOf(resources, new Set()), undefined);
});

test('a Pod has a limit of processes if the node has one', () => {
	const resources = { requests: amounts(), limits: amounts() };
	assert.deepEqual(podLimitsOf(resources, 100, ALL), { pids: 100 });
	assert.equal(podLimitsOf(resources, 0, ALL), undefined);
	assert.equal(podLimitsOf(resources, 100, new Set(['cpu'])), undefined);
});

function written(limits: CgroupLimits, version: 1 | 2): Readonly<Record<string, string>> {
	return Object.fromEntries(
		cgroupFilesOf(limits, { version, controllers: ALL }).map(({ name, value }) => [name, value]),
	);
}

test('the files of cgroup v2', () => {
	assert.deepEqual(written({ cpuShares: 1024, cpuQuotaMicros: 50_000, memoryBytes: 100, pids: 7 }, 2), {
		'memory.max': '100',
		'memory.swap.max': '0',
		'memory.oom.group': '1',
		'cpu.weight': '100',
		'cpu.max': '50000 100000',
		'pids.max': '7',
	});
	assert.deepEqual(written({}, 2), {
		'memory.max': 'max',
		'memory.swap.max': 'max',
		'memory.oom.group': '1',
		'cpu.weight': '100',
		'cpu.max': 'max 100000',
		'pids.max': 'max',
	});
});

test('shares as weights: the least, the default and the most are the same on both scales', () => {
	const weights = [2, 102, 256, 1024, 2048, 262_144].map(
		(cpuShares) => written({ cpuShares }, 2)['cpu.weight'],
	);
	assert.deepEqual(weights, ['1', '17', '35', '100', '174', '10000']);
});

test('the files of cgroup v1', () => {
	assert.deepEqual(written({ cpuShares: 102, cpuQuotaMicros: 50_000, memoryBytes: 100, pids: 7 }, 1), {
		'memory.limit_in_bytes': '100',
		'memory.memsw.limit_in_bytes': '100',
		'cpu.shares': '102',
		'cpu.cfs_period_us': '100000',
		'cpu.cfs_quota_us': '50000',
		'pids.max': '7',
	});
	assert.equal(written({}, 1)['memory.limit_in_bytes'], '-1');
});
