import { CHANNELS, type Duplex } from '../../api/contract/duplex.ts';
import { duplexPair } from '../../api/streams/duplex-pair.ts';
import { type Clock, sleep } from '../../base/clock.ts';
import type { ExecConfig, ExecSession } from '../contract.ts';
import { type FakeProgram, programByCommand, programNameOf } from './fake-program.ts';

/** A command as it runs in a container of the fake runtime. */
export interface FakeExecProcess {
	readonly config: ExecConfig;
	/** The end of the process: it receives `stdin` and `resize`, and sends `stdout` and `stderr`. */
	readonly streams: Duplex;
	readonly clock: Clock;
	/** Aborts when the process is killed. */
	readonly signal: AbortSignal;
}

/** The behaviour of a command; resolves to its exit code. It must end when its streams are closed. */
export type FakeExec = (process: FakeExecProcess) => Promise<number>;

const KILLED = 137;

/**
 * The behaviour that follows from a command: `cat` copies its standard input, `echo` prints its arguments, and every
 * other command behaves as the container of {@link programByCommand}.
 */
export function execByCommand({ command }: Pick<ExecConfig, 'command'>): FakeExec {
	switch (programNameOf(command)) {
		case 'cat':
			return copyInput;
		case 'echo':
			return async ({ streams }) => {
				await writeTo(streams, 'stdout', `${command.slice(1).join(' ')}\n`);
				return 0;
			};
		default:
			return execOf(programByCommand({ command, args: [] }));
	}
}

/** A command that behaves as a container with the same program. */
function execOf({ runMs = 0, exitCode = 0 }: FakeProgram): FakeExec {
	return async ({ clock, signal }) => {
		if (runMs > 0) await sleep(clock, Math.min(runMs, FOR_EVER_MS), signal);
		return exitCode;
	};
}

/** Far longer than any test or simulation runs. */
const FOR_EVER_MS = 1e12;

/** Writes text to an output of the process. Resolves when the reader has room for more. */
export async function writeTo(streams: Duplex, output: 'stdout' | 'stderr', text: string): Promise<void> {
	await streams.send({ type: 'data', channel: CHANNELS[output], bytes: new TextEncoder().encode(text) });
}

async function copyInput({ config, streams }: FakeExecProcess): Promise<number> {
	if (!config.stdin) return 0;
	for (;;) {
		const message = await streams.receive();
		if (!message) return KILLED;
		if (message.channel !== CHANNELS.stdin) continue;
		if (message.type === 'end') return 0;
		await streams.send({ ...message, channel: CHANNELS.stdout });
	}
}

/** Starts a command. `kill` ends it with exit code 137. */
export function startFakeExec(
	program: FakeExec,
	config: ExecConfig,
	clock: Clock,
): { readonly session: ExecSession; kill(): void } {
	const [caller, own] = duplexPair();
	const exit = Promise.withResolvers<number>();
	const killed = new AbortController();
	const finish = (code: number): void => {
		exit.resolve(code);
		own.close();
		killed.abort();
	};
	void own.closed.then(() => finish(KILLED));
	program({ config, streams: connected(own, config), clock, signal: killed.signal }).then(finish, () =>
		finish(KILLED),
	);
	return { session: { streams: caller, exitCode: exit.promise }, kill: () => finish(KILLED) };
}

/** Discards the output that the caller has not asked for. */
function connected(streams: Duplex, config: ExecConfig): Duplex {
	return {
		...streams,
		send: async (message) => {
			const isWanted = message.channel === CHANNELS.stderr ? config.stderr : config.stdout;
			return isWanted ? streams.send(message) : true;
		},
	};
}
