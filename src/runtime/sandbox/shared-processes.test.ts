import assert from 'node:assert/strict';
import test, { after } from 'node:test';
import { sandboxConfig } from '../testing/configs.ts';
import { ContractMachine } from '../testing/contract-machine.ts';
import { missingForSandbox, openSandbox, SandboxWorld } from './testing/sandbox-harness.ts';

const SHARED = { network: 'pod', ipc: 'pod', pid: 'pod', user: 'node' } as const;

const missing = await missingForSandbox();
if (missing) {
	process.stdout.write(`# skipped: ${missing}\n`);
} else {
	const world = await SandboxWorld.open();
	test('containers with images that share processes see each other, and of the machine nothing', async (t) => {
		const machine = new ContractMachine(await openSandbox(world));
		t.after(() => machine.close());
		await machine.start();
		const sandbox = await machine.runtime.runSandbox(sandboxConfig('a', { namespaces: SHARED }));
		const seconds = String(2_000_000 + process.pid);
		await machine.start1(['sleep', seconds]);
		const script = [
			'ps -o args',
			'ls -A /proc/1/root',
			// The child of an ended parent: process 1 has to wait for it.
			'(sh -c "sleep 0.1 & echo \\$! > /tmp/orphan")',
			'while kill -0 $(cat /tmp/orphan) 2>/dev/null; do sleep 0.05; done',
		].join('; ');
		const logPath = machine.harness.logPath('beside');
		const config = { ...machine.config(['sh', '-c', script]), name: 'beside', logPath };
		const { id } = await machine.runtime.createContainer(sandbox.id, config);
		await machine.runtime.startContainer(id);
		const end = await machine.exitOf(id);
		const log = await machine.harness.readLog(logPath);
		assert.deepEqual(end.state === 'exited' && end.exitCode, 0, log);
		const lines = log.split('\n').map((line) => line.replace(/^\S+ stdout F /, ''));
		assert.ok(lines.includes(`sleep ${seconds}`), log);
		assert.ok(lines.includes('/pause pause'), log);
		assert.deepEqual(lines.slice(-2), ['pause', ''], log);
		assert.deepEqual((await machine.runtime.listContainers()).length, 2);
	});
	after(() => world.close());
}
