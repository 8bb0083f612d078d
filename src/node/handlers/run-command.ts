import { CHANNELS } from '../../api/contract/duplex.ts';
import type { Clock } from '../../base/clock.ts';
import { type ExecSession, type Runtime, RuntimeUnavailable } from '../../runtime/contract.ts';

/** How a command in a container ended. */
export type CommandEnd =
	| { readonly kind: 'exited'; readonly exitCode: number; readonly output: string }
	| { readonly kind: 'timed out' };

/** Limits of a command. */
export interface CommandLimits {
	readonly clock: Clock;
	/** After it, the command is killed; undefined for no limit. */
	readonly timeoutMs?: number;
	/** The output beyond it is discarded. */
	readonly mostBytes: number;
	/** Kills the command when it aborts. */
	readonly signal?: AbortSignal;
}

/**
 * Runs a command of a probe or hook in the container; resolves once it has ended, with the start of its two outputs as
 * one text. Rejects as `Runtime.exec` does.
 */
export async function runCommand(
	runtime: Pick<Runtime, 'exec'>,
	{ containerId, command }: { readonly containerId: string; readonly command: readonly string[] },
	{ clock, timeoutMs, mostBytes, signal }: CommandLimits,
): Promise<CommandEnd> {
	const config = { command, stdin: false, stdout: true, stderr: true, tty: false };
	let isLate = false;
	let session: ExecSession | undefined;
	const kill = (): void => session?.streams.close({ type: 'failed', message: 'the command was killed' });
	const timer =
		timeoutMs === undefined
			? undefined
			: clock.setTimer(timeoutMs, () => {
					isLate = true;
					kill();
				});
	signal?.addEventListener('abort', kill, { once: true });
	try {
		session = await runtime.exec(containerId, config);
		if (isLate || signal?.aborted) kill();
		const output = await outputOf(session, mostBytes);
		const exitCode = await session.exitCode;
		const close = await session.streams.closed;
		// The exit code of a lost session says nothing about the command.
		if (close.type === 'failed' && !isLate && !signal?.aborted) throw new RuntimeUnavailable(close.message);
		return isLate ? { kind: 'timed out' } : { kind: 'exited', exitCode, output };
	} finally {
		timer?.cancel();
		signal?.removeEventListener('abort', kill);
		kill();
	}
}

async function outputOf({ streams }: ExecSession, mostBytes: number): Promise<string> {
	const parts: Uint8Array[] = [];
	let left = mostBytes;
	for (;;) {
		const message = await streams.receive();
		if (!message) return Buffer.concat(parts).toString('utf8');
		if (message.type !== 'data' || left <= 0) continue;
		if (message.channel !== CHANNELS.stdout && message.channel !== CHANNELS.stderr) continue;
		parts.push(message.bytes.subarray(0, left));
		left -= message.bytes.length;
	}
}
