/**
 * The part of the contract's tests that is about rules 11 and 12, `attach` and `portForward`. A runtime that cannot attach
 * must reject each call with a reason.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ContainerConfig } from '../../api/contract/container-config.ts';
import { CHANNELS, type Duplex, type DuplexMessage } from '../../api/contract/duplex.ts';
import {
	type AttachConfig,
	ExecError,
	PortForwardError,
	type Runtime,
	type RuntimeContainer,
} from '../contract.ts';

/** Programs of containers whose names describe their behaviour. */
export interface HarnessAttachable {
	/** Copies its standard input to its standard output until the input ends, then exits with code 0. */
	readonly echoesInput: readonly string[];
	/** Prints each new size of its terminal to standard output. */
	readonly printsSizes: readonly string[];
	/** Writes nothing and runs until SIGTERM. */
	readonly runsUntilStopped: readonly string[];
}

/** Ports in the network of the sandboxes. */
export interface HarnessPorts {
	/** A program on it returns what it receives, until the end of that. */
	readonly echoes: number;
	/** Nothing listens on it. */
	readonly closed: number;
	close(): Promise<void>;
}

/** A machine with a connected runtime. */
export interface StreamMachine {
	readonly runtime: Runtime;
	readonly harness: {
		readonly attachable?: HarnessAttachable;
		ports(): Promise<HarnessPorts>;
		readLog(path: string): Promise<string>;
		readonly programs: { readonly runsForEver: readonly string[]; readonly succeeds: readonly string[] };
	};
	start1(
		command: readonly string[],
		more?: { readonly fields?: Partial<ContainerConfig> },
	): Promise<RuntimeContainer>;
	run(command: readonly string[]): Promise<RuntimeContainer>;
	exitOf(id: string): Promise<RuntimeContainer>;
	logged(path: string, text: string): Promise<void>;
}

const BOTH: AttachConfig = { stdin: true, stdout: true, stderr: true };

/** Registers the tests. */
export function streamContract(machine: () => StreamMachine): void {
	attachedInput(machine);
	attachedOutput(machine);
	ports(machine);
}

/** Starts a program to attach to; undefined, after the check of the rejection, if the runtime cannot attach. */
async function attachable(
	{ runtime, harness, start1 }: Pick<StreamMachine, 'runtime' | 'harness' | 'start1'>,
	name: keyof HarnessAttachable,
	fields: Partial<ContainerConfig>,
): Promise<RuntimeContainer | undefined> {
	if (harness.attachable) return start1(harness.attachable[name], { fields });
	const { id } = await start1(harness.programs.runsForEver);
	await assert.rejects(runtime.attach(id, BOTH), isAttachError('Unsupported'));
	return undefined;
}

function bound(machine: StreamMachine): Pick<StreamMachine, 'runtime' | 'harness' | 'start1'> {
	const { runtime, harness } = machine;
	return { runtime, harness, start1: (command, more) => machine.start1(command, more) };
}

function attachedInput(machine: () => StreamMachine): void {
	test('11. with stdinOnce the input ends with that of the first client, and the program with it', async () => {
		const container = await attachable(bound(machine()), 'echoesInput', { stdin: true, stdinOnce: true });
		if (!container) return;
		const streams = await machine().runtime.attach(container.id, BOTH);
		const output = allText(streams);
		for (const piece of ['one ', 'x'.repeat(100_000), ' two\n']) await streams.send(input(piece));
		await streams.send({ type: 'end', channel: CHANNELS.stdin });
		assert.equal(await output, `one ${'x'.repeat(100_000)} two\n`);
		assert.deepEqual(await streams.closed, { type: 'ended' });
		const exit = await machine().exitOf(container.id);
		assert.equal(exit.state === 'exited' && exit.exitCode, 0);
	});

	test('11. with stdinOnce a client that leaves ends the input, without it the input stays open', async () => {
		const once = await attachable(bound(machine()), 'echoesInput', { stdin: true, stdinOnce: true });
		if (!once) return;
		const first = await machine().runtime.attach(once.id, BOTH);
		first.close();
		await machine().exitOf(once.id);
		const fields = { stdin: true, attempt: 1 };
		const stays = await attachable(bound(machine()), 'echoesInput', fields);
		assert.ok(stays);
		const early = await machine().runtime.attach(stays.id, BOTH);
		await early.send({ type: 'end', channel: CHANNELS.stdin });
		early.close();
		const late = await machine().runtime.attach(stays.id, BOTH);
		await late.send(input('late\n'));
		assert.equal(await someText(late), 'late\n');
		late.close();
		await machine().runtime.stopContainer(stays.id, 0);
	});

	test('11. input for a container without stdin, or of a client that does not send it, is dropped', async () => {
		const container = await attachable(bound(machine()), 'runsUntilStopped', {});
		if (!container) return;
		const streams = await machine().runtime.attach(container.id, BOTH);
		for (let count = 0; count < 100; count += 1)
			assert.equal(await streams.send(input('x'.repeat(10_000))), true);
		await machine().runtime.stopContainer(container.id, 0);
		assert.equal(await allText(streams), '');
	});
}

function attachedOutput(machine: () => StreamMachine): void {
	test('11. each client receives the output, which the log receives too; a close leaves the program', async () => {
		const container = await attachable(bound(machine()), 'echoesInput', { stdin: true });
		if (!container) return;
		const { runtime } = machine();
		const [one, two] = [
			await runtime.attach(container.id, BOTH),
			await runtime.attach(container.id, { ...BOTH, stdin: false }),
		];
		await two.send(input('not sent\n'));
		await one.send(input('hello\n'));
		assert.deepEqual(await Promise.all([someText(one), someText(two)]), ['hello\n', 'hello\n']);
		await machine().logged(container.logPath, 'stdout F hello\n');
		one.close();
		await two.send(input('dropped\n'));
		await runtime.stopContainer(container.id, 0);
		assert.equal(await allText(two), '');
		const exit = await machine().exitOf(container.id);
		assert.equal(exit.state === 'exited' && exit.exitCode, 137);
	});

	test('11. an output that was not asked for is not sent, and a terminal receives its sizes', async () => {
		const container = await attachable(bound(machine()), 'printsSizes', { stdin: true, tty: true });
		if (!container) return;
		const { runtime } = machine();
		const silent = await runtime.attach(container.id, { stdin: true, stdout: false, stderr: true });
		const streams = await runtime.attach(container.id, BOTH);
		const bytes = Buffer.from('{"Width":80,"Height":24}');
		await streams.send({ type: 'data', channel: CHANNELS.resize, bytes });
		assert.match(await someText(streams), /80.*24|24.*80/);
		await runtime.stopContainer(container.id, 0);
		assert.equal(await allText(silent), '');
	});

	test('11. a container that does not run cannot be attached to', async () => {
		const { runtime, harness } = machine();
		if (!harness.attachable) return;
		const { id } = await machine().run(harness.programs.succeeds);
		for (const each of [id, 'uid-a_0_missing_0'])
			await assert.rejects(runtime.attach(each, BOTH), isAttachError('ContainerNotRunning'));
	});
}

function ports(machine: () => StreamMachine): void {
	test('12. a port receives bytes and sends them, and each direction ends by itself', async () => {
		const { runtime, harness } = machine();
		const { sandboxId } = await machine().start1(harness.programs.runsForEver);
		const open = await harness.ports();
		const connection = await runtime.portForward(sandboxId, open.echoes);
		const text = 'z'.repeat(1_000_000);
		const received = portText(connection);
		for (let at = 0; at < text.length; at += 50_000)
			assert.equal(await connection.send(sent(text.slice(at, at + 50_000))), true);
		await connection.send({ type: 'end', channel: 0 });
		assert.equal((await received).length, text.length);
		assert.deepEqual(await connection.closed, { type: 'ended' });
		await open.close();
	});

	test('12. a port on which nothing listens, and a sandbox that does not run, is refused', async () => {
		const { runtime, harness } = machine();
		const { sandboxId } = await machine().start1(harness.programs.runsForEver);
		const open = await harness.ports();
		const isRefused = (error: unknown): boolean =>
			error instanceof PortForwardError && error.message.includes('connection refused');
		await assert.rejects(runtime.portForward(sandboxId, open.closed), isRefused);
		await assert.rejects(runtime.portForward('no-such-sandbox', open.echoes), PortForwardError);
		await open.close();
	});

	test('12. a connection ends with its sandbox, and by a close', async () => {
		const { runtime, harness } = machine();
		const { sandboxId } = await machine().start1(harness.programs.runsForEver);
		const open = await harness.ports();
		const closed = await runtime.portForward(sandboxId, open.echoes);
		closed.close();
		assert.equal(await closed.send(sent('late')), false);
		const kept = await runtime.portForward(sandboxId, open.echoes);
		await runtime.removeSandbox(sandboxId);
		await kept.closed;
		await open.close();
	});
}

function input(text: string): DuplexMessage {
	return { type: 'data', channel: CHANNELS.stdin, bytes: Buffer.from(text) };
}

function sent(text: string): DuplexMessage {
	return { type: 'data', channel: 0, bytes: Buffer.from(text) };
}

function isAttachError(reason: ExecError['reason']): (error: unknown) => boolean {
	return (error) => error instanceof ExecError && error.reason === reason && error.message !== '';
}

/** The next bytes that arrive. */
async function someText(streams: Duplex): Promise<string> {
	const message = await streams.receive();
	return message?.type === 'data' ? Buffer.from(message.bytes).toString() : '';
}

/** What arrives until the streams are closed. */
async function allText(streams: Duplex): Promise<string> {
	const pieces: Uint8Array[] = [];
	for (let message = await streams.receive(); message; message = await streams.receive())
		if (message.type === 'data') pieces.push(message.bytes);
	return Buffer.concat(pieces).toString();
}

/** What arrives until the end of the other direction. */
async function portText(connection: Duplex): Promise<string> {
	const pieces: Uint8Array[] = [];
	for (
		let message = await connection.receive();
		message?.type === 'data';
		message = await connection.receive()
	)
		pieces.push(message.bytes);
	return Buffer.concat(pieces).toString();
}
