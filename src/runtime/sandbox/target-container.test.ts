import assert from 'node:assert/strict';
import test, { after } from 'node:test';
import { ContractMachine } from '../testing/contract-machine.ts';
import { targetContainerSuite } from '../testing/target-suite.ts';
import { missingForSandbox, openSandbox, SandboxWorld } from './testing/sandbox-harness.ts';

const missing = await missingForSandbox();
if (missing) {
	process.stdout.write(`# skipped: ${missing}\n`);
} else {
	const world = await SandboxWorld.open();
	targetContainerSuite('containers with images', () => openSandbox(world));
	test('a container in the processes of another one sees no waiter that it could reach into', async (t) => {
		const machine = new ContractMachine(await openSandbox(world));
		t.after(() => machine.close());
		await machine.start();
		const target = await machine.start1(['sleep', '1000000']);
		const logPath = machine.harness.logPath('debugger');
		const config = { ...machine.config(['ps']), name: 'debugger', targetContainerId: target.id, logPath };
		const { id } = await machine.runtime.createContainer(target.sandboxId, config);
		await machine.runtime.startContainer(id);
		await machine.exitOf(id);
		assert.equal((await machine.harness.readLog(logPath)).match(/stint/), null);
	});
	after(() => world.close());
}
