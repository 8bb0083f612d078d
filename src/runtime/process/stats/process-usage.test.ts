import assert from 'node:assert/strict';
import test from 'node:test';
import { openHost, start } from '../testing/host-harness.ts';

const skip = process.platform !== 'linux' && 'there is no /proc';

for (const withoutShim of [false, true]) {
	const how = withoutShim ? 'as a child' : 'by the shim';
	test(`the usage of a container ${how} includes ended children, and never decreases`, { skip }, async () => {
		const machine = openHost({ withoutShim });
		try {
			const runtime = machine.connect();
			await runtime.start();
			// Children that use processor time and end, while the main process waits for them.
			const script = 'while :; do (i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done); done';
			await start(runtime, machine.script(script));
			let last = 0;
			while (last < 200_000_000) {
				const [used] = await runtime.usage();
				assert.ok(used && used.cpuNanoseconds >= last - 10_000_000, `${used?.cpuNanoseconds} after ${last}`);
				assert.ok(used.memoryBytes > 0 && used.processes >= 1);
				last = used.cpuNanoseconds;
			}
		} finally {
			await machine.close();
		}
	});
}

test('a container with a memory limit is measured by its control group', { skip }, async (context) => {
	const machine = openHost();
	try {
		const runtime = machine.connect();
		await runtime.start();
		if (!runtime.traits.canResize) return context.skip('this user may not make control groups');
		const resources = { requests: { others: {} }, limits: { memoryBytes: 64 << 20, others: {} } };
		const script = 'x=$(head -c 20000000 /dev/zero | tr "\\0" x); echo held; sleep 1000';
		await start(runtime, machine.script(script, { resources }));
		for (let held = 0; held < 20_000_000; ) held = (await runtime.usage())[0]?.workingSetBytes ?? 0;
	} finally {
		await machine.close();
	}
});
