import assert from 'node:assert/strict';
import test from 'node:test';
import type { ContainerUsage } from '../../api/contract/usage.ts';
import { VirtualClock } from '../../base/testing/virtual-clock.ts';
import { measureMachine } from './machine-usage.ts';
import { UsageWindow } from './usage-window.ts';

const MACHINE = { cpuNanoseconds: 0, workingSetBytes: 0, memoryAvailableBytes: 0 };

function world(): { clock: VirtualClock; window: UsageWindow; measured: () => number } {
	const clock = new VirtualClock();
	let count = 0;
	const usage = async (): Promise<readonly ContainerUsage[]> => {
		count += 1;
		const at = clock.now();
		// It uses half a processor.
		const container = { id: 'a', podUid: 'u', name: 'c', at, cpuNanoseconds: at * 500_000 };
		return [{ ...container, memoryBytes: 1, workingSetBytes: 1, processes: 1, writableLayerBytes: 0 }];
	};
	const window = new UsageWindow({
		...{ clock, runtime: { usage } },
		measureMachine: async (at) => ({ ...MACHINE, at }),
		onError: (error) => assert.fail(String(error)),
	});
	return { clock, window, measured: () => count };
}

/** Lets the time pass in steps, and what each of them causes happen. */
async function pass(clock: VirtualClock, lengthMs: number): Promise<void> {
	for (let passed = 0; passed < lengthMs; passed += 500) {
		await new Promise(setImmediate);
		clock.advance(500);
	}
	await new Promise(setImmediate);
}

test('clients that ask at the same time share the first two measurements', async () => {
	const { clock, window, measured } = world();
	assert.equal(measured(), 0);
	const both = Promise.all([window.read(), window.read()]);
	await pass(clock, 1000);
	for (const { containers } of await both) assert.equal(containers[0]?.cpuNanoCores, 500_000_000);
	assert.equal(measured(), 2);
});

test('measuring continues for a minute after the last client, and begins again with the next one', async () => {
	const { clock, window, measured } = world();
	const first = window.read();
	await pass(clock, 500);
	await first;
	await pass(clock, 10 * 60_000);
	const count = measured();
	assert.ok(count >= 5 && count <= 7, `measured ${count} times`);
	const next = window.read();
	await pass(clock, 1000);
	assert.equal((await next).containers[0]?.windowMs, 500);
	assert.equal(measured(), count + 2);
});

test('this machine is measured', async () => {
	const { cpuNanoseconds, workingSetBytes, memoryAvailableBytes, at } = await measureMachine(5);
	assert.equal(at, 5);
	assert.ok(cpuNanoseconds > 0 && workingSetBytes > 0 && memoryAvailableBytes > 0);
});
