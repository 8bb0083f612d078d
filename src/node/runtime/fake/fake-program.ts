import type { ContainerConfig } from '../runtime.ts';

/** What a container does in the fake runtime. */
export interface FakeProgram {
	/** How long it runs, in milliseconds; Infinity: until it is stopped. 0 by default. */
	readonly runMs?: number;
	/** Runs up to this much longer, by chance. 0 by default. */
	readonly jitterMs?: number;
	/** 0 by default. */
	readonly exitCode?: number;
	/** What it writes, all at its end. */
	readonly stdout?: string;
	readonly stderr?: string;
	/** Goes on when it is asked to end, until it is killed. */
	readonly ignoresTerm?: boolean;
	/** It cannot be started, and this is why. */
	readonly startError?: string;
	/** Instead of `Completed` or `Error`, such as `OOMKilled`. */
	readonly reason?: string;
}

/**
 * What is done where nothing was scripted: `sleep N`, `false` and `exit N` in a shell do what they say;
 * everything else succeeds at once.
 */
export function programByCommand({ command, args }: Pick<ContainerConfig, 'command' | 'args'>): FakeProgram {
	const [program = '', first = '', second = ''] = [...command, ...args];
	switch (program.split('/').at(-1)) {
		case 'sleep':
			return { runMs: first === 'infinity' ? Number.POSITIVE_INFINITY : Number(first) * 1000 || 0 };
		case 'false':
			return { exitCode: 1 };
		case 'sh':
		case 'bash':
			return { exitCode: first === '-c' ? Number(/^exit (\d+)$/.exec(second.trim())?.[1] ?? 0) : 0 };
		default:
			return {};
	}
}
