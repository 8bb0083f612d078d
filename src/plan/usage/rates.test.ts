import assert from 'node:assert/strict';
import test from 'node:test';
import type { ContainerUsage } from '../../api/contract/usage.ts';
import { type UsageSample, usageBetween } from './rates.ts';

function sample(at: number, cpus: Readonly<Record<string, number>>): UsageSample {
	const containers = Object.entries(cpus).map(
		([id, cpuNanoseconds]): ContainerUsage => ({
			...{ id, podUid: 'u', name: 'c', at, cpuNanoseconds },
			...{ memoryBytes: 2, workingSetBytes: 1, processes: 1, writableLayerBytes: 0 },
		}),
	);
	const machine = { at, cpuNanoseconds: at * 1e6, workingSetBytes: 7, memoryAvailableBytes: 8 };
	return { machine, containers };
}

test('a rate is the processor time between two measurements', () => {
	const usage = usageBetween(sample(1000, { a: 5e8 }), sample(3000, { a: 15e8 }));
	assert.deepEqual(
		usage.containers.map(({ id, cpuNanoCores, windowMs }) => [id, cpuNanoCores, windowMs]),
		[['a', 5e8, 2000]],
	);
	assert.equal(usage.machine.cpuNanoCores, 1e9);
});

test('a container that was measured once is left out, and one that has ended too', () => {
	const usage = usageBetween(sample(1000, { a: 1, gone: 1 }), sample(2000, { a: 1, started: 1 }));
	assert.deepEqual(
		usage.containers.map(({ id, cpuNanoCores }) => [id, cpuNanoCores]),
		[['a', 0]],
	);
});

test('no rate is negative or infinite when the clock was set back', () => {
	assert.equal(usageBetween(sample(2000, { a: 9 }), sample(1000, { a: 1 })).machine.cpuNanoCores, 0);
});
