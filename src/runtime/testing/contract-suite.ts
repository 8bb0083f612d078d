/**
 * The contract of a runtime as tests. The numbers in the titles are those of the contract in contract.ts. The test file
 * of each implementation calls {@link runtimeContract} with a harness for it.
 */

import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { ContainerResizeError, ContainerStartError, ImageError } from '../contract.ts';
import { LINE_LIMIT_BYTES } from '../cri-log-writer.ts';
import { sandboxConfig } from './configs.ts';
import { byId, ContractMachine, exitCodeOf, type RuntimeHarness } from './contract-machine.ts';
import { execContract } from './exec-contract-suite.ts';
import { streamContract } from './stream-contract-suite.ts';

/** Registers the tests that each implementation of the contract must pass. */
export function runtimeContract(name: string, open: () => Promise<RuntimeHarness>): void {
	describe(name, () => {
		let machine: ContractMachine;
		beforeEach(async () => {
			machine = new ContractMachine(await open());
			await machine.start();
		});
		afterEach(() => machine.close());
		const current = (): ContractMachine => machine;
		repetition(current);
		survival(current);
		events(current);
		logs(current);
		messages(current);
		resizing(current);
		startErrors(current);
		stopping(current);
		images(current);
		execContract(current);
		streamContract(current);
	});
}

function repetition(machine: () => ContractMachine): void {
	test('1. a repeated call that creates something returns the existing sandbox or container', async () => {
		const { runtime } = machine();
		const sandbox = await machine().sandbox('a');
		assert.deepEqual(await machine().sandbox('a'), sandbox);
		const config = machine().config(machine().programs.runsForEver);
		const created = await runtime.createContainer(sandbox.id, config);
		assert.equal(created.state, 'created');
		assert.deepEqual(await runtime.createContainer(sandbox.id, config), created);
		const running = await runtime.startContainer(created.id);
		assert.equal(running.state, 'running');
		assert.deepEqual(await runtime.startContainer(created.id), running);
		assert.deepEqual(await runtime.createContainer(sandbox.id, config), running);
		await runtime.stopContainer(created.id, 0);
		const exited = await machine().exitOf(created.id);
		assert.deepEqual(await runtime.startContainer(created.id), exited);
		assert.deepEqual(await runtime.createContainer(sandbox.id, config), exited);
		assert.equal((await runtime.listContainers()).length, 1);
	});

	test('1. each attempt is a container and a sandbox of its own', async () => {
		const { runtime, programs } = machine();
		const first = await machine().run(programs.failsWith3);
		const again = await machine().run(programs.succeeds, { attempt: 1 });
		assert.notEqual(first.id, again.id);
		assert.equal((await runtime.listContainers()).length, 2);
		const other = await runtime.runSandbox(sandboxConfig('a', { attempt: 1 }));
		assert.notEqual(other.id, first.sandboxId);
	});

	test('4. calls for different sandboxes overlap', async () => {
		const names = Array.from({ length: 20 }, (_, index) => `pod-${index}`);
		const ended = await Promise.all(names.map((pod) => machine().run(machine().programs.succeeds, { pod })));
		assert.deepEqual(new Set(ended.map(({ podUid }) => podUid)).size, names.length);
		for (const status of ended) assert.equal(exitCodeOf(status), 0);
	});
}

function survival(machine: () => ContractMachine): void {
	test('2. sandboxes and containers outlive the connection, exits included, until they are removed', async () => {
		const { programs } = machine();
		const ended = await machine().run(programs.failsWith3, { pod: 'ended' });
		const running = await machine().start1(programs.runsForEver, { pod: 'running' });
		const runtime = await machine().reconnect();
		const listed = await runtime.listContainers();
		assert.deepEqual(byId(listed).get(ended.id), ended);
		assert.deepEqual(byId(listed).get(running.id), running);
		assert.equal((await runtime.listSandboxes()).length, 2);
		await runtime.removeContainer(ended.id);
		await runtime.removeSandbox(ended.sandboxId);
		assert.deepEqual(await runtime.listContainers(), [running]);
		assert.equal((await runtime.listSandboxes()).length, 1);
	});

	test('2. a later connection receives the exit of a container that an earlier one started', async () => {
		const running = await machine().start1(machine().programs.runsForEver);
		const runtime = await machine().reconnect();
		assert.equal((await runtime.listContainers())[0]?.state, 'running');
		await runtime.stopContainer(running.id, 0);
		const exited = await machine().exitOf(running.id);
		assert.equal(exitCodeOf(exited), 137);
	});

	test('8. after a crash containers continue or are reported as lost, and exited ones are unchanged', async () => {
		const { programs, runtime } = machine();
		const ended = await machine().run(programs.failsWith3, { pod: 'ended' });
		const running = await machine().start1(programs.runsForEver, { pod: 'running' });
		await machine().harness.crash(runtime);
		if (machine().harness.outlivesCrash) {
			const after = byId(await machine().eventually(() => runtime.listContainers()));
			assert.deepEqual(after.get(ended.id), ended);
			assert.deepEqual(after.get(running.id), running);
			await runtime.stopContainer(running.id, 0);
			assert.equal(exitCodeOf(await machine().exitOf(running.id)), 137);
			return;
		}
		const lost = await machine().exitOf(running.id);
		assert.equal(exitCodeOf(lost), 137);
		assert.equal(lost.state === 'exited' && lost.reason, 'ContainerStatusUnknown');
		const listed = byId(await machine().eventually(() => runtime.listContainers()));
		assert.deepEqual(listed.get(ended.id), ended);
		assert.deepEqual(listed.get(running.id), lost);
		assert.equal(exitCodeOf(await machine().run(programs.succeeds, { pod: 'after' })), 0);
	});

	test('stopping with killAll removes all sandboxes and containers', async () => {
		await machine().start1(machine().programs.ignoresTerm);
		await machine().runtime.stop({ killAll: true });
		const runtime = await machine().reconnect();
		assert.deepEqual(await runtime.listContainers(), []);
		assert.deepEqual(await runtime.listSandboxes(), []);
	});
}

function events(machine: () => ContractMachine): void {
	test('3. listeners receive each change once, in order, and before the call that caused it resolves', async () => {
		const { runtime, programs, events } = machine();
		const sandbox = await machine().sandbox('a');
		const created = await runtime.createContainer(sandbox.id, machine().config(programs.failsWith3));
		assert.equal(events.length, 0);
		const started = await runtime.startContainer(created.id);
		assert.deepEqual(events[0]?.status, started);
		const exited = await machine().exitOf(created.id);
		assert.deepEqual(
			events.map(({ status }) => status.state),
			['running', 'exited'],
		);
		assert.deepEqual(await runtime.listContainers(), [exited]);
		assert.deepEqual({ code: exitCodeOf(exited), pod: exited.podUid }, { code: 3, pod: 'uid-a' });
		assert.ok(exited.state === 'exited' && exited.reason === 'Error' && exited.startedAt !== undefined);
		assert.ok(exited.finishedAt >= exited.startedAt && exited.startedAt >= exited.createdAt);
	});

	test('3. a container that exits with code 0 has reason Completed', async () => {
		const exited = await machine().run(machine().programs.succeeds);
		assert.ok(exited.state === 'exited' && exited.reason === 'Completed' && exited.exitCode === 0);
	});

	test('3. an unsubscribed listener receives no event', async () => {
		let received = 0;
		const unsubscribe = machine().runtime.subscribe(() => received++);
		unsubscribe();
		await machine().run(machine().programs.succeeds);
		assert.equal(received, 0);
	});
}

function logs(machine: () => ContractMachine): void {
	const line =
		/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d) (stdout|stderr) ([FP]) (.*)$/;

	test('5. the log has each line with its stream, and is complete when the exit is reported', async () => {
		const exited = await machine().run(machine().programs.talks);
		const lines = (await machine().harness.readLog(exited.logPath)).trimEnd().split('\n');
		const parsed = lines.map((text) => line.exec(text)?.slice(1).join(' ')).sort();
		assert.deepEqual(parsed, ['stderr F err', 'stdout F out']);
	});

	test('5. a line over the limit is split, and a last line without line end is partial', async () => {
		const exited = await machine().run(machine().programs.writesLongLine);
		const text = await machine().harness.readLog(exited.logPath);
		const parts = text
			.trimEnd()
			.split('\n')
			.map((part) => line.exec(part));
		assert.deepEqual([...new Set(parts.map((part) => part?.[2]))], ['P']);
		const lengths = parts.map((part) => part?.[3]?.length ?? 0);
		assert.ok(parts.length >= 4 && Math.max(...lengths) <= LINE_LIMIT_BYTES, String(lengths));
		assert.equal(
			lengths.reduce((sum, length) => sum + length),
			4 * LINE_LIMIT_BYTES,
		);
	});

	test('7. no process of a container writes after its exit is reported', async () => {
		const { harness, programs } = machine();
		const exited = await machine().run(programs.leavesChild);
		const before = await harness.readLog(exited.logPath);
		await machine().run(programs.succeeds, { pod: 'later' });
		assert.equal(await harness.readLog(exited.logPath), before);
	});
}

function messages(machine: () => ContractMachine): void {
	test('13. a termination message is in the file of the host when the exit is reported', async (t) => {
		const { harness, runtime, programs } = machine();
		if (!programs.writesMessage) return t.skip('the runtime mounts no file');
		const file = harness.logPath('message');
		mkdirSync(dirname(file), { recursive: true });
		writeFileSync(file, '');
		chmodSync(file, 0o666);
		const sandbox = await machine().sandbox('a');
		const config = machine().config(programs.writesMessage);
		const { id } = await runtime.createContainer(sandbox.id, {
			...config,
			...{ terminationMessagePath: '/dev/termination-log', terminationMessageFile: file },
		});
		await runtime.startContainer(id);
		await machine().exitOf(id);
		assert.equal(await harness.readLog(file), 'why');
	});
}

function resizing(machine: () => ContractMachine): void {
	test('14. a resize changes a running container in place, or is refused by a runtime that cannot resize', async () => {
		const { runtime, programs } = machine();
		const { id } = await machine().start1(programs.runsForEver);
		const resources = {
			requests: { cpuMillis: 100, others: {} },
			limits: { memoryBytes: 2 ** 28, others: {} },
		};
		if (!runtime.traits.canResize) {
			await assert.rejects(runtime.updateContainerResources(id, resources), ContainerResizeError);
			return;
		}
		for (let time = 0; time < 2; time++) await runtime.updateContainerResources(id, resources);
		assert.equal((await runtime.listContainers())[0]?.state, 'running');
		await runtime.stopContainer(id, 0);
		await machine().exitOf(id);
		await runtime.updateContainerResources(id, resources);
		await runtime.updateContainerResources('none', resources);
	});
}

function startErrors(machine: () => ContractMachine): void {
	test('6. a container whose program does not exist exits with 128 and StartError', async () => {
		const { runtime, programs, events } = machine();
		const sandbox = await machine().sandbox('a');
		const created = await runtime.createContainer(sandbox.id, machine().config(programs.isMissing));
		await assert.rejects(runtime.startContainer(created.id), (error) => {
			return (
				error instanceof ContainerStartError && error.reason === 'RunContainerError' && error.message !== ''
			);
		});
		assert.deepEqual(
			events.map(({ status }) => status.state),
			['exited'],
		);
		const [exited] = await runtime.listContainers();
		assert.ok(exited?.state === 'exited' && exited.exitCode === 128 && exited.reason === 'StartError');
		assert.equal(exited.startedAt, undefined);
		assert.ok(exited.message);
		assert.deepEqual(await runtime.startContainer(created.id), exited);
	});

	test('a container can be created only in a ready sandbox, and started only if it exists', async () => {
		const { runtime, programs } = machine();
		const config = machine().config(programs.succeeds);
		const isCreateError = (error: unknown): boolean =>
			error instanceof ContainerStartError && error.reason === 'CreateContainerError';
		await assert.rejects(runtime.createContainer('nowhere', config), isCreateError);
		const sandbox = await machine().sandbox('a');
		await runtime.stopSandbox(sandbox.id);
		assert.equal((await runtime.listSandboxes())[0]?.state, 'stopped');
		await assert.rejects(runtime.createContainer(sandbox.id, config), isCreateError);
		await assert.rejects(runtime.startContainer('nothing'), ContainerStartError);
	});
}

function stopping(machine: () => ContractMachine): void {
	test('stopping a container ends it by SIGTERM', async () => {
		const { endsAtTerm, runsForEver } = machine().programs;
		const running = await machine().start1(endsAtTerm ?? runsForEver);
		if (endsAtTerm) await machine().logged(running.logPath, 'ready');
		await machine().runtime.stopContainer(running.id, 30);
		const exited = await machine().exitOf(running.id);
		assert.equal(exitCodeOf(exited), 143);
		const tellsSignal = !endsAtTerm && !machine().harness.tellsNoSignals;
		if (exited.state === 'exited' && tellsSignal) assert.equal(exited.signal, 15);
	});

	test('a container that ignores SIGTERM is killed after the grace period, which can only get shorter', async () => {
		const { runtime, programs, harness } = machine();
		const running = await machine().start1(programs.ignoresTerm);
		await machine().logged(running.logPath, 'ready');
		await runtime.stopContainer(running.id, 3600);
		await harness.passTime(1000);
		assert.equal((await runtime.listContainers())[0]?.state, 'running');
		await runtime.stopContainer(running.id, 0.01);
		await runtime.stopContainer(running.id, 3600);
		const exited = await machine().exitOf(running.id);
		assert.ok(exited.state === 'exited' && exited.exitCode === 137);
		assert.equal(exited.signal, harness.tellsNoSignals ? undefined : 9);
	});

	test('stopping a sandbox kills its containers and reports their exits before it resolves', async () => {
		const { runtime, programs } = machine();
		const running = await machine().start1(programs.ignoresTerm);
		await runtime.stopSandbox(running.sandboxId);
		const [exited] = await runtime.listContainers();
		assert.equal(exited && exitCodeOf(exited), 137);
		assert.deepEqual(machine().events.at(-1)?.status, exited);
	});

	test('removing a running container or sandbox kills it first', async () => {
		const { runtime, programs, events } = machine();
		const one = await machine().start1(programs.runsForEver);
		await runtime.removeContainer(one.id);
		assert.equal(events.at(-1)?.status.state, 'exited');
		assert.deepEqual(await runtime.listContainers(), []);
		const other = await machine().start1(programs.runsForEver, { pod: 'b' });
		await runtime.removeSandbox(other.sandboxId);
		assert.equal(events.at(-1)?.status.id, other.id);
		assert.deepEqual(await runtime.listContainers(), []);
		assert.equal((await runtime.listSandboxes()).length, 1);
	});

	test('9. stopping and removing something exited or removed succeeds and changes nothing', async () => {
		const { runtime, programs, events } = machine();
		const exited = await machine().run(programs.succeeds);
		const received = events.length;
		await runtime.stopContainer(exited.id, 0);
		await runtime.stopSandbox(exited.sandboxId);
		await runtime.stopSandbox(exited.sandboxId);
		assert.deepEqual(await runtime.listContainers(), [exited]);
		for (let time = 0; time < 2; time++) {
			await runtime.removeContainer(exited.id);
			await runtime.removeSandbox(exited.sandboxId);
			await runtime.stopContainer(exited.id, 1);
			await runtime.stopSandbox(exited.sandboxId);
		}
		assert.equal(events.length, received);
	});
}

function images(machine: () => ContractMachine): void {
	test('an available image has a reference', async () => {
		const { runtime, harness } = machine();
		const { imageRef } = await runtime.pullImage(harness.images.known);
		assert.ok(imageRef.includes(harness.images.known));
		assert.deepEqual(await runtime.imageStatus(harness.images.known), { imageRef });
		const exited = await machine().run(machine().programs.succeeds);
		assert.equal(exited.imageRef, imageRef);
	});

	test('an unavailable or malformed image is an ImageError with the waiting reason of the Pod', async () => {
		const { runtime, harness } = machine();
		const { unknown, malformed } = harness.images;
		assert.equal(await runtime.imageStatus(unknown), undefined);
		const hasReason = (reason: string) => (error: unknown) =>
			error instanceof ImageError && error.reason === reason && error.message.includes('"');
		await assert.rejects(runtime.pullImage(unknown), hasReason('ErrImagePull'));
		await assert.rejects(runtime.pullImage(malformed), hasReason('InvalidImageName'));
		await assert.rejects(runtime.imageStatus(malformed), hasReason('InvalidImageName'));
	});
}
