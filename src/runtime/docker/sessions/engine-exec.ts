/** Runs commands in containers of an engine. */
import { readFile } from 'node:fs/promises';
import { type Clock, sleep } from '../../../base/clock.ts';
import { codeOf } from '../../../base/files/system-error.ts';
import { type ExecConfig, ExecError, type ExecSession } from '../../contract.ts';
import { numberAt, stringAt, valueAt } from '../../json-values.ts';
import { type EngineClient, EngineError } from '../engine/engine-client.ts';
import { type EngineSession, outputsOf, sessionOver, type TtySize } from './engine-sessions.ts';

/** The engine, and the container in which the command runs. */
export interface EngineExecTarget {
	readonly client: EngineClient;
	readonly clock: Clock;
	readonly engineId: string;
	/** Ends all sessions. */
	readonly signal: AbortSignal;
}

/** The exit code of a command that was killed. */
const KILLED = 137;
/** The exit codes of a command that the engine could not start. */
const NOT_STARTED: ReadonlySet<number> = new Set([126, 127]);
/** Interval at which the engine is asked for the state of a command that changes at any moment. */
const POLL_MS = 10;

/** Starts a command; see Runtime.exec. */
export async function engineExec(target: EngineExecTarget, config: ExecConfig): Promise<ExecSession> {
	const { client, signal } = target;
	const { command, stdin, tty } = config;
	const id = await asExecError('ContainerNotRunning', async () => {
		const body = { Cmd: command, AttachStdin: stdin, AttachStdout: true, AttachStderr: !tty, Tty: tty };
		return stringAt(await client.call('POST', `/containers/${target.engineId}/exec`, { body }), 'Id');
	});
	const body = { Detach: false, Tty: tty };
	const connection = await asExecError('StartError', () => client.hijack(`/exec/${id}/start`, { body }));
	const outputs = outputsOf(config);
	const resize = (query: TtySize): Promise<unknown> =>
		client.call('POST', `/exec/${id}/resize`, { query: { ...query } });
	const run = await untilStarted(target, id);
	const session = sessionOver(connection, { tty, outputs, stdin: stdin ? 'closes' : 'none', resize, signal });
	if (!run.isRunning && NOT_STARTED.has(run.exitCode) && run.pid === 0)
		throw await startError(session, command);
	return { streams: session.streams, exitCode: exitCodeOf(target, { id, pid: run.pid, session }) };
}

/** Turns an answer of the engine into an ExecError. */
async function asExecError<T>(reason: ExecError['reason'], act: () => Promise<T>): Promise<T> {
	try {
		return await act();
	} catch (error) {
		if (!(error instanceof EngineError)) throw error;
		throw new ExecError(reason, error.message);
	}
}

/** What the engine says about a command. */
interface ExecRun {
	readonly isRunning: boolean;
	readonly hasEnded: boolean;
	readonly exitCode: number;
	readonly pid: number;
}

async function inspect({ client }: EngineExecTarget, id: string): Promise<ExecRun> {
	try {
		const found = await client.call('GET', `/exec/${id}/json`);
		const exitCode = valueAt(found, 'ExitCode');
		const isRunning = valueAt(found, 'Running') === true;
		const hasEnded = !isRunning && typeof exitCode === 'number';
		return { isRunning, hasEnded, exitCode: hasEnded ? exitCode : 0, pid: numberAt(found, 'Pid') };
	} catch (error) {
		// The engine forgets the commands of a container that has ended.
		if (!(error instanceof EngineError)) throw error;
		return { isRunning: false, hasEnded: true, exitCode: KILLED, pid: 0 };
	}
}

/** Resolves once the command runs or has ended: the engine hands the connection over before it starts it. */
async function untilStarted(target: EngineExecTarget, id: string): Promise<ExecRun> {
	for (;;) {
		const run = await inspect(target, id);
		if (run.pid > 0 || run.hasEnded) return run;
		await sleep(target.clock, POLL_MS);
	}
}

/** The engine writes the reason to the output. */
async function startError({ streams }: EngineSession, [program = '']: readonly string[]): Promise<ExecError> {
	let text = '';
	for (let message = await streams.receive(); message; message = await streams.receive())
		if (message.type === 'data') text += Buffer.from(message.bytes).toString();
	return new ExecError('StartError', text.trim() || `exec: ${JSON.stringify(program)}: cannot be started`);
}

interface RunningExec {
	readonly id: string;
	readonly pid: number;
	readonly session: EngineSession;
}

/** Resolves to the exit code; kills a command that its caller leaves. Never rejects. */
async function exitCodeOf(target: EngineExecTarget, { id, pid, session }: RunningExec): Promise<number> {
	try {
		if ((await session.ended) === 'caller') await kill(target, id, pid);
		for (;;) {
			const { hasEnded, exitCode } = await inspect(target, id);
			if (hasEnded) return exitCode;
			await sleep(target.clock, POLL_MS);
		}
	} catch {
		// The engine cannot be reached. The session has ended with the connection.
		return KILLED;
	}
}

/**
 * Kills a command. Engines have no call for that, so its process is signalled: directly if it is this machine's and this user
 * may do so, otherwise by `kill` in the container.
 */
async function kill(target: EngineExecTarget, id: string, pid: number): Promise<void> {
	if (!(await inspect(target, id)).isRunning) return;
	const { engineId } = target;
	const processes = await withDescendants(pid);
	// The engine may be in another process namespace, where the number means another process.
	const cgroup = await readFile(`/proc/${pid}/cgroup`, 'utf8').catch(() => '');
	if (!cgroup.includes(engineId)) throw new Error('the process of the command is not visible');
	if (processes.every(signalled)) return;
	const numbers = await Promise.all(processes.map(pidInContainer));
	const Cmd = ['kill', '-KILL', ...numbers.filter((number) => number !== undefined)];
	const created = await target.client.call('POST', `/containers/${engineId}/exec`, {
		body: { Cmd, User: '0' },
	});
	await target.client.call('POST', `/exec/${stringAt(created, 'Id')}/start`, { body: { Detach: true } });
}

/** Kills a process; false if this user may not. */
function signalled(pid: number): boolean {
	try {
		return process.kill(pid, 'SIGKILL');
	} catch (error) {
		return codeOf(error) === 'ESRCH';
	}
}

/** A process and the ones that it has started, by their numbers on this machine. */
async function withDescendants(pid: number): Promise<readonly number[]> {
	const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'latin1').catch(() => '');
	const children = text.split(' ').filter((part) => part.trim() !== '');
	const below = await Promise.all(children.map((child) => withDescendants(Number(child))));
	return [pid, ...below.flat()];
}

/** The number of a process in its innermost namespace. */
async function pidInContainer(pid: number): Promise<string | undefined> {
	const status = await readFile(`/proc/${pid}/status`, 'latin1').catch(() => '');
	return /^NSpid:.*\t(\d+)$/m.exec(status)?.[1];
}
