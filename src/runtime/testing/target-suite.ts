import assert from 'node:assert/strict';
import test from 'node:test';
import { ContractMachine, type RuntimeHarness } from './contract-machine.ts';
import { withArguments } from './host-processes.ts';

/**
 * The tests of `targetContainerId` for a runtime whose containers have processes of their own, and a shell with `ps` of
 * busybox or procps.
 */
export function targetContainerSuite(title: string, open: () => Promise<RuntimeHarness>): void {
	const withMachine = async (act: (machine: ContractMachine) => Promise<void>): Promise<void> => {
		const machine = new ContractMachine(await open());
		try {
			await machine.start();
			await act(machine);
		} finally {
			await machine.close();
		}
	};
	const aimed = (machine: ContractMachine, target: string, script: string) => ({
		...machine.config(['sh', '-c', script]),
		name: 'debugger',
		targetContainerId: target,
		logPath: machine.harness.logPath('debugger'),
	});

	test(`${title}: a container sees the processes of the one that it targets`, async () => {
		await withMachine(async (machine) => {
			const seconds = String(2_000_000 + process.pid);
			const target = await machine.start1(['sleep', seconds]);
			const config = aimed(machine, target.id, 'ps -o args; echo done');
			const { id } = await machine.runtime.createContainer(target.sandboxId, config);
			await machine.runtime.startContainer(id);
			const end = await machine.exitOf(id);
			assert.deepEqual(end.state === 'exited' && [end.exitCode, end.reason], [0, 'Completed']);
			assert.match(await machine.harness.readLog(config.logPath), new RegExp(`sleep ${seconds}`));
			const [left] = (await machine.runtime.listContainers()).filter((each) => each.id === target.id);
			assert.equal(left?.state, 'running');
		});
	});

	test(`${title}: what it leaves behind ends with it, and its target does not`, async () => {
		await withMachine(async (machine) => {
			const target = await machine.start1(['sleep', '1000000']);
			const argv = ['sleep', String(3_000_000 + process.pid)];
			const left = `env -i PATH="$PATH" setsid ${argv.join(' ')}`;
			const config = aimed(machine, target.id, `(${left} &) ; sleep 0.2; ps -o args`);
			const { id } = await machine.runtime.createContainer(target.sandboxId, config);
			await machine.runtime.startContainer(id);
			const end = await machine.exitOf(id);
			const lateMs = end.state === 'exited' ? Date.now() - end.finishedAt : Number.NaN;
			assert.ok(
				lateMs < 1900,
				`reported after ${lateMs} ms: a waiter that finds no process to kill waits for two seconds`,
			);
			assert.match(await machine.harness.readLog(config.logPath), new RegExp(argv.join(' ')));
			while (withArguments(...argv).length > 0) await machine.harness.passTime(1);
			const [still] = (await machine.runtime.listContainers()).filter((each) => each.id === target.id);
			assert.equal(still?.state, 'running');
		});
	});

	test(`${title}: a container ends with the one that it targets, as killed`, async () => {
		await withMachine(async (machine) => {
			const target = await machine.start1(['sleep', '1000000']);
			const config = aimed(machine, target.id, 'sleep 1000000');
			const { id } = await machine.runtime.createContainer(target.sandboxId, config);
			await machine.runtime.startContainer(id);
			const begin = performance.now();
			await machine.runtime.stopContainer(target.id, 0);
			const end = await machine.exitOf(id);
			assert.ok(performance.now() - begin < 4000, 'without the wait for a lost waiter');
			assert.equal(end.state, 'exited');
			const { exitCode, reason, message } = end.state === 'exited' ? end : assert.fail();
			assert.deepEqual([exitCode, reason, message], [137, 'Error', undefined]);
		});
	});

	test(`${title}: a container cannot target one that does not run`, async () => {
		await withMachine(async (machine) => {
			const ended = await machine.run(['true']);
			await assert.rejects(
				machine.runtime.createContainer(ended.sandboxId, aimed(machine, ended.id, 'true')),
				{ reason: 'CreateContainerError', message: `container ${ended.id} is not running` },
			);
		});
	});
}
