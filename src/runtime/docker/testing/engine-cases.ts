/** What the runtime does with an engine beyond the contract, as tests. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { sandboxConfig } from '../../testing/configs.ts';
import { ContractMachine } from '../../testing/contract-machine.ts';
import { type ImageWorld, imageCases, outputOf, volumeMount } from '../../testing/image-cases.ts';
import { EngineClient } from '../engine/engine-client.ts';
import type { EngineDaemon } from './engine-daemon.ts';
import type { EngineFixture, OpenFixture } from './engine-fixture.ts';
import { type EngineHarness, openMachine } from './engine-harness.ts';

/** Registers the tests. */
export function engineCases(name: EngineDaemon['name'], fixture: EngineFixture): void {
	describe(`what containers of ${name} get`, () => {
		let opened: OpenFixture;
		let harness: EngineHarness;
		let machine: ContractMachine;
		beforeEach(async () => {
			opened = await fixture.open();
			harness = openMachine(opened.engine, opened.known);
			machine = new ContractMachine(harness);
			await machine.start();
		});
		afterEach(() => machine.close());
		// Podman's monitor does not see it where control groups of both versions are mounted.
		const reportsOutOfMemory = name === 'docker';
		const current = (): EngineWorld => ({ ...opened, harness, machine, reportsOutOfMemory });
		imageCases(current);
		host(current);
		logs(current);
		owners(current);
	});
}

interface EngineWorld extends OpenFixture, ImageWorld {
	readonly harness: EngineHarness;
}

function host(world: () => EngineWorld): void {
	test('a container has the host name of its Pod, and the network of this machine', async () => {
		const { machine } = world();
		await machine.runtime.runSandbox(sandboxConfig('a', { hostname: 'my-pod' }));
		assert.equal(await outputOf(world(), 'cat /proc/sys/kernel/hostname'), 'my-pod');
	});
}

function logs(world: () => EngineWorld): void {
	test('a log is continued by the next server without loss and without repetition', async () => {
		const { machine, harness } = world();
		const folder = join(harness.folder, 'volume');
		mkdirSync(folder, { recursive: true });
		const pause = '[ $i = 200 ] && until [ -e /data/go ]; do sleep 0.05; done';
		const text = `i=0; while [ $i -lt 400 ]; do i=$((i+1)); echo line $i; ${pause}; done; printf rest`;
		const fields = { mounts: [volumeMount(folder)] };
		const { id, logPath } = await machine.start1(['sh', '-c', text], { fields });
		await machine.logged(logPath, 'line 20\n');
		const runtime = await machine.reconnect();
		await machine.logged(logPath, 'line 100\n');
		// The server is killed in the middle of a write.
		await runtime.stop();
		const before = await harness.readLog(logPath);
		writeFileSync(logPath, before.slice(0, -3));
		writeFileSync(join(folder, 'go'), '');
		const last = await machine.reconnect();
		// It may have ended before, in which case there is no event.
		while ((await last.listContainers()).some((each) => each.id === id && each.state === 'running'))
			await harness.passTime(10);
		const log = await harness.readLog(logPath);
		const lines = Array.from({ length: 400 }, (_, index) => `line ${index + 1}`);
		assert.deepEqual(
			log
				.trimEnd()
				.split('\n')
				.map((line) => line.replace(/^\S+ stdout [FP] /, '')),
			[...lines, 'rest'],
		);
		assert.match(log, / stdout P rest\n$/);
	});

	test('a log is completed for a container that ended while no server ran', async () => {
		const { machine, harness } = world();
		const { id, logPath } = await machine.start1(['sh', '-c', 'echo first; sleep 0.5; echo last']);
		await machine.logged(logPath, 'first\n');
		await machine.runtime.stop();
		const client = new EngineClient(world().engine.socketPath);
		const label = 'stint.io/container';
		const list = await client.call('GET', '/containers/json', {
			query: { filters: JSON.stringify({ label: [label] }) },
		});
		for (const each of Array.isArray(list) ? list : [])
			await client.call('POST', `/containers/${each.Id}/wait`);
		const runtime = await machine.reconnect();
		assert.equal((await runtime.listContainers()).find((each) => each.id === id)?.state, 'exited');
		assert.match(await harness.readLog(logPath), /F first\n.*F last\n$/);
	});
}

function owners(world: () => EngineWorld): void {
	test('a server neither sees nor touches the containers of another one, and of other programs', async () => {
		const { machine, engine, known } = world();
		const client = new EngineClient(engine.socketPath);
		const body = { Image: known, Entrypoint: ['sleep', '1000000'], HostConfig: { NetworkMode: 'host' } };
		const foreign = await client.call('POST', '/containers/create', { query: { name: 'foreign' }, body });
		const other = new ContractMachine(openMachine(engine, known));
		await other.start();
		try {
			const running = await machine.start1(machine.programs.runsForEver);
			// The same Pod, as in a copy of the data folder.
			const copy = await other.start1(other.programs.runsForEver);
			assert.equal(copy.id, running.id);
			const more = await machine.start1(machine.programs.runsForEver, { pod: 'b' });
			const listed = await (await other.reconnect()).listContainers();
			assert.deepEqual(listed, [copy]);
			await other.runtime.stop({ killAll: true });
			assert.deepEqual(await machine.runtime.listContainers(), [running, more]);
			const found = await client.call('GET', '/containers/foreign/json');
			assert.ok(found && foreign);
		} finally {
			await other.close();
			await client.call('DELETE', '/containers/foreign', { query: { force: 1 } });
		}
	});

	test('a container that is removed from the engine by another program has exited with 137', async () => {
		const { machine, engine } = world();
		const running = await machine.start1(machine.programs.runsForEver);
		const client = new EngineClient(engine.socketPath);
		const filters = JSON.stringify({ label: ['io.kubernetes.pod.uid=uid-a'] });
		const [found] = Object.values(
			(await client.call('GET', '/containers/json', { query: { filters } })) ?? {},
		);
		await client.call('DELETE', `/containers/${found.Id}`, { query: { force: 1 } });
		const exited = await machine.exitOf(running.id);
		assert.ok(exited.state === 'exited' && exited.exitCode === 137);
	});
}
