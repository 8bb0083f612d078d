import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/**
 * The bytes that a folder takes, by the program `du`: for trees that this process cannot walk. `prefix` is a program with
 * arguments that runs it. Undefined where there is none.
 */
export async function bytesByDu(folder: string, prefix: readonly string[] = []): Promise<number | undefined> {
	const [command = '', ...args] = [...prefix, '/usr/bin/du', '-skx', '--', folder];
	// With an exit code other than 0 it still prints the sum of what it could read.
	const { stdout } = await promisify(execFile)(command, args).catch((error: { stdout?: string }) => ({
		stdout: error.stdout ?? '',
	}));
	const [, kibibytes] = /^(\d+)\s/.exec(stdout) ?? [];
	return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
}
