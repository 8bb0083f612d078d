import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { ContractMachine } from '../testing/contract-machine.ts';
import { withArguments } from '../testing/host-processes.ts';
import { missingForSandbox, openSandbox, SandboxWorld } from './testing/sandbox-harness.ts';

const skip = (await missingForSandbox()) ?? (process.getuid?.() !== 0 && 'the ids of other users need root');

function parentOf(pid: number): number {
	return Number(/^PPid:\t(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

for (const when of ['while', 'before'] as const) {
	test(`a program that has changed its user ends with its waiter, killed ${when} a launcher runs`, {
		skip,
	}, async (t) => {
		const world = await SandboxWorld.open();
		t.after(() => world.close());
		const machine = new ContractMachine(await openSandbox(world));
		t.after(() => machine.close());
		await machine.start();
		const seconds = String(1_000_000 + process.pid);
		// The kernel no longer kills it with its parent, and no mark is left.
		await machine.start1(['su', 'app', '-c', `exec env -i /bin/sleep ${seconds}`]);
		const { id } = (await machine.runtime.listContainers())[0] ?? assert.fail('nothing runs');
		let pids = withArguments('/bin/sleep', seconds);
		for (; pids.length === 0; pids = withArguments('/bin/sleep', seconds)) await machine.harness.passTime(1);
		const [pid = 0] = pids;
		const waiter = parentOf(pid);
		if (when === 'before') await machine.harness.crash(machine.runtime);
		process.kill(waiter, 'SIGKILL');
		while (withArguments('/bin/sleep', seconds).length > 0) await machine.harness.passTime(1);
		assert.equal((await machine.exitOf(id)).state, 'exited');
	});
}
