import assert from 'node:assert/strict';
import test, { after } from 'node:test';
import { ContractMachine } from '../testing/contract-machine.ts';
import { missingForSandbox, openSandbox, SandboxWorld } from './testing/sandbox-harness.ts';

const missing = await missingForSandbox();
if (missing) {
	process.stdout.write(`# skipped: ${missing}\n`);
} else {
	const world = await SandboxWorld.open();
	test('what a container writes to its root file system is measured, and what its image has is not', async (t) => {
		const machine = new ContractMachine(await openSandbox(world));
		t.after(() => machine.close());
		await machine.start();
		const text = 'head -c 5000000 /dev/zero > /written; chmod 0 /written; echo done; exec sleep 1000000';
		const { id, logPath } = await machine.start1(['sh', '-c', text]);
		await machine.logged(logPath, 'done\n');
		const idle = await machine.start1(['sleep', '1000000'], { pod: 'b' });
		const used = new Map((await machine.runtime.usage()).map((each) => [each.id, each.writableLayerBytes]));
		const [written = 0, nothing = 0] = [used.get(id), used.get(idle.id)];
		assert.ok(written >= 5_000_000 && written < 6_000_000, `${written}`);
		assert.ok(nothing < 100_000, `${nothing}`);
	});
	after(() => world.close());
}
