import type { ContainerConfig } from '../../api/contract/container-config.ts';

/** The behaviour of a container in the fake runtime. */
export interface FakeProgram {
	/** Run time in milliseconds; Infinity: until it is stopped. Default 0. */
	readonly runMs?: number;
	/** Maximum random addition to the run time, in milliseconds. Default 0. */
	readonly jitterMs?: number;
	/** Default 0. */
	readonly exitCode?: number;
	/** Its output, written when it exits. */
	readonly stdout?: string;
	readonly stderr?: string;
	/** Its termination message, written when it exits. */
	readonly terminationMessage?: string;
	/**
	 * If true, it copies its standard input, which attached clients send, to its standard output, and exits when the input
	 * ends. It must have an infinite `runMs`.
	 */
	readonly copiesInput?: boolean;
	/** If true, it prints each new size of its terminal to standard output. */
	readonly printsSizes?: boolean;
	/** If true, it ignores SIGTERM and runs until it is killed. */
	readonly ignoresTerm?: boolean;
	/** If set, the start fails with this message. */
	readonly startError?: string;
	/** Reason of its exit in place of `Completed` or `Error`, such as `OOMKilled`. */
	readonly reason?: string;
}

/**
 * The behaviour that follows from a container's command: `sleep N`, `cat`, `false` and `sh -c 'exit N'` behave as on a
 * real machine; every other program exits with code 0 at once.
 */
export function programByCommand({
	command,
	args,
	stdin,
}: Pick<ContainerConfig, 'command' | 'args'> & Partial<Pick<ContainerConfig, 'stdin'>>): FakeProgram {
	const argv = [...command, ...args];
	const [, first = '', second = ''] = argv;
	switch (programNameOf(argv)) {
		case 'sleep':
			return { runMs: first === 'infinity' ? Number.POSITIVE_INFINITY : Number(first) * 1000 || 0 };
		case 'cat':
			return stdin ? { runMs: Number.POSITIVE_INFINITY, copiesInput: true } : {};
		case 'false':
			return { exitCode: 1 };
		case 'sh':
		case 'bash':
			return { exitCode: first === '-c' ? Number(/^exit (\d+)$/.exec(second.trim())?.[1] ?? 0) : 0 };
		default:
			return {};
	}
}

/** The file name of a command's program, without its folder. */
export function programNameOf([program = '']: readonly string[]): string {
	return program.slice(program.lastIndexOf('/') + 1);
}
