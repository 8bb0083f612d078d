/**
 * The parts of the runtime contract about `exec` (10) and usage (15), as tests. A runtime that cannot run commands in containers must
 * reject each call with a reason.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CHANNELS, type Duplex, type DuplexMessage } from '../../api/contract/duplex.ts';
import {
	type ExecConfig,
	ExecError,
	type ExecSession,
	type Runtime,
	type RuntimeContainer,
} from '../contract.ts';

/** Commands whose names describe their behaviour. */
export interface HarnessCommands {
	/** Copies its standard input to its standard output until the input ends, then exits with code 0. */
	readonly echoesInput: readonly string[];
	readonly exitsWith3: readonly string[];
	/** Prints `out` and a line end to standard output, `err` and a line end to standard error. */
	readonly talks: readonly string[];
	readonly runsForEver: readonly string[];
	/** Prints each new size of its terminal to standard output. */
	readonly printsSizes: readonly string[];
}

/** A machine with a connected runtime. */
export interface ExecMachine {
	readonly runtime: Runtime;
	readonly harness: {
		readonly commands?: HarnessCommands;
		readonly programs: { readonly runsForEver: readonly string[]; readonly succeeds: readonly string[] };
	};
	/** Starts a container. */
	start1(command: readonly string[]): Promise<RuntimeContainer>;
	/** Runs a container to its end. */
	run(command: readonly string[]): Promise<RuntimeContainer>;
}

/** Registers the tests of usage (15), which need the same machine. */
function usage(machine: () => ExecMachine): void {
	test('15. the usage of running containers is measured, of ended ones not', async () => {
		const { runtime, harness } = machine();
		const { id, podUid, name } = await machine().start1(harness.programs.runsForEver);
		const used = await runtime.usage();
		assert.deepEqual(
			used.map((one) => [one.id, one.podUid, one.name]),
			[[id, podUid, name]],
		);
		for (const { processes, cpuNanoseconds, at } of used)
			assert.ok(processes > 0 && cpuNanoseconds >= 0 && at > 0, JSON.stringify(used));
		await runtime.removeContainer(id);
		assert.deepEqual(await runtime.usage(), []);
	});
}

const ALL = { stdin: true, stdout: true, stderr: true, tty: false };

/** Registers the tests. */
export function execContract(machine: () => ExecMachine): void {
	/** Runs a command in a container; undefined, after the check of the rejection, if the runtime cannot. */
	const exec = async (
		name: keyof HarnessCommands,
		more: Partial<ExecConfig> = {},
	): Promise<Started | undefined> => {
		const { runtime, harness } = machine();
		const container = await machine().start1(harness.programs.runsForEver);
		const config = { ...ALL, command: harness.commands?.[name] ?? ['true'], ...more };
		if (harness.commands) return { session: await runtime.exec(container.id, config), container };
		await assert.rejects(runtime.exec(container.id, config), isExecError('Unsupported'));
		return undefined;
	};
	input(exec);
	ends(exec, machine);
	usage(machine);
}

interface Started {
	readonly session: ExecSession;
	readonly container: RuntimeContainer;
}

type Exec = (name: keyof HarnessCommands, more?: Partial<ExecConfig>) => Promise<Started | undefined>;

function input(exec: Exec): void {
	test('10. a command receives its input until that ends, and its output arrives completely', async () => {
		const started = await exec('echoesInput');
		if (!started) return;
		const { streams, exitCode } = started.session;
		const output = textsOf(streams);
		for (const piece of ['one ', 'x'.repeat(200_000), ' two']) await streams.send(typed(piece));
		await streams.send({ type: 'end', channel: CHANNELS.stdin });
		assert.deepEqual(await output, { stdout: `one ${'x'.repeat(200_000)} two`, stderr: '' });
		assert.equal(await exitCode, 0);
		assert.deepEqual(await streams.closed, { type: 'ended' });
	});

	test('10. without stdin the input is empty', async () => {
		const started = await exec('echoesInput', { stdin: false });
		if (started) assert.equal(await started.session.exitCode, 0);
	});

	test('10. both outputs are separate, and one that was not asked for is discarded', async () => {
		const both = await exec('talks');
		if (!both) return;
		assert.deepEqual(await textsOf(both.session.streams), { stdout: 'out\n', stderr: 'err\n' });
		const one = await exec('talks', { stderr: false });
		assert.deepEqual(one && (await textsOf(one.session.streams)), { stdout: 'out\n', stderr: '' });
	});

	test('10. a terminal receives its sizes', async () => {
		const started = await exec('printsSizes', { tty: true, stderr: false });
		if (!started) return;
		const { streams } = started.session;
		const bytes = Buffer.from('{"Width":80,"Height":24}');
		await streams.send({ type: 'data', channel: CHANNELS.resize, bytes });
		const message = await streams.receive();
		assert.match(message?.type === 'data' ? Buffer.from(message.bytes).toString() : '', /80.*24|24.*80/);
		streams.close();
	});
}

function ends(exec: Exec, machine: () => ExecMachine): void {
	test('10. the exit code is that of the command', async () => {
		const started = await exec('exitsWith3');
		if (started) assert.equal(await started.session.exitCode, 3);
	});

	test('10. a close by the caller kills the command', async () => {
		const started = await exec('runsForEver');
		started?.session.streams.close();
		if (started) assert.equal(await started.session.exitCode, 137);
	});

	test('10. a command ends with its container', async () => {
		const started = await exec('runsForEver');
		if (!started) return;
		const { session, container } = started;
		await machine().runtime.stopContainer(container.id, 0);
		assert.equal(await session.exitCode, 137);
		assert.equal(await session.streams.receive(), undefined);
	});

	test('10. a command cannot run in a container that does not run', async () => {
		const { runtime, harness } = machine();
		if (!harness.commands) return;
		const { id } = await machine().run(harness.programs.succeeds);
		const config = { ...ALL, command: harness.commands.exitsWith3 };
		for (const each of [id, 'uid-a_0_missing_0'])
			await assert.rejects(runtime.exec(each, config), isExecError('ContainerNotRunning'));
	});
}

function typed(text: string): DuplexMessage {
	return { type: 'data', channel: CHANNELS.stdin, bytes: Buffer.from(text) };
}

function isExecError(reason: ExecError['reason']): (error: unknown) => boolean {
	return (error) => error instanceof ExecError && error.reason === reason && error.message !== '';
}

/** The outputs of a command, complete. */
async function textsOf(streams: Duplex): Promise<{ stdout: string; stderr: string }> {
	const pieces: Uint8Array[][] = [[], []];
	for (;;) {
		const message = await streams.receive();
		if (!message) break;
		if (message.type === 'data') pieces[message.channel - CHANNELS.stdout]?.push(message.bytes);
	}
	const [stdout = '', stderr = ''] = pieces.map((each) => Buffer.concat(each).toString());
	return { stdout, stderr };
}
