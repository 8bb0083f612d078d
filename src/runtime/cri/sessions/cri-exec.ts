/** Runs commands in containers of a runtime of the CRI. */
import { type Clock, sleep } from '../../../base/clock.ts';
import { type ExecConfig, ExecError, type ExecSession } from '../../contract.ts';
import { type CriClient, CriError } from '../client/cri-client.ts';
import { CRI } from '../client/cri-methods.ts';
import { ProcessGroup } from '../containers/process-group.ts';
import { type CommandSession, criCommandSession } from './command-session.ts';

/** The runtime, and the container in which the command runs. */
export interface CriExecTarget {
	readonly client: CriClient;
	readonly clock: Clock;
	readonly criId: string;
	/** Ends all sessions. */
	readonly signal: AbortSignal;
}

/** The exit code of a command that was killed. */
const KILLED = 137;
/** Interval at which the process of a new command is looked for, and how often. */
const LOOK_MS = 10;
const MOST_LOOKS = 500;
/** The same where its processes cannot be seen: the command is taken to run then. */
const LOOKS_UNSEEN = 50;

/**
 * Starts commands one after the other in each container. The CRI neither tells the process of a command nor kills it when its
 * caller leaves: the process is the one that is new in the container, so no two commands may start at a time.
 */
export class CriExecs {
	/** By container, the start after which the next one begins. */
	readonly #turns = new Map<string, Promise<unknown>>();

	/** Starts a command; see Runtime.exec. */
	async start(target: CriExecTarget, config: ExecConfig): Promise<ExecSession> {
		const { criId } = target;
		const turn = this.#turns.get(criId) ?? Promise.resolve();
		const started = turn.then(() => startCommand(target, config));
		const done = started.then(
			() => undefined,
			() => undefined,
		);
		this.#turns.set(criId, done);
		void done.then(() => {
			if (this.#turns.get(criId) === done) this.#turns.delete(criId);
		});
		return await started;
	}
}

async function startCommand(target: CriExecTarget, config: ExecConfig): Promise<ExecSession> {
	const { client, criId, signal } = target;
	const { command, stdin, tty } = config;
	const group = await ProcessGroup.of(client, criId).catch(() => undefined);
	const before = (await group?.roots()) ?? new Set();
	const request = { containerId: criId, command, tty, stdin, stdout: true, stderr: !tty };
	const { url } = await client.call(CRI.exec, request).catch((error: unknown) => {
		if (!(error instanceof CriError)) throw error;
		throw new ExecError('ContainerNotRunning', error.message);
	});
	const session = await criCommandSession(url, {
		tty,
		stdout: config.stdout,
		stderr: config.stderr,
		signal,
		stdin: stdin ? 'closes' : 'none',
	});
	const found = await untilRunning(target, session, { group, before });
	if (found.type === 'failed') throw new ExecError('StartError', startMessage(found.message));
	const pid = found.type === 'runs' ? found.pid : undefined;
	return { streams: session.streams, exitCode: exitCodeOf(session, { group, pid }) };
}

/** The processes of the container, if this process can see them. */
interface SeenProcesses {
	readonly group: ProcessGroup | undefined;
	/** Those that were there before the command. */
	readonly before: ReadonlySet<number>;
}

/** What became of the start of a command; `unseen`: it runs or has ended, and there is no process to be seen. */
type StartedCommand =
	| { readonly type: 'runs'; readonly pid: number }
	| { readonly type: 'unseen' }
	| { readonly type: 'failed'; readonly message: string };

/** Resolves once the command runs, or is known to have run, or could not be started. */
async function untilRunning(
	{ clock }: CriExecTarget,
	session: CommandSession,
	{ group, before }: SeenProcesses,
): Promise<StartedCommand> {
	let status: Awaited<CommandSession['status']>;
	let isOver = false;
	void session.status.then((sent) => {
		status = sent;
	});
	void session.hasOutput.then(() => {
		isOver = true;
	});
	for (let look = 0; look < (group ? MOST_LOOKS : LOOKS_UNSEEN); look++) {
		if (status?.type === 'failed') return status;
		const hasRun = isOver || status !== undefined;
		for (const pid of (await group?.roots()) ?? []) if (!before.has(pid)) return { type: 'runs', pid };
		if (hasRun) break;
		await sleep(clock, LOOK_MS);
	}
	return status?.type === 'failed' ? status : { type: 'unseen' };
}

/** The reason in the status of a command that could not be started, without what the streaming server puts before it. */
function startMessage(message: string): string {
	return message
		.replace(/^Internal error occurred: /, '')
		.replace(/^error executing command in container: /, '');
}

interface RunningCommand {
	readonly group: ProcessGroup | undefined;
	readonly pid: number | undefined;
}

/** Resolves to the exit code; kills a command that its caller leaves. Never rejects. */
async function exitCodeOf(session: CommandSession, { group, pid }: RunningCommand): Promise<number> {
	if ((await session.ended) === 'caller' && pid !== undefined) await group?.kill(pid);
	const status = await session.status;
	return status?.type === 'exited' ? status.exitCode : KILLED;
}
