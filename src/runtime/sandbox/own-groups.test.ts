import assert from 'node:assert/strict';
import test, { after } from 'node:test';
import { ContractMachine } from '../testing/contract-machine.ts';
import { missingForSandbox, openSandbox, SandboxWorld } from './testing/sandbox-harness.ts';

const missing = await missingForSandbox();
if (missing) {
	process.stdout.write(`# skipped: ${missing}\n`);
} else {
	const world = await SandboxWorld.open();
	const fields = { resources: { requests: { others: {} }, limits: { memoryBytes: 2 ** 28, others: {} } } };

	test('a container reads its limit below /sys/fs/cgroup, and cannot write it', async (t) => {
		const machine = new ContractMachine(await openSandbox(world));
		t.after(() => machine.close());
		await machine.start();
		const names = 'memory/memory.limit_in_bytes memory.max';
		const text = `cd /sys/fs/cgroup; for f in ${names}; do [ ! -e $f ] || { cat $f; echo 1 > $f; }; done`;
		const log = await machine.harness.readLog((await machine.run(['sh', '-c', text], { fields })).logPath);
		assert.match(log, / stdout F 268435456\n/);
		assert.match(log, /read-only file system/i);
	});

	test('a container sees no control group above its own, and neither does a command in it', async (t) => {
		const machine = new ContractMachine(await openSandbox(world));
		t.after(() => machine.close());
		await machine.start();
		const look = ['sh', '-c', 'cat /proc/self/cgroup; test -z "$(grep -v :/$ /proc/self/cgroup)"'];
		const seen = await machine.run(look, { fields });
		assert.ok(seen.state === 'exited' && seen.exitCode === 0, await machine.harness.readLog(seen.logPath));
		const { id } = await machine.start1(['sleep', '1000000'], { pod: 'b', fields });
		const streams = { stdin: false, stdout: true, stderr: true, tty: false };
		assert.equal(await (await machine.runtime.exec(id, { ...streams, command: look })).exitCode, 0);
	});
	after(() => world.close());
}
